"""Schedule, change and cancel meetings, and decide on changes that Zoom does not have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.models import Site

from ... import scheduling
from ...exceptions import (
    ZoomConfigurationError,
    ZoomError,
    ZoomNotFound,
    ZoomWriteRefused,
)
from ...mapping.parsing import parse_timezone
from ...models import (
    Activity,
    Meeting,
    MeetingChange,
    Occurrence,
    Recording,
    Registration,
    SiteItem,
)
from ...models.mirror import DATED_SERIES_TYPES
from ...scheduling import MeetingValues
from ...scheduling.error_policy import MESSAGES, classify
from ...utils.crypto import DecryptionError
from .. import formatting, links, usage
from ..concurrent_edits import digest
from ..listings.edit import upcoming_occurrences
from ..listings.meetings import ACTIVE_STATES
from ..permissions import parse_pk
from . import changes, texts
from .access import SchedulingMixin
from .forms import (
    PRESETS,
    RULE_FIELDS,
    ChangeForm,
    MeetingForm,
    ScheduleForm,
    TimeForm,
    schedule_form,
)

ATTEMPT_SECONDS = 4.0
"""For how long a person waits for each call to Zoom; the worker goes on after it."""
SALT = "wagtail_zoom.scheduling.seen"
SEEN_MAX_AGE = 86400
"""Seconds for which a form can be sent."""
FORM_FIELDS = {"start": ("day", "time"), "rule": RULE_FIELDS}
"""The fields of the form that hold a value, where they have other names."""


class BaseSchedulingView(SchedulingMixin, View):
    """Base of the pages: what each of them shows."""

    template_name = ""

    def back_url(self) -> str:
        return self.list_url

    @property
    def list_url(self) -> str:
        """Where the list of meetings is, for those who may see it."""
        if self.access.is_owner:
            return links.meetings_url_of(self.site.pk)
        return reverse("wagtail_zoom_admin:schedule", args=[self.site.pk])

    def show(self, **context: Any) -> HttpResponse:
        """Render the page."""
        context = {
            "site": self.site,
            "list_url": self.list_url,
            "presets": PRESETS,
            "rule_url": reverse("wagtail_zoom_admin:rule_text", args=[self.site.pk]),
            "templates_url": reverse("wagtail_zoom_admin:templates", args=[self.site.pk]),
            **context,
        }
        return render(self.request, self.template_name, context)

    def log(self, code: str, topic: str) -> None:
        """A line of the activity log: who asked for it."""
        log(self.site, code, topic, self.request.user)

    def finish(self, row: MeetingChange) -> HttpResponse:
        """Say what became of a change, and go on."""
        level = {
            MeetingChange.State.DONE: messages.SUCCESS,
            MeetingChange.State.FAILED: messages.ERROR,
        }.get(MeetingChange.State(row.state), messages.WARNING)
        messages.add_message(self.request, level, changes.outcome_text(row))
        return redirect(changes.next_url(row, is_owner=self.access.is_owner))


class ScheduleView(BaseSchedulingView):
    """Schedule a meeting or webinar."""

    template_name = "wagtail_zoom/admin/scheduling/schedule.html"
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if problem := self.access.problem():
            return self.show(problem=problem, **self._page())
        return self.show(form=self.form(None), **self._page())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if self.access.problem():
            return redirect(request.path)
        form = self.form(request.POST)
        row = self.save(form) if form.is_valid() else None
        if row is None:
            self._say_nothing_was_sent(form)
            return self.show(form=form, when=_when(form), **self._page())
        self.log("meeting_scheduled", row.topic)
        return self.finish(row)

    def form(self, data: QueryDict | None) -> ScheduleForm:
        """The form of a new meeting; the topic can come from the URL."""
        return schedule_form(self.access, data, topic=self.request.GET.get("topic", "")[:200])

    def save(self, form: ScheduleForm) -> MeetingChange | None:
        """Save it and try it once; None with errors in the form."""
        return save_new(form, self.site, self.request.user)

    def _page(self) -> dict[str, Any]:
        # The list of the owner has them above it; an editor has no list.
        lines = [] if self.access.is_owner else changes.change_lines(self.access.changes)
        return {"title": _("Schedule a meeting"), "changes": lines}

    def _say_nothing_was_sent(self, form: MeetingForm) -> None:
        text = ngettext(
            "The meeting was not scheduled. Correct %(n)d field. Nothing was sent to Zoom.",
            "The meeting was not scheduled. Correct %(n)d fields. Nothing was sent to Zoom.",
            len(form.errors),
        )
        messages.error(self.request, text % {"n": len(form.errors)})


class RuleTextView(BaseSchedulingView):
    """When the meeting of a form would take place, in words, while it is being filled in."""

    template_name = "wagtail_zoom/admin/scheduling/when.html"
    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        form_class = ScheduleForm if "kind" in request.GET else MeetingForm
        zone = parse_timezone(request.GET.get("shown_zone")) or "UTC"
        seen = MeetingValues(zone=zone)
        form = form_class(request.GET, seen=seen, access=self.access)
        form.is_valid()
        return self.show(when=_when(form))


class TemplatesView(BaseSchedulingView):
    """The templates of a host, for the form that is being filled in; none if Zoom does not say."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        host_pk = parse_pk(request.GET.get("host", ""))
        host = get_object_or_404(self.access.hosts.select_related("account"), pk=host_pk)
        templates: list[tuple[str, str]] = []
        if self.access.reads_templates and not self.access.problem():
            with suppress(ZoomError, ZoomConfigurationError, DecryptionError):
                templates = scheduling.host_templates(self.site, host, seconds=ATTEMPT_SECONDS)
        return JsonResponse({"templates": templates})


