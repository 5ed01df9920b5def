"""The settings page of one Site, and the fragments that its script loads."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View
from wagtail.contrib.settings.views import EditView

from ...frontend.visibility import Audience, Channel
from .. import connection_card, data_loss, kinds, links, panels, status_rules, usage
from ..forms import with_default_host
from ..permissions import SiteMixin, site_or_404
from ..preview import ExposurePreview
from ..site_status import SiteStatus, get_site_status


class PanelView(EditView):
    """*Settings → Zoom*. Replaces Wagtail's view at the same URL.

    The form exists only for a connected Site; saving needs a confirmation if it deletes data.
    """

    template_name = "wagtail_zoom/admin/panel.html"
    success_message = None
    max_pages = 5
    """Number of pages listed in the confirmation."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        site = site_or_404(request, kwargs["pk"])
        request.wagtail_zoom_site_status = get_site_status(site)  # type: ignore[attr-defined]
        self.status = status_rules.describe(request.wagtail_zoom_site_status)  # type: ignore[attr-defined]
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
            settings_first=self.site_status.site_settings.configured_at is None
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.site_status.account is None or self.site_status.site_settings.needs_confirmation:
            messages.error(request, _("Connect Zoom first."))
            return redirect(self.get_success_url())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        before = self.site_status.site_settings
        host_ids = [host.pk for host in form.cleaned_data["hosts"]]
        if before.configured_at and "confirmed" not in self.request.POST:
            loss = data_loss.loss_of_settings(
                before, self.site_status.stored_host_ids, form.instance.kinds, host_ids
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
        messages.success(
            self.request,
            _("Saved. The import has started.") if was_first else _("Saved."),
        )
        return response

    def confirm_loss(self, loss: data_loss.DataLoss) -> HttpResponse:
        """Show what saving would delete; the page posts the same form again."""
        fields = [
            (name, value)
            for name, values in self.request.POST.lists()
            if name != "csrfmiddlewaretoken"
            for value in values
        ]
        return render(
            self.request,
            "wagtail_zoom/admin/confirm_loss.html",
            {
                "loss": loss,
                "fields": fields,
                "pages": usage.with_block_names(self.site_status.pages[: self.max_pages]),
                "more_pages": max(0, len(self.site_status.pages) - self.max_pages),
                "site": self.site_status.site,
                "panel_url": links.panel_url(self.site_status),
            },
        )

    def get_success_message(self, *args: Any) -> None:
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        site_status = self.site_status
        context["site_status"] = site_status
        context["status"] = self.status if self.status.tone else None
        context["is_connected"] = (
            site_status.account is not None and not site_status.site_settings.needs_confirmation
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


class LiveView(SiteMixin, TemplateView):
    """The card and the parts next to it, reloaded by the script during a run."""

    template_name = "wagtail_zoom/admin/live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site_status = get_site_status(self.site)
        summary = connection_card.summary_context(site_status) | {"fragment": True}
        return (
            super().get_context_data(**kwargs) | connection_card.card_context(site_status) | summary
        )


class HostsView(SiteMixin, View):
    """Hosts by name, except those already in the form (``without``)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        excluded_ids = {int(pk) for pk in request.GET.getlist("without") if pk.isdigit()}
        rows = kinds.search_hosts(site_status, request.GET.get("q", "").strip()[:100], excluded_ids)
        return render(request, "wagtail_zoom/admin/host_rows.html", {"other_hosts": rows})


class PreviewView(SiteMixin, View):
    """What visitors would see with the posted form. Saves nothing."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        if site_status.account is None or site_status.site_settings.needs_confirmation:
            raise Http404
        form_class = panels.edit_handler(settings_first=False).get_form_class()
        form = form_class(
            request.POST, instance=copy.copy(site_status.site_settings), for_user=request.user
        )
        preview = ExposurePreview.from_form(site_status, form)
        data = {
            "sides": kinds.count_texts(preview),
            "sentence": kinds.preview_text(preview),
            "counting": preview.request_missing_counts(),
        }
        return JsonResponse(data)


class VisitorsView(SiteMixin, TemplateView):
    """*What visitors see*: the pages that use Zoom, and the visible occurrences and recordings."""

    template_name = "wagtail_zoom/admin/visitors.html"
    max_rows = 20

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site_status = copy.copy(get_site_status(self.site))
        occurrences = site_status.visibility.occurrences(Audience.VISITOR, Channel.PAGE)
        recordings = site_status.visibility.recordings(Audience.VISITOR, Channel.PAGE)
        return super().get_context_data(**kwargs) | {
            "site_status": site_status,
            "pages": usage.with_block_names(site_status.pages),
            "occurrences": occurrences.filter(end__gte=site_status.now).order_by("start", "pk")[
                : self.max_rows
            ],
            "recordings": recordings.order_by("-start", "-pk")[: self.max_rows],
            "panel_url": links.panel_url(site_status),
        }
