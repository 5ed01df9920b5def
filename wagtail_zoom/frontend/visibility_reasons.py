"""Explains to a Site owner why an object is not visible. Repeats the rules of ``visibility``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import (
    SUMMARY,
    HiddenDate,
    ItemRule,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    SiteItem,
    Summary,
    ZoomSettings,
)
from ..models.mirror import PERSONAL_ROOM_TYPES, MeetingType

if TYPE_CHECKING:
    from .visibility import ItemRow, SiteVisibility


def reason(visibility: SiteVisibility, obj: Occurrence | ItemRow) -> str:
    """The first rule that hides the object; empty if it is visible."""
    from .visibility import Audience, Channel

    visible_rows = {
        Occurrence: visibility.occurrences,
        Meeting: visibility.meetings,
        Recording: visibility.recordings,
        Summary: visibility.summaries,
    }[type(obj)]
    if visible_rows(Audience.VISITOR, Channel.PAGE).filter(pk=obj.pk).exists():
        return ""
    return explain(visibility.site_settings, obj) or _("It is not shown at present.")


def explain(
    site_settings: ZoomSettings | None,
    obj: Occurrence | ItemRow,
    *,
    item: SiteItem | None = None,
    exposed_hosts: set[int] | None = None,
) -> str:
    """The rule that hides an object that is known to be hidden.

    Lists pass the object's item and the exposed hosts, to avoid queries for each row.
    """
    return _site_reason(site_settings) or _object_reason(site_settings, obj, item, exposed_hosts)


def _site_reason(site_settings: ZoomSettings | None) -> str:
    if site_settings is None or site_settings.account_id is None:
        return _("This site is not connected to Zoom.")
    if site_settings.needs_confirmation:
        return _("You have not confirmed the new connection yet.")
    if site_settings.configured_at is None:
        return _("You have not chosen yet what visitors may see.")
    return "" if site_settings.shows_data else _("This site is not connected to Zoom.")


def _object_reason(
    site_settings: ZoomSettings | None,
    obj: Occurrence | ItemRow,
    item: SiteItem | None,
    exposed_hosts: set[int] | None,
) -> str:
    if site_settings is None:
        return ""
    meeting = obj.meeting if isinstance(obj, Occurrence) else obj
    if meeting.account_id != site_settings.account_id:
        return _("It belongs to another Zoom account.")
    if isinstance(meeting, Recording):
        return _recording_reason(site_settings, meeting, item, exposed_hosts)
    if isinstance(meeting, Summary):
        return _summary_reason(site_settings, meeting, item, exposed_hosts)
    reason_of_meeting = _meeting_reason(site_settings, meeting, item, exposed_hosts)
    if not reason_of_meeting and isinstance(obj, Occurrence):
        hidden = HiddenDate.objects.filter(item__site=site_settings.site_id)
        if hidden.filter(public_id=obj.public_id).exists():
            return _("You have hidden this date.")
    return reason_of_meeting


def _host_reason(site_settings: ZoomSettings, obj: ItemRow, exposed_hosts: set[int] | None) -> str:
    if exposed_hosts is None:
        exposed_hosts = set(site_settings.hosts.filter(pk=obj.host_id).values_list("pk", flat=True))
    if obj.host_id not in exposed_hosts:
        return _("You have not ticked its host.")
    if site_settings.grant is not None and not site_settings.grant.covers(obj.host_zoom_id):
        return _("The Zoom connection of this site does not cover its host.")
    return ""


def _find_item(site_settings: ZoomSettings, kind: str, key: str) -> SiteItem | None:
    items = SiteItem.objects.for_site(site_settings.site_id)
    return items.filter(account=site_settings.account_id, kind=kind, key=key).first()


def _item_reason(item: SiteItem | None) -> str:
    if item is None:
        return ""
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return _("You have hidden it.")
    if item.is_expired:
        return _("Its “show until” day is over.")
    return ""


def _meeting_reason(
    site_settings: ZoomSettings,
    meeting: Meeting,
    item: SiteItem | None,
    exposed_hosts: set[int] | None,
) -> str:
    if meeting.kind not in site_settings.kinds:
        return (
            _("You have not switched on webinars.")
            if meeting.kind == Kind.WEBINAR
            else _("You have not switched on meetings.")
        )
    if meeting.removed_at:
        return _("It was deleted in Zoom.")
    if meeting.unclear_setting:
        return _(
            "Zoom sent a value for “%(setting)s” that is not known here, so it stays hidden."
        ) % {"setting": meeting.unclear_setting}
    if meeting.zoom_type == MeetingType.INSTANT:
        return _("Instant meetings are never shown.")
    if meeting.uses_personal_room or meeting.zoom_type in PERSONAL_ROOM_TYPES:
        return _("Meetings in a personal room are never shown.")
    if meeting.is_private:
        return _("It is marked as private in Zoom.")
    if meeting.is_unclear:
        return _("Its meeting type (%(type)s) is not supported here.") % {"type": meeting.zoom_type}
    if meeting.detail_at is None:
        return _("It is still being read from Zoom.")
    item = item or _find_item(site_settings, meeting.kind, meeting.zoom_id)
    return (
        _host_reason(site_settings, meeting, exposed_hosts)
        or _item_reason(item)
        or _rule_reason(site_settings, meeting)
    )


def _rule_reason(site_settings: ZoomSettings, meeting: Meeting) -> str:
    word = site_settings.mark_word.strip()
    if site_settings.item_rule == ItemRule.REGISTRATION and not meeting.takes_registration:
        return _("Only meetings with registration are shown, and this one has none.")
    if site_settings.item_rule == ItemRule.MARKED:
        return _("The word “%(word)s” is not in its topic or description.") % {"word": word}
    if site_settings.item_rule == ItemRule.PICKED:
        return _("Only meetings that you pick are shown, and you have not picked it.")
    return ""


def _recording_reason(
    site_settings: ZoomSettings,
    recording: Recording,
    item: SiteItem | None,
    exposed_hosts: set[int] | None,
) -> str:
    if Kind.RECORDING not in site_settings.kinds:
        return _("You have not switched on recordings.")
    if recording.trashed_at or recording.removed_at:
        return _("It was deleted in Zoom.")
    if not recording.is_ready:
        return _("Zoom is still preparing it.")
    if not recording.has_link:
        return link_reason(recording)
    meeting = recording.meeting
    if meeting is not None and meeting.unclear_setting:
        return _(
            "Zoom sent a value for “%(setting)s” of its meeting that is not known here, so it "
            "stays hidden."
        ) % {"setting": meeting.unclear_setting}
    if meeting is not None and (meeting.is_private or meeting.uses_personal_room):
        return _("Its meeting is private or was held in a personal room.")
    if site_settings.recording_days:
        oldest = timezone.now() - timedelta(days=site_settings.recording_days)
        if recording.start < oldest:
            return _("It is older than the days for which you show recordings.")
    item = item or _find_item(site_settings, Kind.RECORDING, recording.uuid)
    waiting = ""
    if item is None or item.visibility == SiteItem.Visibility.AUTO or not item.decided_at:
        waiting = _("It needs your review: watch it, then publish it.")
        if recording.needs_decision:
            waiting = _(
                "It is not of a scheduled meeting: look at it, and publish it if it is meant for "
                "visitors."
            )
    return _host_reason(site_settings, recording, exposed_hosts) or _item_reason(item) or waiting


def _summary_reason(
    site_settings: ZoomSettings,
    summary: Summary,
    item: SiteItem | None,
    exposed_hosts: set[int] | None,
) -> str:
    if not site_settings.show_summaries:
        return _("You have not switched on summaries.")
    if summary.is_withdrawn:
        return _("It was deleted in Zoom.")
    meeting = summary.meeting
    if meeting is not None and (meeting.is_private or meeting.uses_personal_room):
        return _("Its meeting is private or was held in a personal room.")
    item = item or _find_item(site_settings, SUMMARY, summary.uuid)
    waiting = _("It needs your review: read it, then publish it.")
    is_published = item is not None and item.visibility == SiteItem.Visibility.PUBLISHED
    return (
        _host_reason(site_settings, summary, exposed_hosts)
        or _item_reason(item)
        or ("" if is_published else waiting)
    )


def link_reason(obj: Meeting | Recording) -> str:
    """Why it cannot be joined or watched, though it may be shown; empty if it can."""
    has_link = obj.has_link if isinstance(obj, Recording) else obj.has_join_link
    if has_link:
        return ""
    if obj.unknown_link_host:
        return _("Zoom’s link leads to an unknown domain (%(host)s), so it is not used.") % {
            "host": obj.unknown_link_host
        }
    return _("Zoom provides no link to it.")
