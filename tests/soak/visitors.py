"""What visitors do: read pages, sign up through the public form, press twice, cancel."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import requests
from django.utils import timezone

from demo_site.places import LOOPBACK, Places
from wagtail_zoom.frontend.form_links import Ref
from wagtail_zoom.models import Meeting, Registration, ZoomSettings
from wagtail_zoom.registration import tokens

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"


@dataclass
class SignUp:
    """One person's wish, as the person remembers it."""

    site_id: int
    account_id: int
    number: str
    email: str
    outcome: str = UNKNOWN
    is_sent: bool = False
    """No attempt of it is under way any more."""
    cancelled: bool = False
    """The person pressed "cancel", and an answer came."""
    statuses: list[int] = field(default_factory=list)


class Form(HTMLParser):
    """The values with which a person would send the form of ours on a page."""

    def __init__(self, html: str, email: str, dice: random.Random) -> None:
        super().__init__()
        self.email, self.dice = email, dice
        self.found = False
        self.pairs: list[tuple[str, str]] = []
        self._inside = False
        self._radios: dict[str, list[str]] = {}
        self._select, self._options = "", list[str]()
        self.feed(html)
        for name, values in self._radios.items():
            self.pairs.append((name, self.dice.choice(values)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = "/register/" in facts.get("action", "")
            self.found = self.found or self._inside
        elif not self._inside:
            return
        elif tag == "input":
            self._input(facts)
        elif tag == "textarea":
            self.pairs.append((facts["name"], "Nothing yet."))
        elif tag == "select":
            self._select, self._options = facts["name"], []
        elif tag == "option" and facts.get("value"):
            self._options.append(facts["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._inside and self._options:
            self.pairs.append((self._select, self.dice.choice(self._options)))

    def _input(self, facts: dict[str, str]) -> None:
        name, kind = facts.get("name", ""), facts.get("type", "text")
        if not name or name.startswith("wz_") or kind in ("submit", "hidden"):
            return
        if kind in ("radio", "checkbox"):
            if facts.get("value") != "all":
                self._radios.setdefault(name, []).append(facts.get("value", "on"))
        elif kind == "email" or name == "email":
            self.pairs.append((name, self.email))
        else:
            self.pairs.append((name, "Mika"))


class Visitors:
    """All visitors, as one pair of dice and one memory."""

    def __init__(self, places: Places, dice: random.Random) -> None:
        self.places, self.dice = places, dice
        self.counts: Counter[str] = Counter()
        self.sign_ups: list[SignUp] = []
        self._lock = threading.Lock()

    def _call(self, method: str, host: str, path: str, **facts: Any) -> requests.Response | None:
        headers = {"Host": f"{host}:{self.places.port}", "Sec-Fetch-Site": "same-origin"}
        try:
            return requests.request(
                method, f"http://{LOOPBACK}:{self.places.port}{path}", headers=headers,
                allow_redirects=False, timeout=30, **facts,
            )  # fmt: skip
        except requests.RequestException:
            return None

    def read(self) -> None:
        """Open a public page."""
        host = self.dice.choice(("aurora", "borealis", "harbour"))
        path = self.dice.choice(("/", "/events/", "/recordings/"))
        response = self._call("GET", f"{host}.localhost", path)
        status = response.status_code if response is not None else "no answer"
        self.counts[f"page: {status}"] += 1

    def sign_up(self) -> None:
        """Open a form and send it, now and then twice at once or for the second time."""
        choices = list(ZoomSettings.objects.filter(show_registration=True).select_related("site"))
        choice = self.dice.choice(choices)
        open_now = Meeting.objects.filter(
            account=choice.account_id, approval_type__in=(0, 1), removed_at=None,
            occurrences__end__gt=timezone.now(),
        )  # fmt: skip
        keys = list(open_now.order_by("?").values_list("pk", "zoom_id")[:1])
        if not keys:
            return
        pk, number = keys[0]
        email = f"visitor-{len(self.sign_ups)}-{self.dice.randrange(10**6)}@example.org"
        mine = SignUp(choice.site_id, choice.account_id, number, email)
        path = Ref(choice.site_id, choice.site.root_page_id, pk, "en", {}).url
        host = choice.site.hostname
        page = self._call("GET", host, path)
        form = Form(page.text, email, self.dice) if page is not None and page.ok else None
        if form is None or not form.found:
            self.counts["form: not offered"] += 1
            return
        with self._lock:
            self.sign_ups.append(mine)
        times = self.dice.choice((1, 1, 1, 1, 1, 2))
        threads = [
            threading.Thread(target=self._send, args=(mine, host, path, form.pairs))
            for _ in range(times)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        mine.is_sent = True
        self.counts["sign-ups sent twice at once"] += times == 2
        self.counts[f"sign-up {mine.outcome}"] += 1

    def _send(self, mine: SignUp, host: str, path: str, pairs: list[tuple[str, str]]) -> None:
        response = self._call("POST", host, path, data=pairs)
        with self._lock:
            if response is None or response.status_code >= 500:
                self.counts["sign-up: no answer or 5xx"] += 1
                mine.statuses.append(response.status_code if response is not None else 0)
                return
            mine.statuses.append(response.status_code)
            if response.status_code == 303:
                mine.outcome = ACCEPTED
            elif mine.outcome == UNKNOWN:
                mine.outcome = REFUSED
            if response.status_code == 422:
                found = re.findall(r"<li>(.*?)</li>", response.text, re.S)
                self.counts[f"form not valid: {found[:1]}"] += 1

    def cancel(self) -> None:
        """Follow the link of the mail and cancel."""
        known = [
            one
            for one in self.sign_ups
            if one.is_sent and one.outcome == ACCEPTED and not one.cancelled
        ]
        if not known:
            return
        mine = self.dice.choice(known)
        row = rows_of(mine).select_related("site").first()
        if row is None or row.state not in ("waiting", "pending", "approved"):
            return  # the status page has no such button then
        answer = self._call("POST", row.site.hostname, f"{tokens.status_path(row)}cancel/")
        mine.cancelled = answer is not None and answer.status_code == 303
        told = "sign-up cancelled by the person" if mine.cancelled else "cancel: no answer or 5xx"
        self.counts[told] += 1


def rows_of(mine: SignUp) -> Any:
    """Our rows of one wish."""
    return Registration.objects.filter(
        site=mine.site_id, meeting_zoom_id=mine.number,
        email_index__in=tokens.email_indexes(mine.email),
    )  # fmt: skip
