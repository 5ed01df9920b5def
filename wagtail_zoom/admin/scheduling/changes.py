"""Changes of a Site that Zoom does not have yet: what happened, and the way on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...models import Meeting, MeetingChange, SiteItem
from ...scheduling import is_editable
from ...scheduling.error_policy import MESSAGES
from .. import formatting, links
from ..reasons import hidden_reason

Action, State = MeetingChange.Action, MeetingChange.State
MAX_LINES = 20
GONE = "gone"
"""Zoom no longer has the meeting: neither values nor time help."""
FAILED_TITLES: dict[str, Any] = {
    Action.CREATE: gettext_lazy("Zoom did not accept the new meeting “%(topic)s”."),
    Action.UPDATE: gettext_lazy("The change of “%(topic)s” was not made in Zoom."),
    Action.CANCEL_DATE: gettext_lazy("The date of “%(topic)s” was not cancelled in Zoom."),
    Action.CANCEL_SERIES: gettext_lazy("“%(topic)s” was not cancelled in Zoom."),
}
WAITING_TITLES: dict[str, Any] = {
    Action.CREATE: gettext_lazy("“%(topic)s” is saved, but not yet in Zoom."),
    Action.UPDATE: gettext_lazy("The change of “%(topic)s” is on its way to Zoom."),
    Action.CANCEL_DATE: gettext_lazy("Cancelling the date of “%(topic)s” is on its way to Zoom."),
    Action.CANCEL_SERIES: gettext_lazy("Cancelling “%(topic)s” is on its way to Zoom."),
}
DONE_TITLES: dict[str, Any] = {
    Action.CREATE: gettext_lazy("“%(topic)s” is scheduled."),
    Action.UPDATE: gettext_lazy("“%(topic)s” is changed in Zoom."),
    Action.CANCEL_DATE: gettext_lazy("The date of “%(topic)s” is cancelled in Zoom."),
    Action.CANCEL_SERIES: gettext_lazy("“%(topic)s” is cancelled in Zoom."),
}


@dataclass(frozen=True)
class ChangeLine:
    """One change above a list: its state, why, and buttons."""

    title: str
    text: str
    icon: str
    is_failed: bool
    actions: list[dict[str, Any]]


def change_lines(changes: QuerySet[MeetingChange]) -> list[ChangeLine]:
    """Those of the changes that Zoom does not have yet, failed ones first."""
    rows = changes.filter(state__in=[State.FAILED, State.WAITING])
    return [_line(row) for row in rows.order_by("state", "-created_at")[:MAX_LINES]]


def _line(row: MeetingChange) -> ChangeLine:
    is_failed = row.state == State.FAILED
    return ChangeLine(
        title=title(row),
        text=reason_text(row),
        icon="warning" if is_failed else "rotate",
        is_failed=is_failed,
        actions=_actions(row, is_failed=is_failed),
    )


def title(row: MeetingChange) -> str:
    """What became of a change."""
    texts = {State.FAILED: FAILED_TITLES, State.DONE: DONE_TITLES}
    return str(texts.get(State(row.state), WAITING_TITLES)[row.action] % {"topic": row.topic})


def reason_text(row: MeetingChange) -> str:
    """Why Zoom does not have it, and when it is tried again."""
    reason = str(MESSAGES.get(row.error_class, ""))
    if row.state == State.FAILED and row.error_class == GONE:
        return reason
    if row.state == State.FAILED:
        return _("%(reason)s Nothing is lost.") % {"reason": reason}
    if row.is_leased:
        return _("It is being sent to Zoom.")
    if row.next_try_at is None or row.next_try_at <= timezone.now():
        return f"{reason} {_('The worker sends it next.')}".strip()
    when = formatting.with_zone(formatting.relative_date_time(row.next_try_at))
    return f"{reason} {_('Next attempt: %(time)s.') % {'time': when}}".strip()


def _actions(row: MeetingChange, *, is_failed: bool) -> list[dict[str, Any]]:
    actions = []
    if is_failed and row.error_class == GONE and row.action != Action.CREATE:
        return [_action(_("Discard…"), "discard_change", row)]
    if is_editable(row) and row.action in (Action.CREATE, Action.UPDATE):
        actions.append(_action(_("Edit and try again"), "edit_change", row, primary=True))
    if not row.is_leased:
        label = _("Try again") if is_failed else _("Try now")
        actions.append(_action(label, "retry_change", row, post=True))
    if is_failed or (row.maybe_sent_at is None and not row.is_leased):
        actions.append(_action(_("Discard…"), "discard_change", row))
    return actions


def _action(
    label: str, name: str, row: MeetingChange, *, post: bool = False, primary: bool = False
) -> dict[str, Any]:
    url = reverse(f"wagtail_zoom_admin:{name}", args=[row.site_id, row.pk])
    return {"label": label, "url": url, "post": post, "primary": primary, "subject": row.topic}


def outcome_text(row: MeetingChange) -> str:
    """What a person reads after a change was saved: what Zoom has, and what visitors see."""
    if row.state == State.DONE and row.action == Action.CREATE:
        return f"{title(row)} {_visitors_text(row)}"
    if row.state == State.DONE:
        return title(row)
    return f"{title(row)} {reason_text(row)}"


def _visitors_text(row: MeetingChange) -> str:
    item = item_of(row)
    if item is None:
        return _("It is on this site as soon as it has been read from Zoom.")
    reason = hidden_reason(item)
    if reason:
        return _("Visitors do not see it: %(reason)s") % {"reason": reason}
    return _("Visitors see it now.")


def item_of(row: MeetingChange) -> SiteItem | None:
    """The item of a change's meeting on its Site, once it has been read from Zoom."""
    if row.meeting_id is None:
        return None
    return SiteItem.objects.for_site(row.site_id).filter(meeting=row.meeting_id).first()


def open_changes(site_pk: int, meeting: Meeting) -> QuerySet[MeetingChange]:
    """The changes of this meeting that Zoom does not have yet, newest first."""
    rows = MeetingChange.objects.filter(
        site=site_pk, account=meeting.account_id, meeting_zoom_id=meeting.zoom_id,
        state__in=[State.FAILED, State.WAITING],
    )  # fmt: skip
    return rows.order_by("-created_at")


def waiting_change(site_pk: int, meeting: Meeting) -> MeetingChange | None:
    """A change of this meeting that is on its way to Zoom."""
    return open_changes(site_pk, meeting).filter(state=State.WAITING).first()


def next_url(row: MeetingChange, *, is_owner: bool) -> str:
    """Where a person goes on after a change was saved."""
    if not is_owner:
        return reverse("wagtail_zoom_admin:schedule", args=[row.site_id])
    item = item_of(row)
    is_there = row.state == State.DONE and row.action != Action.CANCEL_SERIES
    if item is not None and is_there:
        return links.item_url(item)
    return links.meetings_url_of(row.site_id)
