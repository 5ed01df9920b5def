"""The two tabs of the settings page: the connection, and what to show."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import forms
from django.middleware.csrf import get_token
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList, Panel, TabbedInterface

from ..models import ZoomSettings
from . import connection_card, kinds
from .forms import SiteSettingsForm
from .listings import rules


class ConnectionPanel(Panel):
    """The connection tab. It has no form field."""

    clean_name = "connection"

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_zoom/admin/connection.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            # The dialog has its own form.
            context["csrf_token"] = get_token(self.request)
            return context | connection_card.context(self.request.wagtail_zoom_site_status)


class KindsPanel(Panel):
    """The switches of the kinds of data, each with its counts."""

    clean_name = "kinds"
    names = ("show_meetings", "show_webinars", "show_recordings", "show_registration")

    def get_form_options(self) -> dict[str, Any]:
        return {
            "fields": list(self.names),
            "widgets": dict.fromkeys(self.names, forms.CheckboxInput),
        }

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_zoom/admin/kinds.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context["kind_rows"] = kinds.kind_rows(self.request.wagtail_zoom_site_status, self.form)
            return context


class HostsPanel(Panel):
    """The hosts: selected ones first, the others by search."""

    clean_name = "hosts"

    def get_form_options(self) -> dict[str, Any]:
        return {"fields": ["hosts"]}

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_zoom/admin/hosts.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context |= kinds.hosts_context(self.request.wagtail_zoom_site_status, self.form)
            return context


class RulesPanel(Panel):
    """The rules for recordings of single series and hosts, each with a button to end it."""

    clean_name = "rules"

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_zoom/admin/rules.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            return context | {"rules": self.rules}

        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.rules)

        @cached_property
        def rules(self) -> list[rules.RuleRow]:
            return rules.rule_rows(self.request.wagtail_zoom_site_status.site_settings)


class SettingsTab(ObjectList):
    """The settings tab; its name is part of URLs and must not be translated."""

    clean_name = "choices"


def _settings_tab() -> SettingsTab:
    return SettingsTab(
        [
            KindsPanel(heading=gettext_lazy("Meetings, recordings and more"), icon="view"),
            HostsPanel(heading=gettext_lazy("Whose meetings"), icon="user"),
            MultiFieldPanel(
                [
                    FieldPanel(
                        "item_rule", widget=forms.RadioSelect, heading=gettext_lazy("Visitors see")
                    ),
                    FieldPanel("mark_word"),
                ],
                heading=gettext_lazy("Which of their dates"),
                icon="calendar-check",
                help_text=gettext_lazy(
                    "Private, instant and personal-room meetings never show, whatever you choose "
                    "here."
                ),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("join_policy", widget=forms.RadioSelect),
                    FieldPanel("join_minutes"),
                    FieldPanel("passcode_policy", widget=forms.RadioSelect),
                ],
                heading=gettext_lazy("Join links"),
                icon="link",
            ),
            MultiFieldPanel(
                [
                    FieldPanel("review_recordings"),
                    FieldPanel("recording_days"),
                    RulesPanel(heading=gettext_lazy("Rules")),
                    FieldPanel(
                        "show_transcripts",
                        help_text=gettext_lazy(
                            "Visitors can read and search what was said, without the speakers' "
                            "names. The texts are fetched from Zoom only while this is ticked, and "
                            "deleted when it no longer is."
                        ),
                    ),
                ],
                heading=gettext_lazy("Recordings"),
                icon="media",
            ),
            MultiFieldPanel(
                [FieldPanel("show_summaries", heading=gettext_lazy("Summaries of meetings"))],
                heading=gettext_lazy("What was said"),
                icon="doc-full",
            ),
            MultiFieldPanel(
                [
                    FieldPanel(
                        "editors_may_schedule",
                        heading=gettext_lazy("Editors may schedule, change and cancel meetings"),
                        help_text=gettext_lazy(
                            "Editors of the pages of this site can then do it in the page editor. "
                            "You always can, if Zoom has allowed it."
                        ),
                    ),
                ],
                heading=gettext_lazy("Scheduling"),
                icon="calendar-alt",
            ),
            MultiFieldPanel(
                [
                    FieldPanel("double_opt_in"),
                    FieldPanel("consent_text"),
                    FieldPanel("privacy_notice"),
                    FieldPanel("registration_days"),
                    FieldPanel(
                        "record_attendance",
                        heading=gettext_lazy("Record who attended"),
                        help_text=gettext_lazy(
                            "After a date, the attendance of people who registered here is read "
                            "from Zoom: whether they attended, and for how long. The form informs "
                            "visitors. It begins with dates that end after you save, and is "
                            "deleted with the registration. Nothing is stored about people who "
                            "did not register here."
                        ),
                    ),
                ],
                heading=gettext_lazy("Registrations"),
                icon="clipboard-list",
            ),
            MultiFieldPanel(
                [
                    FieldPanel("organiser"),
                    FieldPanel("show_host_names"),
                    FieldPanel("contact_email"),
                    FieldPanel("base_url"),
                    FieldPanel("plan"),
                ],
                heading=gettext_lazy("Names, email and plan"),
                icon="mail",
            ),
        ],
        heading=gettext_lazy("What to show"),
    )


@lru_cache(maxsize=2)
def edit_handler(*, opens_settings: bool) -> TabbedInterface:
    """The tabs, bound to the model, always in one order. Right after connecting, when there is
    something to choose first, the settings are open."""
    tabs: list[Panel] = [ConnectionPanel(heading=gettext_lazy("Connection")), _settings_tab()]
    attrs = {"data-w-tabs-active-panel-id-value": "tab-choices"} if opens_settings else {}
    interface = TabbedInterface(tabs, attrs=attrs, base_form_class=SiteSettingsForm)
    return interface.bind_to_model(ZoomSettings)


def save_label(*, first: bool) -> str:
    """Label of the save button."""
    return _("Save and start the import") if first else _("Save")
