"""One registration: what the person entered, and the owner's actions."""

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
from ..permissions import OwnerAccessMixin, visible_to

PRIMARY_ACTIONS = ("approve", "retry")


def action_labels() -> dict[str, str]:
    """Labels of the buttons."""
    return {
        "approve": _("Approve"),
        "deny": _("Deny"),
        "retry": _("Try again"),
        "edit": _("Correct"),
        "cancel": _("Cancel it"),
    }


def field_label(name: str) -> str:
    """Label of a field; custom questions are their own label."""
    if name == "email":
        return _("Email")
    return str(questions.LABELS.get(name, name))


def action_buttons(row: Registration, names: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The buttons of a registration: all possible actions, or those in ``names``."""
    actions = []
    for name in moderation.actions(row):
        if names and name not in names:
            continue
        url = reverse(f"wagtail_zoom_registrations:{name}", args=[row.pk])
        actions.append(
            {
                "label": action_labels()[name],
                "url": url,
                "primary": name in PRIMARY_ACTIONS,
                "post": name != "edit",
            }
        )
    return actions


def name_and_email(row: Registration) -> tuple[str, str]:
    """Name and email, or placeholders when the installation's keys cannot decrypt them."""
    try:
        answers = json.loads(row.answers.reveal() or "{}")
        email = row.email.reveal()
    except (DecryptionError, ValueError):
        return _("cannot be read"), ""
    standard = answers.get("standard") or answers
    names = [str(standard.get(name) or "") for name in ("first_name", "last_name")]
    return " ".join(name for name in names if name) or _("no name"), email


class BaseRegistrationView(OwnerAccessMixin, View):
    """Base: loads the row, limited to the user's own Sites."""

    model = Registration

    @cached_property
    def row(self) -> Registration:
        rows = visible_to(self.request.user, Registration.objects.select_related("site", "account"))
        return get_object_or_404(rows.select_related("meeting"), pk=self.kwargs["pk"])

    def list_url(self) -> str:
        index = reverse("wagtail_zoom_registrations:index")
        return f"{index}?site={self.row.site_id}"


class RegistrationDetailView(BaseRegistrationView):
    """All that one person entered. Each view is written to the audit log."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row
        site_settings = ZoomSettings.objects.filter(site=row.site_id).first()
        if site_settings is not None:
            log(instance=site_settings, action="wagtail_zoom.registrants", user=request.user)
        starts = [date.start for date in row.dates.all() if date.start]
        return render(
            request,
            "wagtail_zoom/admin/registration.html",
            {
                "row": row,
                "site": row.site,
                "details": [(field_label(name), value) for name, value in moderation.details(row)],
                "reason": moderation.reason(row),
                "topic": row.snapshot.get("topic") or "",
                "dates": [formatting.date_time(start) for start in sorted(starts)],
                "buttons": action_buttons(row),
                "can_forget": row.email.readable,
                "list_url": self.list_url(),
            },
        )


class RegistrationDecisionView(BaseRegistrationView):
    """Approve, deny, cancel or retry."""

    http_method_names = ["post"]
    action = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        success_texts = {
            "approve": _("Approved. Zoom is told now."),
            "deny": _("Denied. Zoom is told now."),
            "cancel": _("Cancelled. Zoom is told now."),
            "retry": _("We try again now."),
        }
        functions = {
            "approve": moderation.approve,
            "deny": moderation.deny,
            "cancel": moderation.cancel,
            "retry": moderation.retry,
        }
        try:
            functions[self.action](self.row, request.user)
            messages.success(request, success_texts[self.action])
        except moderation.ActionNotAllowed:
            messages.error(request, _("That is not possible any more: its state has changed."))
        return redirect(self.list_url())


class RegistrationEditView(BaseRegistrationView):
    """Correct what Zoom did not accept, and retry."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, None)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, request.POST)

    def _show(self, request: HttpRequest, data: Any) -> HttpResponse:
        row = self.row
        try:
            if "edit" not in moderation.actions(row):
                raise moderation.ActionNotAllowed("edit")
            form = moderation.edit_form(row, data)
            if data is not None and form.is_valid():
                moderation.save_edit(row, form, request.user)
                messages.success(request, _("Saved. We try again now."))
                return redirect(self.list_url())
        except moderation.ActionNotAllowed:
            messages.error(request, _("That is not possible any more: its state has changed."))
            return redirect(self.list_url())
        return render(
            request,
            "wagtail_zoom/admin/registration_edit.html",
            {
                "row": row,
                "site": row.site,
                "form": form,
                "topic": row.snapshot.get("topic") or "",
                "reason": moderation.reason(row),
                "list_url": self.list_url(),
            },
        )
