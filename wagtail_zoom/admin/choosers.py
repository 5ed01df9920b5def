"""Chooser blocks for what a Site has of Zoom's. The views behind them are in ``choosing.py``.

Blocks are instantiated while models load, so the admin's views are imported only when a form is
drawn.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import cached_property
from wagtail.blocks import ChooserBlock


class ItemChooserBlock(ChooserBlock):
    """Chooses a meeting, webinar or series (a ``SiteItem``) of a Site the user works on.

    The stored id proves nothing: what renders it must compare the item's Site with the page's.
    """

    shows_recordings: ClassVar[bool] = False

    class Meta:
        icon = "date"

    @cached_property
    def target_model(self) -> Any:
        from ..models import SiteItem

        return SiteItem

    @cached_property
    def widget(self) -> Any:
        from .chooser_views import ItemChooser, RecordingChooser

        return RecordingChooser() if self.shows_recordings else ItemChooser()

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", [], self._constructor_kwargs


class RecordingChooserBlock(ItemChooserBlock):
    """Chooses a recording of a Site the user works on."""

    shows_recordings = True

    class Meta:
        icon = "media"
