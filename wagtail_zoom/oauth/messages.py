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
    "not_begun_here": _(
        "You allowed access in Zoom, but Connect was not pressed in this browser, or your login "
        "has ended in the meantime. Nothing was connected. If you pressed Connect yourself, log "
        "in and press Connect again. If somebody sent you a link to Zoom, remove the app in your "
        "Zoom account and ask that person for an invitation link."
    ),
    "allowed_elsewhere": _(
        "Access was allowed in Zoom, but in another browser than this one. Nothing was connected. "
        "Press Connect again and allow access in this browser. If another person has to allow "
        "it, create an invitation link for that person."
    ),
    "logged_out": _(
        "You were logged out, so nothing was changed. Log in and press the button again."
    ),
    "permission": _(
        "Your account here may not change the Zoom settings of that site, so nothing was "
        "connected. Ask the administrator of this website."
    ),
    "invitation": _(
        "This invitation has expired, was already used or was revoked. Ask the person who sent it "
        "for a new one."
    ),
    "invitation_connected": _(
        "This website has been connected with Zoom in the meantime, so this invitation is over. "
        "Nothing was changed, and you do not need to do anything."
    ),
    "covers_less": _(
        "This website is connected with Zoom already, and your permission would not cover all that "
        "the present one covers. Nothing was changed. If yours is to replace it, ask the owner of "
        "the website to disconnect first."
    ),
    "unknown_host": _(
        "This site cannot be connected from this address. Open the administration under its "
        "usual address or under that of the site."
    ),
    "not_configured": _(
        "Zoom is not set up on this installation yet. The administrator finds what is missing "
        "with “manage.py check”."
    ),
    "declined": _(
        "You did not allow access in Zoom, so nothing was connected. You can try again at any time."
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
