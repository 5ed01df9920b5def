"""The kinds of entries that the app writes into Wagtail's audit log."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "wagtail_zoom.connect": (_("Connect Zoom"), _("Connected with Zoom")),
    "wagtail_zoom.disconnect": (_("Disconnect Zoom"), _("Disconnected from Zoom")),
    "wagtail_zoom.expose": (_("Choose what Zoom shows"), _("Changed what of Zoom is shown")),
    "wagtail_zoom.pause": (_("Pause Zoom"), _("Paused Zoom")),
    "wagtail_zoom.resume": (_("Resume Zoom"), _("Resumed Zoom")),
    "wagtail_zoom.registrants": (_("Read sign-ups"), _("Read personal data of sign-ups")),
    "wagtail_zoom.replay": (_("Replay a message"), _("Handled a message of Zoom’s again")),
}
"""``{action: (label, message)}``."""


def register(actions) -> None:  # type: ignore[no-untyped-def]
    """For Wagtail's hook ``register_log_actions``."""
    for name, (label, message) in ACTIONS.items():
        actions.register_action(name, label, message)
