"""The form of the tab "What to show": the settings of one Site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm

from ..models import ExposedHost, Grant, Host, ItemRule, Plan, ZoomAccount, ZoomSettings


def available_hosts(site_settings: ZoomSettings) -> QuerySet[Host]:
    """Hosts that this Site may select: those of its account that its own grant covers.

    Without a grant (an archive) only those already selected.
    """
    rows = Host.objects.filter(account=site_settings.account_id, removed_at=None)
    grant: Grant | None = site_settings.grant
    if grant is None:
        rows = rows.filter(exposed_on__settings=site_settings.pk)
    elif not grant.account_level:
        rows = rows.filter(zoom_id=grant.zoom_user_id)
    return rows.order_by("display_name", "pk")


def selected_host_ids(site_settings: ZoomSettings) -> set[int]:
    """Primary keys of the selected hosts; until the first save, the host who connected."""
    stored = ExposedHost.objects.filter(settings=site_settings.pk)
    return with_default_host(site_settings, stored.values_list("host", flat=True))


def with_default_host(site_settings: ZoomSettings, stored_ids: Iterable[int]) -> set[int]:
    """These hosts, or until the first save and without any, the host who connected."""
    host_ids = set(stored_ids)
    if not host_ids and site_settings.configured_at is None and site_settings.grant is not None:
        connector = Q(account=site_settings.account_id, zoom_id=site_settings.grant.zoom_user_id)
        host_ids = set(Host.objects.filter(connector).values_list("pk", flat=True))
    return host_ids


def plan_choices(account: ZoomAccount | None) -> list[tuple[str, Any]]:
    """The plans to choose from, and "I do not know" with the detected plan."""
    unknown_label = _("I do not know")
    if account is not None and not account.plan_stated and account.plan != Plan.UNKNOWN:
        unknown_label = format_lazy(
            _("I do not know (it looks like {plan})"), plan=account.get_plan_display()
        )
    return [
        ("", unknown_label),
        *((value, label) for value, label in Plan.choices if value != "unknown"),
    ]


class SiteSettingsForm(WagtailAdminModelForm):
    """Rejects hosts of other accounts and hosts that the Site's grant does not cover."""

    hosts = forms.ModelMultipleChoiceField(
        queryset=Host.objects.none(), required=False, label=_("Hosts")
    )
    review_recordings = forms.TypedChoiceField(
        label=_("New recordings"),
        choices=[
            (True, _("I look at each one first (recommended)")),
            (False, _("Publish by themselves")),
        ],
        coerce=lambda value: value in (True, "True"),
        widget=forms.RadioSelect,
    )

    plan = forms.ChoiceField(
        label=_("Your Zoom plan"),
        required=False,
        widget=forms.RadioSelect,
        help_text=_("It says how fast we may read. All sites of this Zoom account share it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        host_ids = (kwargs.get("initial") or {}).get("hosts")
        super().__init__(*args, **kwargs)
        plan: Any = self.fields["plan"]
        account = self.instance.account
        plan.choices = plan_choices(account)
        self.initial["plan"] = account.plan if account and account.plan_stated else ""
        field: Any = self.fields["hosts"]
        field.queryset = available_hosts(self.instance)
        if host_ids is None:
            host_ids = selected_host_ids(self.instance)
        self.initial["hosts"] = list(host_ids)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("item_rule") == ItemRule.MARKED and not cleaned.get("mark_word"):
            self.add_error("mark_word", _("Enter the word that marks what visitors may see."))
        return cleaned

    def save(self, commit: bool = True) -> ZoomSettings:
        """Save only the edited fields: the Site may have been paused, disconnected or reconnected
        since the form was opened."""
        site_settings: ZoomSettings = super().save(commit=False)
        if commit:
            columns = {column.name for column in site_settings._meta.concrete_fields}
            site_settings.save(
                update_fields=[name for name in self._meta.fields if name in columns]
            )
            self.save_m2m()
        return site_settings
