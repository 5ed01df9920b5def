"""StreamField blocks. Import paths and child names are public: stored pages depend on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from . import rendering
from .exposure import Exposure
from .models import Kind, Placement


class ZoomListBlock(blocks.StructBlock):
    """A list that follows the page's Site. Stores no id, so a copied page shows nothing foreign."""

    placement: ClassVar[str]

    heading = blocks.CharBlock(label=_("Heading"), required=False, max_length=120)
    limit = blocks.IntegerBlock(label=_("At most"), default=10, min_value=1, max_value=100)
    empty = blocks.CharBlock(
        label=_("Sentence when there is nothing"), required=False, max_length=300
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, **kwargs)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Name the class alone, so that new children make no migration for hosts."""
        return f"wagtail_zoom.blocks.{type(self).__name__}", [], self._constructor_kwargs

    def deconstruct_with_lookup(self, lookup: Any) -> tuple[str, list[Any], dict[str, Any]]:
        return self.deconstruct()

    @classmethod
    def construct_from_lookup(cls, lookup: Any, *args: Any, **kwargs: Any) -> ZoomListBlock:
        return cls(**kwargs)

    def extract_references(self, value: Any) -> Iterator[tuple[Any, str, str, str]]:
        """Say which pages hold such a list: it depends on no single row."""
        yield Placement, self.placement, "", ""

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context)
        found = rendering.gate(parent_context or {})
        context["has_site"] = found is not None
        context["rows"] = self.rows(found, value) if found else []
        context["show_hosts"] = bool(found and found.choice and found.choice.show_host_names)
        return context

    def rows(self, found: Exposure, value: Any) -> list[Any]:
        raise NotImplementedError


class MeetingListBlock(ZoomListBlock):
    """Dates of meetings and webinars."""

    placement = Placement.MEETING_LIST
    kind = blocks.ChoiceBlock(
        label=_("What"),
        required=False,
        choices=[(Kind.MEETING.value, _("Meetings")), (Kind.WEBINAR.value, _("Webinars"))],
    )
    period = blocks.ChoiceBlock(
        label=_("When"),
        choices=[("upcoming", _("Coming up")), ("past", _("Over"))],
        default="upcoming",
    )

    class Meta:
        icon = "date"
        group = "Zoom"
        label = _("Zoom dates")
        template = "wagtail_zoom/blocks/meeting_list.html"

    def rows(self, found: Exposure, value: Any) -> list[Any]:
        return rendering.meetings(found, value)


class RecordingListBlock(ZoomListBlock):
    """Published recordings."""

    placement = Placement.RECORDING_LIST
    order = blocks.ChoiceBlock(
        label=_("Order"),
        choices=[("newest", _("Newest first")), ("oldest", _("Oldest first"))],
        default="newest",
    )

    class Meta:
        icon = "media"
        group = "Zoom"
        label = _("Zoom recordings")
        template = "wagtail_zoom/blocks/recording_list.html"

    def rows(self, found: Exposure, value: Any) -> list[Any]:
        return rendering.recordings(found, value)
