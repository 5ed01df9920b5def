"""Everything stored about one person on a Site: handed out, or forgotten."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log

from ...models import ZoomSettings
from ...registration import forget
from ...utils.crypto import DecryptionError
from .registration import SignupView, person_of


class PersonView(SignupView):
    """Base: the person of one sign-up, on the Site of that sign-up only."""

    @cached_property
    def address(self) -> str:
        try:
            return self.row.email.reveal()
        except DecryptionError:
            return ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.address:
            # Nobody can be found by an address that no key opens; the retention deletes the row.
            messages.error(request, _("The address cannot be read with the installation’s keys."))
            return redirect(self.list_url())
        choice = ZoomSettings.objects.filter(site=self.row.site_id).first()
        if choice is not None:
            log(instance=choice, action="wagtail_zoom.registrants", user=request.user)
        return super().dispatch(request, *args, **kwargs)


class HandOutView(PersonView):
    """A file for whoever asks what is stored about them."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = forget.export(self.address, self.row.site, request.user)
        response = JsonResponse(rows, safe=False, json_dumps_params={"ensure_ascii": False})
        response["Content-Disposition"] = 'attachment; filename="person.json"'
        response["Cache-Control"] = "no-store"
        return response


class ForgetView(PersonView):
    """Asks first, then cancels at Zoom and deletes here."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row
        context = {
            "row": row,
            "site": row.site,
            "person": person_of(row)[0],
            "address": self.address,
            "count": forget.rows_of(self.address, row.site).count(),
            "list_url": self.list_url(),
        }
        return render(request, "wagtail_zoom/admin/forget.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        back = self.list_url()
        done = forget.forget(
            self.address, self.row.site, request.user, seconds=forget.REQUEST_SECONDS
        )
        text = ngettext(
            "Forgotten. %(n)d sign-up is deleted.",
            "Forgotten. %(n)d sign-ups are deleted.",
            done.deleted,
        )
        messages.success(request, text % {"n": done.deleted})
        if done.not_at_zoom:
            messages.warning(
                request, _("Zoom could not be told. Please cancel the registration there by hand.")
            )
        if done.not_elsewhere:
            messages.warning(
                request,
                _("Other parts of this website could not be told. Please tell whoever runs it."),
            )
        return redirect(back)
