"""The demo's database: made once, kept on the second start, owners limited to their Site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACTS = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
from wagtail.models import Page, Site
from demo_site.sites import SITES
from wagtail_zoom.permissions import sites_for

def get(path, host, user=None):
    client = Client()
    if user:
        client.force_login(get_user_model().objects.get(username=user))
    return client.get(path, headers={"host": f"{host}:8000"})

users = get_user_model().objects.all()
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
    "elsewhere": get("/events/", "localhost").status_code,
}))
"""


def manage(folder: Path, *arguments: str) -> str:
    """Run a command on a database of its own."""
    environment = {**os.environ, "DEMO_DIR": str(folder), "DEMO_PORT": "8000"}
    command = [sys.executable, str(ROOT / "demo_site/manage.py"), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is there after two runs of ``setup_demo``."""
    folder = tmp_path_factory.mktemp("demo")
    manage(folder, "setup_demo")
    manage(folder, "setup_demo")
    output = manage(folder, "shell", "-c", FACTS)
    return json.loads(output.split("FACTS", 1)[1])


def test_second_setup_adds_nothing(facts: dict[str, Any]) -> None:
    """Three sites with three pages each, once."""
    names = ("aurora", "borealis", "harbour")
    assert facts["sites"] == [[f"{name}.localhost", 8000] for name in names]
    paths = [f"/{name}/{page}" for name in names for page in ("", "events/", "recordings/")]
    assert facts["pages"] == paths


def test_owners_are_limited_to_their_site(facts: dict[str, Any]) -> None:
    """Each owner may change one Site; the superuser all."""
    everything = [site for site, _port in facts["sites"]]
    owners = {name.split(".")[0]: [name] for name in everything}
    assert facts["rights"] == {**owners, "admin": everything}
    assert "Borealis" not in facts["explorer"]


def test_every_site_has_its_own_words_and_look(facts: dict[str, Any]) -> None:
    """The home pages name their own stylesheet only."""
    for key, html in facts["titles"].items():
        assert f"demo_site/{key}.css" in html
        assert sum(f"/{other}.css" in html for other in facts["titles"]) == 1


def test_public_pages_are_cacheable_and_strict(facts: dict[str, Any]) -> None:
    """No cookie, and a policy without any exception for inline code."""
    assert facts["cookies"] == []
    assert "default-src 'none'" in facts["policy"]
    assert "unsafe" not in facts["policy"]


def test_landing_page_is_on_the_canonical_host_only(facts: dict[str, Any]) -> None:
    """It lists sites and log-ins; no site answers there."""
    assert "http://aurora.localhost:8000/" in facts["landing"]
    assert "borealis" in facts["landing"]
    assert (facts["mails"], facts["elsewhere"]) == (200, 404)


def test_migration_is_current(tmp_path: Path) -> None:
    """The page models need no further migration."""
    manage(tmp_path, "makemigrations", "demo_site", "--check", "--dry-run")
