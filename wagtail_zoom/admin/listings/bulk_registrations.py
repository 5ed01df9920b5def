"""Bulk actions on registrations: approve, deny, retry; limited to the user's own Sites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...models import Registration
from ...registration import moderation
from .bulk_base import OwnedBulkAction
from .registration import name_and_email


class RegistrationBulkAction(OwnedBulkAction):
    """Base: acts on rows that allow the action and lists the others as left out."""

    models = [Registration]
    template_name = "wagtail_zoom/admin/bulk_registrations.html"
    name = ""
    button: Any = ""
    explanation: Any = ""
    perform: Callable[[Registration, Any], None]

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("site", "account")

    def get_actionable_objects(self) -> tuple[list[Registration], dict[str, list[Registration]]]:
        rows = self.selected_rows()
        actionable = [row for row in rows if self.name in moderation.actions(row)]
        left_out = [row for row in rows if row not in actionable]
        return actionable, {"items_with_no_access": left_out}

    def object_context(self, obj: Registration) -> dict[str, Any]:
        return {
            "item": obj,
            "name": name_and_email(obj)[0],
            "topic": obj.snapshot.get("topic") or "",
        }

    def question(self, n: int) -> str:
        """The question of the confirmation."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        left_out = [self.object_context(row) for row in context["items_with_no_access"]]
        return context | {
            "question": self.question(len(context["items"])),
            "explanation": self.explanation,
            "button": self.button,
            "left_out": left_out,
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

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext(
            "%(n)d sign-up: Zoom is told now.", "%(n)d sign-ups: Zoom is told now.", n
        ) % {"n": n}


class ApproveBulkAction(RegistrationBulkAction):
    """Approve."""

    display_name = _("Approve")
    aria_label = _("Approve the selected sign-ups")
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
    aria_label = _("Deny the selected sign-ups")
    action_type = "zoom_deny"
    action_priority = 20
    name = "deny"
    button = _("Deny")
    explanation = _("Zoom tells them that they have no place.")
    perform = staticmethod(moderation.deny)

    def question(self, n: int) -> str:
        return ngettext("Deny %(n)d person?", "Deny %(n)d people?", n) % {"n": n}


class RetryBulkAction(RegistrationBulkAction):
    """Retry."""

    display_name = _("Try again")
    aria_label = _("Send the selected sign-ups to Zoom again")
    action_type = "zoom_retry"
    action_priority = 30
    name = "retry"
    button = _("Try again")
    explanation = _("They are sent to Zoom again, as they were entered.")
    perform = staticmethod(moderation.retry)

    def question(self, n: int) -> str:
        return ngettext(
            "Send %(n)d sign-up to Zoom again?", "Send %(n)d sign-ups to Zoom again?", n
        ) % {"n": n}


ACTIONS = [ApproveBulkAction, DenyBulkAction, RetryBulkAction]
