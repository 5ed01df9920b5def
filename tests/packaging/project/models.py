"""The home page of the blank project, with our block on it; replaces ``home/models.py``."""

from wagtail.admin.panels import FieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page

from wagtail_zoom.blocks import MeetingListBlock


class HomePage(Page):
    body = StreamField([("meetings", MeetingListBlock())], blank=True)

    content_panels = [*Page.content_panels, FieldPanel("body")]
