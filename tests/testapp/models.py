"""A page with every block, as a project would have it."""

from wagtail.admin.panels import FieldPanel
from wagtail.blocks import ListBlock, StreamBlock, StructBlock
from wagtail.fields import StreamField
from wagtail.models import Page

from wagtail_zoom.blocks import MeetingListBlock, RecordingListBlock


class Columns(StructBlock):
    """A block of the project's that holds ours."""

    left = StreamBlock([("dates", MeetingListBlock())], required=False)
    right = ListBlock(MeetingListBlock())


class ZoomPage(Page):
    body = StreamField(
        [
            ("dates", MeetingListBlock()),
            ("recordings", RecordingListBlock()),
            ("columns", Columns()),
        ],
        blank=True,
    )

    content_panels = [*Page.content_panels, FieldPanel("body")]
    template = "testapp/zoom_page.html"
