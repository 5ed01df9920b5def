"""Bulk actions on Sites in the overview, for superusers only."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.models import Site

from .. import formatting, overview
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

    display_name = _("Email the owners")
    aria_label = _("Email the owners of the selected sites")
    action_type = "zoom_mail"
    action_priority = 10
    template_name = "wagtail_zoom/admin/bulk_mail.html"
    explanation = _("This is sent as soon as you confirm:")
    left_out_text = _("No problem, or no known email address:")

    def applies_to(self, row: overview.SiteRow) -> bool:
        return row.can_mail

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        n = len(context["items"])
        context["question"] = ngettext(
            "Email the owner of this site?", "Email the owners of these sites?", n
        )
        context["button"] = ngettext("Send the email", "Send the emails", n)
        return context

    def object_context(self, obj: overview.SiteRow) -> dict[str, Any]:
        return {"item": obj, "email": overview.preview_mail(obj)}

    def get_execution_context(self) -> dict[str, Any]:
        return super().get_execution_context() | {"request": self.request}

    @classmethod
    def execute_action(
        cls, objects: list[overview.SiteRow], request: Any = None, **kwargs: Any
    ) -> tuple[int, int]:
        """Sends after the commit, so that no transaction waits for a mail server."""
        transaction.on_commit(partial(cls._send, objects, request))
        return len(objects), 0

    @staticmethod
    def _send(objects: list[overview.SiteRow], request: Any) -> None:
        """Send the emails, and report which ones could not be sent."""
        failed = [row for row in objects if not overview.mail_owner(row, request.user)]
        if n := len(objects) - len(failed):
            text = ngettext("%(n)d email is on its way.", "%(n)d emails are on their way.", n)
            messages.success(request, text % {"n": n})
        if failed:
            text = ngettext(
                "The email to the owner of %(sites)s could not be sent.",
                "The emails to the owners of %(sites)s could not be sent.",
                len(failed),
            )
            names = formatting.join_list(row.site.hostname for row in failed)
            messages.error(request, text % {"sites": names})


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
