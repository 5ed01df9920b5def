"""Three page types. Zoom's data comes from blocks; two of them also have a page for each date."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db import models
from django.http import HttpRequest
from wagtail.admin.panels import FieldPanel
from wagtail.blocks import RichTextBlock
from wagtail.fields import StreamField
from wagtail.models import Page

from wagtail_zoom.blocks import ZoomStreamBlock
from wagtail_zoom.pages import ZoomDatesPageMixin


class BodyBlock(ZoomStreamBlock):
    """The blocks of a page: all Zoom blocks, and text."""

    text = RichTextBlock(features=["h2", "h3", "bold", "italic", "ol", "ul", "link"])


class DemoPage(Page):
    """A page with a lead and a body, in the theme of its Site."""

    lead = models.TextField(blank=True)
    body = StreamField(BodyBlock(), blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]

    class Meta:
        abstract = True

    @cached_property
    def home(self) -> HomePage:
        """The home page of this page's Site."""
        return HomePage.objects.ancestor_of(self, inclusive=True).last()

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the home page."""
        return {**super().get_context(request, *args, **kwargs), "home": self.home}


class HomePage(ZoomDatesPageMixin, DemoPage):
    """The home page of a Site; it also has the Site's theme and address."""

    class Theme(models.TextChoices):
        AURORA = "aurora", "Aurora"
        BOREALIS = "borealis", "Borealis"
        HARBOUR = "harbour", "Harbour"

    site_name = models.CharField(max_length=60)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.AURORA)
    address = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)

    template = "demo_site/home_page.html"
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["demo_site.EventsPage", "demo_site.RecordingsPage"]
    content_panels = [
        *DemoPage.content_panels,
        FieldPanel("site_name"),
        FieldPanel("theme"),
        FieldPanel("address"),
        FieldPanel("email"),
    ]

    @cached_property
    def menu(self) -> list[Page]:
        """The pages of the main menu."""
        return list(self.get_children().live().in_menu())


class EventsPage(ZoomDatesPageMixin, DemoPage):
    """A page with lists of meetings and webinars."""

    template = "demo_site/inner_page.html"
    parent_page_types = ["demo_site.HomePage", "demo_site.EventsPage"]
    subpage_types = ["demo_site.EventsPage"]


class RecordingsPage(DemoPage):
    """A page with recordings."""

    template = "demo_site/inner_page.html"
    parent_page_types = ["demo_site.HomePage"]
    subpage_types: list[str] = []
