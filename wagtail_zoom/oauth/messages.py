"""Messages for users when an authorisation cannot continue: what happened, and what to do."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..exceptions import ZoomAuthError, ZoomConfigurationError, ZoomProtocolError, ZoomTransient

MESSAGES: dict[str, str | Promise] = {
    "state": _(
        "This link to Zoom is over or has been used already. Nothing was changed. "
        "Open the Zoom settings of your site and press Connect again."
    ),
    "permission": _(
        "Your account here may not change the Zoom settings of that site, so nothing was "
        "connected. Ask the administrator of this website."
    ),
    "invitation": _(
        "This invitation is over, was used already or was taken back. Ask the person who sent it "
        "for a new one."
    ),
    "unknown_host": _(
        "This address is not one of the installation's own, so Zoom cannot be connected from "
        "here. Open the administration under its usual address."
    ),
    "not_configured": _(
        "Zoom is not set up on this installation yet. The administrator finds what is missing "
        "with “manage.py check”."
    ),
    "declined": _(
        "You did not agree in Zoom, so nothing was connected. You can try again at any time."
    ),
    "other_account": _(
        "This site is connected with another Zoom account. Ask its owner to disconnect that one "
        "first; nothing was changed."
    ),
    "transient": _("Zoom did not answer, so nothing was connected. Try again in a few minutes."),
    "refused": _("Zoom did not accept the permission. Nothing was connected. Please try again."),
    "configuration": _(
        "Zoom does not accept this installation's app. Its administrator has to compare client "
        "id, client secret and redirect URL with the Zoom Marketplace."
    ),
    "protocol": _("Zoom's answer could not be understood. Nothing was connected. Try again later."),
}


def message_code(error: Exception) -> str:
    """Key in ``MESSAGES`` for an error of the code exchange."""
    if isinstance(error, ZoomConfigurationError):
        return "configuration"
    if isinstance(error, ZoomTransient):
        return "transient"
    if isinstance(error, ZoomAuthError):
        return "refused"
    return "protocol" if isinstance(error, ZoomProtocolError) else "refused"
