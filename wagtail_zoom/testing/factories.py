"""Rows as a sync would have left them, for tests that need no Zoom at all.

Every function makes complete, consistent rows and takes further field values by name. Nothing here
speaks to Zoom; tokens and links are made up. ``wagtail_zoom.testing.rows.ZoomRows`` bundles them
for one Site, and the fixture ``zoom_rows`` hands one out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone
from wagtail.models import Locale, Page, Site

from ..conf import settings
from ..models import (
    ExposedHost,
    Grant,
    Host,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    Registration,
    RegistrationDate,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
)
from ..oauth.scopes import SCOPES
from ..registration import outbox, tokens
from ..utils.crypto import blind_index

_numbers = count(1)
KINDS = ("meetings", "webinars", "recordings", "registration")
"""What a Site may show: the names of the ``show_…`` switches of ``ZoomSettings``."""


def default_site() -> Site:
    """The Site that a fresh Wagtail has; made anew when a test has emptied the database."""
    found = Site.objects.filter(is_default_site=True).first()
    return found or make_site("localhost", is_default_site=True)


def make_site(hostname: str = "", **values: Any) -> Site:
    """A Site with a start page of its own, which is published."""
    Locale.objects.get_or_create(language_code="en")
    root = Page.objects.filter(depth=1).first() or Page.add_root(title="Root", slug="root")
    hostname = hostname or f"site-{next(_numbers)}.example.org"
    home = root.add_child(instance=Page(title=hostname, slug=f"home-{next(_numbers)}"))
    return Site.objects.create(hostname=hostname, root_page=home, **values)


def make_account(**values: Any) -> ZoomAccount:
    """A Zoom account, read lately."""
    number, now = next(_numbers), timezone.now()
    values = {
        "zoom_id": f"account-{number}",
        "name": f"Account {number}",
        "plan": "business",
        "fingerprint": settings.fingerprint,
        "directory_at": now,
        "reconciled_at": now,
        "next_reconcile_at": now + timedelta(hours=6),
        **values,
    }
    return ZoomAccount.objects.create(**values)


def make_host(account: ZoomAccount, **values: Any) -> Host:
    """A licensed user of the account."""
    number = next(_numbers)
    values = {
        "zoom_id": f"host-{number}",
        "display_name": f"Host {number}",
        "user_type": 2,
        "status": "active",
        "timezone": "Europe/Berlin",
        **values,
    }
    return Host.objects.create(account=account, **values)


def make_grant(account: ZoomAccount, *, account_level: bool = True, **values: Any) -> Grant:
    """A connected permission with every scope; ``account_level=False``: of one user only."""
    suffix = ":admin" if account_level else ""
    now = timezone.now()
    values = {
        "client_id": settings.client_id,
        "zoom_user_id": f"user-{next(_numbers)}",
        "scope": " ".join(f"{scope.name}{suffix}" for scope in SCOPES),
        "expires_at": now + timedelta(hours=1),
        "refreshed_at": now,
        "last_ok_at": now,
        "access_token": "made-up-access-token",
        "refresh_token": "made-up-refresh-token",
        **values,
    }
    return Grant.objects.create(account=account, account_level=account_level, **values)


def make_settings(
    site: Site,
    grant: Grant,
    hosts: Iterable[Host] = (),
    *,
    show: Sequence[str] = KINDS,
    **values: Any,
) -> ZoomSettings:
    """A Site that is connected and shows these hosts; ``show`` a part of :data:`KINDS`."""
    now = timezone.now()
    switches = {f"show_{name}": True for name in show}
    values = {"linked_at": now, "configured_at": now, **switches, **values}
    made, _created = ZoomSettings.objects.update_or_create(
        site=site, defaults={"grant": grant, "account": grant.account, **values}
    )
    for host in hosts:
        ExposedHost.objects.get_or_create(settings=made, host=host)
    return made


def make_meeting(
    host: Host,
    *,
    start: datetime | None = None,
    dates: int = 1,
    every: timedelta = timedelta(days=7),
    registration: str = "none",
    state: str = "scheduled",
    **values: Any,
) -> Meeting:
    """A meeting with so many dates, the first tomorrow; a series when there are several.

    Args:
        dates: 0 makes a series without a fixed time.
        registration: ``none``, ``auto`` or ``manual``.
        state: of every date, see ``Occurrence.State``.
    """
    number, now = next(_numbers), timezone.now()
    start = start or now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    approval = {"none": 2, "auto": 0, "manual": 1}[registration]
    kind = values.pop("kind", Kind.MEETING)
    types = (6, 5, 9) if kind == Kind.WEBINAR else (3, 2, 8)
    values = {
        "zoom_id": str(80_000_000_000 + number),
        "uuid": f"meeting-{number}==",
        "zoom_type": types[min(dates, 2)],
        "topic": f"Meeting {number}",
        "start": start if dates else None,
        "duration": 60,
        "timezone": host.timezone,
        "approval_type": approval,
        "questions": {"questions": [{"field_name": "last_name", "required": True}]},
        "questions_at": now,
        "detail_at": now,
        "join_url": f"https://zoom.us/j/{80_000_000_000 + number}?pwd=made-up",
        "passcode": "made-up",
        **values,
    }
    meeting = Meeting.objects.create(
        account=host.account, host=host, host_zoom_id=host.zoom_id, kind=kind, **values
    )
    for place in range(dates):
        _date(meeting, start + place * every, state, several=dates > 1)
    return meeting


def make_webinar(host: Host, **values: Any) -> Meeting:
    """A webinar; the same as :func:`make_meeting` otherwise."""
    return make_meeting(host, **{"kind": Kind.WEBINAR, **values})


def _date(meeting: Meeting, start: datetime, state: str, *, several: bool) -> Occurrence:
    return Occurrence.objects.create(
        meeting=meeting,
        account=meeting.account,
        zoom_id=str(int(start.timestamp() * 1000)) if several else "",
        start=start,
        end=start + timedelta(minutes=meeting.duration),
        duration=meeting.duration,
        state=state,
    )


def make_recording(host: Host, *, meeting: Meeting | None = None, **values: Any) -> Recording:
    """A finished recording of two days ago, with a film; of ``meeting`` when it is named."""
    number = next(_numbers)
    values = {
        "uuid": f"recording-{number}==",
        "topic": meeting.topic if meeting else f"Recording {number}",
        "meeting": meeting,
        "meeting_zoom_id": meeting.zoom_id if meeting else "",
        "zoom_type": "2",
        "start": timezone.now() - timedelta(days=2),
        "duration": 60,
        "timezone": host.timezone,
        "share_url": f"https://zoom.us/rec/share/made-up-{number}",
        "file_count": 1,
        "file_types": ["MP4"],
        "is_ready": True,
        **values,
    }
    return Recording.objects.create(
        account=host.account, host=host, host_zoom_id=host.zoom_id, **values
    )


def make_item(site: Site, thing: Meeting | Recording, **curation: Any) -> SiteItem:
    """What this Site has made of a meeting or recording; what choosers and blocks point at.

    ``visibility`` is ``auto``, ``published`` or ``hidden``; recordings show when published.
    """
    recorded = isinstance(thing, Recording)
    found, _created = SiteItem.objects.update_or_create(
        site=site,
        account=thing.account,
        kind=Kind.RECORDING if recorded else thing.kind,
        key=thing.uuid if recorded else thing.zoom_id,
        defaults={
            "recording" if recorded else "meeting": thing,
            "last_title": thing.topic,
            **curation,
        },
    )
    return found


def make_registration(
    site: Site,
    meeting: Meeting,
    email: str = "",
    *,
    state: str = "approved",
    dates: Iterable[Occurrence] | None = None,
    **values: Any,
) -> Registration:
    """A sign-up that has reached Zoom, for all dates of the meeting or for those named.

    ``state`` is one of ``Registration.State``; ``first_name`` and ``last_name`` are taken too.
    """
    number = next(_numbers)
    email = email or f"visitor-{number}@example.org"
    person = {name: values.pop(name, name.title()) for name in ("first_name", "last_name")}
    chosen = list(meeting.occurrences.order_by("start") if dates is None else dates)
    row = Registration(
        site=site,
        account=meeting.account,
        meeting=meeting,
        meeting_zoom_id=meeting.zoom_id,
        snapshot={
            "topic": meeting.topic,
            "title": meeting.topic,
            "kind": meeting.kind,
            "host": meeting.host_zoom_id,
            "timezone": meeting.timezone,
            "duration": meeting.duration,
            "dates": [date.start.isoformat() for date in chosen],
        },
        email_index=tokens.email_index(email),
        idempotency_key=blind_index(f"made up {number} {timezone.now()}", "registration-key"),
        **{"state": state, "zoom_registrant_id": f"registrant-{number}", **values},
    )
    row.email = email
    row.answers = json.dumps({"standard": person, "custom": [], "extra": {}, "language": "en-US"})
    if row.state == Registration.State.APPROVED:
        row.join_url = f"https://zoom.us/w/{meeting.zoom_id}?tk=made-up-{number}"
    row.save()
    for date in chosen:
        RegistrationDate.objects.create(
            registration=row, occurrence=date, zoom_occurrence_id=date.zoom_id, start=date.start
        )
    row.purge_on = outbox.purge_day(row)
    row.save(update_fields=["purge_on"])
    return row
