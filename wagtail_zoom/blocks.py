"""StreamField blocks. Import paths and child names are public: stored pages depend on them."""

from __future__ import annotations

from typing import Any

from wagtail.blocks import StreamBlock

from .streamfield.base import ZoomBlock, public_path
from .streamfield.calendar import CalendarBlock
from .streamfield.lists import ZoomDatesBlock, ZoomListBlock
from .streamfield.meetings import MeetingListBlock
from .streamfield.recordings import RecordingListBlock
from .streamfield.registration import RegistrationFormBlock
from .streamfield.single import MeetingBlock, NextMeetingBlock

__all__ = [
    "CalendarBlock",
    "MeetingBlock",
    "MeetingListBlock",
    "NextMeetingBlock",
    "RecordingListBlock",
    "RegistrationFormBlock",
    "ZoomBlock",
    "ZoomDatesBlock",
    "ZoomListBlock",
    "ZoomStreamBlock",
]


class ZoomStreamBlock(StreamBlock):
    """All our blocks, to add them to a StreamField in one line."""

    meetings = MeetingListBlock()
    next_meeting = NextMeetingBlock()
    meeting = MeetingBlock()
    calendar = CalendarBlock()
    recordings = RecordingListBlock()
    registration = RegistrationFormBlock()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, **kwargs)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Reference only the class, so that a new block needs no migration in a project."""
        return public_path(type(self)), [], self._constructor_kwargs

    def deconstruct_with_lookup(self, lookup: Any) -> tuple[str, list[Any], dict[str, Any]]:
        return self.deconstruct()

    @classmethod
    def construct_from_lookup(cls, lookup: Any, *args: Any, **kwargs: Any) -> ZoomStreamBlock:
        return cls(**kwargs)
