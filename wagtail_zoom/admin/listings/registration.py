"""One sign-up: what the person entered, and what the owner can do about it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.log_actions import log

from ...models import Registration, ZoomSettings
from ...registration import moderation, questions
from ...utils.crypto import DecryptionError
from .. import formatting
from ..permissions import RowGuard, visible_to

FILLED = ("approve", "retry")


def labels() -> dict[str, str]:
    """What the buttons say."""
    return {
        "approve": _("Approve"),
        "deny": _("Deny"),
        "retry": _("Try again"),
        "edit": _("Correct"),
        "cancel": _("Cancel it"),
    }


def label(name: str) -> str:
    """What a field is called; custom questions have their own words."""
    if name == "email":
        return _("Email")
    return str(questions.LABELS.get(name, name))


def buttons(row: Registration, names: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The buttons of a sign-up: all that is possible now, or those of ``names``."""
    found = []
    for name in moderation.actions(row):
        if names and name not in names:
            continue
        url = reverse(f"wagtail_zoom_registrations:{name}", args=[row.pk])
        found.append(
            {
                "label": labels()[name],
                "url": url,
                "filled": name in FILLED,
                "post": name != "edit",
            }
        )
    return found


def person_of(row: Registration) -> tuple[str, str]:
    """Name and address, or nothing when the installation's keys no longer open them."""
    try:
        answers = json.loads(row.answers.reveal() or "{}")
        address = row.email.reveal()
    except (DecryptionError, ValueError):
        return _("cannot be read"), ""
    standard = answers.get("standard") or answers
    names = [str(standard.get(name) or "") for name in ("first_name", "last_name")]
    return " ".join(name for name in names if name) or _("no name"), address


class SignupView(RowGuard, View):
    """Base: finds the row, among those of the person's Sites."""

    model = Registration

    @cached_property
    def row(self) -> Registration:
        rows = visible_to(self.request.user, Registration.objects.select_related("site", "account"))
        return get_object_or_404(rows.select_related("meeting"), pk=self.kwargs["pk"])

    def list_url(self) -> str:
        index = reverse("wagtail_zoom_registrations:index")
        return f"{index}?site={self.row.site_id}"


class DetailView(SignupView):
    """Everything one person entered. Each look is written into the audit log."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row
        choice = ZoomSettings.objects.filter(site=row.site_id).first()
        if choice is not None:
            log(instance=choice, action="wagtail_zoom.registrants", user=request.user)
        starts = [date.start for date in row.dates.all() if date.start]
        return render(
            request,
            "wagtail_zoom/admin/signup.html",
            {
                "row": row,
                "site": row.site,
                "details": [(label(name), value) for name, value in moderation.details(row)],
                "reason": moderation.reason(row),
                "topic": row.snapshot.get("topic") or "",
                "dates": [formatting.moment(start) for start in sorted(starts)],
                "buttons": buttons(row),
                "can_forget": row.email.readable,
                "list_url": self.list_url(),
            },
        )


class DecideView(SignupView):
    """Approve, deny, cancel or try again."""

    http_method_names = ["post"]
    action = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        said = {
            "approve": _("Approved. Zoom is told now."),
            "deny": _("Denied. Zoom is told now."),
            "cancel": _("Cancelled. Zoom is told now."),
            "retry": _("We try again now."),
        }
        acts = {
            "approve": moderation.approve,
            "deny": moderation.deny,
            "cancel": moderation.cancel,
            "retry": moderation.retry,
        }
        try:
            acts[self.action](self.row, request.user)
            messages.success(request, said[self.action])
        except moderation.NotPossible:
            messages.error(request, _("That is not possible any more: its state has changed."))
        return redirect(self.list_url())


class EditView(SignupView):
    """Correct what Zoom did not accept, and try again."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, None)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, request.POST)

    def _show(self, request: HttpRequest, data: Any) -> HttpResponse:
        row = self.row
        try:
            if "edit" not in moderation.actions(row):
                raise moderation.NotPossible("edit")
            form = moderation.edit_form(row, data)
            if data is not None and form.is_valid():
                moderation.save_edit(row, form, request.user)
                messages.success(request, _("Saved. We try again now."))
                return redirect(self.list_url())
        except moderation.NotPossible:
            messages.error(request, _("That is not possible any more: its state has changed."))
            return redirect(self.list_url())
        return render(
            request,
            "wagtail_zoom/admin/signup_edit.html",
            {
                "row": row,
                "site": row.site,
                "form": form,
                "topic": row.snapshot.get("topic") or "",
                "reason": moderation.reason(row),
                "list_url": self.list_url(),
            },
        )
