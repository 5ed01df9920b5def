"""The list of people's sign-ups of a Site. Who reads it is written into the audit log."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import TitleColumn
from wagtail.log_actions import log
from wagtail.models.audit_log import ModelLogEntry

from ...crypto import DecryptionError
from ...models import Registration
from ...registration import owner, tokens
from .. import wording
from . import signups
from .base import SiteIndexView
from .columns import ButtonsColumn, Cell, CellColumn

LOGGED_EVERY = timedelta(hours=1)
"""One audit entry for a person who reads on and on."""
FIRST = ("failed", "pending", "waiting")
LOOKS = {
    "failed": ("warning", "bad"),
    "pending": ("user", "warn"),
    "waiting": ("time", "work"),
    "unconfirmed": ("mail", "work"),
    "approved": ("success", "good"),
    "denied": ("circle-xmark", "plain"),
    "cancelled": ("minus", "plain"),
}


class RegistrationFilters(WagtailFilterSet):
    """State, and the meeting (by its number, from the list of meetings)."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=Registration.State.choices,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = Registration
        fields: list[str] = []


class RegistrationsView(SiteIndexView):
    """Those that need the owner first, then the newest."""

    page_title = gettext_lazy("Registrations")
    filterset_class = RegistrationFilters
    search_fields = ["meeting__topic"]
    empty_sentence = gettext_lazy("Nobody has signed up yet.")
    list_export = ["row_name", "row_email", "row_topic", "row_start", "created_at", "row_state"]

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "row_name": _("Person"),
            "row_email": _("Email"),
            "row_topic": _("Meeting"),
            "row_start": _("Date"),
            "created_at": _("Signed up"),
            "row_state": _("State"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            TitleColumn(
                "person",
                label=_("Person"),
                accessor="row_name",
                get_url=lambda row: reverse("wagtail_zoom_registrations:view", args=[row.pk]),
            ),
            CellColumn("email", label=_("Email"), accessor=lambda row: Cell(row.row_email)),
            CellColumn("meeting", label=_("Meeting"), accessor=_meeting),
            CellColumn("when", label=_("Signed up"), accessor=_signed_up),
            CellColumn("state", label=_("State"), accessor=_state),
            ButtonsColumn("buttons", label=_("Actions"), accessor=_buttons),
        ]

    def get_base_queryset(self) -> QuerySet[Registration]:
        rows = super().get_base_queryset().prefetch_related("dates")
        number = self.request.GET.get("meeting", "")
        if number:
            rows = rows.filter(meeting_zoom_id=number[:100])
        return rows.defer("join_url")

    def order_queryset(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        ranks = [When(state=name, then=Value(rank)) for rank, name in enumerate(FIRST)]
        urgent = Case(*ranks, default=Value(len(FIRST)), output_field=IntegerField())
        return queryset.order_by(urgent, "-created_at", "-pk")

    def search_queryset(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Addresses are encrypted: they are found as a whole only. Topics are found by words."""
        if not self.is_searching:
            return queryset
        query = self.search_query.strip()
        found = Q(meeting__topic__icontains=query)
        if "@" in query:
            found |= Q(email_index__in=tokens.email_indexes(query))
        return queryset.filter(found)

    def decorate(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.row_name, row.row_email = _person(row)
            row.row_topic = row.snapshot.get("topic") or ""
            starts = sorted(date.start for date in row.dates.all() if date.start)
            row.row_start = starts[0] if starts else None
            row.row_state = row.get_state_display()
        if rows:
            self._log()
        return rows

    def _log(self) -> None:
        """Personal data is read: once an hour for a person, and every export."""
        if getattr(self, "_logged", False):
            return
        self._logged = True
        name = "wagtail_zoom.export" if self.is_export else "wagtail_zoom.registrants"
        choice, user = self.facts.choice, self.request.user
        if not choice.pk:
            return
        recent = ModelLogEntry.objects.for_instance(choice).filter(
            action=name, user=user, timestamp__gte=timezone.now() - LOGGED_EVERY
        )
        if self.is_export or not recent.exists():
            log(instance=choice, action=name, user=user)

    def intro(self) -> dict[str, Any]:
        known = self.facts.signups
        parts = []
        if known.get("failed"):
            n = known["failed"]
            parts.append(ngettext("%(n)d needs you", "%(n)d need you", n) % {"n": n})
        if known.get("pending"):
            n = known["pending"]
            waiting = ngettext("%(n)d waits for your answer", "%(n)d wait for your answer", n)
            parts.append(waiting % {"n": n})
        text = ngettext(
            "Names and addresses are deleted %(n)d day after the last date.",
            "Names and addresses are deleted %(n)d days after the last date.",
            self.facts.choice.registration_days,
        ) % {"n": self.facts.choice.registration_days}
        return {"strong": f"{wording.listing(parts)}." if parts else "", "text": text}

    def empty(self) -> dict[str, Any]:
        from ...models import Placement
        from .. import addresses, usage

        if self.facts.account and not self.is_searching and not self.is_filtering:
            if not self.facts.choice.show_registration:
                url = f"{addresses.panel_url(self.facts)}#tab-choices"
                text = _("Registration is switched off.")
                return {"text": text, "url": url, "link": _("What to show")}
            if not usage.pages_with(self.site, Placement.REGISTRATION).exists():
                return {"text": _("No page has a sign-up form.")}
        return super().empty()


def _person(row: Registration) -> tuple[str, str]:
    """Name and address, or nothing when the installation's keys no longer open them."""
    try:
        answers = json.loads(row.answers.reveal() or "{}")
        address = row.email.reveal()
    except (DecryptionError, ValueError):
        return _("cannot be read"), ""
    standard = answers.get("standard") or answers
    names = [str(standard.get(name) or "") for name in ("first_name", "last_name")]
    return " ".join(name for name in names if name) or _("no name"), address


def _buttons(row: Registration) -> list[dict[str, Any]]:
    """The two that matter; the others stand on the page of the sign-up."""
    names = {"failed": ("retry",), "pending": ("approve", "deny")}.get(row.state, ())
    return signups.buttons(row, names) if names else []


def _meeting(row: Any) -> Cell:
    return Cell(row.row_topic, wording.stamp(row.row_start) if row.row_start else "")


def _signed_up(row: Registration) -> Cell:
    return Cell(_("%(age)s ago") % {"age": wording.age(row.created_at)})


def _state(row: Any) -> Cell:
    icon, tone = LOOKS[row.state]
    note = ""
    if row.state == Registration.State.WAITING and row.next_try_at:
        note = _("next try at %(time)s") % {"time": wording.moment(row.next_try_at)}
    elif row.error_class:
        note = str(owner.reason(row) or _("Zoom did not accept it"))
    elif row.state == Registration.State.PENDING:
        note = _("asked for on %(day)s") % {"day": wording.short_day(row.created_at)}
    return Cell(row.row_state, note, icon=icon, tone=tone)
