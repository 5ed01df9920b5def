"""Models of the baselines: a page with static HTML, and a minimal event row."""

from django.db import models
from wagtail.blocks import RawHTMLBlock
from wagtail.fields import StreamField
from wagtail.models import Page

from wagtail_zoom.blocks import MeetingListBlock, RecordingListBlock


class BenchPage(Page):
    """A page with Zoom lists, or the same HTML as static text."""

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
    """The row that a minimal endpoint stores."""

    request_id = models.CharField(max_length=100, unique=True)
    body = models.TextField()

    def __str__(self) -> str:
        return self.request_id
