"""Actions of visitors: read pages, register through the public form, submit twice, cancel."""

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

from demo_site.config import LOOPBACK, DemoConfig
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Meeting, Registration, ZoomSettings
from wagtail_zoom.registration import tokens

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"


@dataclass
class RegistrationAttempt:
    """One visitor's registration, as seen by the visitor."""

    site_id: int
    account_id: int
    number: str
    email: str
    outcome: str = UNKNOWN
    is_sent: bool = False
    """All requests of the attempt have ended."""
    cancelled: bool = False
    """The visitor cancelled, and the cancellation was confirmed."""
    statuses: list[int] = field(default_factory=list)


class FormParser(HTMLParser):
    """Parses the registration form on a page and fills it."""

    def __init__(self, html: str, email: str, rng: random.Random) -> None:
        super().__init__()
        self.email, self.rng = email, rng
        self.has_form = False
        self.pairs: list[tuple[str, str]] = []
        self._inside = False
        self._radios: dict[str, list[str]] = {}
        self._select, self._options = "", list[str]()
        self.feed(html)
        for name, values in self._radios.items():
            self.pairs.append((name, self.rng.choice(values)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = "/register/" in attributes.get("action", "")
            self.has_form = self.has_form or self._inside
        elif not self._inside:
            return
        elif tag == "input":
            self._input(attributes)
        elif tag == "textarea":
            self.pairs.append((attributes["name"], "Nothing yet."))
        elif tag == "select":
            self._select, self._options = attributes["name"], []
        elif tag == "option" and attributes.get("value"):
            self._options.append(attributes["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._inside and self._options:
            self.pairs.append((self._select, self.rng.choice(self._options)))

    def _input(self, attributes: dict[str, str]) -> None:
        name, kind = attributes.get("name", ""), attributes.get("type", "text")
        if not name or name.startswith("wz_") or kind in ("submit", "hidden"):
            return
        if kind in ("radio", "checkbox"):
            if attributes.get("value") != "all":
                self._radios.setdefault(name, []).append(attributes.get("value", "on"))
        elif kind == "email" or name == "email":
            self.pairs.append((name, self.email))
        else:
            self.pairs.append((name, "Mika"))


class Visitors:
    """Acts as all visitors and records their registrations."""

    def __init__(self, config: DemoConfig, rng: random.Random) -> None:
        self.config, self.rng = config, rng
        self.counts: Counter[str] = Counter()
        self.attempts: list[RegistrationAttempt] = []
        self._lock = threading.Lock()

    def _call(self, method: str, host: str, path: str, **options: Any) -> requests.Response | None:
        headers = {"Host": f"{host}:{self.config.port}", "Sec-Fetch-Site": "same-origin"}
        try:
            return requests.request(
                method, f"http://{LOOPBACK}:{self.config.port}{path}", headers=headers,
                allow_redirects=False, timeout=30, **options,
            )  # fmt: skip
        except requests.RequestException:
            return None

    def read(self) -> None:
        """Open a public page."""
        host = self.rng.choice(("aurora", "borealis", "harbour", "meadow", "orchard"))
        path = self.rng.choice(("/", "/events/", "/recordings/"))
        response = self._call("GET", f"{host}.localhost", path)
        status = response.status_code if response is not None else "no answer"
        self.counts[f"page: {status}"] += 1

    def register(self) -> None:
        """Open a form and submit it, sometimes twice concurrently."""
        all_settings = list(
            ZoomSettings.objects.filter(show_registration=True).select_related("site")
        )
        site_settings = self.rng.choice(all_settings)
        open_now = Meeting.objects.filter(
            account=site_settings.account_id, approval_type__in=(0, 1), removed_at=None,
            occurrences__end__gt=timezone.now(),
        )  # fmt: skip
        keys = list(open_now.order_by("?").values_list("pk", "zoom_id")[:1])
        if not keys:
            return
        pk, number = keys[0]
        email = f"visitor-{len(self.attempts)}-{self.rng.randrange(10**6)}@example.org"
        attempt = RegistrationAttempt(
            site_settings.site_id, site_settings.account_id, number, email
        )
        path = FormLink(site_settings.site_id, site_settings.site.root_page_id, pk, "en", {}).url
        host = site_settings.site.hostname
        page = self._call("GET", host, path)
        form = FormParser(page.text, email, self.rng) if page is not None and page.ok else None
        if form is None or not form.has_form:
            self.counts["form: not offered"] += 1
            return
        with self._lock:
            self.attempts.append(attempt)
        times = self.rng.choice((1, 1, 1, 1, 1, 2))
        threads = [
            threading.Thread(target=self._send, args=(attempt, host, path, form.pairs))
            for _ in range(times)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        attempt.is_sent = True
        self.counts["registrations submitted twice concurrently"] += times == 2
        self.counts[f"registration {attempt.outcome}"] += 1

    def _send(
        self, attempt: RegistrationAttempt, host: str, path: str, pairs: list[tuple[str, str]]
    ) -> None:
        response = self._call("POST", host, path, data=pairs)
        with self._lock:
            if response is None or response.status_code >= 500:
                self.counts["registration: no answer or 5xx"] += 1
                attempt.statuses.append(response.status_code if response is not None else 0)
                return
            attempt.statuses.append(response.status_code)
            if response.status_code == 303:
                attempt.outcome = ACCEPTED
            elif attempt.outcome == UNKNOWN:
                attempt.outcome = REFUSED
            if response.status_code == 422:
                errors = re.findall(r"<li>(.*?)</li>", response.text, re.S)
                self.counts[f"form not valid: {errors[:1]}"] += 1

    def cancel(self) -> None:
        """Open the status page and cancel."""
        accepted = [
            item
            for item in self.attempts
            if item.is_sent and item.outcome == ACCEPTED and not item.cancelled
        ]
        if not accepted:
            return
        attempt = self.rng.choice(accepted)
        row = registrations_of(attempt).select_related("site").first()
        if row is None or row.state not in ("waiting", "pending", "approved"):
            return  # the status page has no cancel button
        answer = self._call("POST", row.site.hostname, f"{tokens.status_path(row)}cancel/")
        attempt.cancelled = answer is not None and answer.status_code == 303
        text = (
            "registration cancelled by the visitor"
            if attempt.cancelled
            else "cancel: no answer or 5xx"
        )
        self.counts[text] += 1


def registrations_of(attempt: RegistrationAttempt) -> Any:
    """Our rows of one attempt."""
    return Registration.objects.filter(
        site=attempt.site_id, meeting_zoom_id=attempt.number,
        email_index__in=tokens.email_indexes(attempt.email),
    )  # fmt: skip
