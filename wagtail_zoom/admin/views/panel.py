"""The settings page of one Site, and the fragments that its script loads."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View
from wagtail.contrib.settings.views import EditView

from ...frontend.presenters import occurrence_views, recording_views
from ...frontend.visibility import Audience, Channel
from ...permissions import owned_sites
from ...utils.text import without_null
from .. import (
    connection_card,
    data_loss,
    kinds,
    links,
    overview,
    page_check,
    panels,
    status_rules,
    usage,
)
from ..checklist import Checklist
from ..forms import with_default_host
from ..permissions import SiteMixin, parse_pk, site_or_404
from ..preview import ExposurePreview
from ..site_state import SiteState, worst_tone
from ..site_status import SiteStatus, get_site_status


class PanelView(EditView):
    """*Settings → Zoom connection*. Replaces Wagtail's view at the same URL.

    The form exists only for a connected Site; saving needs a confirmation if it deletes data.
    """

    template_name = "wagtail_zoom/admin/panel.html"
    success_message = None

    def setup(self, request: HttpRequest, *args: Any, model_name: str = "", **kwargs: Any) -> None:
        if model_name.lower() != "zoomsettings":
            raise Http404
        site = site_or_404(request, kwargs["pk"])
        site_status = get_site_status(site, user=request.user)
        request.wagtail_zoom_site_status = site_status  # type: ignore[attr-defined]  # for panels
        super().setup(request, "wagtail_zoom", "zoomsettings", *args, **kwargs)

    @property
    def site_status(self) -> SiteStatus:
        return self.request.wagtail_zoom_site_status

    def get_object(self, queryset: Any = None) -> Any:
        """A copy of the stored row for the form, so that the status stays unchanged.

        ``setup`` has checked the permission; Wagtail would read Site and row twice more.
        """
        if self.site_status.site_settings.pk is None:
            return super().get_object(queryset)
        self.site = self.site_status.site
        return copy.copy(self.site_status.site_settings)

    def get_form_kwargs(self) -> dict[str, Any]:
        host_ids = with_default_host(
            self.site_status.site_settings, self.site_status.stored_host_ids
        )
        return super().get_form_kwargs() | {"initial": {"hosts": sorted(host_ids)}}

    def get_panel(self) -> Any:
        return panels.edit_handler(
            opens_settings=self.site_status.site_settings.configured_at is None
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.site_status.account is None or self.site_status.site_settings.needs_confirmation:
            messages.error(request, _("Connect Zoom first."))
            return redirect(self.get_success_url())
        if self.site_status.site_settings.is_archive:  # guard: archive-settings-closed
            messages.error(request, _("Nothing can be added to an archive. Connect Zoom first."))
            return redirect(self.get_success_url())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        before = self.site_status.site_settings
        host_ids = [host.pk for host in form.cleaned_data["hosts"]]
        if before.configured_at and "confirmed" not in self.request.POST:
            loss = data_loss.loss_of_settings(
                before,
                self.site_status.stored_host_ids,
                form.instance.kinds,
                host_ids,
                show_summaries=form.instance.show_summaries,
            )
            if not loss.is_empty:
                return self.confirm_loss(loss)
        from ...sync import settings_changes

        was_first = before.configured_at is None
        with transaction.atomic():
            previous = settings_changes.SettingsSnapshot.of(before)
            response = super().form_valid(form)
            settings_changes.apply_settings_changes(form.instance, self.request.user, previous)
            if "plan" in form.changed_data and self.site_status.account is not None:
                stated = form.cleaned_data["plan"]
                settings_changes.set_plan(form.instance, stated, self.request.user)
        if not form.instance.kinds or not host_ids:
            messages.warning(self.request, _("Saved. Nothing is chosen, so visitors see nothing."))
        elif not was_first:
            messages.success(self.request, _("Saved."))
        elif self.site_status.worker_down:
            text = _("Saved. The import starts when the background worker runs.")
            messages.warning(self.request, text)
        else:
            messages.success(self.request, _("Saved. The import has started."))
        return response

    def confirm_loss(self, loss: data_loss.DataLoss) -> HttpResponse:
        """Show what saving would delete; the page posts the same form again."""
        fields = [
            (name, value)
            for name, values in self.request.POST.lists()
            if name != "csrfmiddlewaretoken"
            for value in values
        ]
        return data_loss.confirmation(self.request, self.site_status, loss, fields=fields)

    def get_success_message(self, *args: Any) -> None:
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        site_status = self.site_status
        context["site_status"] = site_status
        context |= _operator_context(site_status, self.request.user)
        context |= _checklist_context(site_status, self.request.user)
        is_first_run = context["checklist"] is not None
        context["problems"] = problems = [
            row
            for row in status_rules.problems(site_status)
            if not is_first_run or row.state is not SiteState.CHOOSE
        ]
        context["problems_tone"] = worst_tone(problems)
        # One button to connect: where Zoom is missing, that of the message, if there is one.
        context["has_connect_action"] = any(
            action.url == links.connect_url(site_status)
            for row in problems
            for action in row.actions
        )
        context["is_archive"] = site_status.site_settings.is_archive
        context["is_connected"] = (
            site_status.account is not None
            and not site_status.site_settings.needs_confirmation
            and not site_status.site_settings.is_archive
        )
        context["connect_url"] = links.connect_url(site_status)
        context["invite_url"] = links.view_url("invite", site_status)
        if context["is_connected"]:
            context["preview_text"] = kinds.preview_text(site_status.preview)
            context["preview_url"] = links.view_url("preview", site_status)
        elif site_status.account is not None:
            context["card_rows"] = connection_card.card_rows(site_status)
        context["visitors_url"] = links.view_url("visitors", site_status)
        context["submit_button_label"] = panels.save_label(
            first=site_status.site_settings.configured_at is None
        )
        return context


def _is_owner(site_status: SiteStatus, user: Any) -> bool:
    """Whether the tasks of this Site are this user's, who may be the operator."""
    return not user.is_superuser or owned_sites(user).filter(pk=site_status.site.pk).exists()


