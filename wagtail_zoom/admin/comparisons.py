"""Chosen items where Wagtail compares two versions of a page or snippet, and in its forms.

Registered for every foreign key to a ``SiteItem``, also one of a project, whatever panel shows it.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import ForeignKey
from django.utils.html import escape
from wagtail.admin.compare import (
    BlockComparison,
    ForeignObjectComparison,
    TextDiff,
    register_comparison_class,
)
from wagtail.admin.forms.models import register_form_field_override

from ..models import SiteItem
from .item_access import refuse_foreign_item, title_for_user


def _difference(before: SiteItem | None, after: SiteItem | None) -> str:
    if before == after:
        return _shown(after)
    changes = [("deletion", before), ("addition", after)]
    html: str = TextDiff(
        [(change, title_for_user(item)) for change, item in changes if item is not None]
    ).to_html()
    return html


def _shown(item: SiteItem | None) -> str:
    return escape(title_for_user(item)) if item is not None else ""


class ItemBlockComparison(BlockComparison):
    """Of an ``ItemChooserBlock``: titles only of items that the user may choose."""

    def htmlvalue(self, val: SiteItem | None) -> str:
        return _shown(val)

    def htmldiff(self) -> str:
        return _difference(self.val_a, self.val_b)


class ItemFieldComparison(ForeignObjectComparison):
    """Of a foreign key to an item: titles only of items that the user may choose."""

    def htmldiff(self) -> str:
        return _difference(*self.get_objects())


class ItemField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not at runtime
    """Refuses an item that the user may not choose, unless it was chosen before."""

    def clean(self, value: Any) -> Any:
        item = super().clean(value)
        refuse_foreign_item(item)
        return item


def _form_field(db_field: Any) -> dict[str, Any]:
    from .chooser_views import ItemChooser

    return {"form_class": ItemField, "widget": ItemChooser()}


def register() -> None:
    """For all foreign keys to an item. Without it Wagtail lists the items of all Sites."""
    register_comparison_class(ForeignKey, to=SiteItem, comparison_class=ItemFieldComparison)
    register_form_field_override(ForeignKey, to=SiteItem, override=_form_field)
