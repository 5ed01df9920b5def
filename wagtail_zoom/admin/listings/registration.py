"""One registration: what the person entered, and the owner's actions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.log_actions import log

from ...models import Registration, WriteAccess, ZoomSettings
from ...registration import mails, moderation, payload
from ...utils.crypto import DecryptionError
from .. import attendance, formatting
from ..concurrent_edits import SEEN_FIELD, digest
from ..permissions import OwnerAccessMixin, visible_to

PRIMARY_ACTIONS = ("approve", "retry")
CONFIRMED_ACTIONS = ("deny", "cancel")
"""Zoom tells the person at once, and that is not taken back: these ask first."""
DECISION_NOTES: dict[str, Any] = {
    Registration.Task.APPROVE: gettext_lazy("approved here, on its way to Zoom"),
    Registration.Task.DENY: gettext_lazy("denied here, on its way to Zoom"),
}


def action_labels() -> dict[str, str]:
    """Labels of the buttons."""
    return {
        "approve": _("Approve"),
        "deny": _("Deny…"),
        "retry": _("Try again"),
        "edit": _("Correct"),
        "cancel": _("Cancel it…"),
    }


def action_buttons(
    row: Registration, access: WriteAccess, names: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The buttons of a registration: all possible actions, or those in ``names``."""
    actions = []
    for name in moderation.actions(row, access):
        if names and name not in names:
            continue
        url = reverse(f"wagtail_zoom_registrations:{name}", args=[row.pk])
        is_post = name not in ("edit", *CONFIRMED_ACTIONS)
        actions.append(
            {
                "label": action_labels()[name],
                "url": f"{url}?{SEEN_FIELD}={state_digest(row)}" if is_post else url,
                "primary": name in PRIMARY_ACTIONS,
                "post": is_post,
            }
        )
    return actions


def not_allowed_text(error: moderation.ActionNotAllowed) -> str:
    """What the owner reads when an action was not possible."""
    return str(error.reason) or _("That is not possible any more: its state has changed.")


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

    def back_url(self) -> str:
        return self.list_url()

    def log_access(self) -> None:
        """What the user reads of a person is in the audit log."""
        site_settings = ZoomSettings.objects.filter(site=self.row.site_id).first()
        if site_settings is not None:
            log(instance=site_settings, action="wagtail_zoom.registrants", user=self.request.user)

    def list_url(self) -> str:
        index = reverse("wagtail_zoom_registrations:index")
        return f"{index}?site={self.row.site_id}"


