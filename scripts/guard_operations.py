"""Finds the marked guards in the code and switches one of them off.

A guard is marked by a comment at the end of the line on which its syntax node starts::

    if hmac.compare_digest(wanted, signature):  # guard: webhook-signature-compared

Two guards on one line are separated by a comma. Where the line begins with a closing bracket, the
marker belongs to all lines from the opening one on: that is where the formatter puts the comment
of a statement that does not fit on one line. What is done with the node is an operation of the
table in ``guards.py``. An operation names no identifier of the code: a rename cannot break it.

``never``, ``always``
    The test of an ``if``, ``elif``, ``while``, conditional expression or comprehension becomes
    ``False`` or ``True``.
``remove``
    A statement becomes ``pass``. An argument of a call, an entry of a dict, an element of a list,
    tuple or set, or an operand of ``and``, ``or``, ``&``, ``|`` is left out.
``remove last``
    The last operand of ``and``, ``or``, ``&`` or ``|``, when it may share its line with others.
``remove with``, ``remove decorator``
    A with-block becomes its body; a decorator is left out.
``unwrap``
    A method call becomes the object whose method is called.
``argument=<number>``
    A call becomes one of its positional arguments, counted from 0.
``exception``
    The ``except`` clause names an exception that never happens.
``value=<literal>``
    What is returned, assigned or given as an argument, entry or operand becomes a literal.
``replace=<expression>``
    The same with an expression of built-in names. ``$`` is the old text, ``$0`` the first argument
    of the outermost call in it. Only for what no other operation can express.

Where several nodes fit, it is the first one, and of those that start together the outermost. Where
nothing starts on the line, it is what ends there. An argument, entry, element or operand to remove
has to be on a line of its own; the formatter keeps it there because of the comment.
"""

from __future__ import annotations

import ast
import builtins
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "wagtail_zoom"
MARKER = re.compile(r"#\s*guard:\s*([a-z0-9]+(?:-[a-z0-9]+)*(?:,\s*[a-z0-9]+(?:-[a-z0-9]+)*)*)\s*$")
MARKED = re.compile(r"#\s*guard:")
PLACEHOLDER = re.compile(r"\$([0-9]?)")
NEVER_RAISED = "ZeroDivisionError"
FLAG_OPERATORS = (ast.BitAnd, ast.BitOr)


@dataclass(frozen=True)
class Guard:
    id: str
    what: str
    """One sentence: what is promised, with the numbers of the requirements."""
    operation: str
    tests: tuple[str, ...]
    """Node ids below ``tests/``: the most precise first, then all that may notice."""
    needs: str = ""
    """A module without which the guard is not used, and its tests do not run."""


@dataclass(frozen=True)
class Mark:
    path: str
    line: int
    first: int
    """The first line that the marker belongs to; the same line in most cases."""


class CannotApply(Exception):
    """An operation does not fit what is marked."""


@dataclass(frozen=True)
class Edit:
    """What one operation would do at one node."""

    line: int
    """Where the marker has to be."""
    order: tuple[int, int]
    """The first node comes first, then the longest."""
    changes: tuple[tuple[int, int, str], ...]
    """Start, end and replacement, in bytes."""
    last: int
    """Where else it may be: the formatter can break the line before the comment."""
    crowded: bool = False
    """Another part of the same list or condition starts on the same line."""


