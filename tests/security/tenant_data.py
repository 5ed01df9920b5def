"""Three Sites, two Zoom accounts (two Sites share one), and data of every type for each Site.

The accounts use the same ids and numbers, so that a query without its account returns rows of the
wrong one. All texts of a Site start with its name, so that a leak is visible in the output.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from wagtail.models import Site

from tests.admin.conftest import make_owner, make_site
from tests.stored_rows import made_once
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
    Summary,
    SummaryReview,
    SyncRun,
    Transcript,
    WebhookEvent,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth import invitations

MEETING, WEBINAR, RECORDING = "81112223334", "91112223334", "4444AAAAiAAAAAiAiAiiAA=="
HOUR = timedelta(hours=1)


class TenantData(SimpleNamespace):
    """One Site, its owner, its rows and its pages, as attributes."""


@dataclass(frozen=True)
class Tenants:
    """All tenants, and the pairs between which nothing may leak."""

    north: TenantData
    south: TenantData
    east: TenantData

    @property
    def all(self) -> list[TenantData]:
        return [self.north, self.south, self.east]

    @property
    def pairs(self) -> list[tuple[TenantData, TenantData]]:
        north, south, east = self.all
        return [(north, south), (south, north), (north, east), (east, north)]


def make_account(name: str) -> ZoomAccount:
    """An account with local data and without API calls."""
    account = ZoomAccount.objects.create(zoom_id=f"account-{name}", name=f"{name} Ltd")
    account.throttled_until = timezone.now() + HOUR  # prevents requests
    account.reconciled_at = timezone.now()
    account.save()
    return account


def make_tenant(name: str, account: ZoomAccount, number: int) -> TenantData:
    """A Site with owner, host, meeting, webinar, recording, registration and pages.

    ``number`` distinguishes Sites of one account; Sites of two accounts may have the same.
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
    site_settings = ZoomSettings.objects.create(
        site=site, grant=grant, account=account, configured_at=timezone.now(),
        show_meetings=True, show_webinars=True, show_recordings=True, show_registration=True,
        show_transcripts=True, show_summaries=True,
        organiser=f"{name} organiser", contact_email=f"{name}@{name}.example",
        privacy_notice=f"{name} privacy", consent_text=f"{name} consent", join_policy="public",
    )  # fmt: skip
    ExposedHost.objects.create(settings=site_settings, host=host)
    tenant = TenantData(
        name=name, site=site, owner=make_owner(f"{name}-owner", site), host=host, grant=grant,
        account=account, site_settings=site_settings, hostname=site.hostname,
    )  # fmt: skip
    _create_synced_rows(tenant, number)
    _create_items(tenant)
    _create_log(tenant)
    tenant.registration = _create_registration(tenant)
    tenant.token = invitations.create(site, tenant.owner)[1].rstrip("/").rpartition("/")[2]
    state = OAuthState(
        state_hash=name, session_hash=name, user=tenant.owner, site=site, client_id="c",
        issuer="i", redirect_uri="r", origin="o", expires_at=timezone.now() + HOUR,
    )  # fmt: skip
    state.verifier, state.code = f"{name} verifier", f"{name} code"
    state.save()
    _create_pages(tenant)
    return tenant


