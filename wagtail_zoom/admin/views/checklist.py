"""The steps of the checklist that lead to pages, and hiding it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin import messages as admin_messages
from wagtail.models import Site

from ...models import ZoomSettings
from .. import block_place
from ..checklist import SHOWN_AFTER_LAST_STEP, Checklist, hint
from ..permissions import SiteMixin
from ..site_status import get_site_status


class ViewPageView(SiteMixin, View):
    """Open the page that shows Zoom: the last step. A link, because the page may be on another
    host, and with ``form-action 'self'`` a form may not lead there."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        url = Checklist(site_status).page_url
        if not url:
            messages.error(request, _("No published page shows Zoom any more."))
            return redirect(reverse("wagtailadmin_home"))
        _end(self.site, SHOWN_AFTER_LAST_STEP)
        return redirect(url)


class ChoosePageView(SiteMixin, View):
    """The list of the Site's pages, with what to do there."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        usage = block_place.usage_for(get_site_status(self.site).site_settings)
        messages.info(request, hint(usage))
        return redirect(reverse("wagtailadmin_explore", args=[self.site.root_page_id]))


class AddBlockView(SiteMixin, View):
    """Add the first Zoom block to the draft of a page, and open its editor."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        usage = block_place.usage_for(get_site_status(self.site).site_settings)
        place = block_place.block_place(self.site, usage, request.user)
        if place is None:
            return redirect("wagtail_zoom_admin:choose_page", self.site.pk)
        if place.has_block:
            return redirect(place.url)
        try:
            place.add_block(request.user)
        except ValidationError:
            messages.error(
                request, _("This page has a problem of its own. Save it, then add the block here.")
            )
            return redirect("wagtailadmin_pages:edit", place.page.pk)
        text = _("The block “%(block)s” is in the draft. Publish the page to show it to visitors.")
        show = admin_messages.button(place.url, _("Show the block"))
        admin_messages.success(request, text % {"block": place.block_label}, buttons=[show])
        return redirect("wagtailadmin_pages:edit", place.page.pk)


class HideChecklistView(SiteMixin, View):
    """The owner does not want the checklist any more."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        _end(self.site, timedelta(0))
        return redirect(reverse("wagtailadmin_home"))


def _end(site: Site, delay: timedelta) -> None:
    """Let the checklist end after this time; no later than it would have ended anyway."""
    site_settings = ZoomSettings.for_site(site)
    ends_at = get_site_status(site).now + delay
    stored = site_settings.checklist_ends_at
    if stored is None or ends_at < stored:
        ZoomSettings.objects.filter(pk=site_settings.pk).update(checklist_ends_at=ends_at)