class Source:
    """A file with its syntax tree, and positions in bytes as ``ast`` counts them."""

    def __init__(self, text: str, lines: tuple[int, int]) -> None:
        self.window = lines
        self.raw = text.encode()
        self.tree = ast.parse(text)
        self.starts = [0]
        for line in self.raw.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def start(self, node: ast.AST) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.AST) -> int:
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.AST) -> str:
        return self.raw[self.start(node) : self.end(node)].decode()

    def nodes(self) -> Iterator[ast.AST]:
        """The nodes that reach into the marked lines.

        Not the parts of f-strings: older Pythons get their positions wrong.
        """
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            if not isinstance(node, ast.JoinedStr):
                waiting.extend(filter(self._is_near, ast.iter_child_nodes(node)))

    def _is_near(self, node: ast.AST) -> bool:
        if not hasattr(node, "lineno"):
            return True
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        return first <= self.window[1] and node.end_lineno >= self.window[0]

    def edit(self, anchor: ast.AST, change: ast.AST, text: str, line: int = 0) -> Edit:
        """Replace the text of one node; the marker is where ``anchor`` starts."""
        changes = ((self.start(change), self.end(change), text),)
        return self.edits(anchor, changes, line)

    def leave_out(self, part: ast.AST, parts: Sequence[ast.AST], whole: ast.AST, text: str) -> Edit:
        """Replace the whole by what is left without one of its parts."""
        crowded = any(other is not part and other.lineno == part.lineno for other in parts)
        return replace(self.edit(part, whole, text), crowded=crowded)

    def edits(
        self, anchor: ast.AST, changes: tuple[tuple[int, int, str], ...], line: int = 0
    ) -> Edit:
        order = (self.start(anchor), self.start(anchor) - self.end(anchor))
        return Edit(line or anchor.lineno, order, changes, anchor.end_lineno)


def marks(sources: Mapping[str, str]) -> tuple[dict[str, list[Mark]], list[str]]:
    """Where each guard is marked, and what is wrong with the markers themselves."""
    marks_by_id: dict[str, list[Mark]] = {}
    wrong: list[str] = []
    for path, text in sources.items():
        if "guard:" not in text:
            continue
        openings: list[int] = []
        begins: dict[int, int] = {}
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            line, column = token.start
            if token.type == tokenize.OP and token.string in "([{":
                openings.append(line)
            elif token.type == tokenize.OP and token.string in ")]}":
                opening = openings.pop()
                if not token.line[:column].strip():
                    begins[line] = opening
            if token.type != tokenize.COMMENT or not MARKED.search(token.string):
                continue
            match = MARKER.search(token.string)
            if not match:
                wrong.append(f"{path}:{line}: the marker cannot be read: {token.string!r}.")
                continue
            for name in re.split(r",\s*", match[1]):
                marks_by_id.setdefault(name, []).append(Mark(path, line, begins.get(line, line)))
    return marks_by_id, wrong


def apply(text: str, lines: tuple[int, int], operation: str) -> str:
    """The text of the file with the node that starts on one of these lines changed.

    Raises:
        CannotApply: nothing on this line fits, or the result is no other, valid program.
    """
    source = Source(text, lines)
    first, last = lines
    near = list(_edits(source, operation))
    fitting = [edit for edit in near if first <= edit.line <= last]
    fitting = fitting or [edit for edit in near if edit.last == last]
    if not fitting:
        raise CannotApply("nothing that starts or ends on the marked line fits it")
    chosen = min(fitting, key=lambda edit: edit.order)
    if chosen.crowded:
        raise CannotApply("what is to be removed is not on a line of its own")
    raw = source.raw
    for start, end, new in sorted(chosen.changes, reverse=True):
        raw = raw[:start] + new.encode() + raw[end:]
    changed = raw.decode()
    try:
        tree = ast.parse(changed)
        compile(changed, "mutant", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise CannotApply(f"the result is not valid Python ({error.msg})") from error
    if ast.dump(tree) == ast.dump(source.tree):
        raise CannotApply("it does not change the program")
    return changed


def mutants(
    guards: Iterable[Guard], sources: Mapping[str, str]
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """For each guard its file and the changed text of it; and a sentence for each mistake.

    A guard with a mistake has no mutant. Nothing is run and nothing is read from the disk.
    """
    marks_by_id, wrong = marks(sources)
    mutants_by_id: dict[str, tuple[str, str]] = {}
    seen_ids: set[str] = set()
    for guard in guards:
        places = marks_by_id.get(guard.id, [])
        if guard.id in seen_ids:
            wrong.append(f"{guard.id}: the table has two entries with this id.")
        elif not places:
            wrong.append(f"{guard.id}: no line of the package is marked `# guard: {guard.id}`.")
        elif len(places) > 1:
            where = " and ".join(f"{place.path}:{place.line}" for place in places)
            wrong.append(f"{guard.id}: marked in more than one place: {where}.")
        else:
            [place] = places
            try:
                lines = (place.first, place.line)
                changed = apply(sources[place.path], lines, guard.operation)
                mutants_by_id[guard.id] = (place.path, changed)
            except CannotApply as error:
                where = f"{guard.id}: `{guard.operation}` at {place.path}:{place.line}"
                wrong.append(f"{where} cannot be applied: {error}.")
        seen_ids.add(guard.id)
    for name, places in marks_by_id.items():
        if name not in seen_ids:
            where = f"{places[0].path}:{places[0].line}"
            wrong.append(f"{name}: marked in {where}, but not in the table.")
    return mutants_by_id, wrong


def missing_tests(guards: Iterable[Guard], tests: Path) -> list[str]:
    """A sentence for each test of the table that does not exist."""
    wrong: list[str] = []
    names: dict[Path, set[str]] = {}
    for guard in guards:
        if not guard.tests:
            wrong.append(f"{guard.id}: the table names no test.")
        for test in guard.tests:
            file, *parts = test.split("::")
            path = tests / file
            if not path.exists():
                wrong.append(f"{guard.id}: the test file tests/{file} does not exist.")
                continue
            if not parts:
                continue
            if path not in names:
                names[path] = {
                    node.name
                    for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.FunctionDef | ast.ClassDef)
                }
            if not {part.partition("[")[0] for part in parts} <= names[path]:
                wrong.append(f"{guard.id}: the test tests/{test} does not exist.")
    return wrong


def package_sources() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}


