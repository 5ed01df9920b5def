#!/bin/sh
# Runs the suite on the database servers that answer here; says which ones do not.
set -eu
BIN=$1
run() {
    echo "== $1 =="
    TEST_DATABASE=$1 "$BIN/pytest" -q -m "not browser and not slow"
}
if "$BIN/python" -c 'import socket; socket.create_connection(("127.0.0.1", 5432), 2)' 2>/dev/null; then
    "$BIN/pip" install --quiet 'psycopg[binary]'
    run postgres
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
