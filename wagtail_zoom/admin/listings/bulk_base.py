"""Base classes of our bulk actions: selected ids, limited to the user's own rows."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from wagtail.admin.views.bulk_action import BulkAction

from ..permissions import visible_to


class SelectedBulkAction(BulkAction):
    """Base: reads the selected ids and passes the user to the action."""

    @property
    def selected_ids(self) -> list[str]:
        """The selected primary keys; other values are ignored."""
        return [pk for pk in self.request.GET.getlist("id") if pk.isdigit()]

    def get_execution_context(self) -> dict[str, Any]:
        return {"user": self.request.user}


class OwnedBulkAction(SelectedBulkAction):
    """Base: only rows that the user may change; others are left out silently, so that their titles
    are not disclosed."""

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the related objects that the action needs."""
        return rows

    def selected_rows(self) -> list[Any]:
        """The user's own rows among the selected ones.

        Raises:
            Http404: there is none.
        """
        rows = self.with_related(self.model._default_manager.filter(pk__in=self.selected_ids))
        own_rows = list(visible_to(self.request.user, rows).order_by("pk"))
        if not own_rows:
            raise Http404
        return own_rows

    def check_perm(self, obj: Any) -> bool:
        rows = self.model._default_manager.filter(pk=obj.pk)
        return visible_to(self.request.user, rows).exists()
