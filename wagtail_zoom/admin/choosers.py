"""Chooser blocks for a Site's items. Their views are in ``chooser_views.py``.

Blocks are instantiated while models load, so the admin's views are imported only when a form is
rendered.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.functional import cached_property
from django.utils.html import escape
from wagtail.blocks import ChooserBlock


def editor_media() -> forms.Media:
    """Script and style of the notes about blocks in the editor, and of the chooser."""
    return forms.Media(
        js=["wagtail_zoom/admin/editor.js"], css={"all": ["wagtail_zoom/admin/editor.css"]}
    )


class ItemChooserBlock(ChooserBlock):
    """Chooses a meeting, webinar or series (a ``SiteItem``) of a Site the user works on.

    The stored id is untrusted: when rendering, the item's Site must be compared with the page's.
    """

    shows_recordings: ClassVar[bool] = False
    for_registration: ClassVar[bool] = False

    class Meta:
        icon = "date"

    @cached_property
    def target_model(self) -> Any:
        from ..models import SiteItem

        return SiteItem

    @cached_property
    def widget(self) -> Any:
        from .chooser_views import ItemChooser, RecordingChooser, RegistrationItemChooser

        if self.shows_recordings:
            return RecordingChooser()
        return RegistrationItemChooser() if self.for_registration else ItemChooser()

    def clean(self, value: Any) -> Any:
        from .item_access import refuse_foreign_item

        item = super().clean(value)
        refuse_foreign_item(item)
        return item

    def render_basic(self, value: Any, context: Any = None) -> str:
        """Wagtail compares lists by it. Outside the admin neither title nor note."""
        from .item_access import current_access, title_for_user

        if value is None:
            return ""
        return escape(title_for_user(value) if current_access() else value)

    def get_comparison_class(self) -> Any:
        """Wagtail's own prints what any user has chosen."""
        from .comparisons import ItemBlockComparison

        return ItemBlockComparison

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        block_class = type(self)
        return f"{block_class.__module__}.{block_class.__qualname__}", [], self._constructor_kwargs


class RegistrationItemChooserBlock(ItemChooserBlock):
    """Chooses a meeting for a registration form: at first those that take registrations."""

    for_registration = True


class RecordingChooserBlock(ItemChooserBlock):
    """Chooses a recording of a Site the user works on."""

    shows_recordings = True

    class Meta:
        icon = "media"
