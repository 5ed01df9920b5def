"""Confirmation pages: disconnect a Site, and activate a copied installation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.log_actions import log

from ...conf import settings
from ...models import Activity, ZoomAccount, ZoomSettings
from ...permissions import may_activate
from .. import disconnect_dialog, links
from ..messages.running import email_operator
from ..permissions import SiteMixin
from ..site_status import SiteStatus, get_site_status


class DisconnectView(SiteMixin, TemplateView):
    """Lists the pages that use Zoom; the owner keeps an archive or removes everything."""

    template_name = "wagtail_zoom/admin/disconnect.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site_status = self._site_status_or_404()
        page = {
            "site_status": site_status,
            "site": self.site,
            "panel_url": links.panel_url(site_status),
        }
        return super().get_context_data(**kwargs) | disconnect_dialog.context(site_status) | page

    def post(self, request: HttpRequest) -> HttpResponse:
        from ...oauth import disconnect

        site_status = self._site_status_or_404()
        keep = request.POST.get("pages") == "keep"
        if request.POST.get("pages") not in ("keep", "remove"):
            messages.error(request, _("Choose what should happen to your pages."))
            return self.get(request)
        disconnect.disconnect(site_status.site_settings, keep=keep, user=request.user)
        messages.success(request, _("Zoom is disconnected."))
        return redirect(links.panel_url(site_status))

    def _site_status_or_404(self) -> SiteStatus:
        site_status = get_site_status(self.site)
        if site_status.account is None:
            raise Http404
        return site_status


class ActivateCopyView(SiteMixin, TemplateView):
    """Activates a copied database: this installation is the real one from now on.

    It affects every Site of the account. Users who may not change all of them are referred to the
    operator.
    """

    template_name = "wagtail_zoom/admin/adopt.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site_status = self._site_status_or_404()
        subject = _("Is this copy of %(site)s the real site now?") % {"site": self.site.hostname}
        return super().get_context_data(**kwargs) | {
            "site_status": site_status,
            "site": self.site,
            "may_activate": may_activate(self.request.user, site_status.account),
            "operator_actions": email_operator(
                subject, _("If it is, please switch Zoom on there.")
            ),
            "panel_url": links.panel_url(site_status),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        site_status = self._site_status_or_404()
        if not may_activate(request.user, site_status.account):
            raise PermissionDenied
        activate_copy(site_status.site_settings, request.user)
        messages.success(request, _("Zoom is switched on here."))
        return redirect(links.panel_url(site_status))

    def _site_status_or_404(self) -> Any:
        site_status = get_site_status(self.site)
        if site_status.account is None or not site_status.account.is_quarantined:
            raise Http404
        return site_status


def activate_copy(site_settings: ZoomSettings, user: Any) -> None:
    """Let this installation connect to Zoom for the account of a Site."""
    account = site_settings.account
    if account is None:
        return
    ZoomAccount.objects.filter(pk=account.pk).update(fingerprint=settings.fingerprint)
    sites = ZoomSettings.objects.filter(account=account).values_list("site", flat=True)
    Activity.log(list(sites), "connection", "adopted", account=account, user=user)
    log(instance=site_settings, action="wagtail_zoom.adopt", user=user)
