"""Chooser blocks for a Site's items. Their views are in ``chooser_views.py``.

Blocks are instantiated while models load, so the admin's views are imported only when a form is
rendered.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.functional import cached_property
from wagtail.blocks import ChooserBlock


class ItemChooserBlock(ChooserBlock):
    """Chooses a meeting, webinar or series (a ``SiteItem``) of a Site the user works on.

    The stored id is untrusted: when rendering, the item's Site must be compared with the page's.
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
        block_class = type(self)
        return f"{block_class.__module__}.{block_class.__qualname__}", [], self._constructor_kwargs


class RecordingChooserBlock(ItemChooserBlock):
    """Chooses a recording of a Site the user works on."""

    shows_recordings = True

    class Meta:
        icon = "media"
