"""Two paths through the package: the modules and packages on the way, and the returns to a package.

``pytest -s -m slow tests/docs/test_walks.py`` prints for each path: calls between functions of the
package, modules, packages of the root (a module of the root counts as one), and returns to a
package that the path had already left. The first path leads from a webhook to the invalidation of
the caches, the second from a visitor's form to the email. Both run against the Zoom simulator, with
the worker in this process. ``docs/architecture.md`` has the numbers.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from itertools import groupby
from types import FrameType
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from wagtail.contrib.frontend_cache.backends import BaseBackend
from wagtail.models import Site

from tests.testapp.models import ZoomPage
from wagtail_zoom.models import Meeting, SiteItem

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROOT = "wagtail_zoom."
IGNORED = ("testing", "migrations")


class Walk:
    """The modules of the package in the order in which their functions are called."""

    def __init__(self) -> None:
        self.modules: list[str] = []

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Record every call until the block ends."""
        threading.setprofile(self._record)
        sys.setprofile(self._record)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _record(self, frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_globals.get("__name__", "")
        if event == "call" and name.startswith(ROOT):
            module = name.removeprefix(ROOT)
            if module.split(".")[0] not in IGNORED:
                self.modules.append(module)

    def report(self, title: str) -> str:
        """One line with the counts."""
        packages = [module.split(".")[0] for module in self.modules]
        visits = [name for name, _calls in groupby(packages)]
        returns = len(visits) - len(set(visits))
        return (
            f"{title}: {len(self.modules)} calls, {len(set(self.modules))} modules, "
            f"{len(set(packages))} packages, {returns} returns\n  "
            + ", ".join(sorted(set(self.modules)))
        )


class FrontEndCache(BaseBackend):
    """A front-end cache that accepts every purge."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.purged: list[str] = []

    def purge(self, url: str) -> None:
        self.purged.append(url)


class FormFields(HTMLParser):
    """The registration form of a page: where it posts to, and a value for each field."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = self.select = ""
        self.values: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        field = {name: value or "" for name, value in attrs}
        name, value = field.get("name", ""), field.get("value", "")
        if tag == "form" and field.get("method", "").lower() == "post":
            self.action = field.get("action", "")
        elif tag == "option" and self.select and value:
            self.values[self.select], self.select = value, ""
        elif not self.action or not name:
            return
        elif tag == "select":
            self.select = name
        elif field.get("type") in ("checkbox", "radio"):
            self.values.setdefault(name, value or "on")
        elif tag in ("input", "textarea"):
            self.values[name] = value or ("" if name.startswith("wz") else "answer")


def add_page(site: Site, *body: tuple[str, dict[str, Any]]) -> str:
    """A page with these blocks; its path."""
    page = ZoomPage(title="Walk", slug="walk", body=list(body))
    site.root_page.add_child(instance=page)
    return page.get_url(current_site=site) or "/walk/"


def test_webhook(zoom_connect, zoom_app, zoom_deliver, settings):
    settings.WAGTAILFRONTENDCACHE = {"default": {"BACKEND": f"{__name__}.FrontEndCache"}}
    row = zoom_connect("aurora-0")
    add_page(row.site, ("dates", {"limit": 20}))
    zoom_deliver()
    meeting = Meeting.objects.filter(kind="meeting", start__gt=timezone.now(), zoom_type=2).first()
    zoom_app.change_meeting(int(meeting.zoom_id), topic="A new topic")
    walk = Walk()
    with walk.follow():
        zoom_deliver()
    meeting.refresh_from_db()
    assert meeting.topic == "A new topic"
    print("\n" + walk.report("webhook to cache invalidation"))


def test_registration(client, admin_client, zoom_connect, zoom_worker):
    row = zoom_connect("borealis-0")
    site = Site.objects.get(pk=row.site_id)
    form = FormFields("")
    for meeting in Meeting.objects.filter(approval_type=0, host__isnull=False):
        ZoomPage.objects.all().delete()
        item = SiteItem.objects.get(site=site, key=meeting.zoom_id)
        path = add_page(site, ("register", {"item": item}))
        form = FormFields(admin_client.get(path).content.decode())
        if form.action:
            break
    person = {"first_name": "Mika", "last_name": "Sato", "email": "mika@example.org"}
    walk = Walk()
    with walk.follow():
        response = client.post(
            form.action, form.values | person, headers={"Sec-Fetch-Site": "same-origin"}
        )
        zoom_worker.run()
    assert response.status_code == 303
    assert [message.to for message in mail.outbox] == [["mika@example.org"]]
    print("\n" + walk.report("visitor's form to email"))
