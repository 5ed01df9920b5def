"""The tab *Schedule new* of the chooser."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from wagtail.admin.views.generic.chooser import ChooseResultsViewMixin, CreateView
from wagtail.models import Site

from ...models import MeetingChange
from ..permissions import WagtailView
from . import changes
from .access import SchedulingAccess
from .forms import PRESETS, ScheduleForm, schedule_form
from .views import log, save_new

PREFIX = "zoom-new"
"""Of the names of the fields: the form stands inside the page editor."""


class SchedulingTabMixin(WagtailView):
    """For views of the chooser that show or handle the tab.

    It is for the Site of the page that is being edited; a view without one has no tab.
    """

    creation_form_template_name = "wagtail_zoom/admin/scheduling/choose_create.html"
    request: HttpRequest

    @property
    def editor_site(self) -> Site | None:
        """The Site of the page that is being edited."""
        raise NotImplementedError

    @property
    def lists_recordings(self) -> bool:
        raise NotImplementedError

    def can_create(self) -> bool:
        if isinstance(self, ChooseResultsViewMixin):
            return False  # the tab is not among the results, which are read with each letter
        if self.lists_recordings or self.editor_site is None:
            return False
        self.scheduling = SchedulingAccess(self.editor_site, self.request.user)
        return self.scheduling.may_schedule and not self.scheduling.problem()

    def get_creation_form_class(self) -> type[ScheduleForm]:
        return ScheduleForm

    def get_creation_form(self) -> ScheduleForm:
        data = self.request.POST if self.request.method == "POST" else None
        form = schedule_form(self.scheduling, data, prefix=PREFIX)
        if not self.scheduling.is_owner:
            # Editors choose what visitors see only.
            del form.fields["show"]
        return form

    def get_creation_form_context_data(self, form: ScheduleForm) -> dict[str, Any]:
        context: dict[str, Any] = super().get_creation_form_context_data(form)
        site_pk = self.scheduling.site.pk
        return context | {
            "form": form,
            "presets": PRESETS,
            "rule_url": reverse("wagtail_zoom_admin:rule_text", args=[site_pk]),
            "templates_url": reverse("wagtail_zoom_admin:templates", args=[site_pk]),
            "saved_text": getattr(self, "saved_text", ""),
        }


class ScheduleAndChooseView(CreateView):
    """Schedule the meeting, and choose it once Zoom has it."""

    def post(self, request: HttpRequest) -> HttpResponse:
        self.form = self.get_creation_form()
        row = None
        if self.form.is_valid():
            row = save_new(self.form, self.editor_site, request.user)
        if row is None:
            return self.get_reshow_creation_form_response()
        log(self.editor_site, "meeting_scheduled", row.topic, request.user)
        item = changes.item_of(row)
        if item is not None and row.state == MeetingChange.State.DONE:
            return self.get_chosen_response(item)
        self.saved_text = changes.outcome_text(row)
        return self.get_reshow_creation_form_response()