def _edits(source: Source, operation: str) -> Iterator[Edit]:
    name, equals, value = operation.partition("=")
    if equals and name in {"value", "replace"}:
        _check_expression(name, value)
        yield from _values(source, value)
    elif equals and name == "argument" and value.isdigit():
        yield from _arguments(source, int(value))
    elif operation in _OPERATIONS:
        yield from _OPERATIONS[operation](source)
    else:
        raise CannotApply("there is no such operation")


def _check_expression(name: str, value: str) -> None:
    try:
        tree = ast.parse(PLACEHOLDER.sub("None", value), mode="eval")
        if name == "value":
            ast.literal_eval(tree)
    except (SyntaxError, ValueError) as error:
        raise CannotApply("it is not a literal or an expression") from error
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {"self", *(node.id for node in names if isinstance(node.ctx, ast.Store))}
    for node in names:
        if node.id not in bound and not hasattr(builtins, node.id):
            raise CannotApply(f"the expression uses the name {node.id}, which is not built in")


def _tests(source: Source, becomes: str) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            for line in {node.lineno, node.test.lineno}:
                yield source.edit(node, node.test, becomes, line)
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield source.edit(test, test, becomes)


def _removals(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.stmt):
            yield from _statement(source, node)
        elif isinstance(node, ast.Call):
            parts = [*node.args, *node.keywords]
            for part in parts if len(parts) > 1 else node.keywords:
                rest = ", ".join(_listed(source, item) for item in parts if item is not part)
                text = f"{source.of(node.func)}({rest})"
                yield source.leave_out(part, parts, node, text)
        elif isinstance(node, ast.Dict):
            yield from _entries(source, node)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield from _elements(source, node)
        elif isinstance(node, ast.BoolOp):
            word = " and " if isinstance(node.op, ast.And) else " or "
            for operand in node.values:
                others = [other for other in node.values if other is not operand]
                rest = word.join(f"({source.of(other)})" for other in others)
                yield source.leave_out(operand, node.values, node, f"({rest})")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, FLAG_OPERATORS):
            pair = (node.left, node.right)
            yield source.leave_out(node.left, pair, node, f"({source.of(node.right)})")
            yield source.leave_out(node.right, pair, node, f"({source.of(node.left)})")


def _last_operands(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.BoolOp):
            word = " and " if isinstance(node.op, ast.And) else " or "
            rest = word.join(f"({source.of(operand)})" for operand in node.values[:-1])
            yield source.edit(node, node, f"({rest})", node.values[-1].lineno)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, FLAG_OPERATORS):
            yield source.edit(node, node, f"({source.of(node.left)})", node.right.lineno)