def _create_synced_rows(tenant: TenantData, number: int) -> None:
    name, host = tenant.name, tenant.host
    shared: dict[str, Any] = {
        "account": tenant.account, "host": host, "host_zoom_id": host.zoom_id,
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
        setattr(tenant, attribute, row)
        occurrence = Occurrence.objects.create(
            meeting=row, account=tenant.account, start=start, end=start + HOUR, duration=60
        )
        setattr(tenant, f"{attribute}_date", occurrence)
    recording = Recording(
        account=tenant.account, host=host, host_zoom_id=host.zoom_id, uuid=f"{number}{RECORDING}",
        topic=f"{name} film", is_ready=True, zoom_type="2", file_count=1,
        start=timezone.now() - timedelta(days=2), meeting_zoom_id=tenant.meeting.zoom_id,
    )  # fmt: skip
    recording.share_url = f"https://zoom.us/rec/share/{name}secret"
    recording.play_url = f"https://zoom.us/rec/play/{name}secret"
    recording.save()
    Transcript.objects.create(recording=recording, text=f"{name} said: welcome.")
    tenant.recording = recording
    tenant.summary = Summary.objects.create(
        account=tenant.account, host=host, host_zoom_id=host.zoom_id, uuid=recording.uuid,
        meeting=tenant.meeting, meeting_zoom_id=tenant.meeting.zoom_id, start=recording.start,
        topic=f"{name} talk", text=f"{name} raw words of the machine.",
    )  # fmt: skip


def _create_items(tenant: TenantData) -> None:
    name = tenant.name
    for attribute in ("meeting", "webinar", "recording"):
        row = getattr(tenant, attribute)
        is_recording = attribute == "recording"
        item = SiteItem.objects.create(
            site=tenant.site, account=tenant.account,
            kind="recording" if is_recording else row.kind,
            key=row.uuid if is_recording else row.zoom_id, recording=row if is_recording else None,
            meeting=None if is_recording else row, last_title=row.topic, visibility="published",
            title=f"{name} own title of the {attribute}", summary=f"{name} own summary",
            decided_at=timezone.now(),
        )  # fmt: skip
        ItemTag.objects.create(item=item, name=f"{name}-tag")
        setattr(tenant, f"{attribute}_item", item)
    tenant.summary_item = SiteItem.objects.create(
        site=tenant.site, account=tenant.account, kind="summary", key=tenant.summary.uuid,
        meeting_summary=tenant.summary, last_title=tenant.summary.topic, visibility="published",
        title=f"{name} own title of the summary", decided_at=timezone.now(),
    )  # fmt: skip
    review = SummaryReview(item=tenant.summary_item, zoom_version=tenant.summary.version)
    review.set_text(f"{name} reviewed words.")
    review.save()
    RecordingRule.objects.create(
        settings=tenant.site_settings, meeting_zoom_id=tenant.meeting.zoom_id, action="hide"
    )


def _create_log(tenant: TenantData) -> None:
    name = tenant.name
    tenant.event = WebhookEvent.objects.create(
        content_key=name, account_zoom_id=tenant.account.zoom_id, event="meeting.updated",
        state="dead", lock_key=f"{tenant.account.zoom_id}:meeting:{tenant.meeting.zoom_id}",
        payload={"object": {"topic": f"{name} raw", "host_id": tenant.host.zoom_id}},
    )  # fmt: skip
    tenant.activity = Activity.objects.create(
        site=tenant.site, category="event", code="event_failed", outcome="failed",
        event=tenant.event, data={"event": "meeting.updated", "topic": f"{name} in the log"},
    )  # fmt: skip
    tenant.run = SyncRun.objects.create(account=tenant.account, mode="reconcile", state="done")


def _create_registration(tenant: TenantData) -> Registration:
    name = tenant.name
    row = Registration(
        site=tenant.site, account=tenant.account, meeting=tenant.meeting,
        meeting_zoom_id=tenant.meeting.zoom_id, snapshot={"topic": f"{name} meeting"},
        email_index=name, idempotency_key=name, state="approved", zoom_registrant_id="registrant",
    )  # fmt: skip
    row.email = f"visitor@{name}.example"
    row.answers = json.dumps({"standard": {"first_name": f"{name} visitor", "last_name": "V"}})
    row.join_url = f"https://zoom.us/w/1?tk={name}secret"
    row.save()
    RegistrationDate.objects.create(
        registration=row, occurrence=tenant.meeting_date, start=tenant.meeting_date.start
    )
    return row


def all_blocks(meeting: SiteItem, recording: SiteItem) -> list[tuple[str, dict[str, Any]]]:
    """A stream with all our blocks and these items as chosen ones."""
    return [
        ("meetings", {"filters": True}),
        ("meetings", {"items": [meeting]}),
        ("next_meeting", {"items": [meeting]}),
        ("meeting", {"item": meeting}),
        ("calendar", {"items": [meeting]}),
        ("recordings", {"years": True, "search": True}),
        ("recordings", {"items": [recording]}),
        ("registration", {"item": meeting}),
    ]


def _create_pages(tenant: TenantData) -> None:
    """The same URLs on every Site."""
    body = all_blocks(tenant.meeting_item, tenant.recording_item)
    tenant.page = DatesPage(title="All", slug="all", body=body)
    tenant.site.root_page.add_child(instance=tenant.page)
    tenant.event_page = EventPage(title="Event", slug="event", zoom_item=tenant.meeting_item)
    tenant.site.root_page.add_child(instance=tenant.event_page)


def make_tenants() -> Tenants:
    """The three Sites, of which nothing may be seen by another one's people."""
    return made_once("tenants", _make_tenants)


def _make_tenants() -> Tenants:
    """North and south share one account; east has another one with the same numbers as north."""
    first, second = make_account("first"), make_account("second")
    north = make_tenant("northwind", first, 1)
    south = make_tenant("southwind", first, 2)
    east = make_tenant("eastwind", second, 1)
    Site.clear_site_root_paths_cache()
    return Tenants(north, south, east)


def mentions_of(text: str | bytes, tenant: TenantData, *, host: bool = True) -> list[str]:
    """Excerpts of a text that mention a tenant; ``host``: its hostname counts as well."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    names = [tenant.name, tenant.hostname] if host else [tenant.name]
    return [
        plain[max(0, match.start() - 40) : match.end() + 40]
        for match in re.finditer("|".join(map(re.escape, names)), plain, re.IGNORECASE)
    ]
