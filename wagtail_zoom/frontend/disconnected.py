"""What a Site keeps and loses when it leaves a Zoom account, or narrows what it shows.

``SiteVisibility`` decides on each read. This module stores what it needs for that (the archive),
cuts links that lead nowhere any more, and keeps the owner's choice of hosts for a return.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery
from wagtail.models import Site

from ..models import (
    SUMMARY,
    ArchivedRow,
    ExposedHost,
    FormerHost,
    Host,
    Kind,
    Occurrence,
    Registration,
    RegistrationDate,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
)
from .visibility import Audience, Channel, SiteVisibility

BATCH = 500


def freeze(site_settings: ZoomSettings) -> None:
    """Store what visitors see now: the archive will show nothing else.

    Call it while the Site is still connected.
    """
    visibility = SiteVisibility(site_settings)
    meetings = visibility.meetings(Audience.VISITOR, Channel.PAGE)
    recordings = visibility.recordings(Audience.VISITOR, Channel.PAGE)
    summaries = visibility.summaries(Audience.VISITOR, Channel.PAGE)
    columns = ("content_hash", "host__display_name")
    values = [
        *meetings.order_by().values_list("kind", "zoom_id", *columns),
        *((Kind.RECORDING, *row) for row in recordings.order_by().values_list("uuid", *columns)),
        *((SUMMARY, *row) for row in summaries.order_by().values_list("uuid", *columns)),
    ]
    forget_archive(site_settings)
    ArchivedRow.objects.bulk_create(
        (
            ArchivedRow(
                settings=site_settings, kind=kind, key=key, content_hash=digest, host_name=name
            )
            for kind, key, digest, name in values
        ),
        batch_size=BATCH,
    )


def forget_archive(site_settings: ZoomSettings) -> None:
    """The archive has ended, or the Site is connected again."""
    ArchivedRow.objects.filter(settings=site_settings).delete()


def unlink(site: Site | int) -> None:
    """Cut the Site's items and registrations off from rows that it may not read now.

    Nothing is lost: they hold the last title and a snapshot, and are linked again by their natural
    keys when the rows are the Site's again.
    """
    site_settings = ZoomSettings.objects.select_related("grant").filter(site=site).first()
    visibility = SiteVisibility(site_settings)
    meetings, recordings = visibility.usable_meetings(), visibility.usable_recordings()
    items = SiteItem.objects.for_site(site)
    items.exclude(meeting=None).exclude(meeting__in=meetings.values("pk")).update(meeting=None)
    items.exclude(recording=None).exclude(recording__in=recordings.values("pk")).update(
        recording=None
    )
    summaries = visibility.usable_summaries()
    items.exclude(meeting_summary=None).exclude(meeting_summary__in=summaries.values("pk")).update(
        meeting_summary=None
    )
    registrations = Registration.objects.filter(
        site=site,  # guard: unlinks-own-registrations
        meeting__isnull=False,
    )
    if site_settings is None or not site_settings.is_archive:
        # An archive takes no registrations: what it had is history, as its snapshot says.
        registrations = registrations.exclude(meeting__in=meetings.values("pk"))
    pks = list(registrations.values_list("pk", flat=True))
    for first in range(0, len(pks), BATCH):
        batch = pks[first : first + BATCH]
        # What a later link needs: the date may have moved since the registration.
        dates = RegistrationDate.objects.filter(registration__in=batch, occurrence__isnull=False)
        current = Occurrence.objects.filter(pk=OuterRef("occurrence"))
        dates.update(
            start=Subquery(current.values("start")),
            zoom_occurrence_id=Subquery(current.values("zoom_id")),
        )
        dates.update(occurrence=None)
        Registration.objects.filter(pk__in=batch).update(meeting=None)


def remember_hosts(settings_rows: Iterable[ZoomSettings]) -> None:
    """Keep the selected hosts by Zoom's ids, then deselect them: the Site leaves this account."""
    for site_settings in settings_rows:
        exposed = ExposedHost.objects.filter(settings=site_settings)
        former = [
            FormerHost(settings=site_settings, account_id=account, zoom_id=zoom_id)
            for account, zoom_id in exposed.values_list("host__account", "host__zoom_id")
        ]
        FormerHost.objects.bulk_create(former, ignore_conflicts=True, batch_size=BATCH)
        exposed.delete()


def restore_hosts(account: ZoomAccount, site_settings: ZoomSettings | None = None) -> None:
    """Select the former hosts of this account again, as soon as their rows are there.

    Only for Sites connected to it whose owner has not saved a new choice since.
    """
    former = FormerHost.objects.filter(account=account, settings__account=account)
    former = former.filter(settings__grant__isnull=False, settings__configured_at=None)
    if site_settings is not None:
        former = former.filter(settings=site_settings)
    rows = list(former)
    if not rows:
        return
    hosts = Host.objects.filter(account=account, zoom_id__in={row.zoom_id for row in rows})
    pks = dict(hosts.values_list("zoom_id", "pk"))
    present = [row for row in rows if row.zoom_id in pks]
    ExposedHost.objects.bulk_create(
        [ExposedHost(settings_id=row.settings_id, host_id=pks[row.zoom_id]) for row in present],
        ignore_conflicts=True,
        batch_size=BATCH,
    )
    FormerHost.objects.filter(pk__in=[row.pk for row in present]).delete()
    bump_data_version(account.pk)


def forget_former_hosts(site_settings: ZoomSettings) -> None:
    """The owner has saved a new choice for the present account."""
    FormerHost.objects.filter(
        settings=site_settings,
        account=site_settings.account_id,  # guard: former-hosts-of-present-account
    ).delete()
