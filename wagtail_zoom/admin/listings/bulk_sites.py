"""Bulk actions on Sites in the fleet view: for superusers only."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.models import Site

from .. import overview
from ..views.disconnect import wake
from .bulk_base import ChosenBulkAction


class SiteBulkAction(ChosenBulkAction):
    """Base: those of the chosen Sites for which the action makes sense."""

    models = [Site]
    template_name = "wagtail_zoom/admin/bulk_sites.html"
    question: Any = ""
    explanation: Any = ""
    button: Any = ""
    nobody: Any = ""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_actionable_objects(self) -> tuple[list[overview.Row], dict[str, list[overview.Row]]]:
        rows = overview.rows(Site.objects.filter(pk__in=self.wanted).order_by("hostname"))
        if not rows:
            raise Http404
        return [row for row in rows if self.suits(row)], {
            "items_with_no_access": [row for row in rows if not self.suits(row)]
        }

    def suits(self, row: overview.Row) -> bool:
        """Whether there is something to do for this Site."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = ("question", "explanation", "button", "nobody")
        return super().get_context_data(**kwargs) | {word: getattr(self, word) for word in words}


class MailOwnersBulkAction(SiteBulkAction):
    """Write to the owners what their panels say."""

    display_name = _("Mail the owners")
    aria_label = _("Mail the owners of the selected sites")
    action_type = "zoom_mail"
    action_priority = 10
    question = _("Mail the owners of these sites?")
    explanation = _("Each gets the sentence of their own panel, and a link to it.")
    button = _("Send the mails")
    nobody = _("Nothing to write about, or nobody known to write to:")

    def suits(self, row: overview.Row) -> bool:
        return row.can_mail

    @classmethod
    def execute_action(cls, objects: list[overview.Row], **kwargs: Any) -> tuple[int, int]:
        """After the commit: no mail server is waited for inside a transaction."""
        for row in objects:
            transaction.on_commit(partial(overview.write, row, kwargs.get("user")))
        return len(objects), 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext("%(n)d mail is on its way.", "%(n)d mails are on their way.", n) % {"n": n}


class WakeBulkAction(SiteBulkAction):
    """After a move: this installation is the real one for these Sites."""

    display_name = _("Switch Zoom on here")
    aria_label = _("Switch Zoom on for the selected sites, which are copies")
    action_type = "zoom_wake"
    action_priority = 20
    question = _("Is this now the real installation of these sites?")
    explanation = _(
        "Do this only when the other copy is switched off for good. Two copies that talk to Zoom "
        "take the connection away from each other."
    )
    button = _("It is, start Zoom here")
    nobody = _("These are no copies:")

    def suits(self, row: overview.Row) -> bool:
        return row.facts.account is not None and row.facts.account.is_quarantined

    @classmethod
    def execute_action(cls, objects: list[overview.Row], **kwargs: Any) -> tuple[int, int]:
        seen: set[int] = set()
        for row in objects:
            account_pk = row.facts.choice.account_id
            if account_pk and account_pk not in seen:
                seen.add(account_pk)
                wake(row.facts.choice, kwargs.get("user"))
        return len(objects), 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext(
            "Zoom is switched on for %(n)d site.", "Zoom is switched on for %(n)d sites.", n
        ) % {"n": n}


ACTIONS = [MailOwnersBulkAction, WakeBulkAction]
