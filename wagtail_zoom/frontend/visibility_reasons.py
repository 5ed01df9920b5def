"""Why something is not on the public pages: the gate's rules again, as sentences for the owner."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import ItemRule, Kind, Meeting, Occurrence, Recording, SiteItem, ZoomSettings

if TYPE_CHECKING:
    from .visibility import Exposure


def reason(gate: Exposure, thing: Occurrence | Meeting | Recording) -> str:
    """The first rule that keeps it off the pages, or nothing when it is shown."""
    from .visibility import Audience, Surface

    ask = {
        Occurrence: gate.occurrences,
        Meeting: gate.meetings,
        Recording: gate.recordings,
    }[type(thing)]
    if ask(Audience.VISITOR, Surface.PAGE).filter(pk=thing.pk).exists():
        return ""
    return explain(gate.choice, thing) or _("It is not shown at present.")


def explain(
    choice: ZoomSettings | None,
    thing: Occurrence | Meeting | Recording,
    *,
    item: SiteItem | None = None,
    ticked: set[int] | None = None,
) -> str:
    """The rule that hides something of which it is known that it is not shown.

    Lists hand in the thing's item and the ticked hosts, so that nothing is read per line.
    """
    return _site(choice) or _thing(choice, thing, item, ticked)


def _site(choice: ZoomSettings | None) -> str:
    if choice is None or choice.account_id is None:
        return _("This site is not connected to Zoom.")
    if choice.needs_confirmation:
        return _("You have not confirmed the new connection yet.")
    if choice.configured_at is None:
        return _("You have not chosen yet what visitors may see.")
    return "" if choice.shows_data else _("This site is not connected to Zoom.")


def _thing(
    choice: ZoomSettings | None,
    thing: Occurrence | Meeting | Recording,
    item: SiteItem | None,
    ticked: set[int] | None,
) -> str:
    if choice is None:
        return ""
    meeting = thing.meeting if isinstance(thing, Occurrence) else thing
    if meeting.account_id != choice.account_id:
        return _("It belongs to another Zoom account.")
    if isinstance(meeting, Recording):
        return _recording(choice, meeting, item, ticked)
    return _meeting(choice, meeting, item, ticked)


def _host(choice: ZoomSettings, thing: Meeting | Recording, ticked: set[int] | None) -> str:
    if ticked is None:
        ticked = set(choice.hosts.filter(pk=thing.host_id).values_list("pk", flat=True))
    if thing.host_id not in ticked:
        return _("You have not ticked its host.")
    if choice.grant is not None and not choice.grant.covers(thing.host_zoom_id):
        return _("The Zoom connection of this site does not cover its host.")
    return ""


def _item(choice: ZoomSettings, kind: str, key: str) -> SiteItem | None:
    items = SiteItem.objects.for_site(choice.site_id)
    return items.filter(account=choice.account_id, kind=kind, key=key).first()


def _curated(item: SiteItem | None) -> str:
    if item is None:
        return ""
    if item.visibility == SiteItem.Visibility.HIDDEN:
        return _("You have hidden it.")
    if item.expires_on and item.expires_on < timezone.localdate():
        return _("Its “show until” day is over.")
    return ""


def _meeting(
    choice: ZoomSettings, meeting: Meeting, item: SiteItem | None, ticked: set[int] | None
) -> str:
    if meeting.kind not in choice.kinds:
        return (
            _("You have not switched on webinars.")
            if meeting.kind == Kind.WEBINAR
            else _("You have not switched on meetings.")
        )
    if meeting.removed_at:
        return _("It was deleted in Zoom.")
    if meeting.zoom_type == 1:
        return _("Instant meetings are never shown.")
    if meeting.zoom_type == 4 or meeting.uses_personal_room:
        return _("Meetings in a personal room are never shown.")
    if meeting.is_private:
        return _("It is marked as private in Zoom.")
    if meeting.detail_at is None:
        return _("It is still being read from Zoom.")
    item = item or _item(choice, meeting.kind, meeting.zoom_id)
    return _host(choice, meeting, ticked) or _curated(item) or _rule(choice, meeting)


def _rule(choice: ZoomSettings, meeting: Meeting) -> str:
    word = choice.mark_word.strip()
    if choice.item_rule == ItemRule.REGISTRATION and not meeting.takes_registration:
        return _("Only meetings with registration are shown, and this one has none.")
    if choice.item_rule == ItemRule.MARKED:
        return _("The word “%(word)s” is not in its topic or description.") % {"word": word}
    if choice.item_rule == ItemRule.PICKED:
        return _("Only meetings that you pick are shown, and you have not picked it.")
    return ""


def _recording(
    choice: ZoomSettings, recording: Recording, item: SiteItem | None, ticked: set[int] | None
) -> str:
    if Kind.RECORDING not in choice.kinds:
        return _("You have not switched on recordings.")
    if recording.trashed_at or recording.removed_at:
        return _("It was deleted in Zoom.")
    if not recording.is_ready:
        return _("Zoom is still preparing it.")
    meeting = recording.meeting
    if meeting is not None and (meeting.is_private or meeting.uses_personal_room):
        return _("Its meeting is private or was held in a personal room.")
    if choice.recording_days:
        oldest = timezone.now() - timedelta(days=choice.recording_days)
        if recording.start < oldest:
            return _("It is older than the days for which you show recordings.")
    item = item or _item(choice, Kind.RECORDING, recording.uuid)
    wait = ""
    if item is None or item.visibility == SiteItem.Visibility.AUTO or not item.decided_at:
        wait = _("It waits for you to look at it and to publish it.")
    return _host(choice, recording, ticked) or _curated(item) or wait
