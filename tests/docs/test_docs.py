"""The documentation matches the code: links, references, samples."""

from __future__ import annotations

import ast
import json
import re
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.core.management import get_commands
from django.dispatch import Signal

from wagtail_zoom import blocks, signals, urls
from wagtail_zoom.conf import DEFAULTS
from wagtail_zoom.hub import urls as hub_urls
from wagtail_zoom.oauth import scopes
from wagtail_zoom.utils.fields import SecretField

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
SAMPLES = [
    pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, code in enumerate(
        re.findall(r"^ *```python\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
    )
]


def anchors(page: Path) -> set[str]:
    """The anchors of a page, as GitHub derives them from headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", text.lower()) for text in headings)
    return {text.strip().replace(" ", "-") for text in plain}


def reference(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_are_valid(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _hash, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} → {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} → {target}"


def test_every_page_is_linked_from_the_index() -> None:
    seen: set[Path] = set()
    pending = [DOCS / "index.md"]
    while pending:
        page = pending.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
        pending += [(page.parent / target).resolve() for target in targets if ":" not in target]
    assert set(DOCS.rglob("*.md")) <= seen


@pytest.mark.parametrize("name", ["architecture.md", "how-to/contribute.md"])
def test_modules_that_a_page_names_exist(name: str) -> None:
    """``frontend/queries.py`` may be named without the folder of the package, or by its end."""
    text = re.sub(r"^```.*?^```", "", (DOCS / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    names = set(re.findall(r"`(?:\.venv/bin/\w+ )?([\w/]+\.(?:py|html|yaml))`", text))
    assert len(names) > 20
    files = [
        f"/{path.relative_to(ROOT)}"
        for folder in ("wagtail_zoom", "tests", "scripts", "docs", "demo_site")
        for path in (ROOT / folder).rglob("*.*")
    ]
    assert {name for name in names if not any(file.endswith(f"/{name}") for file in files)} == set()


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_settings_are_in_the_reference(name: str) -> None:
    assert f"| `{name}` |" in reference("settings")


def test_blocks_and_their_options_are_in_the_reference() -> None:
    text = reference("blocks")
    for name in blocks.__all__:
        assert f"`{name}`" in text
        for option in getattr(blocks, name)().child_blocks:
            assert f"`{option}`" in text, f"{name}.{option}"


def test_signals_are_in_the_reference() -> None:
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert names
    for name in names:
        assert f"| `{name}` |" in reference("signals")


def test_commands_and_their_options_are_in_the_reference() -> None:
    text = reference("commands")
    files = [*(ROOT / "wagtail_zoom").glob("**/management/commands/zoom_*.py")]
    assert len(files) > 5
    for file in files:
        assert f"## `{file.stem}" in text
        for option in re.findall(r"\"(--[a-z-]+)\"", file.read_text()):
            assert option in text, f"{file.stem} {option}"


def test_urls_are_in_the_reference() -> None:
    text = reference("urls")
    for pattern in (*urls.urlpatterns, *hub_urls.urlpatterns):
        if pattern.name:
            assert f"| `{pattern.name}` |" in text


def test_scopes_and_reasons_are_in_the_marketplace_page() -> None:
    text = (DOCS / "marketplace.md").read_text()
    for scope in scopes.SCOPES:
        line = next(line for line in text.splitlines() if line.startswith(f"| `{scope.name}` |"))
        assert line.endswith(f"| {scope.reason} |")


def test_the_reviewers_plan_uses_every_scope() -> None:
    text = (DOCS / "marketplace.md").read_text()
    plan = text[text.index("### Which step needs which scope") : text.index("## Checklist")]
    assert set(re.findall(r"`([a-z_]+:[a-z_:]+)`", plan)) == {step.name for step in scopes.SCOPES}
    steps = text[text.index("## Test plan") : text.index("### Which step")]
    for number in re.findall(r"\| (\d[\d, ]*)", plan):
        for step in re.findall(r"\d+", number):
            assert f"\n{step}. " in steps


def test_every_attack_names_a_test_or_says_not_proven() -> None:
    text = (DOCS / "security.md").read_text()
    numbers = re.findall(r"^\| X(\d+) \|", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    for number in numbers:
        line = next(line for line in text.splitlines() if line.startswith(f"| X{number} |"))
        assert "](../tests/" in line or "not proven" in line


def test_templates_and_properties_of_the_designers_guide_exist() -> None:
    text = (DOCS / "how-to/designer.md").read_text()
    folder = ROOT / "wagtail_zoom/templates/wagtail_zoom"
    for name in re.findall(r"`(?:wagtail_zoom/(?:blocks|public)/)?(\w+\.html)`", text):
        assert list(folder.rglob(name)), name
    css = (ROOT / "wagtail_zoom/static/wagtail_zoom/blocks.css").read_text()
    for name in re.findall(r"`(--wz-[a-z-]+)`", text):
        assert name in css


@pytest.mark.parametrize("code", SAMPLES)
def test_python_samples_compile_and_import_what_exists(code: str) -> None:
    indent = len(code) - len(code.lstrip(" "))
    lines = [line[indent:] for line in code.splitlines()]
    plain = "\n".join(lines)
    # A single line of a list, as in "add this to urlpatterns".
    compile(plain if not plain.startswith("path(") else f"[{plain}]", "sample", "exec")
    for line in lines:
        if "api.v3" in line and find_spec("wagtail.api.v3") is None:
            continue  # part of Wagtail 8
        if re.match(r"from wagtail_zoom\S* import ", line):
            exec(line, {})  # noqa: S102 - our own sample


REASONS = ROOT / "wagtail_zoom/frontend/visibility_reasons.py"


def test_every_visibility_reason_is_in_troubleshooting() -> None:
    """Each sentence of ``visibility_reasons``; values are an ellipsis."""
    text = (DOCS / "how-to/troubleshooting.md").read_text()
    calls = [
        node for node in ast.walk(ast.parse(REASONS.read_text())) if isinstance(node, ast.Call)
    ]
    sentences = [
        re.sub(r"%\(\w+\)s", "…", node.args[0].value)
        for node in calls
        if isinstance(node.func, ast.Name)
        and node.func.id == "_"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(sentences) > 25
    assert [sentence for sentence in sentences if f"| {sentence} |" not in text] == []


def test_deployment_files_start_web_server_and_worker() -> None:
    """Each command exists, and the worker may end its task before it is killed."""
    folder = DOCS / "examples/deployment"
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    commands = [
        " ".join(service["command"]) for service in services.values() if "command" in service
    ]
    lines = dict(re.findall(r"^(\w+): (.*)$", (folder / "Procfile").read_text(), re.MULTILINE))
    assert lines["worker"] in commands and lines["release"] in commands
    assert services["worker"]["depends_on"]["migrate"]["condition"].endswith("successfully")
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > 120
    start = re.search(r"^CMD (.*)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert start is not None
    assert " ".join(json.loads(start[1])).startswith(lines["web"])
    for command in (lines["worker"], lines["release"]):
        assert command.split()[2] in get_commands()


def test_private_words_are_reported_with_their_line() -> None:
    spec = spec_from_file_location("check_words", ROOT / "scripts/check_words.py")
    assert spec is not None and spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    text = "One\n`sign-up` and\n```\nanew\n```\nA Sign-up by itself."
    assert [(line, word) for line, word, _usual in script.problems(text)] == [
        (6, "Sign-up"),
        (6, "by itself"),
    ]


MODELS = [
    model
    for label in ("wagtail_zoom", "wagtail_zoom_hub")
    for model in apps.get_app_config(label).get_models()
]


def test_every_model_is_in_data_stored() -> None:
    text = (DOCS / "data-stored.md").read_text()
    for model in MODELS:
        assert f"`{model.__name__}`" in text


def test_encrypted_columns_are_in_data_stored() -> None:
    """The line of a model with secrets lists them in the last but one cell."""
    text = (DOCS / "data-stored.md").read_text()
    for model in MODELS:
        if any(isinstance(field, SecretField) for field in model._meta.fields):
            line = next(line for line in text.splitlines() if f"`{model.__name__}`" in line)
            assert line.split("|")[3].strip()
