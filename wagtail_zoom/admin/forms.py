"""The form of the tab "What to show": the settings of one Site."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.models.audit_log import ModelLogEntry

from ..frontend import links
from ..frontend.visibility import SiteVisibility
from ..models import (
    SUMMARY,
    ExposedHost,
    FormerHost,
    Grant,
    GrantState,
    Host,
    ItemRule,
    Plan,
    ZoomAccount,
    ZoomSettings,
)
from ..oauth.scopes import LIST_USERS, has_scope, lacks_summaries
from ..registration.fields import one_line
from ..utils.urls import split_origin
from .concurrent_edits import ConcurrentEditForm
from .messages.running import not_for_this_site

BASE_URL_MESSAGES = {
    "form": _("Write https:// and the host only, such as https://www.example.org."),
    "port": _("Leave out the port: this site has another one."),
    "taken": _("This address belongs to another site or to the installation."),
}
"""Sentences for the codes of ``links.base_url_problem``."""
_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)


def available_hosts(site_settings: ZoomSettings) -> QuerySet[Host]:
    """Hosts that this Site may select: those of its account that its own grant covers.

    Without a grant (an archive) only those whose names it shows.
    """
    grant: Grant | None = site_settings.grant
    if grant is None:
        rows = SiteVisibility(site_settings).usable_hosts()
        return rows.filter(removed_at=None).order_by("display_name", "pk")
    rows = Host.objects.filter(account=site_settings.account_id, removed_at=None)
    if grant.state == GrantState.REVOKED or grant.account_id != site_settings.account_id:
        rows = rows.none()  # guard: ended-grant-offers-no-host
    elif not grant.account_level:
        rows = rows.filter(zoom_id=grant.zoom_user_id)
    elif grant.scope and not has_scope(grant.scopes, LIST_USERS):  # guard: hosts-that-zoom-lists
        # Another Site's grant has read the others' names.
        ticked = ExposedHost.objects.filter(settings=site_settings.pk).values("host")
        rows = rows.filter(Q(zoom_id=grant.zoom_user_id) | Q(pk__in=ticked))
    return rows.order_by("display_name", "pk")


def selected_host_ids(site_settings: ZoomSettings) -> set[int]:
    """Primary keys of the selected hosts; until the first save, the host who connected."""
    stored = ExposedHost.objects.filter(settings=site_settings.pk)
    return with_default_host(site_settings, stored.values_list("host", flat=True))


def with_default_host(site_settings: ZoomSettings, stored_ids: Iterable[int]) -> set[int]:
    """These hosts, or until the first save and without any, the host who connected: not of a Site
    that is back, and whose hosts are ticked again when they have been read."""
    host_ids = set(stored_ids)
    if host_ids or site_settings.configured_at is not None or site_settings.grant is None:
        return host_ids
    if not former_hosts(site_settings).exists():
        connector = Q(account=site_settings.account_id, zoom_id=site_settings.grant.zoom_user_id)
        host_ids = set(Host.objects.filter(connector).values_list("pk", flat=True))
    return host_ids


def former_hosts(site_settings: ZoomSettings) -> QuerySet[FormerHost]:
    """Hosts that were ticked when the Site left this account, and are not ticked again (yet)."""
    return FormerHost.objects.filter(settings=site_settings.pk, account=site_settings.account_id)


def plan_choices(account: ZoomAccount | None) -> list[tuple[str, Any]]:
    """The plans to choose from, and "Detect automatically" with the detected plan."""
    unknown_label = _("Detect automatically")
    if account is not None and not account.plan_stated and account.plan != Plan.UNKNOWN:
        unknown_label = format_lazy(
            _("Detect automatically (it looks like {plan})"), plan=account.get_plan_display()
        )
    return [
        ("", unknown_label),
        *((value, label) for value, label in Plan.choices if value != "unknown"),
    ]


def _is_used_by_another(site_settings: ZoomSettings, address: str) -> bool:
    """Whether another Site uses the same host in its emails."""
    others = ZoomSettings.objects.exclude(pk=site_settings.pk).exclude(base_url="")
    hosts = {
        origin[1] for text in others.values_list("base_url", flat=True)
        if (origin := split_origin(text))
    }  # fmt: skip
    origin = split_origin(address)
    return origin is not None and origin[1] in hosts


class SiteSettingsForm(ConcurrentEditForm, WagtailAdminModelForm):
    """Rejects hosts of other accounts and hosts that the Site's grant does not cover."""

    hosts = forms.ModelMultipleChoiceField(
        queryset=Host.objects.none(), required=False, label=_("Hosts")
    )
    review_recordings = forms.TypedChoiceField(
        label=_("New recordings"),
        choices=[
            (True, _("I look at each one first (recommended)")),
            (False, _("Publish automatically")),
        ],
        coerce=lambda value: value in (True, "True"),
        widget=forms.RadioSelect,
    )

    plan = forms.ChoiceField(
        label=_("Your Zoom plan"),
        required=False,
        widget=forms.RadioSelect,
        help_text=_(
            "It determines how many calls to Zoom are allowed. "
            "All sites of this Zoom account share it."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        host_ids = (kwargs.get("initial") or {}).get("hosts")
        super().__init__(*args, **kwargs)
        plan: Any = self.fields["plan"]
        account = self.instance.account
        plan.choices = plan_choices(account)
        self.initial["plan"] = account.plan if account and account.plan_stated else ""
        is_superuser = self.for_user is not None and self.for_user.is_superuser
        if account and not is_superuser and not self.instance.decides_for_account:
            plan.disabled = True  # guard: plan-stated-by-its-grant
            plan.help_text = not_for_this_site()
        field: Any = self.fields["hosts"]
        field.queryset = available_hosts(self.instance)
        self._describe_summaries()
        if host_ids is None:
            host_ids = selected_host_ids(self.instance)
        self.initial["hosts"] = list(host_ids)

    def _describe_summaries(self) -> None:
        """What the switch does, and why it may have no effect yet."""
        summary_field: Any = self.fields.get("show_summaries")
        if summary_field is None:
            return
        texts = [
            gettext(
                "Zoom’s AI Companion writes them after a meeting. They contain people’s names, so "
                "each one needs your review; visitors see it after you publish it. If you untick "
                "this, the texts are deleted here."
            )
        ]
        grant, account = self.instance.grant, self.instance.account
        if grant is not None and (
            SUMMARY in grant.missing_kinds or (grant.scope and lacks_summaries(grant.scopes))
        ):
            texts.append(
                gettext(
                    "Zoom has not allowed it yet: the administrator of this website adds the "
                    "permission for summaries to its Zoom app, then you connect again."
                )
            )
        elif account is not None and account.summaries_refused_at is not None:
            texts.append(
                gettext(
                    "Zoom refused to give a summary: the plan or the settings of a host have no AI "
                    "Companion."
                )
            )
        summary_field.help_text = " ".join(texts)

    def last_change(self) -> tuple[Any, Any] | None:
        entries = ModelLogEntry.objects.for_instance(self.instance)
        entry = entries.filter(action="wagtail_zoom.expose").order_by("-timestamp").first()
        return (entry.user_display_name, entry.timestamp) if entry else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("item_rule") == ItemRule.MARKED and not cleaned.get("mark_word"):
            self.add_error("mark_word", _("Enter the word that marks what visitors may see."))
        account = self.instance.account
        if (
            account is not None
            and account.directory_at is None
            and former_hosts(self.instance).exists()  # guard: former-hosts-not-lost-by-saving
        ):
            message = _(
                "The hosts that were ticked before are still being read from Zoom. "
                "Save again in a moment."
            )
            self.add_error("hosts", message)
        return cleaned

    def clean_base_url(self) -> str:
        address: str = self.cleaned_data["base_url"]
        problem = address and links.base_url_problem(self.instance.site, address)
        is_used = address and not problem and _is_used_by_another(self.instance, address)
        if is_used or problem:  # guard: base-url-checked-at-save
            raise forms.ValidationError(
                BASE_URL_MESSAGES[problem or "taken"], code=problem or "taken"
            )
        return address

    def clean_organiser(self) -> str:
        name = one_line(self.cleaned_data["organiser"])
        if _LINK.search(name):  # guard: organiser-without-link
            raise forms.ValidationError(
                _("Write the name only, without a web address."), code="link"
            )
        return name

    def clean_mark_word(self) -> str:
        return one_line(self.cleaned_data["mark_word"])

    def clean_consent_text(self) -> str:
        return one_line(self.cleaned_data["consent_text"])

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
