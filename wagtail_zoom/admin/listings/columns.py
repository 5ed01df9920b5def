"""Columns of our lists: a value with a note below it, a state, a thumbnail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wagtail.admin.ui.tables import Column, TitleColumn


@dataclass(frozen=True)
class Cell:
    """What stands in one cell. ``state`` draws a tag, ``icon`` a word with an icon."""

    text: str
    note: str = ""
    url: str = ""
    icon: str = ""
    tone: str = ""
    tag: str = ""
    """``primary`` or ``plain``: the text is a status tag."""


class CellColumn(Column):
    """Draws the ``Cell`` that the accessor gives."""

    cell_template_name = "wagtail_zoom/admin/cells/cell.html"


class ButtonsColumn(Column):
    """Buttons that repeat in each line; each carries its subject for screen readers."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/buttons.html"


class ThumbnailColumn(Column):
    """The image of an item, or a drawing."""

    header_template_name = "wagtail_zoom/admin/cells/no_header.html"
    cell_template_name = "wagtail_zoom/admin/cells/thumbnail.html"


class ItemTitleColumn(TitleColumn):
    """The title of an item, with the id that its checkbox is described by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("get_title_id", lambda item: f"zoomitem_{item.pk}_title")
        super().__init__(*args, **kwargs)