class RegistrationDetailView(BaseRegistrationView):
    """All that one person entered. Each view is written to the audit log."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row
        self.log_access()
        starts = [date.start for date in row.dates.all() if date.start]
        access = WriteAccess.of(row.site_id)
        site_settings = access.site_settings or ZoomSettings(site=row.site)
        return render(
            request,
            "wagtail_zoom/admin/registration.html",
            {
                "row": row,
                "site": row.site,
                "details": [
                    (payload.field_label(name), value) for name, value in moderation.details(row)
                ],
                "emails": [
                    (formatting.date_time(sent_at), subject)
                    for subject, sent_at in mails.sent_emails(row)
                ],
                "zoom_notifies": row.meeting is not None and row.meeting.zoom_notifies,
                "next_email": _next_email(row),
                "reason": moderation.reason(row, access),
                "attendance": attendance.detail_rows(row, site_settings),
                "topic": row.snapshot.get("topic") or "",
                "dates": [formatting.date_time(start) for start in sorted(starts)],
                "buttons": action_buttons(row, access),
                "can_forget": row.email.readable,
                "list_url": self.list_url(),
            },
        )


def _next_email(row: Registration) -> str:
    """Whether another email to the person is due, and when: a second one about a new time waits."""
    if not row.mail_due:
        return ""
    if row.mail_at is not None and row.mail_at > timezone.now():
        return _("The next one is sent at %(time)s.") % {"time": formatting.date_time(row.mail_at)}
    return _("The next one is being sent.")


class RegistrationDecisionView(BaseRegistrationView):
    """Approve, deny, cancel or retry. What cannot be undone asks first."""

    http_method_names = ["get", "post"]
    action = ""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row
        if self.action not in CONFIRMED_ACTIONS:
            return self.http_method_not_allowed(request)
        if self.action not in moderation.actions(row):
            messages.error(request, not_allowed_text(moderation.ActionNotAllowed(self.action)))
            return redirect(self.list_url())
        self.log_access()
        name, email = name_and_email(row)
        starts = sorted(date.start for date in row.dates.all() if date.start)
        texts = {
            "deny": (
                _("Deny this registration?"),
                _(
                    "Zoom emails the person that they have no place, and accepts no other "
                    "registration with this email address. You can still approve them later, but "
                    "they have received the refusal by then."
                ),
                _("Deny the registration"),
            ),
            "cancel": (
                _("Cancel this registration?"),
                _(
                    "The person loses their place and their link, and Zoom emails them. This "
                    "cannot be undone; they can register again."
                ),
                _("Cancel the registration"),
            ),
        }
        title, text, button = texts[self.action]
        context = {
            "title": title,
            "text": text,
            "button": button,
            "name": name,
            "email": email,
            "topic": row.snapshot.get("topic") or "",
            "dates": [formatting.date_time(start) for start in starts],
            "site": row.site,
            "list_url": self.list_url(),
            "seen_field": SEEN_FIELD,
            "seen": state_digest(row),
        }
        return render(request, "wagtail_zoom/admin/registration_confirm.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        seen = request.GET.get(SEEN_FIELD) or request.POST.get(SEEN_FIELD)
        if seen and seen != state_digest(self.row):
            messages.warning(request, _changed_text(self.row))
            return redirect(self.list_url())
        success_texts = {
            "approve": _("You approved %(name)s. It is being sent to Zoom."),
            "deny": _("You denied %(name)s. It is being sent to Zoom."),
            "cancel": _("You cancelled the registration of %(name)s. It is being sent to Zoom."),
            "retry": _("The registration of %(name)s is being sent to Zoom again."),
        }
        functions = {
            "approve": moderation.approve,
            "deny": moderation.deny,
            "cancel": moderation.cancel,
            "retry": moderation.retry,
        }
        try:
            functions[self.action](self.row, request.user)
            name = name_and_email(self.row)[0]
            messages.success(request, success_texts[self.action] % {"name": name})
        except moderation.ActionNotAllowed as error:
            messages.error(request, not_allowed_text(error))
        return redirect(self.list_url())


def state_digest(row: Registration) -> str:
    """A fingerprint of a registration's state, for a button that may be outdated."""
    return digest([row.state, row.task])


def id_with_state(row: Registration) -> str:
    """What the checkbox of a row in the list sends; see :func:`read_ids`."""
    return f"{row.pk}-{state_digest(row)}"


def read_ids(values: Iterable[str]) -> dict[str, str]:
    """The fingerprints of states that checkboxes sent, by primary key."""
    pairs = (text.partition("-") for text in values)
    return {pk: seen for pk, _separator, seen in pairs if seen}


def state_text(row: Registration) -> str:
    """The state, and the decision that is on its way to Zoom."""
    note = DECISION_NOTES.get(row.task, "")
    return ", ".join(str(part) for part in (row.get_state_display(), note) if part)


def _changed_text(row: Registration) -> str:
    text = _(
        "Nothing was changed: the registration of %(name)s is no longer as you saw it. It is now: "
        "%(state)s."
    )
    return text % {"name": name_and_email(row)[0], "state": state_text(row)}


def stored_digest(row: Registration) -> str:
    """A fingerprint of what is stored of a registration, for a form that may be outdated."""
    return digest([str(pair) for pair in moderation.details(row)])


class RegistrationEditView(BaseRegistrationView):
    """Correct what Zoom did not accept, and retry."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, None)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._show(request, request.POST)

    def _show(self, request: HttpRequest, data: Any) -> HttpResponse:
        row = self.row
        try:
            form = moderation.edit_form(row, data)
            stored = stored_digest(row)
            is_outdated = data is not None and data.get(SEEN_FIELD, stored) != stored
            if is_outdated:
                messages.warning(
                    request,
                    _(
                        "Somebody else corrected this registration after you opened the page. "
                        "Yours is not saved. Save again to replace the other, or reload the page "
                        "to keep it."
                    ),
                )
            elif data is not None and form.is_valid():  # guard: incomplete-correction-not-saved
                moderation.save_edit(row, form, request.user)
                messages.success(request, _("Saved. It is being sent again."))
                return redirect(self.list_url())
        except moderation.ActionNotAllowed as error:
            messages.error(request, not_allowed_text(error))
            return redirect(self.list_url())
        return render(
            request,
            "wagtail_zoom/admin/registration_edit.html",
            {
                "row": row,
                "site": row.site,
                "form": form,
                "seen_field": SEEN_FIELD,
                "seen": stored,
                "topic": row.snapshot.get("topic") or "",
                "reason": moderation.reason(row),
                "list_url": self.list_url(),
            },
        )