class EditChangeView(ScheduleView):
    """Correct a change that has failed, and try again."""

    @cached_property
    def row(self) -> MeetingChange:
        rows = self.access.changes.select_related("site", "meeting")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not scheduling.is_editable(self.row) or self.is_kind_refused:
            return self._say_not_editable()
        if self.row.action == MeetingChange.Action.UPDATE:
            return self._to_change_form()
        return super().get(request)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if self.row.action != MeetingChange.Action.CREATE:
            raise Http404
        if self.is_kind_refused:
            return self._say_not_editable()
        return super().post(request)

    @property
    def is_kind_refused(self) -> bool:
        """Whether the Site schedules others, but none of the kind of this new meeting now."""
        is_new = self.row.action == MeetingChange.Action.CREATE
        is_allowed = self.row.kind in self.access.allowed_kinds
        return is_new and not is_allowed and not self.access.problem()

    def _say_not_editable(self) -> HttpResponse:
        messages.error(self.request, _("This change can no longer be edited."))
        return redirect(self.list_url)

    def form(self, data: QueryDict | None) -> ScheduleForm:
        values, passcode = scheduling.requested_values(self.row)
        is_own = passcode is not None or values.waiting_room is not None
        host = self.access.hosts.filter(zoom_id=self.row.host_zoom_id).first()
        initial = {
            **ScheduleForm.initial_of(values),
            "kind": self.row.kind,
            "zone": values.zone,
            "security": "own" if is_own else "host",
            "passcode": passcode or "",
            "waiting_room": bool(values.waiting_room),
            "recording": values.recording or "",
        }
        if host is not None:
            initial["host"] = host.pk
        form = ScheduleForm(data, seen=values, access=self.access, initial=initial)
        form.fields["kind"].disabled = True
        form.fields.pop("template", None)  # it stays as it was
        return form

    def save(self, form: ScheduleForm) -> MeetingChange | None:
        return send(form, scheduling.edit, self.row, **form.service_values())

    def _page(self) -> dict[str, Any]:
        return {"title": _("Edit and try again"), "reason": changes.reason_text(self.row)}

    def _to_change_form(self) -> HttpResponse:
        items = SiteItem.objects.for_site(self.site)
        item = items.filter(meeting=self.row.meeting_id).first() if self.row.meeting_id else None
        if item is None:
            messages.error(self.request, str(MESSAGES["gone"]))
            return redirect(self.list_url)
        url = reverse("wagtail_zoom_admin:change_meeting", args=[self.site.pk, item.pk])
        return redirect(f"{url}?change={self.row.pk}{self._date_param()}")

    def _date_param(self) -> str:
        if not self.row.occurrence_id:
            return ""
        date = Occurrence.objects.filter(
            meeting=self.row.meeting_id, zoom_id=self.row.occurrence_id
        ).first()
        return f"&date={date.public_id}" if date else ""


