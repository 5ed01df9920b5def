"""Export or deletion of all data about one person on a Site."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log

from ...models import ZoomSettings
from ...registration import forget
from ...utils.crypto import DecryptionError
from .registration import BaseRegistrationView, name_and_email


class BasePersonView(BaseRegistrationView):
    """Base: the person of one registration, on the Site of that registration only."""

    @cached_property
    def email(self) -> str:
        try:
            return self.row.email.reveal()
        except DecryptionError:
            return ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.email:
            # Without a readable email no rows can be found; retention deletes the row later.
            messages.error(request, _("The address cannot be read with the installation’s keys."))
            return redirect(self.list_url())
        site_settings = ZoomSettings.objects.filter(site=self.row.site_id).first()
        if site_settings is not None:
            log(instance=site_settings, action="wagtail_zoom.registrants", user=request.user)
        return super().dispatch(request, *args, **kwargs)


class PersonExportView(BasePersonView):
    """A file with all data stored about the person."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = forget.export(self.email, self.row.site, request.user)
        response = JsonResponse(rows, safe=False, json_dumps_params={"ensure_ascii": False})
        response["Content-Disposition"] = 'attachment; filename="person.json"'
        response["Cache-Control"] = "no-store"
        return response


class PersonForgetView(BasePersonView):
    """Asks for confirmation, then cancels in Zoom and deletes the data."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row
        context = {
            "row": row,
            "site": row.site,
            "name": name_and_email(row)[0],
            "email": self.email,
            "count": forget.registrations_of(self.email, row.site).count(),
            "list_url": self.list_url(),
        }
        return render(request, "wagtail_zoom/admin/forget.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        list_url = self.list_url()
        result = forget.forget(
            self.email, self.row.site, request.user, seconds=forget.REQUEST_SECONDS
        )
        text = ngettext(
            "Forgotten. %(n)d registration is deleted.",
            "Forgotten. %(n)d registrations are deleted.",
            result.deleted,
        )
        messages.success(request, text % {"n": result.deleted})
        if result.not_at_zoom:
            messages.warning(
                request,
                _("Zoom could not be notified. Please cancel the registration there manually."),
            )
        if result.failed_receivers:
            messages.warning(
                request,
                _(
                    "Other parts of this website could not be notified. "
                    "Please contact its administrator."
                ),
            )
        return redirect(list_url)
