"""Page types with every block, as in a project."""

from wagtail.admin.panels import FieldPanel
from wagtail.api import APIField
from wagtail.blocks import ListBlock, StreamBlock, StructBlock
from wagtail.fields import StreamField
from wagtail.models import Page

from wagtail_zoom.blocks import (
    CalendarBlock,
    MeetingBlock,
    MeetingListBlock,
    NextMeetingBlock,
    RecordingListBlock,
    RegistrationFormBlock,
    ZoomStreamBlock,
)
from wagtail_zoom.pages import ZoomDatesPageMixin, ZoomMeetingPageMixin


class Columns(StructBlock):
    """A block of the project that contains our blocks."""

    left = StreamBlock([("dates", MeetingListBlock())], required=False)
    right = ListBlock(MeetingListBlock())


class ZoomPage(Page):
    body = StreamField(
        [
            ("dates", MeetingListBlock()),
            ("recordings", RecordingListBlock()),
            ("meeting", MeetingBlock()),
            ("next", NextMeetingBlock()),
            ("calendar", CalendarBlock()),
            ("columns", Columns()),
            ("register", RegistrationFormBlock()),
        ],
        blank=True,
    )

    api_fields = [APIField("body")]
    content_panels = [*Page.content_panels, FieldPanel("body")]
    template = "testapp/zoom_page.html"


class EventPage(ZoomMeetingPageMixin, Page):
    """A project's event page with one Zoom meeting."""

    content_panels = [*Page.content_panels, *ZoomMeetingPageMixin.zoom_panels]
    template = "testapp/event_page.html"


class DatesPage(ZoomDatesPageMixin, Page):
    """A list whose occurrences have their own URLs."""

    body = StreamField(ZoomStreamBlock(), blank=True)

    content_panels = [*Page.content_panels, FieldPanel("body")]
    template = "testapp/zoom_page.html"