class ChangeDecisionView(BaseSchedulingView):
    """Base: one change that Zoom does not have yet."""

    http_method_names = ["post"]

    @cached_property
    def row(self) -> MeetingChange:
        rows = self.access.changes.select_related("site")
        return get_object_or_404(rows, pk=self.kwargs["pk"])


class RetryChangeView(ChangeDecisionView):
    """Try a change again now."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.finish(scheduling.retry(self.row, seconds=ATTEMPT_SECONDS))


class DiscardChangeView(ChangeDecisionView):
    """Give a change up; asks first."""

    template_name = "wagtail_zoom/admin/scheduling/discard.html"
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        is_new = self.row.action == MeetingChange.Action.CREATE
        if self.row.maybe_sent_at is not None:
            text = _("Zoom may have it already. What is there stays there, and appears here.")
        elif is_new:
            text = _("“%(topic)s” is not created. What you entered is deleted.")
        else:
            text = _("“%(topic)s” stays as it is in Zoom. What you entered is deleted.")
        return self.show(row=self.row, text=text % {"topic": self.row.topic})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = scheduling.give_up(self.row)
        if row.state == MeetingChange.State.GIVEN_UP:
            self.log("meeting_change_discarded", row.topic)
            messages.success(request, _("The change is discarded."))
        else:
            messages.info(request, changes.title(row))
        return redirect(self.list_url)


class BaseMeetingView(BaseSchedulingView):
    """Base: one meeting of the Site, or one date of it (``?date=``)."""

    verb = ""
    http_method_names = ["get", "post"]

    @cached_property
    def item_and_meeting(self) -> tuple[SiteItem, Meeting]:
        return self.access.meeting_or_404(self.kwargs["pk"])

    @property
    def item(self) -> SiteItem:
        return self.item_and_meeting[0]

    @property
    def meeting(self) -> Meeting:
        return self.item_and_meeting[1]

    @property
    def is_series(self) -> bool:
        return self.meeting.zoom_type in DATED_SERIES_TYPES

    @cached_property
    def occurrence(self) -> Occurrence | None:
        """The date to change or cancel; None: the whole meeting."""
        text = self.request.GET.get("date", "")
        if not text:
            return None
        try:
            public_id = UUID(text)
        except ValueError:
            raise Http404 from None
        dates = self.upcoming.exclude(zoom_id="")
        return get_object_or_404(dates, public_id=public_id)

    @property
    def upcoming(self) -> Any:
        """The dates to come that take place."""
        dates = upcoming_occurrences(self.meeting).exclude(state=Occurrence.State.CANCELLED)
        return dates.order_by("start")

    @cached_property
    def is_made_here(self) -> bool:
        return scheduling.is_made_here(self.site, self.meeting)

    @property
    def item_url(self) -> str:
        return links.item_url(self.item) if self.access.is_owner else self.list_url

    def refused(self) -> HttpResponse | None:
        """The way back with the reason: Zoom has not allowed it, or a change is on its way."""
        reason = self.access.missing_access(self.verb, self.meeting.kind)
        if not reason and self.verb == "update":  # cancelling waits for nothing
            waiting = changes.waiting_change(self.site.pk, self.meeting)
            reason = changes.outcome_text(waiting) if waiting else ""
        if not reason:
            return None
        messages.error(self.request, reason)
        return redirect(self.item_url)

    def show(self, **context: Any) -> HttpResponse:
        context = {
            "item": self.item,
            "meeting": self.meeting,
            "item_url": self.item_url,
            "is_made_here": self.is_made_here,
            "date_text": texts.start_text(
                MeetingValues(start=self.occurrence.start, zone=self.meeting.timezone or "UTC")
            )
            if self.occurrence
            else "",
            **context,
        }
        return super().show(**context)


class ChangeMeetingView(BaseMeetingView):
    """Change a meeting, or one of its dates, as Zoom has it now."""

    template_name = "wagtail_zoom/admin/scheduling/change.html"
    verb = "update"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        if response := self.refused():
            return response
        seen = self._present()
        if seen is None:
            return redirect(self.item_url)
        requested = self._requested_before(seen)
        form = self._form(None, seen, initial=self._form_class.initial_of(requested))
        return self._show_form(form, seen)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if response := self.refused():
            return response
        data = request.POST.copy()
        seen = _unsign(data.get("seen", ""))
        if seen is None:
            messages.warning(request, _("The page was open for too long. Check it, send again."))
            return redirect(request.get_full_path())
        missing = _keep_chosen(data, seen, self._form_class)
        form = self._form(data, seen)
        if not form.is_valid():
            self._say_nothing_was_sent()
            return self._show_form(form, seen)
        if missing:
            messages.error(request, _("Choose one version of each value."))
            return self._show_comparison(form, seen, self._opened(data, seen))
        if not (self.is_made_here or "adopt" in data):
            form.add_error(None, _("Tick that you may change it, or leave it as it is."))
            return self._show_form(form, seen)
        return self._send(form, seen, data)

    def _send(self, form: TimeForm, seen: MeetingValues, data: QueryDict) -> HttpResponse:
        values = form.values()
        passcode = form.cleaned_data.get("passcode") or None
        names = values.differences(seen)
        if not names and passcode is None:
            messages.info(self.request, _("Nothing is different. Nothing was sent to Zoom."))
            return redirect(self.item_url)
        makes_dates = self.occurrence is None and self.is_series and {"rule", "start"} & {*names}
        if makes_dates and "confirmed" not in data:
            return self._ask_about_rule(form, seen, values)
        row = send(
            form, scheduling.change, site=self.site, meeting=self.meeting, seen=seen,
            occurrence=self.occurrence, key=form.request_key(), adopt="adopt" in data,
            user=self.request.user, passcode=passcode, **self._given(values, names),
        )  # fmt: skip
        if row is None:
            return self._show_form(form, seen)
        if row.error_class == "changed_elsewhere" and row.state == MeetingChange.State.FAILED:
            scheduling.give_up(row)
            return self._compare(form, seen)
        self._discard_former(data)
        self.log("meeting_change_sent", self.item.display_title)
        return self.finish(row)

    def _given(self, values: MeetingValues, names: list[str]) -> dict[str, Any]:
        """What ``scheduling.change`` takes: the values that differ."""
        given = {name: getattr(values, name) for name in names if name != "recording"}
        if "recording" in names:
            given["cloud_recording"] = values.recording == "cloud"
        if self.occurrence is not None or not self.is_series:
            return given
        has_count = values.rule is not None and values.rule.count is not None
        if "rule" in names:
            given["start"] = values.start
        elif "start" in names and has_count and self._has_begun:
            # Zoom would count all dates of the series again from the new start.
            given["rule"] = values.rule
        return given

    @property
    def _has_begun(self) -> bool:
        dates = Occurrence.objects.filter(meeting=self.meeting, start__lt=timezone.now())
        return dates.exists()

    def _compare(self, form: TimeForm, seen: MeetingValues) -> HttpResponse:
        present = self._present()
        if present is None:
            return redirect(self.item_url)
        return self._show_comparison(form, present, seen)

    def _show_comparison(
        self, form: TimeForm, present: MeetingValues, opened: MeetingValues
    ) -> HttpResponse:
        """Both versions side by side. What only Zoom changed is Zoom's."""
        self.template_name = "wagtail_zoom/admin/scheduling/compare.html"
        values, initial = form.values(), type(form).initial_of(present)
        data = form.query.copy()
        rows = []
        for name, label in texts.FIELD_LABELS.items():
            old, theirs, own = (getattr(version, name) for version in (opened, present, values))
            if old == theirs == own:
                continue
            if own == old:
                _overlay(data, name, initial)
            rows.append(
                {
                    "name": name,
                    "label": label,
                    "opened": texts.value_text(opened, name),
                    "zoom": texts.value_text(present, name),
                    "own": texts.value_text(values, name) if own != old else "",
                    "is_conflict": own not in (old, theirs) and theirs != old,
                    "is_only_zoom": own in (old, theirs),
                }
            )
        data["seen"], data["opened"] = _sign(present), _sign(opened)
        data.pop("confirmed", None)  # that was about other dates
        data["key"] = str(uuid4())
        return self.show(rows=rows, fields=_hidden_fields(data), title=self._title)

    def _opened(self, data: QueryDict, seen: MeetingValues) -> MeetingValues:
        return _unsign(data.get("opened", "")) or seen

    def _ask_about_rule(
        self, form: TimeForm, seen: MeetingValues, values: MeetingValues
    ) -> HttpResponse:
        """What new dates mean for the present ones, before they are sent."""
        self.template_name = "wagtail_zoom/admin/scheduling/confirm_rule.html"
        dates = upcoming_occurrences(self.meeting)
        moved = dates.filter(state=Occurrence.State.MOVED).order_by("start")
        cancelled = dates.filter(state=Occurrence.State.CANCELLED).order_by("start")
        registrations = _registrations(self.site.pk, self.meeting)
        return self.show(
            title=_("Change the dates?"),
            before=texts.when_texts(seen),
            after=texts.when_texts(values),
            moved=[formatting.date_time(date.start) for date in moved[:5]],
            moved_count=moved.count(),
            cancelled=[formatting.date_time(date.start) for date in cancelled[:5]],
            cancelled_count=cancelled.count(),
            single_count=registrations.filter(dates__start__gte=timezone.now()).distinct().count(),
            page_count=usage.pages_using_item(self.item).count(),
            fields=_hidden_fields(form.query),
        )

    @property
    def _form_class(self) -> type[TimeForm]:
        return TimeForm if self.occurrence is not None else ChangeForm

    def _form(self, data: QueryDict | None, seen: MeetingValues, **kwargs: Any) -> TimeForm:
        if self.occurrence is not None:
            return TimeForm(data, seen=seen, **kwargs)
        is_webinar = self.meeting.kind == "webinar"
        return ChangeForm(data, seen=seen, access=self.access, is_webinar=is_webinar, **kwargs)

    def _show_form(self, form: TimeForm, seen: MeetingValues) -> HttpResponse:
        return self.show(
            form=form, signed=_sign(seen), shown_zone=seen.zone, title=self._title,
            when=_when(form) if self.occurrence is None else [],
            has_fixed_rule=seen.rule is None, is_cut=bool(self.meeting.cut_digest),
            former=self.request.POST.get("former") or self.request.GET.get("change", ""),
            zone_note=texts.value_text(seen, "zone"),
        )  # fmt: skip

    @property
    def _title(self) -> str:
        return _("Change: %(topic)s") % {"topic": self.item.display_title}

    def _present(self) -> MeetingValues | None:
        """What Zoom has now; None with a message if it cannot be read."""
        try:
            return scheduling.present_values(
                self.site, self.meeting, self.occurrence, seconds=ATTEMPT_SECONDS
            )
        except ZoomNotFound:
            messages.error(self.request, str(MESSAGES["gone"]))
        except ZoomWriteRefused as error:
            messages.error(self.request, str(MESSAGES[error.reason]))
        except (ZoomError, ZoomConfigurationError, DecryptionError) as error:
            reason = MESSAGES.get(classify(error, 0).error, MESSAGES["unreachable"])
            text = _("The meeting could not be read from Zoom. Nothing was sent. %(reason)s")
            messages.error(self.request, text % {"reason": reason})
        return None

    def _requested_before(self, seen: MeetingValues) -> MeetingValues:
        """The values of the change that is to be corrected (``?change=``)."""
        row = self._former(self.request.GET.get("change", ""))
        return scheduling.requested_values(row, seen)[0] if row is not None else seen

    def _former(self, text: str) -> MeetingChange | None:
        rows = self.access.changes.filter(meeting=self.meeting, state=MeetingChange.State.FAILED)
        return rows.filter(pk=parse_pk(text) or 0).first()

    def _discard_former(self, data: QueryDict) -> None:
        row = self._former(data.get("former", ""))
        if row is not None:
            scheduling.give_up(row)

    def _say_nothing_was_sent(self) -> None:
        messages.error(self.request, _("Nothing was sent to Zoom. Correct the marked fields."))


