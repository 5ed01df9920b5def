"""Generate the parts of the documentation that come from the code, or check that they are current.

``python scripts/reference.py`` rewrites the text between ``<!-- from the code: NAME -->`` and
``<!-- end -->`` in the pages under ``docs/``; with ``--check`` it only lists stale pages.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
REGION = re.compile(r"(<!-- from the code: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def markdown(text: object) -> str:
    """One line of Markdown of a docstring's first paragraph, or of a label."""
    first = re.split(r"\n\s*\n", str(text or "").strip())[0]
    line = " ".join(first.replace("``", "`").split())
    line = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line)
    return line.replace("|", "\\|")


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; ``head``: cells separated by bars."""
    titles = [title.strip() for title in head.split("|")]
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def following_docs(module: Any) -> dict[str, str]:
    """Names assigned in a module (or class body) and the docstring below each."""
    texts: dict[str, str] = {}
    tree = ast.parse(inspect.cleandoc(inspect.getsource(module)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else tree.body
    for node, below in zip(body, body[1:], strict=False):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        text = below.value if isinstance(below, ast.Expr) else None
        if isinstance(target, ast.Name) and isinstance(text, ast.Constant):
            texts[target.id] = str(text.value)
    return texts


# Generated parts


def settings() -> str:
    """Keys of ``WAGTAIL_ZOOM``: the docstring of the property that reads each."""
    from wagtail_zoom import conf

    meanings = dict(conf.RETENTION)
    for node in ast.walk(ast.parse(inspect.getsource(conf))):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(decorator, ast.Name) and decorator.id == "property"
            for decorator in node.decorator_list
        ):
            for key in re.findall(r"self\.get\('(\w+)'\)", ast.unparse(node)):
                meanings.setdefault(key, ast.get_docstring(node) or "")
    rows = [
        (f"`{key}`", f"`{_plain(value)}`", markdown(meanings[key]))
        for key, value in conf.DEFAULTS.items()
    ]
    return table("key | default | meaning", rows)


def _plain(value: Any) -> str:
    if isinstance(value, int) and value >= 1024 and value % 1024 == 0:
        size = value // 1024
        return f"{size} * 1024" if size % 1024 else f"{size // 1024} * 1024 * 1024"
    return repr(value)


def signals() -> str:
    from django.dispatch import Signal

    from wagtail_zoom import signals as module

    texts = following_docs(module)
    names = [name for name, value in vars(module).items() if isinstance(value, Signal)]
    rows = []
    for name in names:
        when, _dot, sends = markdown(texts[name]).partition(". ")
        sender, _semi, rest = sends.removeprefix("Sender ").rstrip(".").partition("; ")
        rows.append((f"`{name}`", when, sender, rest))
    return table("signal | sent when | sender | arguments", rows)


def commands() -> str:
    """Every option of the package's management commands."""
    from django.core.management import load_command_class

    rows = []
    for app, folder in COMMAND_FOLDERS.items():
        for name in sorted(file.stem for file in (ROOT / folder).glob("zoom_*.py")):
            parser = load_command_class(app, name).create_parser("manage.py", name)
            rows += _options(name, parser)
    return table("command | option | meaning", rows)


COMMAND_FOLDERS = {
    "wagtail_zoom": "wagtail_zoom/management/commands",
    "wagtail_zoom.hub": "wagtail_zoom/hub/management/commands",
}


def _options(name: str, parser: Any) -> list[tuple[str, str, str]]:
    """Rows of a command, or of each of its actions."""
    from django.core.management.base import DjangoHelpFormatter

    usual = set(DjangoHelpFormatter.show_last) | {"--help"}
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {row.dest: row.help for row in action._choices_actions}
            for key, subparser in action.choices.items():
                rows.append((f"`{name} {key}`", "", markdown(helps[key])))
                rows += _options(f"{name} {key}", subparser)
        elif not usual.intersection(action.option_strings):
            rows.append((f"`{name}`", f"`{_option(action)}`", markdown(action.help)))
    return rows


def _option(action: Any) -> str:
    words = [action.option_strings[0]] if action.option_strings else []
    if action.choices:
        words.append("\\|".join(str(value) for value in action.choices))
    elif action.nargs != 0:
        words.append(str(action.metavar or action.dest).lower())
    return " ".join(words)


def urls() -> str:
    """Every URL, with the first sentence of its view."""
    from wagtail_zoom import urls as module

    return _urls(module)


def hub_urls() -> str:
    from wagtail_zoom.hub import urls as module

    return _urls(module)


