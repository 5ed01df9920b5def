"""What an error from Zoom means for one registration.

Codes: Zoom's API reference, "Add a meeting registrant" and "Add a webinar registrant".
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..client.error_policy import COMMON_MESSAGES, ErrorOutcome, ErrorPolicy
from ..exceptions import ZoomNotFound, ZoomRejected

INVALID_ANSWERS = "answers"
MEETING_ERRORS = {"full", "unlicensed", "over"}
"""Errors that concern the meeting and not the person: the form reports them for a while."""
CLOSED_ERRORS = MEETING_ERRORS | {"gone"}
"""Errors that concern the meeting: a visitor reads them at once, whatever the email address."""


class RegistrationErrors(ErrorPolicy):
    """Final errors of registrations."""

    errors_by_code = {
        200: "unlicensed",
        300: INVALID_ANSWERS,
        303: "gone",
        3000: "refused",
        3027: "host",
        3034: "work_email",
        3035: "full",
        3038: "over",
        3043: "full",
        3079: "gone",
        3161: "refused",
    }

    def refused(self, error: ZoomNotFound | ZoomRejected, failures: int) -> ErrorOutcome:
        """A meeting that takes no registrations is as good as gone."""
        if isinstance(error, ZoomRejected) and error.without_registration:
            return ErrorOutcome("gone", code=error.code)
        return super().refused(error, failures)


POLICY = RegistrationErrors()
classify = POLICY.classify

VISITOR_MESSAGES: dict[str, str | Promise] = {
    "answers": _("Zoom did not accept one of the answers."),
    "gone": _("Zoom no longer offers this registration."),
    "refused": _("Zoom did not accept this registration."),
    "unlicensed": _("Registration is not possible in Zoom at the moment."),
    "host": _("This is the address of the host, who does not need to register."),
    "work_email": _("This registration accepts email addresses of organisations only."),
    "full": _("All places are taken."),
    "over": _("It was over before Zoom could take your registration."),
    "unreachable": _("Zoom could not be reached for several days."),
    "unreadable": _("Your registration could not be read any more."),
    "connection": _("The connection with Zoom was not restored in time."),
    "left": _("The connection with Zoom was not restored in time."),
    "not_covered": _("The connection with Zoom was not restored in time."),
    "not_shown": _("The connection with Zoom was not restored in time."),
}
"""Final failures, as visitors read them."""
WORTH_REPEATING = {"answers", "unreadable"}
"""Final failures after which a person may register once more, while registration is open."""

OWNER_MESSAGES: dict[str, str | Promise] = {
    **VISITOR_MESSAGES,
    **COMMON_MESSAGES,
    "answers": _("Zoom did not accept one of the answers. Edit them and try again."),
    "gone": _("Zoom no longer has this meeting, or its registration is switched off there."),
    "refused": _("Zoom rejected it with an unknown error."),
    "unlicensed": _("The host has no Zoom licence that includes registration."),
    "host": _("It is the address of the host, who cannot register."),
    "work_email": _("This webinar accepts email addresses of organisations only."),
    "full": _("All places are taken in Zoom."),
    "over": _("It was over before Zoom took it."),
    "left": _(
        "Your site is no longer connected with the Zoom account that holds this meeting. This "
        "continues automatically once you have connected that account again."
    ),
    "not_covered": _(
        "Your connection with Zoom no longer covers the host of this meeting. This continues "
        "automatically once it does again."
    ),
    "not_shown": _(
        "Your site no longer shows this host or this type of meeting. It continues automatically "
        "once you show them again."
    ),
    "personal_limit": _(
        "Zoom accepts three registrations a day from one person. This continues after midnight UTC."
    ),
    "mail": _("Our email could not be delivered to this address."),
}
"""Failures, also those that are not final, as owners read them."""
