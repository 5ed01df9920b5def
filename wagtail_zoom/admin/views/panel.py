"""The settings page of one Site, and the fragments that keep it live."""

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

from ...frontend.visibility import Audience, Surface
from .. import connection_card, data_loss, kinds, links, panels, site_status, states, usage
from ..forms import or_connector
from ..permissions import SiteMixin, site_or_404
from ..preview import Outlook


class PanelView(EditView):
    """*Settings → Zoom*. Stands in front of Wagtail's view of the same address.

    The form is there only for a linked Site; saving what takes something away is asked twice.
    """

    template_name = "wagtail_zoom/admin/panel.html"
    success_message = None
    pages_shown = 5
    """Pages that a question names; of the others it says how many."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        site = site_or_404(request, kwargs["pk"])
        request.wagtail_zoom_facts = site_status.of(site)  # type: ignore[attr-defined]
        self.status = states.describe(request.wagtail_zoom_facts)  # type: ignore[attr-defined]
        super().setup(request, "wagtail_zoom", "zoomsettings", *args, **kwargs)

    @property
    def facts(self) -> site_status.Facts:
        return self.request.wagtail_zoom_facts

    def get_object(self, queryset: Any = None) -> Any:
        """A copy of the stored row, which the form changes: the facts stay what they were.

        ``setup`` has asked for the right already; Wagtail would read Site and row twice more.
        """
        if self.facts.choice.pk is None:
            return super().get_object(queryset)
        self.site = self.facts.site
        return copy.copy(self.facts.choice)

    def get_form_kwargs(self) -> dict[str, Any]:
        ticked = or_connector(self.facts.choice, self.facts.stored_hosts)
        return super().get_form_kwargs() | {"initial": {"hosts": sorted(ticked)}}

    def get_panel(self) -> Any:
        return panels.edit_handler(choices_first=self.facts.choice.configured_at is None)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.facts.account is None or self.facts.choice.needs_confirmation:
            messages.error(request, _("Connect Zoom first."))
            return redirect(self.get_success_url())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        before = self.facts.choice
        chosen = [host.pk for host in form.cleaned_data["hosts"]]
        if before.configured_at and "confirmed" not in self.request.POST:
            loss = data_loss.of_choices(
                before, self.facts.stored_hosts, form.instance.kinds, chosen
            )
            if not loss.is_empty:
                return self.ask(loss)
        from ...sync import settings_changes

        was_first = before.configured_at is None
        with transaction.atomic():
            former = settings_changes.Choice.of(before)
            response = super().form_valid(form)
            settings_changes.apply_exposure(form.instance, self.request.user, former)
            if "plan" in form.changed_data and self.facts.account is not None:
                stated = form.cleaned_data["plan"]
                settings_changes.state_plan(form.instance, stated, self.request.user)
        messages.success(
            self.request,
            _("Saved. The import has started.") if was_first else _("Saved."),
        )
        return response

    def ask(self, loss: data_loss.Loss) -> HttpResponse:
        """Say what saving would delete, and carry the form along."""
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
                "pages": usage.with_contents(self.facts.pages[: self.pages_shown]),
                "more_pages": max(0, len(self.facts.pages) - self.pages_shown),
                "site": self.facts.site,
                "panel_url": links.panel_url(self.facts),
            },
        )

    def get_success_message(self, *args: Any) -> None:
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        known = self.facts
        context["facts"] = known
        context["status"] = self.status if self.status.tone else None
        context["linked"] = known.account is not None and not known.choice.needs_confirmation
        context["connect_url"] = links.connect_url(known)
        context["invite_url"] = links.url("invite", known)
        if context["linked"]:
            context["outlook"] = kinds.sentence(known.outlook)
            context["outlook_url"] = links.url("outlook", known)
        elif known.account is not None:
            context["rows"] = connection_card.rows(known)
        context["visitors_url"] = links.url("visitors", known)
        context["submit_button_label"] = panels.save_label(first=known.choice.configured_at is None)
        return context


class LiveView(SiteMixin, TemplateView):
    """The card, and what the run changes beside it, for the script that watches a run."""

    template_name = "wagtail_zoom/admin/live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = site_status.of(self.site)
        more = connection_card.beside(known) | {"fragment": True}
        return super().get_context_data(**kwargs) | connection_card.live(known) | more


class HostsView(SiteMixin, View):
    """Hosts by name, without those that stand in the form already (``without``)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        known = site_status.of(self.site)
        without = {int(pk) for pk in request.GET.getlist("without") if pk.isdigit()}
        found = kinds.found_hosts(known, request.GET.get("q", "").strip()[:100], without)
        return render(request, "wagtail_zoom/admin/host_lines.html", {"others": found})


class OutlookView(SiteMixin, View):
    """What visitors would see with the form as it stands in the browser. Saves nothing."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        known = site_status.of(self.site)
        if known.account is None or known.choice.needs_confirmation:
            raise Http404
        form_class = panels.edit_handler(choices_first=False).get_form_class()
        form = form_class(request.POST, instance=copy.copy(known.choice), for_user=request.user)
        tried = Outlook.tried(known, form)
        answer = {
            "sides": kinds.sides(tried),
            "sentence": kinds.sentence(tried),
            "counting": tried.count_missing(),
        }
        return JsonResponse(answer)


class VisitorsView(SiteMixin, TemplateView):
    """*What visitors see*: the pages that use Zoom, and what the gate lets through."""

    template_name = "wagtail_zoom/admin/visitors.html"
    rows = 20

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = copy.copy(site_status.of(self.site))
        dates = known.gate.occurrences(Audience.VISITOR, Surface.PAGE)
        films = known.gate.recordings(Audience.VISITOR, Surface.PAGE)
        return super().get_context_data(**kwargs) | {
            "facts": known,
            "pages": usage.with_contents(known.pages),
            "dates": dates.filter(end__gte=known.now).order_by("start", "pk")[: self.rows],
            "recordings": films.order_by("-start", "-pk")[: self.rows],
            "panel_url": links.panel_url(known),
        }
