"""Pages that ask before something ends: disconnect, and waking a copied installation."""

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
from ...permissions import may_wake
from .. import disconnect_dialog, links, site_status
from ..messages.running import mail_to_host
from ..permissions import SiteMixin
from ..site_status import Facts


class DisconnectView(SiteMixin, TemplateView):
    """Says which pages use Zoom and what will happen to them; keep as an archive, or remove."""

    template_name = "wagtail_zoom/admin/disconnect.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = self._known()
        more = {"facts": known, "site": self.site, "panel_url": links.panel_url(known)}
        return super().get_context_data(**kwargs) | disconnect_dialog.context(known) | more

    def post(self, request: HttpRequest) -> HttpResponse:
        from ...oauth import disconnect

        known = self._known()
        keep = request.POST.get("pages") == "keep"
        if request.POST.get("pages") not in ("keep", "remove"):
            messages.error(request, _("Choose what should happen to your pages."))
            return self.get(request)
        disconnect.disconnect(known.choice, keep=keep, user=request.user)
        messages.success(request, _("Zoom is disconnected."))
        return redirect(links.panel_url(known))

    def _known(self) -> Facts:
        known = site_status.of(self.site)
        if known.account is None:
            raise Http404
        return known


class AdoptView(SiteMixin, TemplateView):
    """A copied database: say that this installation is the real one from now on.

    It concerns every Site that the account feeds, so who may not change all of them is told whom
    to ask instead.
    """

    template_name = "wagtail_zoom/admin/adopt.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = self._known()
        subject = _("Is this copy of %(site)s the real site now?") % {"site": self.site.hostname}
        return super().get_context_data(**kwargs) | {
            "facts": known,
            "site": self.site,
            "may": may_wake(self.request.user, known.account),
            "ask": mail_to_host(subject, _("If it is, please switch Zoom on there.")),
            "panel_url": links.panel_url(known),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        known = self._known()
        if not may_wake(request.user, known.account):
            raise PermissionDenied
        wake(known.choice, request.user)
        messages.success(request, _("Zoom is switched on here."))
        return redirect(links.panel_url(known))

    def _known(self) -> Any:
        known = site_status.of(self.site)
        if known.account is None or not known.account.is_quarantined:
            raise Http404
        return known


def wake(choice: ZoomSettings, user: Any) -> None:
    """This installation talks to Zoom for the account of a Site from now on."""
    account = choice.account
    ZoomAccount.objects.filter(pk=account.pk).update(fingerprint=settings.fingerprint)
    sites = ZoomSettings.objects.filter(account=account).values_list("site", flat=True)
    Activity.log(list(sites), "connection", "adopted", account=account, user=user)
    log(instance=choice, action="wagtail_zoom.adopt", user=user)
