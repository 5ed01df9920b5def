"""Columns of our lists: a value with a note below it, a state, a thumbnail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, TitleColumn


@dataclass(frozen=True)
class Cell:
    """The content of one cell; ``icon`` is shown before the text."""

    text: str
    note: str = ""
    url: str = ""
    icon: str = ""
    tone: str = ""
    tag: str = ""
    """``primary`` or ``plain``: the text is a status tag."""


class CellColumn(Column):
    """Renders the ``Cell`` that the accessor returns."""

    cell_template_name = "wagtail_zoom/admin/cells/cell.html"


class ButtonsColumn(Column):
    """Buttons of each row; each names its row for screen readers."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/buttons.html"


class StateCheckboxColumn(BulkActionsCheckboxColumn):
    """Checkboxes that also send the state in which the list shows their row."""

    cell_template_name = "wagtail_zoom/admin/cells/checkbox.html"

    def __init__(self, *args: Any, get_id: Callable[[Any], str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.get_id = get_id

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> Any:
        context = super().get_cell_context_data(instance, parent_context)
        return {**context, "object_id": self.get_id(instance)}


class ThumbnailColumn(Column):
    """The image of an item, or an icon."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/thumbnail.html"


class ItemTitleColumn(TitleColumn):
    """The title of an item, with the id that its checkbox is described by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("get_title_id", lambda item: f"zoomitem_{item.pk}_title")
        super().__init__(*args, **kwargs)
