"""Actions in Wagtail's audit log. Entries are never purged, so they hold no personal data."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "wagtail_zoom.connect": (_("Connect Zoom"), _("Connected with Zoom")),
    "wagtail_zoom.disconnect": (_("Disconnect Zoom"), _("Disconnected from Zoom")),
    "wagtail_zoom.expose": (_("Choose what Zoom shows"), _("Changed what of Zoom is shown")),
    "wagtail_zoom.pause": (_("Pause Zoom"), _("Paused Zoom")),
    "wagtail_zoom.resume": (_("Resume Zoom"), _("Resumed Zoom")),
    "wagtail_zoom.plan": (_("State the Zoom plan"), _("Said which plan the Zoom account has")),
    "wagtail_zoom.adopt": (_("Wake a copy"), _("Switched Zoom on in this copy")),
    "wagtail_zoom.replay": (_("Replay a webhook event"), _("Replayed a webhook event from Zoom")),
    "wagtail_zoom.publish": (_("Show to visitors"), _("Shown to visitors")),
    "wagtail_zoom.hide": (_("Hide from visitors"), _("Hidden from visitors")),
    "wagtail_zoom.registrants": (_("Read registrations"), _("Read personal data of registrations")),
    "wagtail_zoom.export": (
        _("Export registrations"),
        _("Exported personal data of registrations"),
    ),
}
"""``{action: (label, message)}``."""


def register(actions: Any) -> None:
    """For Wagtail's hook ``register_log_actions``."""
    for name, (label, message) in ACTIONS.items():
        actions.register_action(name, label, message)
