"""The guide to the hub: its samples make a hub that runs, and its numbers are those of the code."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import get_commands, load_command_class

from wagtail_zoom import hub as package
from wagtail_zoom.conf import DEFAULTS
from wagtail_zoom.hub import authorization, delivery, deployments, http, zoom
from wagtail_zoom.hub.models import Delivery
from wagtail_zoom.oauth.marketplace import app_urls

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/hub.md").read_text()
TEXT = " ".join(PAGE.split())
KEY = Fernet.generate_key().decode()


def samples(language: str) -> list[str]:
    """The samples of one language, in order."""
    matches = re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(sample) for sample in matches]


def commands() -> list[list[str]]:
    """The words of each ``manage.py`` command."""
    lines = [line for sample in samples("console") for line in sample.splitlines()]
    return [shlex.split(line)[2:] for line in lines if line.startswith("python manage.py")]


def sample(start: str) -> str:
    """The Python sample that contains this text."""
    (code,) = [code for code in samples("python") if start in code]
    return code


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of its own, made as the page says."""
    folder = tmp_path_factory.mktemp("hub")
    (start,) = re.findall(r"^django-admin (.*)$", PAGE, re.MULTILINE)
    subprocess.run([sys.executable, "-m", "django", *start.split()], cwd=folder, check=True)
    (folder / "zoomhub/settings.py").write_text(sample("BASE_DIR = "))
    (folder / "zoomhub/urls.py").write_text(sample("urlpatterns = "))
    (folder / "zoomhub/simulator.py").write_text(sample("from .settings import *"))
    return folder


def run(project: Path, *arguments: str, settings: str = "", status: int = 0) -> str:
    """Run ``manage.py`` with the environment of the page; return its output."""
    secrets = {
        "HUB_URL": "https://hub.example.org",
        "SECRET_KEY": "k" * 20 + "0123456789" * 4,
        "ZOOM_CLIENT_ID": "app",
        "ZOOM_CLIENT_SECRET": "secret",
        "ZOOM_WEBHOOK_TOKENS": "token",
        "ZOOM_ENCRYPTION_KEYS": KEY,
    }
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**keep, "PYTHONPATH": str(ROOT)}
    environment |= {"DJANGO_SETTINGS_MODULE": settings} if settings else secrets
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_a_project_of_its_own(project: Path) -> None:
    """Check, migrate, add, list and remove; in the end no table and no job is left."""
    output = run(project, "check", "--deploy", "--fail-level", "WARNING")
    assert "System check identified no issues" in output
    assert "wagtail_zoom_hub" in run(project, "migrate")
    assert "No changes" in run(project, "makemigrations", "--check", "--dry-run")
    run(project, "collectstatic", "--noinput")
    assert (project / "static/wagtail_zoom_hub/hub.css").exists()
    add, _local = (words for words in commands() if words[:2] == ["zoom_hub", "add"])
    printed = run(project, *add)
    # The same settings as on the page, and complete.
    shown, pasted = (_settings_of(text) for text in (sample('"CLIENT_ID": "zh_'), printed))
    assert list(shown) == list(pasted)
    assert shown["OAUTH_URL"] == pasted["OAUTH_URL"]
    assert shown["BASE_URL"] == pasted["BASE_URL"]
    client_id = str(pasted["CLIENT_ID"])
    assert run(project, "zoom_hub", "list").startswith(f"{client_id}  Harbour House <")
    assert "7 days" in run(project, "zoom_hub", "rotate", client_id)
    assert "0 deliveries tried" in run(project, "zoom_hub", "deliver", "--again")
    # Nothing answers at harbour.example, which is reserved for examples.
    assert "Harbour House: It does not answer" in run(project, "zoom_hub", "doctor", status=1)
    assert "is removed" in run(project, "zoom_hub", "remove", client_id)
    assert run(project, "zoom_hub", "list") == ""
    (zero,) = [words for words in commands() if words[:2] == ["migrate", "wagtail_zoom_hub"]]
    assert "Unapplying wagtail_zoom_hub.0001_initial" in run(project, *zero)
    with closing(sqlite3.connect(project / "hub.sqlite3")) as connection:
        (jobs,) = connection.execute("SELECT count(*) FROM django_q_schedule").fetchone()
        tables = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'wagtail_zoom%'"
        assert (jobs, connection.execute(tables).fetchone()) == (0, (0,))


def test_the_settings_for_the_simulator_need_no_environment(project: Path) -> None:
    (settings,) = re.findall(r"^export DJANGO_SETTINGS_MODULE=(\S+)$", PAGE, re.MULTILINE)
    _first, add = (words for words in commands() if words[:2] == ["zoom_hub", "add"])
    run(project, "migrate", settings=settings)
    output = run(project, *add, settings=settings)
    pasted = _settings_of(output)
    assert pasted["OAUTH_URL"] == "http://localhost:8020/zoom/hub"
    assert pasted["BASE_URL"] == "http://localhost:8000"
    (simulator,) = re.findall(r"wagtail_zoom.testing.simulator (.*)$", PAGE, re.MULTILINE)
    urls = app_urls(str(pasted["OAUTH_URL"]))
    assert f"--redirect-uri {urls.redirect_urls[0]} " in simulator
    assert f"--webhook-url {urls.event_url} " in simulator