@dataclass(frozen=True)
class CancelEffects:
    """What hangs on a meeting, or on one of its dates, that is to be cancelled."""

    registered: int
    on_the_way: int
    pages: list[Any]
    recordings: int
    dates: int

    def digest(self) -> str:
        """A fingerprint of what a person was told."""
        return digest([str(n) for n in (self.registered, len(self.pages), self.dates)])


class CancelMeetingView(BaseMeetingView):
    """Cancel a meeting with all its dates, or one date; says first what hangs on it."""

    template_name = "wagtail_zoom/admin/scheduling/cancel.html"
    verb = "delete"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.refused() or self._ask()

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if response := self.refused():
            return response
        if request.POST.get("seen") != self.effects.digest():
            messages.warning(
                request,
                _("Something changed while this page was open. Check the numbers, confirm again."),
            )
            return self._ask()
        if not (self.is_made_here or "adopt" in request.POST):
            messages.error(request, _("Tick that you may cancel it, or keep it."))
            return self._ask()
        try:
            row = scheduling.cancel(
                site=self.site, meeting=self.meeting, occurrence=self.occurrence,
                key=self._request_key(request.POST.get("key", "")),
                notify=request.POST.get("notify") == "yes", user=request.user,
                seconds=ATTEMPT_SECONDS,
            )  # fmt: skip
        except ZoomWriteRefused as error:
            messages.error(request, str(MESSAGES[error.reason]))
            return redirect(self.item_url)
        self.log("meeting_cancelled", self.item.display_title)
        return self.finish(row)

    @cached_property
    def effects(self) -> CancelEffects:
        registrations = _registrations(self.site.pk, self.meeting)
        if self.occurrence is not None:
            # Without dates: for all of them.
            for_it = Q(dates__occurrence=self.occurrence) | Q(dates=None)
            registrations = registrations.filter(for_it).distinct()
        registered = registrations.count()
        if self.occurrence is None:
            registered = max(registered, self.meeting.registrant_count or 0)
        return CancelEffects(
            registered=registered,
            on_the_way=registrations.filter(state=Registration.State.WAITING).count(),
            pages=list(usage.pages_using_item(self.item)[:20]),
            recordings=Recording.objects.filter(meeting=self.meeting, removed_at=None).count(),
            dates=self.upcoming.count(),
        )

    def _request_key(self, key: str) -> str:
        """The key of this page for this meeting or date."""
        date = self.occurrence.zoom_id if self.occurrence else ""
        return digest([str(self.meeting.pk), date, key])

    def _ask(self) -> HttpResponse:
        dates = list(self.upcoming[:1])
        zone = self.meeting.timezone or "UTC"
        when = texts.start_text(MeetingValues(start=dates[0].start, zone=zone)) if dates else ""
        return self.show(
            title=self._title,
            effects=self.effects,
            seen=self.effects.digest(),
            is_date=self.occurrence is not None,
            is_series=self.is_series,
            first_date=when,
            others=self.effects.dates - 1,
            key=str(uuid4()),
            notifies=self.effects.registered > 0,
        )

    @property
    def _title(self) -> str:
        if self.occurrence is not None:
            return _("Cancel this date?")
        return _("Cancel the series?") if self.is_series else _("Cancel the meeting?")


