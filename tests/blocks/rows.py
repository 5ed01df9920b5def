"""Creates rows for tests of visibility and of blocks."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    Host,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
)

sequence = count(1)


def account():
    return ZoomAccount.objects.create(zoom_id=f"acc{next(sequence)}")


def host(owner, zoom_id="h1"):
    return Host.objects.create(account=owner, zoom_id=zoom_id, display_name=f"Host {zoom_id}")


def site_settings(site, owner, *hosts, user="h1", account_level=True, **values):
    grant, _ = Grant.objects.get_or_create(
        client_id="simulator-client",
        account=owner,
        zoom_user_id=user,
        defaults={"account_level": account_level},
    )
    values = {"show_meetings": True, "show_recordings": True, **values}
    row = ZoomSettings.objects.create(
        site=site, grant=grant, account=owner, configured_at=timezone.now(), **values
    )
    for host in hosts:
        ExposedHost.objects.create(settings=row, host=host)
    return row


def occurrence(by, *, start=None, state="scheduled", **values):
    start = start or timezone.now() + timedelta(days=1)
    values = {"kind": "meeting", "zoom_type": 2, "topic": "Open studio", **values}
    values.setdefault("detail_at", timezone.now())
    meeting = Meeting.objects.create(
        account=by.account,
        host=by,
        host_zoom_id=by.zoom_id,
        zoom_id=str(next(sequence)),
        timezone="Europe/Berlin",
        join_url="https://zoom.example/j/1?pwd=hush",
        passcode="hush",
        **values,
    )
    return Occurrence.objects.create(
        meeting=meeting,
        account=by.account,
        start=start,
        end=start + timedelta(hours=1),
        duration=60,
        state=state,
    )


def recording(by, **values):
    values = {"topic": "Film", "is_ready": True, "zoom_type": "2", **values}
    values.setdefault("start", timezone.now() - timedelta(days=2))
    return Recording.objects.create(
        account=by.account, host=by, host_zoom_id=by.zoom_id, uuid=f"u{next(sequence)}", **values
    )


def item(site, row, visibility="published", **values):
    kind = getattr(row, "kind", "recording")
    key = row.uuid if kind == "recording" else row.zoom_id
    return SiteItem.objects.create(
        site=site, account=row.account, kind=kind, key=key, visibility=visibility, **values
    )