def test_every_command_of_the_page_exists() -> None:
    hub = load_command_class("wagtail_zoom.hub", "zoom_hub").create_parser("manage.py", "zoom_hub")
    for words in commands():
        assert words[0] in get_commands()
        if words[0] == "zoom_hub":
            hub.parse_args(words[1:])
    actions = set(re.findall(r"(?<!wagtail_)zoom_hub (\w+)", PAGE))
    assert actions == {"add", "list", "rotate", "remove", "deliver", "doctor"}
    for action in actions:
        assert action in hub.format_help()


def test_numbers_of_the_page_are_those_of_the_code() -> None:
    calls, visits = deployments.LIMITS["token"], deployments.LIMITS["authorize"]
    seconds = delivery.RETRY_SECONDS
    minutes = {name: getattr(authorization, name).total_seconds() / 60
               for name in ("LIFETIME", "CODE_LIFETIME", "CONFLICT_LIFETIME")}  # fmt: skip
    hours = Delivery.LIFETIME.total_seconds() / 3600
    statuses = sorted(delivery.RETRIED_STATUS)
    for text in (
        f"{calls[0]} a minute" if calls[1] == 60 else "",
        f"{visits[0]} in {visits[1] // 60} minutes",
        f"{minutes['LIFETIME']:.0f} minutes |\n| time to exchange",
        f"time to exchange a code | {minutes['CODE_LIFETIME']:.0f} minutes",
        f"open authorisations in one browser | {authorization.MAX_OPEN} ",
        f"token endpoint | {zoom.TOKEN_SECONDS:.0f} seconds",
        f"{http.CONNECT_SECONDS:.0f} seconds to connect, {http.MAX_SECONDS:.0f} seconds in all",
        f"| {delivery.MAX_THREADS}, of these {delivery.PER_DEPLOYMENT} to one deployment, and "
        f"{delivery.MAX_FAILING_THREADS} to",
        f"{DEFAULTS['WEBHOOK_MAX_BYTES'] // 2**20} MiB",
        f"valid for {deployments.ROTATION_DAYS} days",
        f"After {hours:.0f} hours an event is given up",
        f"after {', '.join(map(str, seconds[:-2]))} and {seconds[-2]} seconds, then every "
        f"{seconds[-1] // 60} minutes",
        f"another {DEFAULTS['EVENT_PAYLOAD_DAYS']} days",
        f"deleted after {DEFAULTS['RUN_DAYS']} days",
        f"status than {', '.join(map(str, statuses[:-1]))} or {statuses[-1]} concerns",
    ):
        assert text and " ".join(text.split()) in TEXT, text
    assert minutes["CONFLICT_LIFETIME"] == 60 and "within an hour" in TEXT


def test_metrics_and_messages_of_the_page_exist() -> None:
    folder = Path(package.__file__).parent
    code = "".join(path.read_text() for path in folder.rglob("*.py"))
    recorded = set(re.findall(r'record_metric\(\s*"(hub_\w+)"', code))
    assert recorded == set(re.findall(r"`(hub_\w+)`", PAGE))
    (line,) = re.findall(r"\*(Zoom does not know [^*]+)\*", TEXT)
    assert line in code
    pages = "".join(path.read_text() for path in folder.rglob("*.html"))
    package_code = "".join(path.read_text() for path in folder.parent.rglob("*.py"))
    for label, place in (
        ("My Zoom user is connected with another website here. Move it to this one", pages),
        ("It has another webhook secret", code),
        (
            "Zoom did not accept the permission. Nothing was connected. Please try again.",
            package_code,
        ),
        ("Sync now", package_code),
    ):
        assert f"*{label}*" in TEXT
        assert label in place


def test_messages_of_troubleshooting_exist() -> None:
    text = (ROOT / "docs/how-to/troubleshooting.md").read_text()
    section = text[text.index("### Through a hub") : text.index("## Registration does not work")]
    messages = re.findall(r'^\| "([^"]+)" \|', section, re.MULTILINE)
    assert len(messages) > 5
    folder = Path(package.__file__).parent
    files = [*folder.rglob("*.html"), folder.parent / "oauth/messages.py"]
    shown = " ".join("".join(path.read_text() for path in files).replace("\u2019", "'").split())
    assert [message for message in messages if message not in shown] == []


def _settings_of(text: str) -> dict[str, object]:
    namespace: dict[str, dict[str, object]] = {}
    exec(text[text.index("WAGTAIL_ZOOM") :], namespace)  # noqa: S102 - our own sample
    return namespace["WAGTAIL_ZOOM"]


def test_every_setting_that_the_hub_reads_is_on_the_page() -> None:
    """Those in its own modules, and those of the modules that it uses."""
    table = PAGE[PAGE.index("## Settings of a hub") : PAGE.index("## Watch it")]
    folder = Path(package.__file__).parent
    shared = ("oauth/http.py", "utils/webhook_requests.py", "utils/ratelimit.py", "utils/crypto.py")
    files = [*folder.rglob("*.py"), *(folder.parent / name for name in shared)]
    code = "".join(path.read_text() for path in files)
    names = {name.upper() for name in re.findall(r"\bsettings\.([a-z_]+)", code)}
    names |= set(re.findall(r'settings\.days\("(\w+)"\)', code))
    read = names & set(DEFAULTS)
    assert len(read) > 10
    assert {name for name in read if f"`{name}`" not in table} == set()
    assert set(re.findall(r"`([A-Z_]+)`", table)) - {"WAGTAIL_ZOOM"} <= set(DEFAULTS)