def _urls(module: Any) -> str:
    rows = []
    for pattern in module.urlpatterns:
        if not pattern.name:
            continue
        shown = re.sub(r"<\w+:(\w+)>", r"<\1>", str(pattern.pattern))
        text = _view_doc(module, pattern)
        text = re.sub(r"^`zoom/[^`]*`:? ?", "", text)
        rows.append((f"`{shown}`", f"`{pattern.name}`", text[:1].upper() + text[1:]))
    return table("URL | name | content", rows)


def _view_doc(module: Any, pattern: Any) -> str:
    """What a view is for; one that is assigned has a docstring below it."""
    views = getattr(module, "views", None)
    names = {id(value): name for name, value in vars(views).items()} if views else {}
    text = following_docs(views).get(names.get(id(pattern.callback), "")) if views else ""
    text = markdown(text or inspect.unwrap(pattern.callback).__doc__)
    return re.sub(r"^`oauth/[^`]*`: ", "", text)


EVERYWHERE = ("heading", "heading_level", "off")
"""Options that every block has; the page says so once."""


def blocks() -> str:
    """Every block with its options and labels."""
    from wagtail_zoom import blocks as module

    parts = []
    for name in module.__all__:
        kind = getattr(module, name)
        block = kind()
        if "wagtail_zoom/" not in (getattr(block.meta, "template", None) or ""):
            continue
        rows = [
            _child(option, child)
            for option, child in block.child_blocks.items()
            if option not in EVERYWHERE
        ]
        head = f"### {name}\n\n*{markdown(block.label)}*: {markdown(block.meta.description)}\n\n"
        parts.append(head + table("option | label | default | values", rows))
    return "\n\n".join(parts)


def _child(option: str, child: Any) -> tuple[str, str, str, str]:
    from wagtail.blocks import ChooserBlock

    default, field = child.get_default(), getattr(child, "field", None)
    kind, words = type(child).__name__, []
    if kind == "ListBlock" or isinstance(child, ChooserBlock):
        words.append("any number of entries" if kind == "ListBlock" else "one entry")
    else:
        choices = [(value, label) for value, label in getattr(field, "choices", []) if value]
        words += [f"`{value}` ({markdown(label)})" for value, label in choices]
    low, high = getattr(field, "min_value", None), getattr(field, "max_value", None)
    if low is not None:
        words.append(f"{low} to {high}")
    if kind == "BooleanBlock":
        shown = "on" if default else "off"
    else:
        empty = kind == "ListBlock" or default in ("", None, [])
        shown = "" if empty else f"`{_default(default)}`"
    parts = [", ".join(words), markdown(getattr(field, "help_text", ""))]
    return f"`{option}`", markdown(child.label), shown, ". ".join(part for part in parts if part)


