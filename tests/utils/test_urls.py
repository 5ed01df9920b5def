"""Addresses that others have written can be taken apart without an error."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Site

import wagtail_zoom
from wagtail_zoom.mapping.parsing import parse_zoom_url
from wagtail_zoom.oauth.flow import own_origins
from wagtail_zoom.oauth.protocol import api_base
from wagtail_zoom.utils.urls import join_urls, split_url
from wagtail_zoom.utils.zoom_urls import is_zoom_url

PACKAGE = Path(wagtail_zoom.__file__).parent
UNREADABLE = ["http://[::1", "http://[x]/", "https://zoom.us:99999/j/1", "https://zoom.us:x/",
              "//[::::]", "http://a]b/", "https://zoom.us:²/", "http://ａ／b.example/"]  # fmt: skip


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_has_no_parts(text):
    assert split_url(text) == ("", "", "", "", "")
    assert not is_zoom_url(text)
    assert parse_zoom_url(text) == ""
    assert api_base(text) == ""
    assert join_urls("https://zoom.us/", "//[") == ""


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "zoom.localhost"])
@pytest.mark.parametrize("link", ["localhost", "127.0.0.1", "[::1]", "zoom.localhost"])
def test_links_of_the_simulator_are_followed_by_any_name_of_this_machine(settings, name, link):
    """The settings may call it by one name, and its links by another one."""
    url = f"http://{link}:8010/j/1?pwd=x"
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": f"http://{name}:8010"}
    assert parse_zoom_url(url) == url
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "OAUTH_URL": "https://zoom.us"}
    assert parse_zoom_url(url) == ""


@given(st.text(alphabet=st.sampled_from("htps:/[]@.#?%0189abfzoomus²／\\\t\n ")))
def test_no_text_makes_it_fail(text):
    for parts in (split_url(text), split_url(f"https://{text}"), split_url(f"//{text}")):
        assert parts.hostname is None or parts.port is None or parts.port < 65536
    join_urls("https://zoom.us/", text)
    assert split_url("https://Host.example:81/a?b#c").hostname == "host.example"


@pytest.mark.parametrize("host", ["", "[::::]", "[::1", "testserver:99999"])
def test_an_unreadable_host_is_not_our_own(host, settings):
    zoom = settings.WAGTAIL_ZOOM
    settings.WAGTAIL_ZOOM = {**zoom, "BASE_URL": "nonsense", "ADMIN_HOSTS": [host]}
    assert own_origins(Site(hostname=host)) == {}


@pytest.mark.django_db
def test_a_referrer_that_cannot_be_read_is_no_error(admin_client: Client):
    response = admin_client.get("/admin/zoom/choose/", headers={"referer": "http://[::1"})
    assert response.status_code < 500


def test_the_parser_that_raises_is_used_in_one_place():
    """``conf`` reads the operator's own settings, which ``check`` looks at."""
    users = set()
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE).as_posix()
        if relative.startswith("testing/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "urllib.parse":
                names = {name.name for name in node.names}
                if names & {"urlsplit", "urlparse", "urljoin", "urldefrag"}:
                    users.add(relative)
    assert users == {"utils/urls.py", "conf.py"}
