"""Owners who leave, return, switch accounts and untick; and a reader who looks for rows of others.

Titles made during the run carry a mark of account, host and kind. Whatever a Site answers, to
visitors and to its owner, holds marks of what its owner has chosen only.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

from demo_site import connections, content, users
from demo_site.config import LOOPBACK, DemoConfig
from demo_site.sites import HARBOUR, SiteData
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import (
    ExposedHost,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.sync.settings_changes import SettingsSnapshot, apply_settings_changes
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.server import SimulatorControl

from .hosts import ACCOUNTS, MARK

KINDS = frozenset(Kind.values)
MEADOW = replace(HARBOUR, key="meadow", name="Meadow", theme=HARBOUR.key, kinds=KINDS)
ORCHARD = replace(HARBOUR, key="orchard", name="Orchard", theme=HARBOUR.key, kinds=KINDS)
CHANGING_SITES: tuple[tuple[SiteData, str], ...] = ((MEADOW, "harbour"), (ORCHARD, "aurora"))
"""Sites and the accounts to which they return in the end. Nobody else has the first account, so
all its rows are deleted and imported again."""
PUBLIC_PATHS = ("/", "/events/", "/recordings/", "/zoom/calendar/all.ics")
ADMIN_PATHS = ("/admin/zoom/meetings/", "/admin/zoom/recordings/", "/admin/zoom/items/choose/")


def prepare_zoom(zoom: SimulatorControl) -> None:
    """Give the account that only these Sites have a plan with recordings and registration."""
    zoom.change_account(CHANGING_SITES[0][1], plan="pro")
    zoom.change_user(f"{CHANGING_SITES[0][1]}-0", type=2)


class OwnedSite:
    """One Site with its owner, and what the owner has chosen as stored in the settings."""

    def __init__(self, hostname: str, username: str) -> None:
        self.site = Site.objects.get(hostname=hostname)
        ZoomSettings.for_site(self.site)  # creates them
        self.owner = get_user_model().objects.get(username=username)
        self.lock = threading.RLock()
        """Held while the owner changes something, and while the reader reads."""
        self.archive: set[str] | None = None
        """The marks in all rows of the account when it became an archive."""

    @property
    def settings(self) -> ZoomSettings:
        """The present settings."""
        return ZoomSettings.objects.select_related("account", "grant").get(site=self.site)

    @property
    def host(self) -> str:
        """Hostname and port."""
        return f"{self.site.hostname}:{settings.DEMO.port}"

    def client(self) -> Client:
        """A browser in which the owner is logged in, on the Site's hostname."""
        client = Client(headers={"host": self.host})
        client.force_login(self.owner)
        return client


def marks(text: str) -> set[str]:
    """All marks in a response; lines of calendar files are unfolded."""
    return {match[0] for match in MARK.finditer(text.replace("\r\n ", ""))}


def marks_of_account(account: ZoomAccount) -> set[str]:
    """The marks in all our rows of an account."""
    rows = [
        *Meeting.objects.filter(account=account).values_list("topic", "agenda"),
        *Recording.objects.filter(account=account).values_list("topic"),
        *Host.objects.filter(account=account).values_list("display_name"),
    ]
    return {mark for row in rows for text in row for mark in marks(text)}