def log(site: Site, code: str, topic: str, user: Any) -> None:
    """A line of a Site's activity log: who asked for a change of a meeting."""
    Activity.log([site.pk], "curation", code, data={"topic": topic}, user=user)


def save_new(form: ScheduleForm, site: Site, user: Any) -> MeetingChange | None:
    """Save what a valid form schedules, and try it once; None with errors in the form."""
    return send(
        form, scheduling.schedule, site=site, kind=form.cleaned_data["kind"],
        key=form.request_key(), user=user, template_id=form.cleaned_data.get("template", ""),
        **form.service_values(),
    )  # fmt: skip


def send(
    form: TimeForm, function: Callable[..., MeetingChange], *arguments: Any, **values: Any
) -> MeetingChange | None:
    """Call a function of ``scheduling``. What it refuses is shown in the form: returns None."""
    try:
        return function(*arguments, seconds=ATTEMPT_SECONDS, **values)
    except ValidationError as error:
        form.add_errors(error)
    except ZoomWriteRefused as error:
        form.add_error(None, str(MESSAGES[error.reason]))
    return None


def _registrations(site_pk: int, meeting: Meeting) -> Any:
    return Registration.objects.filter(site=site_pk, meeting=meeting, state__in=ACTIVE_STATES)


def _when(form: TimeForm) -> list[str]:
    """When the meeting of a form takes place, if it can be said."""
    cleaned = getattr(form, "cleaned_data", {})
    start, rule = cleaned.get("start"), cleaned.get("rule")
    if not form.is_bound:
        return texts.when_texts(form.seen) if form.seen.start else []
    if start is None or rule is None:
        is_incomplete = any(name in form.errors for name in RULE_FIELDS)
        return [_("The rule is not complete yet.")] if is_incomplete else []
    return texts.when_texts(
        MeetingValues(
            start=start, duration=cleaned.get("duration") or 0, zone=form.zone_name(), rule=rule
        )
    )


