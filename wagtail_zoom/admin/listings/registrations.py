"""The list of registrations of a Site. Access is written to the audit log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Case, F, IntegerField, Max, Min, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import TitleColumn
from wagtail.log_actions import log
from wagtail.models.audit_log import ModelLogEntry

from ...models import Activity, BlockUsage, Registration, WriteAccess, ZoomSettings
from ...registration import moderation, tokens
from .. import attendance, formatting
from . import registration
from .base import RadioFilter, SiteIndexView
from .columns import ButtonsColumn, Cell, CellColumn, StateCheckboxColumn

LOG_INTERVAL = timedelta(hours=1)
"""At most one audit entry in this time for each user."""
URGENT_STATES = ("failed", "pending", "waiting")
STATE_ICONS = {
    "failed": ("warning", "bad"),
    "pending": ("user", "warn"),
    "waiting": ("time", "work"),
    "unconfirmed": ("mail", "work"),
    "approved": ("success", "good"),
    "denied": ("circle-xmark", "plain"),
    "cancelled": ("minus", "plain"),
}


EXPORTED_COLUMNS = ("site", "public_id", "answers", "email", "snapshot", "created_at", "state")
"""All that a file needs of a registration."""
MAX_MEETINGS = 300
MAX_NAMES_SEARCHED = 2000
"""A search for names decrypts this many registrations, the newest."""
FORM_BLOCKS = (
    BlockUsage.REGISTRATION,
    BlockUsage.MEETING_LIST,
    BlockUsage.MEETING,
    BlockUsage.CALENDAR,
)
"""Blocks from which visitors reach a form: their own, or the button of an occurrence."""


def meeting_choices(request: Any) -> list[tuple[str, str]]:
    """Meetings of this Site with registrations, by Zoom's meeting id. Those that the Site may not
    use any more have the topic that people registered for."""
    rows = Registration.objects.filter(site=request.wagtail_zoom_site).order_by()
    by_meeting = rows.values("meeting_zoom_id").annotate(
        newest=Max("created_at"),
        name=Coalesce(Max("meeting__topic"), Max(KT("snapshot__topic")), output_field=TextField()),
    )
    return [
        (row["meeting_zoom_id"], row["name"] or row["meeting_zoom_id"])
        for row in by_meeting.order_by("-newest")[:MAX_MEETINGS]
    ]


class RegistrationFilters(WagtailFilterSet):
    """State and meeting."""

    state = RadioFilter(
        label=gettext_lazy("State"),
        choices=Registration.State.choices,
    )

    meeting = RadioFilter(
        label=gettext_lazy("Meeting"),
        field_name="meeting_zoom_id",
        choices=[],
    )

    attendance = RadioFilter(
        label=gettext_lazy("Attendance"),
        choices=attendance.CHOICES,
        method="filter_attendance",
    )

    class Meta:
        model = Registration
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["meeting"].extra["choices"] = meeting_choices(self.request)
        site_settings = ZoomSettings.objects.filter(site=self.request.wagtail_zoom_site).first()
        if site_settings is None or not attendance.is_shown(site_settings):
            del self.filters["attendance"]

    def filter_attendance(
        self, rows: QuerySet[Registration], name: str, value: str
    ) -> QuerySet[Registration]:
        return attendance.filter_registrations(rows, value)


class RegistrationsView(SiteIndexView):
    """Registrations that need the owner first, then the newest."""

    page_title = gettext_lazy("Registrations")
    filterset_class = RegistrationFilters
    search_fields = ["meeting__topic"]
    search_placeholder = gettext_lazy("Search names and addresses")
    quick_filters = ("state",)
    bulk_type = "zoomregistration"
    sort_expressions = {"meeting": Lower(KT("snapshot__topic")), "registered": F("created_at")}
    empty_text = gettext_lazy("Nobody has registered yet.")
    export_times = ("row_start", "created_at", "row_arrival")

    @cached_property
    def export_headings(self) -> dict[str, str]:
        headings = {
            "row_name": _("Person"),
            "row_email": _("Email"),
            "row_topic": _("Meeting"),
            "row_start": _("Date"),
            "created_at": _("Signed up"),
            "row_state": _("State"),
        }
        if self.shows_attendance:
            headings |= {
                "row_attendance": _("Attendance"),
                "row_minutes": _("Minutes"),
                "row_arrival": _("First arrival"),
            }
        return headings

    @cached_property
    def shows_attendance(self) -> bool:
        return attendance.is_shown(self.site_status.site_settings)

    @cached_property
    def columns(self) -> list[Any]:
        columns = [
            StateCheckboxColumn(
                "bulk_actions", obj_type="zoomregistration", get_id=registration.id_with_state
            ),
            TitleColumn(
                "person",
                label=_("Person"),
                accessor="row_name",
                get_url=lambda row: reverse("wagtail_zoom_registrations:view", args=[row.pk]),
                get_title_id=lambda row: f"zoomregistration_{row.pk}_title",
            ),
            CellColumn("email", label=_("Email"), accessor=lambda row: Cell(row.row_email)),
            CellColumn("meeting", label=_("Meeting"), accessor=_meeting_cell, sort_key="meeting"),
            CellColumn(
                "when", label=_("Signed up"), accessor=_registered_cell, sort_key="registered"
            ),
            CellColumn("state", label=_("State"), accessor=_state_cell),
            ButtonsColumn("buttons", label=_("Actions"), accessor=_row_buttons),
        ]
        if self.shows_attendance:
            column = CellColumn("attendance", label=_("Attendance"), accessor=self._attendance_cell)
            columns.insert(-1, column)
        return columns

    def _attendance_cell(self, row: Any) -> Cell:
        person: attendance.PersonAttendance = row.attendance
        if not person.state:
            return Cell("")
        icon, tone = attendance.ICONS[person.state]
        note = person.note(self.site_status.site_settings)
        return Cell(person.label, note, icon=icon, tone=tone)

    def get_base_queryset(self) -> QuerySet[Registration]:
        self.request.wagtail_zoom_site = self.site
        rows = super().get_base_queryset()
        if self.is_export:
            return rows.only(*EXPORTED_COLUMNS).annotate(row_start=Min("dates__start"))
        rows = rows.select_related("meeting").prefetch_related("dates")
        return rows.defer("join_url", "meeting__join_url", "meeting__passcode", "meeting__agenda")

    def count_name(self, n: int) -> str:
        return ngettext("registration", "registrations", n)

    def default_order(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        ranks = [When(state=name, then=Value(rank)) for rank, name in enumerate(URGENT_STATES)]
        urgency = Case(*ranks, default=Value(len(URGENT_STATES)), output_field=IntegerField())
        return queryset.order_by(urgency, "-created_at", "-pk")

    def search_queryset(self, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Topics by substring, emails as a whole by their blind index, names by decrypting."""
        if not self.is_searching:
            return queryset
        query = self.search_query.strip()
        condition = Q(meeting__topic__icontains=query) | Q(snapshot__topic__icontains=query)
        if "@" in query:
            condition |= Q(email_index__in=tokens.email_indexes(query))
        else:
            condition |= Q(pk__in=ids_by_name(queryset, query))
        return queryset.filter(condition)

    def decorate(self, rows: list[Any]) -> list[Any]:
        access = WriteAccess.of(self.site.pk) if rows and not self.is_export else None
        state_labels = dict(Registration.State.choices)
        persons = attendance.attendances_of(rows) if rows and self.shows_attendance else None
        for row in rows:
            if persons is not None:
                row.attendance = persons[row.pk]
                row.row_attendance, row.row_minutes = row.attendance.label, row.attendance.minutes
                row.row_arrival = row.attendance.first_arrival
            row.write_access = access
            row.row_name, row.row_email = registration.name_and_email(row)
            row.row_topic = row.snapshot.get("topic") or ""
            if not self.is_export:
                row.row_start = min(
                    (date.start for date in row.dates.all() if date.start), default=None
                )
            row.row_state = str(state_labels[row.state])
        if rows:
            self._log()
        return rows

    def _log(self) -> None:
        """Log access to personal data: once an hour for each user, and every export."""
        if getattr(self, "_logged", False):
            return
        self._logged = True
        name = "wagtail_zoom.export" if self.is_export else "wagtail_zoom.registrants"
        site_settings, user = self.site_status.site_settings, self.request.user
        if not site_settings.pk:
            return
        recent = ModelLogEntry.objects.for_instance(site_settings).filter(
            action=name, user=user, timestamp__gte=timezone.now() - LOG_INTERVAL
        )
        if self.is_export or not recent.exists():
            log(instance=site_settings, action=name, user=user)
        if self.is_export:
            Activity.log(
                [site_settings.site_id], "registration", "registrations_exported", user=user
            )

    def intro(self) -> dict[str, Any]:
        counts = self.site_status.registration_counts
        parts = []
        if counts.get("failed"):
            n = counts["failed"]
            parts.append(ngettext("%(n)d needs attention", "%(n)d need attention", n) % {"n": n})
        if counts.get("pending"):
            n = counts["pending"]
            pending_text = ngettext("%(n)d needs your approval", "%(n)d need your approval", n)
            parts.append(pending_text % {"n": n})
        text = ngettext(
            "Names and addresses are deleted %(n)d day after the last date.",
            "Names and addresses are deleted %(n)d days after the last date.",
            self.site_status.site_settings.registration_days,
        ) % {"n": self.site_status.site_settings.registration_days}
        return {"strong": f"{formatting.join_list(parts)}." if parts else "", "text": text}

    def empty_message(self) -> dict[str, Any]:
        from .. import links, usage

        if self.site_status.account and not self.has_user_filters:
            if not self.site_status.site_settings.show_registration:
                url = f"{links.panel_url(self.site_status)}#tab-choices"
                text = _("Registration is switched off.")
                return {"text": text, "url": url, "link": _("What to show")}
            if not usage.pages_with_blocks(self.site, *FORM_BLOCKS).exists():
                return {"text": _("No page has a registration form.")}
        return super().empty_message()