def _operator_context(site_status: SiteStatus, user: Any) -> dict[str, Any]:
    """Whose Site it is, for operators who look at one of somebody else."""
    if _is_owner(site_status, user):
        return {"is_foreign": False}
    row = overview.row_of(site_status)
    overview_url = reverse("wagtail_zoom_admin:overview")
    return {
        "is_foreign": True,
        "owner": row.owner,
        "mail_url": overview.mail_url(row, links.panel_url(site_status)),
        "overview_url": overview_url,
    }


def _checklist_context(site_status: SiteStatus, user: Any) -> dict[str, Any]:
    checklist = Checklist(site_status, user)
    is_shown = checklist.is_shown and _is_owner(site_status, user)
    return {
        "checklist": checklist if is_shown else None,
        # Its buttons are those of the page below until Zoom is connected and something is chosen.
        "checklist_buttons": (
            site_status.site_settings.shows_data and not checklist.has_meetings_button
        ),
        "has_meetings_button": checklist.has_meetings_button,
    }


class LiveView(SiteMixin, TemplateView):
    """The card and the parts next to it, reloaded by the script during a run."""

    template_name = "wagtail_zoom/admin/live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site_status = get_site_status(self.site, user=self.request.user)
        summary = connection_card.summary_context(site_status) | {"fragment": True}
        return (
            super().get_context_data(**kwargs)
            | connection_card.card_context(site_status)
            | summary
            | _checklist_context(site_status, self.request.user)
        )


class SessionView(SiteMixin, View):
    """For the script: the user is logged in. A login changes the token of the forms."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"token": get_token(request)}, headers={"Cache-Control": "no-store"})


class HostsView(SiteMixin, View):
    """Hosts by name, except those already in the form (``without``)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        values = (parse_pk(text) for text in request.GET.getlist("without"))
        excluded_ids = {pk for pk in values if pk is not None}
        query = without_null(request.GET.get("q", "").strip()[:100])
        rows = kinds.search_hosts(site_status, query, excluded_ids)
        return render(request, "wagtail_zoom/admin/host_rows.html", {"other_hosts": rows})


def preview_of(request: HttpRequest, site_status: SiteStatus) -> ExposurePreview:
    """What visitors would see with the posted form.

    Raises:
        Http404: there is nothing to choose for this Site.
    """
    site_settings = site_status.site_settings
    if site_status.account is None or site_settings.needs_confirmation or site_settings.is_archive:
        raise Http404
    form_class = panels.edit_handler(opens_settings=False).get_form_class()
    form = form_class(request.POST, instance=copy.copy(site_settings), for_user=request.user)
    return ExposurePreview.from_form(site_status, form)


class PreviewView(SiteMixin, View):
    """What visitors would see with the posted form, in numbers. Saves nothing."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        preview = preview_of(request, site_status)
        data = {
            "sides": kinds.count_texts(preview),
            "sentence": kinds.preview_text(preview),
            "counting": preview.request_missing_counts(),
            "hosts": kinds.host_counts(site_status, len(preview.host_ids)),
        }
        return JsonResponse(data)


class VisitorsView(SiteMixin, TemplateView):
    """*What visitors see*: the pages that use Zoom, and the visible occurrences and recordings.

    With the owner's titles and links, as the blocks show them. Posted with the form of the panel:
    with its choices, which are not saved.
    """

    template_name = "wagtail_zoom/admin/visitors.html"
    max_rows = 20

    def post(self, request: HttpRequest) -> HttpResponse:
        preview = preview_of(request, get_site_status(self.site))
        return self.render_to_response(self.get_context_data(preview=preview))

    def get_context_data(
        self, preview: ExposurePreview | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        site_status = get_site_status(self.site)
        visibility = preview.visibility if preview else site_status.visibility
        occurrences = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
        occurrences = occurrences.filter(end__gte=site_status.now).order_by("start", "pk")
        rows = list(occurrences[: self.max_rows])
        recordings = visibility.recordings(Audience.VISITOR, Channel.PAGE)
        recordings = recordings.order_by("-start", "-pk")
        return super().get_context_data(**kwargs) | {
            "site_status": site_status,
            "is_unsaved": preview is not None,
            "is_partial": preview is not None and preview.is_partial,
            "pages": usage.with_block_names(site_status.pages),
            "hidden": page_check.pages_without_blocks(site_status.pages),
            "occurrences": list(zip(rows, occurrence_views(visibility, rows), strict=True)),
            "more_occurrences": max(0, occurrences.count() - len(rows)),
            "recordings": recording_views(
                visibility, recordings[: self.max_rows], with_transcripts=False
            ),
            "more_recordings": max(0, recordings.count() - self.max_rows),
            "panel_url": links.panel_url(site_status),
        }
