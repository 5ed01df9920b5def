"""Mixins for a project's own page types: a Zoom meeting of a page, and a page per occurrence.

Import them in ``models.py``. They add no table of our own and no foreign key to a page.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path

from .frontend import links
from .frontend.context import visibility_for
from .frontend.datetimes import zone_label
from .frontend.presenters import occurrence_views
from .frontend.visibility import Audience, Channel
from .models import Occurrence
from .streamfield.single import MeetingBlock


class ZoomItemPanel(FieldPanel):
    """The chooser for ``zoom_item``. Imported late, because the admin needs loaded models."""

    def get_form_options(self) -> dict[str, Any]:
        from .admin.chooser_views import ItemChooser

        options = super().get_form_options()
        options.setdefault("widgets", {})[self.field_name] = ItemChooser()
        return options


class ZoomMeetingPageMixin(models.Model):
    """Gives a page type one meeting, webinar or series.

    ``{{ zoom }}`` in its template is the finished HTML of a ``MeetingBlock``; nothing when no
    meeting is chosen. Add ``ZoomMeetingPageMixin.zoom_panels`` to the panels.
    """

    zoom_item = models.ForeignKey(
        "wagtail_zoom.SiteItem",
        verbose_name=_("Zoom meeting"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    zoom_panels = [ZoomItemPanel("zoom_item")]
    zoom_block = MeetingBlock()

    class Meta:
        abstract = True

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)  # type: ignore[misc]
        context["zoom"] = self.render_zoom(request)
        return context

    def render_zoom(self, request: HttpRequest | None = None) -> str:
        """The HTML of a ``MeetingBlock``, with the visibility rules of this page's Site."""
        if self.zoom_item is None:
            return ""
        block = self.zoom_block
        value = block.normalize({**block.get_default(), "item": self.zoom_item})
        return str(block.render(value, {"page": self, "request": request}))


class ZoomDatesPageMixin(RoutablePageMixin):
    """Gives a page type a URL for each occurrence: ``…/date/<id>/``.

    Titles in lists on such a page link there. Needs ``wagtail.contrib.routable_page``.
    """

    zoom_date_template = "wagtail_zoom/public/date.html"

    @path("date/<str:token>/", name="zoom_date")
    def zoom_date(self, request: HttpRequest, token: str) -> TemplateResponse:
        """The page of one occurrence."""
        visibility = visibility_for({"page": self, "request": request})
        site_id = visibility.site_settings.site_id if visibility and visibility.site_settings else 0
        public_id = links.unsign_id(site_id, token)
        if visibility is None or public_id is None:
            raise Http404
        rows = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
        row = rows.filter(public_id=public_id).first()
        if row is None:
            raise Http404
        view = occurrence_views(visibility, [row], recordings=True)[0]
        context = {
            **self.get_context(request),  # type: ignore[attr-defined]
            "row": view,
            "shown": True,
            "h_title": 1,
            "name": "wz-date",
            "show": dict.fromkeys(("summary", "host", "places", "calendar", "countdown"), True),
            "page_title": f"{view.title}, {view.when.day}",
            "zone": zone_label(row.start, row.meeting.timezone),
        }
        response = TemplateResponse(request, self.zoom_date_template, context)
        # A purge cannot list all these URLs, so caches store them only for a short time.
        patch_cache_control(response, max_age=300)
        return response

    def zoom_date_path(self, site_id: int, row: Occurrence) -> str:
        """Path of an occurrence below this page."""
        return str(self.reverse_subpage("zoom_date", args=[links.sign_id(site_id, row.public_id)]))
