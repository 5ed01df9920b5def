"""Runs the code samples of docs/reference/testing.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from tests.testapp.models import DatesPage
from wagtail_zoom.models import SiteItem
from wagtail_zoom.testing.factories import default_site

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/testing.md"
SAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)

for code in SAMPLES:
    exec(code, globals())  # noqa: S102 - our own page; its tests become tests of this module


class Visitor(Client):
    """Client for a project with lists on its start page and a form at ``/bread/``."""

    def get(self, path, *args, **kwargs):
        if path == "/bread/":
            item = SiteItem.objects.filter(meeting__approval_type=0).latest("pk")
            make_page("bread", [("registration", {"item": item.pk})])
        return super().get(path, *args, headers={"host": "localhost"}, **kwargs)

    def post(self, path, data, *, headers):
        return super().post(path, data, headers={**headers, "host": "localhost"})


def make_page(slug, blocks):
    body = [{"type": kind, "value": value} for kind, value in blocks]
    page = DatesPage(title=slug, slug=slug, body=json.dumps(body))
    return default_site().root_page.add_child(instance=page)


@pytest.fixture
def client(db):
    site = default_site()
    many = {"limit": 100, "paging": False}
    page = make_page("start", [("meetings", many), ("recordings", many)])
    site.root_page = page
    site.save()
    return Visitor()


def test_every_sample_is_a_test():
    names = {name for code in SAMPLES for name in re.findall(r"^def (test_\w+)", code, re.M)}
    assert len(names) == 5
    assert names <= set(globals())
