"""What the floors need: a page that can hold static HTML, and a bare row."""

from django.db import models
from wagtail.blocks import RawHTMLBlock
from wagtail.fields import StreamField
from wagtail.models import Page

from wagtail_zoom.blocks import MeetingListBlock, RecordingListBlock


class BenchPage(Page):
    """Lists of ours, or the same HTML as static text."""

    body = StreamField(
        [
            ("dates", MeetingListBlock()),
            ("recordings", RecordingListBlock()),
            ("html", RawHTMLBlock()),
        ],
        blank=True,
    )

    template = "testapp/zoom_page.html"


class BareEvent(models.Model):
    """What the simplest endpoint imaginable would store."""

    request_id = models.CharField(max_length=100, unique=True)
    body = models.TextField()

    def __str__(self) -> str:
        return self.request_id