class ChangingOwners:
    """Acts as the owners of these Sites."""

    def __init__(self, zoom: SimulatorControl, rng: random.Random) -> None:
        self.zoom, self.rng = zoom, rng
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.sites = [OwnedSite(data.hostname, data.key) for data, _ in CHANGING_SITES]
        self.keys = {user["id"]: user["key"] for name in ACCOUNTS for user in zoom.users(name)}
        self.accounts = {zoom.users(name)[0]["account_id"]: name for name in ACCOUNTS}

    @staticmethod
    def create_sites() -> None:
        """The Sites with pages and owners; call it before the web server starts."""
        for data, _ in CHANGING_SITES:
            site = content.ensure_site(data, settings.DEMO.port)
            users.ensure_owner(data, site)

    def act(self) -> None:
        """One random change by one owner."""
        owned = self.rng.choice(self.sites)
        with owned.lock:
            site_settings = owned.settings
            action = self.rng.choice(self._actions(site_settings))
            try:
                action(owned)
            except (AssertionError, OSError) as error:
                # Zoom or the web server could not be reached; what is stored counts.
                self.counts[f"{action.__name__} failed ({type(error).__name__})"] += 1
                return
            self.counts[action.__name__] += 1

    def _actions(self, site_settings: ZoomSettings) -> list[Callable[[OwnedSite], None]]:
        if site_settings.account is None:
            return [self.connect]
        if site_settings.is_archive:
            return [self.connect, self.remove]
        often = [self.untick, self.tick, self.untick, self.tick, self.pause]
        return [*often, self.connect, self.keep, self.remove, self.remove_app]

    def connect(self, owned: OwnedSite, account: str = "") -> None:
        """Connect to an account, the present one or another one, and show everything."""
        name = account or self.rng.choice(ACCOUNTS)
        before = owned.settings.account
        client = owned.client()
        response = connect_site(client, owned.site, f"{name}-0", host=owned.host)
        if "/oauth/switch/" in response.headers.get("Location", ""):
            client.post(response.headers["Location"], {"answer": "switch"})
            self.counts["account switched"] += 1
        site_settings = owned.settings
        if site_settings.account is None or self.accounts[site_settings.account.zoom_id] != name:
            raise AssertionError("not connected")
        if before is not None and before != site_settings.account:
            self.counts["another account than before"] += 1
        owned.archive = None
        connections.refresh_directory(site_settings.account)
        self.tick(owned)

    def _choose(self, owned: OwnedSite, kinds: frozenset[str], hosts: list[Host]) -> None:
        site_settings = owned.settings
        before = SettingsSnapshot.of(site_settings)
        for kind, flag in connections.SHOW_FIELDS.items():
            setattr(site_settings, flag, kind.value in kinds)
        site_settings.show_registration, site_settings.organiser = True, owned.site.site_name
        site_settings.review_recordings = False
        site_settings.save()
        rows = ExposedHost.objects.filter(settings=site_settings)
        rows.exclude(host__in=hosts).delete()
        for host in hosts:
            ExposedHost.objects.get_or_create(settings=site_settings, host=host)
        apply_settings_changes(site_settings, owned.owner, before)

    def tick(self, owned: OwnedSite) -> None:
        """Show all kinds of all hosts."""
        self._choose(owned, KINDS, list(Host.objects.filter(account=owned.settings.account)))

    def untick(self, owned: OwnedSite) -> None:
        """Show some kinds of some hosts."""
        hosts = list(Host.objects.filter(account=owned.settings.account))
        kinds = frozenset(self.rng.sample(sorted(KINDS), self.rng.randrange(1, len(KINDS))))
        self._choose(owned, kinds, self.rng.sample(hosts, self.rng.randrange(len(hosts) + 1)))

    def pause(self, owned: OwnedSite) -> None:
        """Pause the Site's synchronisation, or resume it."""
        is_paused = owned.settings.paused_at is not None
        name = "wagtail_zoom_admin:resume" if is_paused else "wagtail_zoom_admin:pause"
        owned.client().post(reverse(name, args=[owned.site.pk]))

    def keep(self, owned: OwnedSite) -> None:
        """Disconnect; the pages keep an archive."""
        self._leave(owned, "keep")

    def remove(self, owned: OwnedSite) -> None:
        """Disconnect, or end the archive; the pages show nothing of Zoom."""
        self._leave(owned, "remove")

    def _leave(self, owned: OwnedSite, pages: str) -> None:
        account = owned.settings.account
        seen = marks_of_account(account) if account else set()
        url = reverse("wagtail_zoom_admin:disconnect", args=[owned.site.pk])
        owned.client().post(url, {"pages": pages})
        site_settings = owned.settings
        owned.archive = None
        if pages == "remove" and site_settings.account is not None:
            self.wrong.append(f"{owned.site}: disconnected, and still linked to an account")
        if pages == "keep" and account:
            if site_settings.grant is not None or site_settings.account != account:
                self.wrong.append(f"{owned.site}: kept an archive, and still connected")
            owned.archive = seen | marks_of_account(account)

    def remove_app(self, owned: OwnedSite) -> None:
        """Remove the app at Zoom, where nobody else has the account."""
        account = owned.settings.account
        if account and self.accounts[account.zoom_id] == CHANGING_SITES[0][1]:
            self.zoom.deauthorize(account=CHANGING_SITES[0][1])

    def return_all(self) -> None:
        """Connect every Site to its account again and show everything."""
        for owned, (_, account) in zip(self.sites, CHANGING_SITES, strict=True):
            with owned.lock:
                self.connect(owned, account)
                if owned.settings.paused_at is not None:
                    self.pause(owned)


