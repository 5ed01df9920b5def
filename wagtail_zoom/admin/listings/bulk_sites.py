"""Bulk actions on Sites in the overview, for superusers only."""

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
from ..views.disconnect import activate_copy
from .bulk_base import SelectedBulkAction


class SiteBulkAction(SelectedBulkAction):
    """Base: acts on selected Sites to which the action applies."""

    models = [Site]
    template_name = "wagtail_zoom/admin/bulk_sites.html"
    question: Any = ""
    explanation: Any = ""
    button: Any = ""
    left_out_text: Any = ""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_actionable_objects(
        self,
    ) -> tuple[list[overview.SiteRow], dict[str, list[overview.SiteRow]]]:
        rows = overview.site_rows(
            Site.objects.filter(pk__in=self.selected_ids).order_by("hostname")
        )
        if not rows:
            raise Http404
        return [row for row in rows if self.applies_to(row)], {
            "items_with_no_access": [row for row in rows if not self.applies_to(row)]
        }

    def applies_to(self, row: overview.SiteRow) -> bool:
        """Whether the action applies to this Site."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = ("question", "explanation", "button", "left_out_text")
        return super().get_context_data(**kwargs) | {name: getattr(self, name) for name in names}


class MailOwnersBulkAction(SiteBulkAction):
    """Email the owners what their panels show."""

    display_name = _("Mail the owners")
    aria_label = _("Mail the owners of the selected sites")
    action_type = "zoom_mail"
    action_priority = 10
    question = _("Mail the owners of these sites?")
    explanation = _("Each gets the sentence of their own panel, and a link to it.")
    button = _("Send the mails")
    left_out_text = _("Nothing to write about, or nobody known to write to:")

    def applies_to(self, row: overview.SiteRow) -> bool:
        return row.can_mail

    @classmethod
    def execute_action(cls, objects: list[overview.SiteRow], **kwargs: Any) -> tuple[int, int]:
        """Sends after the commit, so that no transaction waits for a mail server."""
        for row in objects:
            transaction.on_commit(partial(overview.mail_owner, row, kwargs.get("user")))
        return len(objects), 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext("%(n)d mail is on its way.", "%(n)d mails are on their way.", n) % {"n": n}


class ActivateBulkAction(SiteBulkAction):
    """Activates copied Sites after a move: this installation is the real one."""

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
    left_out_text = _("These are no copies:")

    def applies_to(self, row: overview.SiteRow) -> bool:
        return row.site_status.account is not None and row.site_status.account.is_quarantined

    @classmethod
    def execute_action(cls, objects: list[overview.SiteRow], **kwargs: Any) -> tuple[int, int]:
        activated_ids: set[int] = set()
        for row in objects:
            account_pk = row.site_status.site_settings.account_id
            if account_pk and account_pk not in activated_ids:
                activated_ids.add(account_pk)
                activate_copy(row.site_status.site_settings, kwargs.get("user"))
        return len(objects), 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext(
            "Zoom is switched on for %(n)d site.", "Zoom is switched on for %(n)d sites.", n
        ) % {"n": n}


ACTIONS = [MailOwnersBulkAction, ActivateBulkAction]
