"""What our bulk actions share: what was chosen, and that foreign rows do not exist for them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from wagtail.admin.views.bulk_action import BulkAction

from ..permissions import visible_to


class ChosenBulkAction(BulkAction):
    """Base: reads the chosen ids and tells the action who acts."""

    @property
    def wanted(self) -> list[str]:
        """The primary keys that were chosen; anything else that was sent is left out."""
        return [pk for pk in self.request.GET.getlist("id") if pk.isdigit()]

    def get_execution_context(self) -> dict[str, Any]:
        return {"user": self.request.user}


class OwnedBulkAction(ChosenBulkAction):
    """Base: only rows that the user may change; foreign ones are left out without a word, because
    their titles are nobody's business here."""

    def load(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what the action needs of their neighbours."""
        return rows

    def chosen(self) -> list[Any]:
        """The user's own rows among those asked for.

        Raises:
            Http404: there is none.
        """
        rows = self.load(self.model._default_manager.filter(pk__in=self.wanted))
        found = list(visible_to(self.request.user, rows).order_by("pk"))
        if not found:
            raise Http404
        return found

    def check_perm(self, obj: Any) -> bool:
        rows = self.model._default_manager.filter(pk=obj.pk)
        return visible_to(self.request.user, rows).exists()