def _sign(values: MeetingValues) -> str:
    return signing.dumps(values.as_json(), salt=SALT, compress=True)


def _unsign(text: str) -> MeetingValues | None:
    """The values of a hidden field; None if it is too old or not ours."""
    try:
        return MeetingValues.from_json(signing.loads(text, salt=SALT, max_age=SEEN_MAX_AGE))
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return None


def _keep_chosen(data: QueryDict, present: MeetingValues, form_class: type[TimeForm]) -> bool:
    """Put Zoom's values into the fields for which they were chosen on the page with both versions.

    Returns:
        Whether a version is still to be chosen.
    """
    is_missing = False
    initial = form_class.initial_of(present)
    for name in data.getlist("conflicts"):
        chosen = data.get(f"keep-{name}")
        if chosen == "zoom" and name in texts.FIELD_LABELS:
            _overlay(data, name, initial)
        elif chosen != "own":
            is_missing = True
    return is_missing


def _overlay(data: QueryDict, name: str, initial: dict[str, Any]) -> None:
    """Put the form's values of ``initial`` into the fields that hold a value."""
    for field in FORM_FIELDS.get(name, (name,)):
        value = initial.get(field)
        if isinstance(value, list):
            data.setlist(field, value)
        elif value in (None, False, ""):
            data.pop(field, None)
        else:
            data[field] = "on" if value is True else str(value)


def _hidden_fields(data: QueryDict) -> list[tuple[str, str]]:
    """What was sent, to be sent again from a page in between."""
    skipped = {"csrfmiddlewaretoken", "conflicts"}
    return [
        (name, str(value))
        for name, values in data.lists()
        if name not in skipped and not name.startswith("keep-")
        for value in values
    ]