class Reader:
    """Reads as visitor and as owner, and compares what stands there with the owner's choices."""

    def __init__(
        self, config: DemoConfig, changing_owners: ChangingOwners, rng: random.Random
    ) -> None:
        self.config, self.changing_owners, self.rng = config, changing_owners, rng
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def read(self) -> None:
        """Read one Site while its owner changes nothing."""
        owned = self.rng.choice(self.changing_owners.sites)
        with owned.lock:
            chosen = self._chosen(owned)
            cookies = {"sessionid": owned.client().session.session_key or ""}
            for path in self.rng.sample(PUBLIC_PATHS, 2):
                self._check(owned, path, chosen, self._get(owned, path))
            path = self.rng.choice(ADMIN_PATHS)
            self._check(owned, path, chosen, self._get(owned, path, cookies))
            for what, path, is_chosen in self._links(owned, chosen):
                response = self._get(owned, path)
                self._check(owned, what, chosen, response)
                if not is_chosen and response is not None and self._leads_to_zoom(response):
                    self._report(f"{owned.site}: {what} leads to Zoom, {response.status_code}")
                self.counts[f"{what}, {'' if is_chosen else 'not '}chosen"] += 1

    def _get(
        self, owned: OwnedSite, path: str, cookies: dict[str, str] | None = None
    ) -> requests.Response | None:
        headers = {"Host": f"{owned.site.hostname}:{self.config.port}"}
        url = f"http://{LOOPBACK}:{self.config.port}{path}"
        try:
            return requests.get(
                url, headers=headers, cookies=cookies, allow_redirects=False, timeout=30
            )
        except requests.RequestException:
            return None

    def _chosen(self, owned: OwnedSite) -> Callable[[str, str, str], bool]:
        """Whether the owner shows a kind of a host, as the settings are stored now."""
        site_settings = owned.settings
        if site_settings.account is None:
            return lambda *_: False
        account = self.changing_owners.accounts[site_settings.account.zoom_id]
        rows = ExposedHost.objects.filter(settings=site_settings)
        hosts = {
            self.changing_owners.keys[pk] for pk in rows.values_list("host__zoom_id", flat=True)
        }
        kinds = {*map(str, site_settings.kinds), "person"}
        return lambda name, host, kind: name == account and host in hosts and kind in kinds

    def _check(
        self,
        owned: OwnedSite,
        what: str,
        chosen: Callable[[str, str, str], bool],
        response: requests.Response | None,
    ) -> None:
        if response is None:
            return
        self.counts[f"{what}: {response.status_code}"] += 1
        for match in MARK.finditer(response.text.replace("\r\n ", "")):
            self.counts["marks read"] += 1
            account, host, kind = match[1], match[1] + match[2], match[3]
            in_archive = owned.archive is None or match[0] in owned.archive
            if not chosen(account, host, kind) or not in_archive:
                state = "archive" if owned.archive is not None else "no archive"
                self._report(f"{owned.site}: {what} shows {match[0]} ({state})")

    def _report(self, text: str) -> None:
        print(f"{timezone.now():%H:%M:%S} {text}", flush=True)
        self.wrong.append(text)

    def _leads_to_zoom(self, response: requests.Response) -> bool:
        target = urlsplit(response.headers.get("Location", ""))
        return target.netloc == urlsplit(self.config.simulator_url).netloc

    def _links(
        self, owned: OwnedSite, chosen: Callable[[str, str, str], bool]
    ) -> Iterator[tuple[str, str, bool]]:
        """Well signed links of this Site to things of any account: name, path, whether chosen."""
        site, page = owned.site, owned.site.root_page_id
        upcoming = Occurrence.objects.filter(end__gt=timezone.now()).select_related("meeting")
        own = upcoming.filter(meeting__account=owned.settings.account)
        date = (own if self.rng.random() < 0.5 else upcoming).order_by("?").first()
        if date is not None:
            is_chosen = self._is_chosen(chosen, date.meeting.host_zoom_id, date.meeting.kind)
            yield "join link", links.join_url(site.pk, date, page), is_chosen
            yield "calendar file", links.calendar_url(site.pk, date), is_chosen
            form = FormLink(site.pk, page, date.meeting_id, "en", {})
            yield "form", form.url, is_chosen
        item = SiteItem.objects.filter(site=site, kind=Kind.RECORDING).order_by("?").first()
        if item is not None:
            recording = Recording.objects.filter(uuid=item.key).first()
            host = recording.host_zoom_id if recording else ""
            is_chosen = self._is_chosen(chosen, host, Kind.RECORDING)
            yield "watch link", links.watch_url(item, page), is_chosen

    def _is_chosen(
        self, chosen: Callable[[str, str, str], bool], host_zoom_id: str, kind: str
    ) -> bool:
        key = self.changing_owners.keys.get(host_zoom_id, "")
        return chosen(key.rpartition("-")[0], key, str(kind))
