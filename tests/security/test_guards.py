"""The guard markers in the code, the table of guards and its tests are consistent."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = str(ROOT / "scripts")


@pytest.fixture(scope="module")
def scripts():
    """The modules of ``scripts/``, which is not a package."""
    sys.path.insert(0, SCRIPTS)
    try:
        yield {
            name: importlib.import_module(name)
            for name in ("guard_operations", "guards", "mutate_guards")
        }
    finally:
        sys.path.remove(SCRIPTS)


@pytest.fixture
def operations(scripts):
    return scripts["guard_operations"]


def test_every_guard_can_be_switched_off(scripts, operations):
    """Each id of the table is marked once, and its operation changes the program."""
    guards = scripts["guards"].GUARDS
    mutants, errors = operations.mutants(guards, operations.package_sources())
    assert errors == []
    assert set(mutants) == {guard.id for guard in guards}
    assert len(mutants) >= 122


def test_the_tests_of_the_guards_exist(scripts, operations):
    assert operations.missing_tests(scripts["guards"].GUARDS, ROOT / "tests") == []


def test_a_missing_test_is_reported(operations, tmp_path):
    (tmp_path / "test_one.py").write_text("def test_here(): ...\n")
    tests = ("test_one.py::test_here", "test_one.py::test_gone", "test_two.py")
    errors = operations.missing_tests([operations.Guard("a", "", "never", tests)], tmp_path)
    assert errors == [
        "a: the test tests/test_one.py::test_gone does not exist.",
        "a: the test file tests/test_two.py does not exist.",
    ]
    assert operations.missing_tests([operations.Guard("a", "", "never", ())], tmp_path) == [
        "a: the table names no test."
    ]


def test_a_marker_that_is_removed_or_renamed_is_reported(scripts, operations):
    every = operations.package_sources()
    [path] = [path for path, text in every.items() if "# guard: honeypot\n" in text]
    sources = {path: every[path]}
    marked = operations.marks(sources)[0]
    guards = [guard for guard in scripts["guards"].GUARDS if guard.id in marked]
    gone = {path: sources[path].replace("  # guard: honeypot", "")}
    _made, errors = operations.mutants(guards, gone)
    assert errors == ["honeypot: no line of the package is marked `# guard: honeypot`."]
    renamed = {path: sources[path].replace("# guard: honeypot", "# guard: honey-trap")}
    _made, errors = operations.mutants(guards, renamed)
    assert errors[0] == "honeypot: no line of the package is marked `# guard: honeypot`."
    assert errors[1].startswith(f"honey-trap: marked in {path}:")
    assert errors[1].endswith(", but not in the table.")


@pytest.mark.parametrize(
    ("text", "operation", "reason"),
    [
        (
            "if a:  # guard: x\n    b()\nif c:  # guard: x\n    d()\n",
            "never",
            "more than one place",
        ),
        ("a = 1  # guard: x\n", "never", "nothing that starts or ends on the marked line fits it"),
        ("a = None  # guard: x\n", "value=None", "it does not change the program"),
        ("f(a, b)  # guard: x\n", "strengthen", "there is no such operation"),
        ("if a or b:  # guard: x\n    c()\n", "value=a", "not a literal"),
        ("a = b  # guard: x\n", "replace=c", "the name c, which is not built in"),
        ("a = f(\n    b, c  # guard: x\n)\n", "remove", "not on a line of its own"),
        ("a = 1  # guard: x Y\n", "never", "the marker cannot be read"),
        ('a = "# guard: x"\n', "never", "no line of the package is marked"),
    ],
)
def test_mistakes_are_reported(operations, text, operation, reason):
    guard = operations.Guard("x", "", operation, ())
    mutants, errors = operations.mutants([guard], {"a.py": text})
    assert not mutants
    assert any(reason in error for error in errors), errors


def test_an_id_is_in_the_table_once(operations):
    guard = operations.Guard("x", "", "never", ())
    _made, errors = operations.mutants([guard, guard], {"a.py": "if a:  # guard: x\n    b()\n"})
    assert errors == ["x: the table has two entries with this id."]


@pytest.mark.parametrize(
    ("operation", "text", "becomes"),
    [
        ("never", "if a:  # guard: x\n    b()\n", "if False:\n    b()\n"),
        ("never", "if (\n    a and b\n):  # guard: x\n    c()\n", "if False:\n    c()\n"),
        ("never", "if a:\n    b()\nelif c:  # guard: x\n    d()\n",
         "if a:\n    b()\nelif False:\n    d()\n"),
        ("always", "a = b if c else d  # guard: x\n", "a = b if True else d\n"),
        ("always", "a = [\n    b\n    for b in c\n    if b  # guard: x\n]\n",
         "a = [b for b in c if True]\n"),
        ("remove", "a()\nb()  # guard: x\n", "a()\npass\n"),
        ("remove", "f(\n    a,\n    b=c,  # guard: x\n)\n", "f(a)\n"),
        ("remove", "f(\n    a,  # guard: x\n    *b,\n    **c,\n)\n", "f(*b, **c)\n"),
        ("remove", "a = {\n    1: b,  # guard: x\n    **c,\n}\n", "a = {**c}\n"),
        ("remove", "a = [\n    b,\n    c,  # guard: x\n]\n", "a = [b]\n"),
        ("remove", "a = (\n    b  # guard: x\n    or (c and d)\n    or e\n)\n",
         "a = (c and d) or e\n"),
        ("remove", "if (\n    a\n    > b  # guard: x\n    or c\n):\n    d()\n", "if c:\n    d()\n"),
        ("remove last", "a = b & c | d  # guard: x\n", "a = b & c\n"),
        ("remove last", "if a or b:  # guard: x\n    c()\n", "if a:\n    c()\n"),
        ("remove with", "with a, b():  # guard: x\n    c()\n", "if True:\n    c()\n"),
        ("remove decorator", "@a\n@b(1)  # guard: x\ndef c(): ...\n", "@a\ndef c(): ...\n"),
        ("unwrap", "a = b.c().d(e)  # guard: x\n", "a = b.c()\n"),
        ("unwrap", "a = (\n    b.c()\n    .d(e)  # guard: x\n    .f()\n)\n", "a = b.c().f()\n"),
        ("argument=1", "a = b.c(d, e(f))  # guard: x\n", "a = e(f)\n"),
        ("exception", "try:\n    a()\nexcept B as c:  # guard: x\n    d(c)\n",
         "try:\n    a()\nexcept ZeroDivisionError as c:\n    d(c)\n"),
        ("value=None", "f(\n    a=b,  # guard: x\n    c=d,\n)\n", "f(a=None, c=d)\n"),
        ("value=0", "def f():\n    return a(\n        b\n    )  # guard: x\n",
         "def f():\n    return 0\n"),
        ("replace=str($) + str($0)", "a = b(c)  # guard: x\n", "a = str(b(c)) + str(c)\n"),
        ("value=True", 'a = "••••" if (\n    b  # guard: x\n) else c\n',
         'a = "••••" if True else c\n'),
    ],
)  # fmt: skip
def test_operations(operations, operation, text, becomes):
    guard = operations.Guard("x", "", operation, ())
    mutants, errors = operations.mutants([guard], {"a.py": text})
    assert errors == []
    assert ast.dump(ast.parse(mutants["x"][1])) == ast.dump(ast.parse(becomes))


def test_two_guards_on_one_line(operations):
    guards = [operations.Guard("x", "", "never", ()), operations.Guard("y", "", "remove last", ())]
    sources = {"a.py": "if a or b:  # guard: x, y\n    c()\n"}
    mutants, errors = operations.mutants(guards, sources)
    assert errors == []
    assert [mutants[name][1].partition(":")[0] for name in ("x", "y")] == ["if False", "if ((a))"]


@pytest.mark.parametrize(
    ("code", "text", "state"),
    [
        (0, "....\n4 passed in 1.2s\n", "passed"),
        (1, "FAILED tests/a.py::test_b[1 - x] - assert 1 == 2\n1 failed\n", "failed"),
        (1, "FAILED tests/a.py::test_b - NameError: name 'c' is not defined\n1 failed\n", "broken"),
        (1, "FAILED tests/a.py::test_b - django.db.utils.OperationalError: no such table\n",
         "broken"),
        (1, "ERROR tests/a.py::test_b - ValueError\n1 error in 1.2s\n", "broken"),
        (1, "ERROR tests/a.py::test_b - ValueError\n1 passed, 1 error in 1.2s\n", "broken"),
        (2, "ERROR tests/a.py - ImportError\n1 error during collection\n", "broken"),
        (4, "ERROR: not found: tests/a.py::test_c\n", "broken"),
        (5, "3 deselected in 0.1s\n", "broken"),
        (0, "2 skipped in 0.1s\n", "broken"),
    ],
)  # fmt: skip
def test_only_a_failed_test_counts_as_noticed(scripts, code, text, state):
    """A test that did not run does not count."""
    assert scripts["mutate_guards"].classify_run(code, text).state == state
