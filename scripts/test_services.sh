#!/bin/sh
# Runs the tests that depend on the database on each available server; reports missing ones.
# ALL=1 runs the whole suite instead.
set -eu
BIN=$1
TESTS="tests/hub tests/models tests/permissions tests/webhooks tests/oauth/test_tokens.py tests/sync/test_upsert.py tests/sync/test_occurrences.py tests/sync/test_inbox.py tests/api/test_v2.py"
if [ -n "${ALL:-}" ]; then TESTS=tests; fi
run() {
    echo "== $1 =="
    # shellcheck disable=SC2086 - a list of folders
    TEST_DATABASE=$1 "$BIN/pytest" -q -n auto -m "not browser and not slow" $TESTS
}
echo "== a hub between installation and Zoom: what is Zoom's contract, unchanged =="
"$BIN/pytest" -q -m contract --through-hub tests/contract tests/oauth tests/kit
if "$BIN/python" -c 'import socket; socket.create_connection(("127.0.0.1", 5432), 2)' 2>/dev/null; then
    "$BIN/pip" install --quiet 'psycopg[binary,pool]'
    run postgres
    echo "== several web servers and workers, PostgreSQL, both brokers =="
    "$BIN/pip" install --quiet gunicorn redis
    # The rush test takes five minutes on an idle machine: RUSH_TESTS=tests/layouts/test_rush.py.
    "$BIN/pytest" -q -m services tests/layouts ${RUSH_TESTS:---ignore=tests/layouts/test_rush.py}
else
    echo "PostgreSQL does not answer on 127.0.0.1:5432: left out."
fi
if "$BIN/python" -c 'import socket; socket.create_connection(("127.0.0.1", 3306), 2)' 2>/dev/null; then
    if "$BIN/pip" install --quiet mysqlclient; then
        run mariadb
    else
        echo "mysqlclient could not be built (libmysqlclient-dev, pkg-config): MariaDB left out."
    fi
else
    echo "MariaDB does not answer on 127.0.0.1:3306: left out."
fi
