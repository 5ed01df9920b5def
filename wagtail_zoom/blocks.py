"""StreamField blocks. Import paths and child names are public: stored pages depend on them."""

from __future__ import annotations

from wagtail.blocks import StreamBlock

from .streamfield.base import NamedByClass, ZoomBlock
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


class ZoomStreamBlock(NamedByClass, StreamBlock):
    """All our blocks, to add them to a StreamField in one line."""

    meetings = MeetingListBlock()
    next_meeting = NextMeetingBlock()
    meeting = MeetingBlock()
    calendar = CalendarBlock()
    recordings = RecordingListBlock()
    registration = RegistrationFormBlock()
