"""The demo's database: unchanged by the second setup, owners limited to their Site."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
from wagtail.models import Page, Site
from demo_site.sites import SITES
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.permissions import sites_for

def get(path, host, user=None):
    client = Client()
    if user:
        client.force_login(get_user_model().objects.get(username=user))
    return client.get(path, headers={"host": f"{host}:8000"})

users = get_user_model().objects.all()
site = Site.objects.get(hostname="aurora.localhost")
form_url = FormLink(site.pk, site.root_page_id, 1, "en", {}).url
front = get("/events/", "aurora.localhost")
print("FACTS" + json.dumps({
    "sites": sorted(Site.objects.values_list("hostname", "port")),
    "pages": sorted(Page.objects.live().filter(depth__gt=1).values_list("url_path", flat=True)),
    "rights": {u.username: sorted(s.hostname for s in sites_for(u)) for u in users},
    "titles": {s.key: get("/", s.hostname).content.decode() for s in SITES},
    "landing": get("/", "localhost").content.decode(),
    "policy": front.headers.get("Content-Security-Policy", ""),
    "cookies": sorted(front.cookies),
    "explorer": get("/admin/pages/", "aurora.localhost", "aurora").content.decode(),
    "mails": get("/demo/mails/", "localhost").status_code,
    "form": get(form_url, "localhost").content.decode(),
    "elsewhere": get("/events/", "localhost").status_code,
}))
"""


def run_manage(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a management command on a separate database."""
    environment = {**os.environ, "DEMO_DIR": str(folder), "DEMO_PORT": "8000", **environment}
    command = [sys.executable, str(ROOT / "demo_site/manage.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def manage(folder: Path, *arguments: str) -> str:
    """The same; it must succeed."""
    result = run_manage(folder, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """State of the database after two runs of ``setup_demo``."""
    folder = tmp_path_factory.mktemp("demo")
    manage(folder, "setup_demo")
    manage(folder, "setup_demo")
    output = manage(folder, "shell", "-c", SCRIPT)
    return json.loads(output.split("FACTS", 1)[1])


def test_second_setup_adds_nothing(state: dict[str, Any]) -> None:
    """Three Sites with three pages each, once."""
    names = ("aurora", "borealis", "harbour")
    assert state["sites"] == [[f"{name}.localhost", 8000] for name in names]
    paths = [f"/{name}/{page}" for name in names for page in ("", "events/", "recordings/")]
    assert state["pages"] == paths


def test_owners_are_limited_to_their_site(state: dict[str, Any]) -> None:
    """Each owner may change one Site; the superuser all."""
    hostnames = [site for site, _port in state["sites"]]
    owners = {name.split(".")[0]: [name] for name in hostnames}
    assert state["rights"] == {**owners, "admin": hostnames}
    assert "Borealis" not in state["explorer"]


def test_every_site_has_its_own_theme(state: dict[str, Any]) -> None:
    """The home pages link their own stylesheet only."""
    for key, html in state["titles"].items():
        assert f"demo_site/{key}.css" in html
        assert sum(f"/{other}.css" in html for other in state["titles"]) == 1


def test_public_pages_are_cacheable_and_strict(state: dict[str, Any]) -> None:
    """No cookie, and a policy without any exception for inline code."""
    assert state["cookies"] == []
    assert "default-src 'none'" in state["policy"]
    assert "unsafe" not in state["policy"]


def test_landing_page_is_on_the_base_url_only(state: dict[str, Any]) -> None:
    """It lists Sites and logins; no Site's pages are there."""
    assert "http://aurora.localhost:8000/" in state["landing"]
    assert "borealis" in state["landing"]
    assert (state["mails"], state["elsewhere"]) == (200, 404)


def test_a_form_opens_on_the_base_url_too(state: dict[str, Any]) -> None:
    """It belongs to no Site there, and has the look of the first."""
    assert "demo_site/aurora.css" in state["form"]


def test_migration_is_current(tmp_path: Path) -> None:
    """The page models need no further migration."""
    manage(tmp_path, "makemigrations", "demo_site", "--check", "--dry-run")


def test_a_database_from_before_the_first_release_is_refused_in_words(tmp_path):
    with sqlite3.connect(tmp_path / "demo.sqlite3") as database:
        database.execute(
            "CREATE TABLE django_migrations"
            " (id integer PRIMARY KEY, app text, name text, applied text)"
        )
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)",
            ("wagtail_zoom", "0002_transcript", "2026-11-20 12:00:00"),
        )
    result = run_manage(tmp_path, "setup_demo")
    assert result.returncode
    assert "created by a version before the first release" in result.stderr
    assert "make demo-reset" in result.stderr and "Traceback" not in result.stderr
