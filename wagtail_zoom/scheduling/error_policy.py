"""What an error from Zoom means for one change of a meeting.

Codes: Zoom's API reference, "Create a meeting", "Update a meeting" and "Delete a meeting".
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..client.error_policy import COMMON_MESSAGES, ErrorOutcome, ErrorPolicy
from ..exceptions import ZoomNotFound, ZoomRejected

NO_HOST_CODE = 1001


class ChangeErrors(ErrorPolicy):
    """Final errors of changes."""

    errors_by_code = {
        200: "plan",
        300: "fields",
        3000: "not_allowed",
        3002: "running",
        3003: "not_host",
        3161: "not_allowed",
    }
    personal_limit = "host_limit"

    def refused(self, error: ZoomNotFound | ZoomRejected, failures: int) -> ErrorOutcome:
        """Zoom may no longer have the host, instead of the meeting."""
        if isinstance(error, ZoomNotFound) and error.code == NO_HOST_CODE:
            return ErrorOutcome("no_host", code=error.code)
        return super().refused(error, failures)


POLICY = ChangeErrors()
classify = POLICY.classify

MESSAGES: dict[str, str | Promise] = {
    **COMMON_MESSAGES,
    "fields": _("Zoom did not accept one of the values. Edit them and try again."),
    "plan": _("The plan or licence of the host does not include this."),
    "not_allowed": _("Zoom does not allow this host to schedule it."),
    "not_host": _("Only the host can change this at Zoom."),
    "running": _("It is running now. Try again when it has ended."),
    "no_host": _("Zoom no longer has this host."),
    "gone": _("Zoom no longer has this meeting or this date."),
    "refused": _("Zoom rejected it with an unknown error."),
    "unreachable": _("Zoom did not answer. It is retried automatically."),
    "host_limit": _(
        "Zoom accepts 100 new or changed meetings a day from one host. This continues after "
        "midnight UTC."
    ),
    "left": _(
        "Your site is not connected with the Zoom account that this is for. This continues "
        "automatically once you have connected that account again."
    ),
    "not_covered": _(
        "Your connection with Zoom does not cover this host. This continues automatically once "
        "it does."
    ),
    "not_shown": _(
        "Your site does not show this host or this type of meeting. It continues automatically "
        "once you show them again."
    ),
    "changed_elsewhere": _(
        "It was changed in Zoom after you opened the form. Nothing was sent. Edit it to compare."
    ),
    "private": _("It is private in Zoom now, so it can be changed only there."),
    "over": _("It was to begin before Zoom took it. Edit the start and try again."),
    "earlier": _("An earlier change of this meeting is on its way. This one follows it."),
    "copy": _(
        "Zoom has accepted it, but it could not be read for this site yet. "
        "It is retried automatically."
    ),
    "looking": _("Zoom did not confirm it. It is checked in Zoom before the next attempt."),
}
"""Why a change waits or has failed, as owners read it."""
