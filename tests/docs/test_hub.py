"""The guide to the hub: its samples make a hub that runs, and its numbers are those of the code."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from wagtail_zoom import hub as package
from wagtail_zoom.conf import DEFAULTS
from wagtail_zoom.hub import authorization, delivery, deployments, http, zoom
from wagtail_zoom.hub.models import Delivery
from wagtail_zoom.oauth.marketplace import app_urls

from .hub_project import PAGE, SIMULATOR, commands, make_project, run, sample, settings_of

ROOT = Path(__file__).resolve().parents[2]
TEXT = " ".join(PAGE.split())
UTILS = ("crypto", "health", "logging", "ratelimit", "webhook_requests")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of its own, made as the page says."""
    return make_project(tmp_path_factory.mktemp("hub"))


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
    shown, pasted = (settings_of(text) for text in (sample('"CLIENT_ID": "zh_'), printed))
    assert list(shown) == list(pasted)
    assert shown["OAUTH_URL"] == pasted["OAUTH_URL"]
    assert shown["BASE_URL"] == pasted["BASE_URL"]
    client_id = str(pasted["CLIENT_ID"])
    assert run(project, "zoom_hub", "list").startswith(f"{client_id}  Harbour House <")
    assert "7 days" in run(project, "zoom_hub", "rotate", client_id)
    run(project, "zoom_hub", "rotate-keys")
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
    _first, add = (words for words in commands() if words[:2] == ["zoom_hub", "add"])
    run(project, "migrate", settings=SIMULATOR)
    output = run(project, *add, settings=SIMULATOR)
    pasted = settings_of(output)
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
    actions = set(re.findall(r"(?<!wagtail_)zoom_hub ([\w-]+)", PAGE))
    assert actions == {"add", "list", "rotate", "rotate-keys", "remove", "deliver", "doctor"}
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
        f"until {DEFAULTS['EVENT_PAYLOAD_DAYS']} days after they were received",
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


def test_every_setting_that_the_hub_reads_is_on_the_page() -> None:
    """Those in its own modules, and those of the modules that it uses."""
    table = PAGE[PAGE.index("## Settings of a hub") : PAGE.index("## Watch it")]
    folder = Path(package.__file__).parent
    shared = ("oauth/http.py", *(f"utils/{name}.py" for name in UTILS))
    files = [*folder.rglob("*.py"), *(folder.parent / name for name in shared)]
    code = "".join(path.read_text() for path in files)
    names = {name.upper() for name in re.findall(r"\bsettings\.([a-z_]+)", code)}
    names |= set(re.findall(r'settings\.days\("(\w+)"\)', code))
    read = names & set(DEFAULTS)
    assert len(read) > 10
    assert {name for name in read if f"`{name}`" not in table} == set()
    assert set(re.findall(r"`([A-Z_]+)`", table)) - {"WAGTAIL_ZOOM"} <= set(DEFAULTS)
