"""The form behind "What to show": the choices of one Site's owner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm

from ..models import ExposedHost, Grant, Host, ItemRule, Plan, ZoomAccount, ZoomSettings


def offered_hosts(site_settings: ZoomSettings) -> QuerySet[Host]:
    """Hosts that this Site may tick: those of its account that its own grant covers.

    Without a grant (an archive) only what is ticked already.
    """
    rows = Host.objects.filter(account=site_settings.account_id, removed_at=None)
    grant: Grant | None = site_settings.grant
    if grant is None:
        rows = rows.filter(exposed_on__settings=site_settings.pk)
    elif not grant.account_level:
        rows = rows.filter(zoom_id=grant.zoom_user_id)
    return rows.order_by("display_name", "pk")


def ticked_hosts(site_settings: ZoomSettings) -> set[int]:
    """Primary keys of the ticked hosts; before the first choice the person who connected."""
    stored = ExposedHost.objects.filter(settings=site_settings.pk)
    return or_connector(site_settings, stored.values_list("host", flat=True))


def or_connector(site_settings: ZoomSettings, stored: Iterable[int]) -> set[int]:
    """These hosts; before the first choice, when there are none, the person who connected."""
    ticked = set(stored)
    if not ticked and site_settings.configured_at is None and site_settings.grant is not None:
        own = Q(account=site_settings.account_id, zoom_id=site_settings.grant.zoom_user_id)
        ticked = set(Host.objects.filter(own).values_list("pk", flat=True))
    return ticked


def plan_choices(account: ZoomAccount | None) -> list[tuple[str, Any]]:
    """The plans that an owner may name, and to leave it to us, with what we take it for."""
    guess = _("I do not know")
    if account is not None and not account.plan_stated and account.plan != Plan.UNKNOWN:
        guess = format_lazy(
            _("I do not know (it looks like {plan})"), plan=account.get_plan_display()
        )
    return [("", guess), *((value, label) for value, label in Plan.choices if value != "unknown")]


class ChoicesForm(WagtailAdminModelForm):
    """Refuses hosts of other accounts and hosts that the Site's grant does not cover."""

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
        known = (kwargs.get("initial") or {}).get("hosts")
        super().__init__(*args, **kwargs)
        plan: Any = self.fields["plan"]
        account = self.instance.account
        plan.choices = plan_choices(account)
        self.initial["plan"] = account.plan if account and account.plan_stated else ""
        field: Any = self.fields["hosts"]
        field.queryset = offered_hosts(self.instance)
        if known is None:
            known = ticked_hosts(self.instance)
        self.initial["hosts"] = list(known)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("item_rule") == ItemRule.MARKED and not cleaned.get("mark_word"):
            self.add_error("mark_word", _("Enter the word that marks what visitors may see."))
        return cleaned

    def save(self, commit: bool = True) -> ZoomSettings:
        """Write what the form edits and nothing else: while it stood open, the Site may have been
        paused, disconnected or connected anew."""
        site_settings: ZoomSettings = super().save(commit=False)
        if commit:
            columns = {column.name for column in site_settings._meta.concrete_fields}
            site_settings.save(
                update_fields=[name for name in self._meta.fields if name in columns]
            )
            self.save_m2m()
        return site_settings
