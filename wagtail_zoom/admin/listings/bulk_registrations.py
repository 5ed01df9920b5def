"""Bulk actions on registrations: approve, deny, retry; limited to the user's own Sites."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...models import Registration, WriteAccess
from ...registration import moderation
from ..concurrent_edits import SEEN_FIELD, read_digests
from ..permissions import parse_pk
from .bulk_base import MAX_SELECTED, OwnedBulkAction
from .registration import name_and_email, read_ids, state_digest, state_text


class SeenStatesForm(forms.Form):
    """Remembers the states that the question was about."""

    seen_values = forms.CharField(required=False, widget=forms.HiddenInput)


class RegistrationBulkAction(OwnedBulkAction):
    """Base: acts on rows that allow the action and are as the user saw them, in the list and in the
    question; the others are left out, which the user reads."""

    models = [Registration]
    template_name = "wagtail_zoom/admin/bulk_registrations.html"
    form_class = SeenStatesForm
    name = ""
    button: Any = ""
    explanation: Any = ""
    perform: Callable[[Registration, Any], None]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("site", "account")

    @cached_property
    def confirmed(self) -> dict[str, str]:
        """Fingerprints of the states that the question was about, by primary key."""
        return read_digests(self.request.POST.get(SEEN_FIELD))

    @property
    def is_whole_list(self) -> bool:
        return not self.confirmed and super().is_whole_list

    @property
    def selected_ids(self) -> list[int]:
        ids = self.confirmed or (text.partition("-")[0] for text in self.request.GET.getlist("id"))
        return [pk for pk in map(parse_pk, ids) if pk is not None][:MAX_SELECTED]

    def get_actionable_objects(self) -> tuple[list[Registration], dict[str, list[Registration]]]:
        rows = self.selected_rows()
        seen = self.confirmed or read_ids(self.request.GET.getlist("id"))
        changed = [row for row in rows if seen.get(str(row.pk)) not in (None, state_digest(row))]
        rows = [row for row in rows if row not in changed]
        sites = {row.site_id for row in rows}
        access = {site_id: WriteAccess.of(site_id) for site_id in sites}
        actionable = [
            row for row in rows if self.name in moderation.actions(row, access[row.site_id])
        ]
        left_out = [row for row in rows if row not in actionable]
        return actionable, {"items_with_no_access": left_out, "changed": changed}

    def object_context(self, obj: Registration) -> dict[str, Any]:
        return {
            "item": obj,
            "name": name_and_email(obj)[0],
            "topic": obj.snapshot.get("topic") or "",
            "state": state_text(obj),
        }

    def question(self, n: int) -> str:
        """The question of the confirmation."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        left_out = [self.object_context(row) for row in context["items_with_no_access"]]
        states = {entry["item"].pk: state_digest(entry["item"]) for entry in context["items"]}
        return context | {
            "question": self.question(len(context["items"])),
            "explanation": self.explanation,
            "button": self.button,
            "left_out": left_out,
            "changed": [self.object_context(row) for row in context["changed"]],
            "form": self.form_class(initial={SEEN_FIELD: json.dumps(states)}),
        }

    @classmethod
    def execute_action(cls, objects: list[Registration], **kwargs: Any) -> tuple[int, int]:
        count = 0
        for row in objects:
            try:
                cls.perform(row, kwargs.get("user"))
                count += 1
            except moderation.ActionNotAllowed:
                continue
        return count, 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str | None:
        n = num_parent_objects
        if changed := len(self.confirmed) - n:
            text = ngettext(
                "%(n)d registration was left out: it is no longer as you saw it.",
                "%(n)d registrations were left out: they are no longer as you saw them.",
                changed,
            )
            messages.warning(self.request, text % {"n": changed})
        if not n:
            return None
        return ngettext(
            "%(n)d registration is being sent to Zoom.",
            "%(n)d registrations are being sent to Zoom.",
            n,
        ) % {"n": n}


class ApproveBulkAction(RegistrationBulkAction):
    """Approve."""

    display_name = _("Approve")
    aria_label = _("Approve the selected registrations")
    action_type = "zoom_approve"
    action_priority = 10
    name = "approve"
    button = _("Approve")
    explanation = _("Zoom gives them a place.")
    perform = staticmethod(moderation.approve)

    def question(self, n: int) -> str:
        return ngettext("Approve %(n)d person?", "Approve %(n)d people?", n) % {"n": n}


class DenyBulkAction(RegistrationBulkAction):
    """Deny."""

    display_name = _("Deny")
    aria_label = _("Deny the selected registrations")
    action_type = "zoom_deny"
    action_priority = 20
    name = "deny"
    button = _("Deny")
    explanation = _("Zoom informs them that they have no place.")
    perform = staticmethod(moderation.deny)

    def question(self, n: int) -> str:
        return ngettext("Deny %(n)d person?", "Deny %(n)d people?", n) % {"n": n}


class RetryBulkAction(RegistrationBulkAction):
    """Retry."""

    display_name = _("Try again")
    aria_label = _("Send the selected registrations to Zoom again")
    action_type = "zoom_retry"
    action_priority = 30
    name = "retry"
    button = _("Try again")
    explanation = _("They are sent to Zoom again, as they were entered.")
    perform = staticmethod(moderation.retry)

    def question(self, n: int) -> str:
        return ngettext(
            "Send %(n)d registration to Zoom again?", "Send %(n)d registrations to Zoom again?", n
        ) % {"n": n}


ACTIONS = [ApproveBulkAction, DenyBulkAction, RetryBulkAction]
