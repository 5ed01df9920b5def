"""Base classes of our bulk actions: selected ids, limited to the user's own rows."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.urls import Resolver404, resolve
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from wagtail.admin.views.bulk_action import BulkAction

from ...utils.error_reports import hide_people
from ...utils.urls import split_url
from .. import formatting
from ..permissions import parse_pk, visible_to
from .base import SiteIndexView

MAX_SELECTED = 1000
"""Rows of a list that one action changes."""


class SelectedBulkAction(BulkAction):
    """Base: reads the selected ids and passes the user to the action."""

    @property
    def selected_ids(self) -> list[int]:
        """The selected primary keys; other values are ignored."""
        values = (parse_pk(text) for text in self.request.GET.getlist("id"))
        return [pk for pk in values if pk is not None]

    @method_decorator(hide_people)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)

    def get_execution_context(self) -> dict[str, Any]:
        return {"user": self.request.user}


class OwnedBulkAction(SelectedBulkAction):
    """Base: only rows that the user may change; others are left out silently, so that their titles
    are not disclosed."""

    @property
    def is_whole_list(self) -> bool:
        """Whether all rows of the list are selected, not only those of one page."""
        return "all" in self.request.GET.getlist("id")

    def with_related(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the related objects that the action needs."""
        return rows

    def selected_rows(self) -> list[Any]:
        """The user's own rows among the selected ones.

        Raises:
            Http404: there is none.
        """
        pks = self.ids_of_list() if self.is_whole_list else self.selected_ids
        rows = self.with_related(self.model._default_manager.filter(pk__in=pks))
        own_rows = list(visible_to(self.request.user, rows).order_by("pk"))
        if not own_rows:
            raise Http404
        return own_rows

    def ids_of_list(self) -> list[int]:
        """The rows of the list that the user comes from, with its search and filters: at most
        MAX_SELECTED, which the user reads.

        Raises:
            Http404: the request does not come from one of our lists of this model.
        """
        try:
            view: Any = resolve(split_url(self.next_url).path).func
        except Resolver404:
            raise Http404 from None
        view_class = getattr(view, "view_class", None)
        if view_class is None or not issubclass(view_class, SiteIndexView):
            raise Http404
        request = copy.copy(self.request)
        request.GET = QueryDict(split_url(self.next_url).query)
        listing = view_class(**view.view_initkwargs)
        listing.setup(request)
        rows = listing.get_queryset()
        if rows.model is not self.model:
            raise Http404
        pks = list(rows.values_list("pk", flat=True)[: MAX_SELECTED + 1])
        if len(pks) > MAX_SELECTED:
            text = _(
                "Only the first %(n)s items of the list are selected. "
                "Repeat the action for the others."
            )
            messages.warning(self.request, text % {"n": formatting.number(MAX_SELECTED)})
        return pks[:MAX_SELECTED]

    def check_perm(self, obj: Any) -> bool:
        rows = self.model._default_manager.filter(pk=obj.pk)
        return visible_to(self.request.user, rows).exists()
