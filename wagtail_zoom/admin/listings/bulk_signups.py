"""Bulk actions on sign-ups: give a place, refuse it, try again. Foreign ones do not exist here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin.views.bulk_action import BulkAction

from ...models import Registration
from ...registration import owner
from ..guard import visible_to
from .signups import person_of


class SignupBulkAction(BulkAction):
    """Base: those for which it is possible; the others are named as left out."""

    models = [Registration]
    template_name = "wagtail_zoom/admin/bulk_signups.html"
    name = ""
    button: Any = ""
    explanation: Any = ""
    act: Callable[[Registration, Any], None]

    def get_actionable_objects(self) -> tuple[list[Registration], dict[str, list[Registration]]]:
        wanted = [pk for pk in self.request.GET.getlist("id") if pk.isdigit()]
        rows = Registration.objects.filter(pk__in=wanted).select_related("site", "account")
        found = list(visible_to(self.request.user, rows).order_by("pk"))
        if not found:
            raise Http404
        fits = [row for row in found if self.name in owner.actions(row)]
        return fits, {"items_with_no_access": [row for row in found if row not in fits]}

    def check_perm(self, obj: Registration) -> bool:
        return visible_to(self.request.user, Registration.objects.filter(pk=obj.pk)).exists()

    def object_context(self, obj: Registration) -> dict[str, Any]:
        return {"item": obj, "person": person_of(obj)[0], "topic": obj.snapshot.get("topic") or ""}

    def get_execution_context(self) -> dict[str, Any]:
        return {"user": self.request.user}

    def question(self, n: int) -> str:
        """What is asked before."""
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
                cls.act(row, kwargs.get("user"))
                count += 1
            except owner.NotPossible:
                continue
        return count, 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext(
            "%(n)d sign-up: Zoom is told now.", "%(n)d sign-ups: Zoom is told now.", n
        ) % {"n": n}


class ApproveBulkAction(SignupBulkAction):
    """Give places."""

    display_name = _("Approve")
    aria_label = _("Approve the selected sign-ups")
    action_type = "zoom_approve"
    action_priority = 10
    name = "approve"
    button = _("Approve")
    explanation = _("Zoom gives them a place.")
    act = staticmethod(owner.approve)

    def question(self, n: int) -> str:
        return ngettext("Approve %(n)d person?", "Approve %(n)d people?", n) % {"n": n}


class DenyBulkAction(SignupBulkAction):
    """Refuse places."""

    display_name = _("Deny")
    aria_label = _("Deny the selected sign-ups")
    action_type = "zoom_deny"
    action_priority = 20
    name = "deny"
    button = _("Deny")
    explanation = _("Zoom tells them that they have no place.")
    act = staticmethod(owner.deny)

    def question(self, n: int) -> str:
        return ngettext("Deny %(n)d person?", "Deny %(n)d people?", n) % {"n": n}


class RetryBulkAction(SignupBulkAction):
    """Send to Zoom again."""

    display_name = _("Try again")
    aria_label = _("Send the selected sign-ups to Zoom again")
    action_type = "zoom_retry"
    action_priority = 30
    name = "retry"
    button = _("Try again")
    explanation = _("They are sent to Zoom again, as they were entered.")
    act = staticmethod(owner.retry)

    def question(self, n: int) -> str:
        return ngettext(
            "Send %(n)d sign-up to Zoom again?", "Send %(n)d sign-ups to Zoom again?", n
        ) % {"n": n}


ACTIONS = [ApproveBulkAction, DenyBulkAction, RetryBulkAction]