def _statement(source: Source, node: ast.stmt) -> Iterator[Edit]:
    start = source.start(node)
    if source.raw[start : start + 4] == b"elif":
        return
    decorators = getattr(node, "decorator_list", [])
    first = min([start, *(source.start(decorator) - 1 for decorator in decorators)])
    yield source.edits(node, ((first, source.end(node), "pass"),))


def _listed(source: Source, part: ast.AST) -> str:
    text = source.of(part)
    return text if isinstance(part, ast.keyword | ast.Starred) else f"({text})"


def _entries(source: Source, node: ast.Dict) -> Iterator[Edit]:
    pairs = list(zip(node.keys, node.values, strict=True))
    texts = [
        f"({source.of(key)}): ({source.of(value)})" if key else f"**({source.of(value)})"
        for key, value in pairs
    ]
    for number in range(len(pairs)):
        rest = ", ".join(texts[:number] + texts[number + 1 :])
        keys = [key or value for key, value in pairs]
        yield source.leave_out(keys[number], keys, node, f"{{{rest}}}")


def _elements(source: Source, node: ast.List | ast.Tuple | ast.Set) -> Iterator[Edit]:
    left, right = {ast.List: "[]", ast.Tuple: "()", ast.Set: "{}"}[type(node)]
    for part in node.elts:
        rest = "".join(f"{_listed(source, other)}, " for other in node.elts if other is not part)
        if rest or not isinstance(node, ast.Set):
            yield source.leave_out(part, node.elts, node, f"{left}{rest}{right}")


def _without_with(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if not isinstance(node, ast.With) or any(item.optional_vars for item in node.items):
            continue
        start = source.start(node)
        first, last = node.items[0].context_expr, node.items[-1].context_expr
        yield source.edits(
            node,
            ((start, start + len("with"), "if"), (source.start(first), source.end(last), "True")),
        )


def _without_decorator(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        for decorator in getattr(node, "decorator_list", []):
            span = (source.start(decorator) - 1, source.end(decorator), "")
            yield source.edits(decorator, (span,))


def _receivers(source: Source) -> Iterator[Edit]:
    """The marker is on the line with the method's name: a chain may have a line for each."""
    for node in source.nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            line = node.func.end_lineno
            yield source.edit(node, node, f"({source.of(node.func.value)})", line)


def _arguments(source: Source, number: int) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.Call) and len(node.args) > number:
            yield source.edit(node, node, f"({source.of(node.args[number])})", node.func.end_lineno)


def _handlers(source: Source) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.ExceptHandler) and node.type:
            yield source.edit(node, node.type, NEVER_RAISED)


def _values(source: Source, template: str) -> Iterator[Edit]:
    for node in source.nodes():
        if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr):
            pairs = [(node, node.value)] if node.value else []
        elif isinstance(node, ast.keyword):
            pairs = [(node, node.value)]
        elif isinstance(node, ast.Dict):
            keys = [key or value for key, value in zip(node.keys, node.values, strict=True)]
            pairs = list(zip(keys, node.values, strict=True))
        elif isinstance(node, ast.expr):
            pairs = [(node, node)]
        else:
            pairs = []
        for anchor, value in pairs:
            yield source.edit(anchor, value, _filled(source, template, value))


def _filled(source: Source, template: str, node: ast.expr) -> str:
    call = next((item for item in ast.walk(node) if isinstance(item, ast.Call)), None)
    arguments = [*call.args, *(item.value for item in call.keywords)] if call else []

    def fill(match: re.Match[str]) -> str:
        if not match[1]:
            return f"({source.of(node)})"
        number = int(match[1])
        return f"({source.of(arguments[number])})" if number < len(arguments) else "$"

    return f"({PLACEHOLDER.sub(fill, template)})"


_OPERATIONS = {
    "never": lambda source: _tests(source, "False"),
    "always": lambda source: _tests(source, "True"),
    "remove": _removals,
    "remove last": _last_operands,
    "remove with": _without_with,
    "remove decorator": _without_decorator,
    "unwrap": _receivers,
    "exception": _handlers,
}
