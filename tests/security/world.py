"""Three Sites, two Zoom accounts (two Sites share one), and everything that a Site can have.

The accounts use the same ids and numbers, so that whatever is looked up without its account is
found in the wrong one. All words of a Site begin with its name: what crosses is seen in the text.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from wagtail.models import Site

from tests.admin.conftest import make_owner, make_site
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Host,
    ItemTag,
    Meeting,
    OAuthState,
    Occurrence,
    Recording,
    RecordingRule,
    Registration,
    RegistrationDate,
    SiteItem,
    SyncRun,
    Transcript,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth import invitations

MEETING, WEBINAR, FILM = "81112223334", "91112223334", "4444AAAAiAAAAAiAiAiiAA=="
HOUR = timedelta(hours=1)


def make_account(name: str) -> ZoomAccount:
    """An account whose grant covers all of it."""
    account = ZoomAccount.objects.create(zoom_id=f"account-{name}", name=f"{name} Ltd")
    account.throttled_until = timezone.now() + HOUR  # nothing is sent anywhere
    account.reconciled_at = timezone.now()
    account.save()
    return account


def make_tenant(name: str, account: ZoomAccount, number: int) -> SimpleNamespace:
    """A Site with an owner, a host, a meeting, a webinar, a recording, a sign-up and its pages.

    ``number`` tells Sites of one account apart; Sites of two accounts may have the same.
    """
    site = make_site(f"site{name[0]}.example")
    host = Host.objects.create(
        account=account, zoom_id=f"host-{number}", display_name=f"{name} host", user_type=2
    )
    grant, _ = Grant.objects.get_or_create(
        client_id="simulator-client",
        account=account,
        zoom_user_id="admin",
        defaults={"account_level": True, "last_ok_at": timezone.now()},
    )
    choice = ZoomSettings.objects.create(
        site=site, grant=grant, account=account, configured_at=timezone.now(),
        show_meetings=True, show_webinars=True, show_recordings=True, show_registration=True,
        show_transcripts=True,
        organiser=f"{name} organiser", contact_email=f"{name}@{name}.example",
        privacy_notice=f"{name} privacy", consent_text=f"{name} consent", join_policy="public",
    )  # fmt: skip
    ExposedHost.objects.create(settings=choice, host=host)
    world = SimpleNamespace(
        name=name, site=site, owner=make_owner(f"{name}-owner", site), host=host, grant=grant,
        account=account, choice=choice, hostname=site.hostname,
    )  # fmt: skip
    _mirror(world, number)
    _curation(world)
    _log(world)
    world.registration = _sign_up(world)
    world.token = invitations.create(site, world.owner)[1].rstrip("/").rpartition("/")[2]
    state = OAuthState(
        state_hash=name, session_hash=name, user=world.owner, site=site, client_id="c",
        issuer="i", redirect_uri="r", origin="o", expires_at=timezone.now() + HOUR,
    )  # fmt: skip
    state.verifier, state.code = f"{name} verifier", f"{name} code"
    state.save()
    _pages(world)
    return world


def _mirror(world: SimpleNamespace, number: int) -> None:
    name, host = world.name, world.host
    shared: dict[str, Any] = {
        "account": world.account, "host": host, "host_zoom_id": host.zoom_id,
        "timezone": "Europe/Berlin", "detail_at": timezone.now(), "questions_at": timezone.now(),
        "questions": {"questions": [{"field_name": "last_name", "required": True}]},
    }  # fmt: skip
    start = timezone.now() + timedelta(days=2)
    for attribute, kind, zoom_id, zoom_type in (
        ("meeting", "meeting", MEETING, 2),
        ("webinar", "webinar", WEBINAR, 5),
    ):
        row = Meeting(
            kind=kind, zoom_type=zoom_type, zoom_id=f"{zoom_id[:-1]}{number}", approval_type=0,
            topic=f"{name} {kind}", agenda=f"{name} agenda of the {kind}", start=start, **shared,
        )  # fmt: skip
        row.join_url = f"https://zoom.us/j/1?pwd={name}secret"
        row.passcode = f"{name}secret"
        row.save()
        setattr(world, attribute, row)
        date = Occurrence.objects.create(
            meeting=row, account=world.account, start=start, end=start + HOUR, duration=60
        )
        setattr(world, f"{attribute}_date", date)
    film = Recording(
        account=world.account, host=host, host_zoom_id=host.zoom_id, uuid=f"{number}{FILM}",
        topic=f"{name} film", is_ready=True, zoom_type="2", file_count=1,
        start=timezone.now() - timedelta(days=2), meeting_zoom_id=world.meeting.zoom_id,
    )  # fmt: skip
    film.share_url = f"https://zoom.us/rec/share/{name}secret"
    film.play_url = f"https://zoom.us/rec/play/{name}secret"
    film.save()
    Transcript.objects.create(recording=film, text=f"{name} said: welcome.")
    world.film = film


def _curation(world: SimpleNamespace) -> None:
    name = world.name
    for attribute in ("meeting", "webinar", "film"):
        row = getattr(world, attribute)
        is_film = attribute == "film"
        item = SiteItem.objects.create(
            site=world.site, account=world.account, kind="recording" if is_film else row.kind,
            key=row.uuid if is_film else row.zoom_id, recording=row if is_film else None,
            meeting=None if is_film else row, last_title=row.topic, visibility="published",
            title=f"{name} own title of the {attribute}", summary=f"{name} own summary",
            decided_at=timezone.now(),
        )  # fmt: skip
        ItemTag.objects.create(item=item, name=f"{name}-tag")
        setattr(world, f"{attribute}_item", item)
    RecordingRule.objects.create(
        settings=world.choice, meeting_zoom_id=world.meeting.zoom_id, action="hide"
    )


def _log(world: SimpleNamespace) -> None:
    name = world.name
    world.event = WebhookEvent.objects.create(
        content_key=name, account_zoom_id=world.account.zoom_id, event="meeting.updated",
        state="dead", lane=f"{world.account.zoom_id}:meeting:{world.meeting.zoom_id}",
        payload={"object": {"topic": f"{name} raw", "host_id": world.host.zoom_id}},
    )  # fmt: skip
    world.activity = Activity.objects.create(
        site=world.site, category="event", code="event_failed", outcome="failed",
        event=world.event, data={"event": "meeting.updated", "topic": f"{name} in the log"},
    )  # fmt: skip
    world.run = SyncRun.objects.create(account=world.account, mode="reconcile", state="done")


def _sign_up(world: SimpleNamespace) -> Registration:
    name = world.name
    row = Registration(
        site=world.site, account=world.account, meeting=world.meeting,
        meeting_zoom_id=world.meeting.zoom_id, snapshot={"topic": f"{name} meeting"},
        email_index=name, idempotency_key=name, state="approved", zoom_registrant_id="registrant",
    )  # fmt: skip
    row.email = f"visitor@{name}.example"
    row.answers = json.dumps({"standard": {"first_name": f"{name} visitor", "last_name": "V"}})
    row.join_url = f"https://zoom.us/w/1?tk={name}secret"
    row.save()
    RegistrationDate.objects.create(
        registration=row, occurrence=world.meeting_date, start=world.meeting_date.start
    )
    return row


def blocks_with(meeting: SiteItem, film: SiteItem) -> list[tuple[str, dict[str, Any]]]:
    """A stream that holds all our blocks, with these items where something is picked."""
    return [
        ("meetings", {"filters": True}),
        ("meetings", {"items": [meeting]}),
        ("next_meeting", {"items": [meeting]}),
        ("meeting", {"item": meeting}),
        ("calendar", {"items": [meeting]}),
        ("recordings", {}),
        ("recordings", {"items": [film]}),
        ("registration", {"item": meeting}),
    ]


def _pages(world: SimpleNamespace) -> None:
    """On every Site the same addresses."""
    body = blocks_with(world.meeting_item, world.film_item)
    world.page = DatesPage(title="All", slug="all", body=body)
    world.site.root_page.add_child(instance=world.page)
    world.event_page = EventPage(title="Event", slug="event", zoom_item=world.meeting_item)
    world.site.root_page.add_child(instance=world.event_page)


def make_world() -> SimpleNamespace:
    """North and south share one account; east has another one with the same numbers as north."""
    first, second = make_account("first"), make_account("second")
    north = make_tenant("northwind", first, 1)
    south = make_tenant("southwind", first, 2)
    east = make_tenant("eastwind", second, 1)
    Site.clear_site_root_paths_cache()
    return SimpleNamespace(
        north=north, south=south, east=east, tenants=[north, south, east],
        pairs=[(north, south), (south, north), (north, east), (east, north)],
    )  # fmt: skip


def words_in(text: str | bytes, world: SimpleNamespace, *, host: bool = True) -> list[str]:
    """The places where a text speaks of a tenant; ``host``: its hostname counts as well."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    names = [world.name, world.hostname] if host else [world.name]
    return [
        plain[max(0, found.start() - 40) : found.end() + 40]
        for found in re.finditer("|".join(map(re.escape, names)), plain, re.IGNORECASE)
    ]
