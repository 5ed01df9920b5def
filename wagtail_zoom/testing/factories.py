"""Factories: rows as a sync writes them, for tests that do not need the Zoom simulator.

Every function creates complete, consistent rows and takes further field values by name. No request
is sent to Zoom; tokens and links are made up. ``wagtail_zoom.testing.rows.ZoomRows`` bundles them
for one Site; the fixture ``zoom_rows`` returns one.
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
    SUMMARY,
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
    Summary,
    SummaryReview,
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
    """The default Site; created if a test has emptied the database."""
    site = Site.objects.filter(is_default_site=True).first()
    return site or make_site("localhost", is_default_site=True)


def make_site(hostname: str = "", **values: Any) -> Site:
    """A Site with its own published start page."""
    Locale.objects.get_or_create(language_code="en")
    root = Page.objects.filter(depth=1).first() or Page.add_root(title="Root", slug="root")
    hostname = hostname or f"site-{next(_numbers)}.example.org"
    home = root.add_child(instance=Page(title=hostname, slug=f"home-{next(_numbers)}"))
    return Site.objects.create(hostname=hostname, root_page=home, **values)


def make_account(**values: Any) -> ZoomAccount:
    """A Zoom account that was synced a moment ago."""
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
    """A connected grant with every scope; ``account_level=False``: for one user only."""
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
    """Settings of a connected Site that shows these hosts; ``show``: a subset of :data:`KINDS`."""
    now = timezone.now()
    switches = {f"show_{name}": True for name in show}
    values = {"linked_at": now, "configured_at": now, **switches, **values}
    site_settings, _created = ZoomSettings.objects.update_or_create(
        site=site, defaults={"grant": grant, "account": grant.account, **values}
    )
    for host in hosts:
        ExposedHost.objects.get_or_create(settings=site_settings, host=host)
    return site_settings


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
    """A meeting with this number of occurrences, the first tomorrow; several make a series.

    Args:
        dates: number of occurrences; 0 makes a series without a fixed time.
        registration: ``none``, ``auto`` or ``manual``.
        state: state of every occurrence, see ``Occurrence.State``.
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
    for index in range(dates):
        _make_occurrence(meeting, start + index * every, state, several=dates > 1)
    return meeting


def make_webinar(host: Host, **values: Any) -> Meeting:
    """A webinar; the same as :func:`make_meeting` otherwise."""
    return make_meeting(host, **{"kind": Kind.WEBINAR, **values})


def _make_occurrence(meeting: Meeting, start: datetime, state: str, *, several: bool) -> Occurrence:
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
    """A finished recording of two days ago with a video file; optionally of ``meeting``."""
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


def make_summary(host: Host, *, date: Occurrence | None = None, **values: Any) -> Summary:
    """A summary of two days ago as Zoom has it; optionally of one date of a meeting."""
    number = next(_numbers)
    meeting = date.meeting if date else None
    values = {
        "uuid": f"summary-{number}==",
        "topic": meeting.topic if meeting else f"Summary {number}",
        "meeting": meeting,
        "meeting_zoom_id": meeting.zoom_id if meeting else "",
        "occurrence": date,
        "start": date.start if date else timezone.now() - timedelta(days=2),
        "text": "# Quick recap\n\nThe group agreed.",
        "fetched_at": timezone.now(),
        **values,
    }
    return Summary.objects.create(
        account=host.account, host=host, host_zoom_id=host.zoom_id, **values
    )


def make_review(item: SiteItem, text: str = "The group agreed.", **values: Any) -> SummaryReview:
    """What a person has reviewed of a summary; visitors read it when the item is published."""
    summary = item.meeting_summary
    review = SummaryReview(item=item, zoom_version=summary.version if summary else "", **values)
    review.set_text(text)
    review.save()
    return review


def make_item(site: Site, zoom_object: Meeting | Recording | Summary, **curation: Any) -> SiteItem:
    """The Site's item for a meeting, recording or summary; choosers and blocks refer to it.

    ``visibility`` is ``auto``, ``published`` or ``hidden``; recordings are visible when published.
    """
    if isinstance(zoom_object, Recording):
        kind, key, link = Kind.RECORDING.value, zoom_object.uuid, "recording"
    elif isinstance(zoom_object, Summary):
        kind, key, link = SUMMARY, zoom_object.uuid, "meeting_summary"
    else:
        kind, key, link = zoom_object.kind, zoom_object.zoom_id, "meeting"
    item, _created = SiteItem.objects.update_or_create(
        site=site,
        account=zoom_object.account,
        kind=kind,
        key=key,
        defaults={link: zoom_object, "last_title": zoom_object.topic, **curation},
    )
    return item


def make_registration(
    site: Site,
    meeting: Meeting,
    email: str = "",
    *,
    state: str = "approved",
    dates: Iterable[Occurrence] | None = None,
    **values: Any,
) -> Registration:
    """A registration that Zoom has received, for all occurrences of the meeting or for ``dates``.

    ``state`` is one of ``Registration.State``; ``first_name`` and ``last_name`` are accepted too.
    """
    number = next(_numbers)
    email = email or f"visitor-{number}@example.org"
    person = {name: values.pop(name, name.title()) for name in ("first_name", "last_name")}
    occurrences = list(meeting.occurrences.order_by("start") if dates is None else dates)
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
            "dates": [occurrence.start.isoformat() for occurrence in occurrences],
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
    for occurrence in occurrences:
        RegistrationDate.objects.create(
            registration=row,
            occurrence=occurrence,
            zoom_occurrence_id=occurrence.zoom_id,
            start=occurrence.start,
        )
    row.purge_on = outbox.purge_day(row)
    row.save(update_fields=["purge_on"])
    return row
