"""The list of people's sign-ups of a Site. Who reads it is written into the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Case, IntegerField, Max, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, TitleColumn
from wagtail.log_actions import log
from wagtail.models.audit_log import ModelLogEntry

from ...models import Activity, Placement, Registration
from ...registration import moderation, tokens
from .. import formatting
from . import registration
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


MOST_MEETINGS = 300
READ_FOR_NAMES = 2000
"""Sign-ups whose names are opened for a search, the newest: they are encrypted one by one."""
LEADING = (
    Placement.REGISTRATION,
    Placement.MEETING_LIST,
    Placement.MEETING,
    Placement.CALENDAR,
)
"""Blocks from which visitors reach a form: one of their own, or the button of a date."""


def meetings(request: Any) -> list[tuple[str, str]]:
    """Meetings of this Site that somebody signed up for, by Zoom's number."""
    rows = Registration.objects.filter(site=request.wagtail_zoom_site).order_by()
    found = rows.values("meeting_zoom_id").annotate(
        at=Max("created_at"), name=Max("meeting__topic")
    )
    return [
        (row["meeting_zoom_id"], row["name"] or row["meeting_zoom_id"])
        for row in found.order_by("-at")[:MOST_MEETINGS]
    ]


class RegistrationFilters(WagtailFilterSet):
    """State and meeting."""

    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=Registration.State.choices,
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    meeting = django_filters.ChoiceFilter(
        label=gettext_lazy("Meeting"),
        field_name="meeting_zoom_id",
        choices=[],
        widget=forms.RadioSelect,
        empty_label=gettext_lazy("All"),
    )

    class Meta:
        model = Registration
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["meeting"].extra["choices"] = meetings(self.request)


class RegistrationsView(SiteIndexView):
    """Those that need the owner first, then the newest."""

    page_title = gettext_lazy("Registrations")
    filterset_class = RegistrationFilters
    search_fields = ["meeting__topic"]
    search_placeholder = gettext_lazy("Search names and addresses")
    bulk_type = "zoomsignup"
    empty_sentence = gettext_lazy("Nobody has signed up yet.")
    list_export = ["row_name", "row_email", "row_topic", "row_start", "created_at", "row_state"]
    export_times = ("row_start", "created_at")

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
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomsignup"),
            TitleColumn(
                "person",
                label=_("Person"),
                accessor="row_name",
                get_url=lambda row: reverse("wagtail_zoom_registrations:view", args=[row.pk]),
                get_title_id=lambda row: f"zoomsignup_{row.pk}_title",
            ),
            CellColumn("email", label=_("Email"), accessor=lambda row: Cell(row.row_email)),
            CellColumn("meeting", label=_("Meeting"), accessor=_meeting),
            CellColumn("when", label=_("Signed up"), accessor=_signed_up),
            CellColumn("state", label=_("State"), accessor=_state),
            ButtonsColumn("buttons", label=_("Actions"), accessor=_buttons),
        ]

    def get_base_queryset(self) -> QuerySet[Registration]:
        self.request.wagtail_zoom_site = self.site
        rows = super().get_base_queryset().select_related("meeting").prefetch_related("dates")
        return rows.defer("join_url", "meeting__join_url", "meeting__passcode", "meeting__agenda")

    def count_name(self, n: int) -> str:
        return ngettext("sign-up", "sign-ups", n)

    def order_queryset(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        ranks = [When(state=name, then=Value(rank)) for rank, name in enumerate(FIRST)]
        urgent = Case(*ranks, default=Value(len(FIRST)), output_field=IntegerField())
        return queryset.order_by(urgent, "-created_at", "-pk")

    def search_queryset(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Topics by words, addresses as a whole by their index; names are opened one by one."""
        if not self.is_searching:
            return queryset
        query = self.search_query.strip()
        found = Q(meeting__topic__icontains=query)
        if "@" in query:
            found |= Q(email_index__in=tokens.email_indexes(query))
        else:
            found |= Q(pk__in=named(queryset, query))
        return queryset.filter(found)

    def decorate(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.row_name, row.row_email = registration.person_of(row)
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
        if self.is_export:
            Activity.log([choice.site_id], "registration", "signups_exported", user=user)

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
        return {"strong": f"{formatting.listing(parts)}." if parts else "", "text": text}

    def empty(self) -> dict[str, Any]:
        from .. import links, usage

        if self.facts.account and not self.is_narrowed:
            if not self.facts.choice.show_registration:
                url = f"{links.panel_url(self.facts)}#tab-choices"
                text = _("Registration is switched off.")
                return {"text": text, "url": url, "link": _("What to show")}
            if not usage.pages_with(self.site, *LEADING).exists():
                return {"text": _("No page has a sign-up form.")}
        return super().empty()


def named(rows: QuerySet[Registration], query: str) -> list[int]:
    """Primary keys of the sign-ups whose person has a name like this, of the newest."""
    words = query.casefold()
    newest = rows.order_by("-created_at", "-pk").only("pk", "public_id", "answers", "email")
    newest = newest.select_related(None).prefetch_related(None)[:READ_FOR_NAMES]
    return [
        row.pk for row in newest.iterator() if words in registration.person_of(row)[0].casefold()
    ]


def _buttons(row: Registration) -> list[dict[str, Any]]:
    """The two that matter; the others stand on the page of the sign-up."""
    names = {"failed": ("retry",), "pending": ("approve", "deny")}.get(row.state, ())
    return registration.buttons(row, names) if names else []


def _meeting(row: Any) -> Cell:
    return Cell(row.row_topic, formatting.short_moment(row.row_start) if row.row_start else "")


def _signed_up(row: Registration) -> Cell:
    if timezone.now() - row.created_at < timedelta(hours=12):
        return Cell(_("%(age)s ago") % {"age": formatting.age(row.created_at)})
    return Cell(formatting.short_moment(row.created_at))


def _state(row: Any) -> Cell:
    icon, tone = LOOKS[row.state]
    note = ""
    if row.state == Registration.State.WAITING and row.next_try_at:
        note = _("next try at %(time)s") % {"time": formatting.moment(row.next_try_at)}
    elif row.error_class:
        note = str(moderation.reason(row) or _("Zoom did not accept it"))
    elif row.state == Registration.State.PENDING:
        note = _("asked for on %(day)s") % {"day": formatting.short_day(row.created_at)}
    elif row.state == Registration.State.APPROVED:
        note = _link_sent(row)
    elif row.state in (Registration.State.DENIED, Registration.State.CANCELLED):
        note = formatting.short_day(row.state_since)
    return Cell(row.row_state, note, icon=icon, tone=tone)


def _link_sent(row: Any) -> str:
    if row.meeting is not None and row.meeting.zoom_notifies:
        return _("link sent by Zoom")
    return _("link sent by this site") if "approved" in row.mails else ""