def ids_by_name(rows: QuerySet[Registration], query: str) -> list[int]:
    """Primary keys of the newest registrations with this text in the name."""
    text = query.casefold()
    newest = rows.order_by("-created_at", "-pk").only("pk", "public_id", "answers", "email")
    newest = newest.select_related(None).prefetch_related(None)[:MAX_NAMES_SEARCHED]
    return [
        row.pk
        for row in newest.iterator()
        if text in registration.name_and_email(row)[0].casefold()
    ]


def _row_buttons(row: Any) -> list[dict[str, Any]]:
    """The most important buttons; the others are on the page of the registration."""
    names = {"failed": ("retry",), "pending": ("approve", "deny")}.get(row.state, ())
    return registration.action_buttons(row, row.write_access, names) if names else []


def _meeting_cell(row: Any) -> Cell:
    return Cell(row.row_topic, formatting.short_date_time(row.row_start) if row.row_start else "")


def _registered_cell(row: Registration) -> Cell:
    if timezone.now() - row.created_at < timedelta(hours=12):
        return Cell(_("%(age)s ago") % {"age": formatting.age(row.created_at)})
    return Cell(formatting.short_date_time(row.created_at))


def _state_cell(row: Any) -> Cell:
    icon, tone = STATE_ICONS[row.state]
    note = ""
    is_open = row.task or row.state == Registration.State.PENDING
    blocked_by = moderation.blocked_by(row, row.write_access) if is_open else ""
    if blocked_by:
        note = str(moderation.reason(row, row.write_access))
    elif row.task in registration.DECISION_NOTES:
        note = str(registration.DECISION_NOTES[row.task])
    elif row.state == Registration.State.WAITING and row.next_try_at:
        note = _("next try at %(time)s") % {"time": formatting.date_time(row.next_try_at)}
    elif row.error_class:
        note = str(moderation.reason(row, row.write_access) or _("Zoom did not accept it"))
    elif row.state == Registration.State.PENDING:
        note = _("asked for on %(day)s") % {"day": formatting.short_day(row.created_at)}
    elif row.state == Registration.State.APPROVED:
        note = _link_note(row)
    elif row.state in (Registration.State.DENIED, Registration.State.CANCELLED):
        note = formatting.short_day(row.state_since)
    return Cell(row.row_state, note, icon=icon, tone=tone)


def _link_note(row: Any) -> str:
    if row.meeting is not None and row.meeting.zoom_notifies:
        return _("link sent by Zoom")
    return _("link sent by this site") if "approved" in row.mails else ""