def _default(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def views() -> str:
    """View models: fields and properties."""
    from wagtail_zoom.frontend import availability, datetimes, view_models

    kinds = [
        view_models.OccurrenceView,
        view_models.RecordingView,
        view_models.MeetingView,
        datetimes.TimeRange,
    ]
    kinds += [availability.Availability, view_models.StateLabel, view_models.ActionLink]
    kinds.append(view_models.CardImage)
    return "\n\n".join(_view(kind) for kind in kinds)


def _view(kind: type) -> str:
    texts = following_docs(kind)
    rows = [
        (f"`{name}`", _type(annotation), markdown(texts.get(name)))
        for name, annotation in kind.__annotations__.items()
    ]
    rows += [
        (f"`{name}`", _type(value.fget.__annotations__["return"]), markdown(value.__doc__))
        for name, value in vars(kind).items()
        if isinstance(value, property) and not name.startswith("_")
    ]
    head = f"### {kind.__name__}\n\n{markdown(kind.__doc__)}\n\n"
    return head + table("field | type | meaning", rows)


def _type(annotation: Any) -> str:
    text = str(annotation).replace("SafeString | str", "safe HTML").replace(" | None", ", or none")
    return {"str": "text", "Text": "text", "bool": "yes or no", "int": "number",
            "RegistrationState": "text", "str | Promise": "text"}.get(text, text)  # fmt: skip


def classes() -> str:
    """Public CSS class names, with the templates that use them."""
    folder = ROOT / "wagtail_zoom/templates/wagtail_zoom"
    where: dict[str, set[str]] = {}
    for path in sorted([*folder.glob("blocks/*"), *folder.glob("registration/*.html")]):
        for text in re.findall(r'class="([^"]*)"', path.read_text()):
            for name in re.findall(r"(?<![\w-])wz(?:-[a-z]+)*(?:--[a-z]+)?(?![\w{-])", text):
                where.setdefault(name, set()).add(path.stem)
    rows = [
        (f"`{name}`", ", ".join(f"`{place}`" for place in sorted(places)))
        for name, places in sorted(where.items())
    ]
    return table("class | in the templates", rows)


def scopes() -> str:
    from wagtail_zoom.oauth.scopes import SCOPES

    rows = []
    for scope in SCOPES:
        words = [scope.feature]
        words += ["account-level only"] if scope.admin_only else []
        words += ["optional"] if scope.optional else []
        rows.append((f"`{scope.name}`", ", ".join(words), markdown(scope.reason)))
    return table("scope | for | reason", rows)


def scheduling_scopes() -> str:
    from wagtail_zoom.oauth.scopes import SCHEDULING_SCOPES

    return table(
        "scope | reason",
        ((f"`{scope.name}`", markdown(scope.reason)) for scope in SCHEDULING_SCOPES),
    )


def attendance_scopes() -> str:
    from wagtail_zoom.oauth.scopes import ATTENDANCE_SCOPES

    return table(
        "scope | reason",
        ((f"`{scope.name}`", markdown(scope.reason)) for scope in ATTENDANCE_SCOPES),
    )


def summary_scopes() -> str:
    from wagtail_zoom.oauth.scopes import SUMMARY_SCOPES

    return table(
        "scope | reason",
        ((f"`{scope.name}`", markdown(scope.reason)) for scope in SUMMARY_SCOPES),
    )


def summary_events() -> str:
    from wagtail_zoom.oauth.scopes import SUMMARIES
    from wagtail_zoom.sync.handlers import subscriptions

    rows = [
        (f"`{name}`", markdown(reason))
        for name, feature, reason in subscriptions(admin=True, kinds=[SUMMARIES])
        if feature == SUMMARIES
    ]
    return table("event | reason", rows)


def events() -> str:
    from wagtail_zoom.sync.handlers import subscriptions

    rows = [
        (f"`{name}`", feature, markdown(reason))
        for name, feature, reason in subscriptions(admin=True)
    ]
    return table("event | for | reason", rows)


def checks() -> str:
    """Every system check: id, message, hint. What depends on the settings is an ellipsis."""
    from wagtail_zoom import checks as module

    return _checks(module, "wagtail_zoom.")


def hub_checks() -> str:
    from wagtail_zoom.hub import checks as module

    return _checks(module, "wagtail_zoom_hub.")


def _checks(module: Any, prefix: str) -> str:
    rows = []
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        parts = {keyword.arg: keyword.value for keyword in node.keywords}
        if node.func.id in ("Info", "Warning", "Error") and "id" in parts:
            hint = _static_text(parts["hint"]) if "hint" in parts else ""
            name = _static_text(parts["id"]).removeprefix(prefix)
            # Two loops number the settings that they look at.
            name = {"W00…": "W001` to `W004", "E00…": "E006` to `E008"}.get(name, name)
            rows.append((f"`{name}`", markdown(_static_text(node.args[0])), markdown(hint)))
    return table("id | message | hint", sorted(rows, key=lambda row: row[0][2:]))


def _static_text(node: ast.expr) -> str:
    """The text of a string expression; what is computed becomes an ellipsis."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_static_text, node.values))
    if isinstance(node, ast.FormattedValue) and ast.unparse(node.value) == "DOCS":
        return "docs/"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _static_text(node.left) + _static_text(node.right)
    return "…"


WRITERS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "signals": signals,
    "commands": commands,
    "urls": urls,
    "hub_urls": hub_urls,
    "blocks": blocks,
    "views": views,
    "classes": classes,
    "scopes": scopes,
    "scheduling_scopes": scheduling_scopes,
    "attendance_scopes": attendance_scopes,
    "summary_scopes": summary_scopes,
    "summary_events": summary_events,
    "events": events,
    "checks": checks,
    "hub_checks": hub_checks,
}


def fresh(text: str) -> str:
    """A page with its generated regions updated."""
    return REGION.sub(lambda match: f"{match[1]}\n{WRITERS[match[2]]()}\n\n{match[4]}", text)


def main(arguments: list[str]) -> int:
    """Return 1 if a page was stale and ``--check`` was given."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.utils import translation

    django.setup()
    stale = []
    with translation.override("en"):
        for page in sorted(DOCS.rglob("*.md")):
            text = page.read_text()
            if fresh(text) != text:
                stale.append(str(page.relative_to(ROOT)))
                if "--check" not in arguments:
                    page.write_text(fresh(text))
    if stale:
        print("\n".join(stale))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
