"""Mixins for a project's own page types: a Zoom meeting of a page, and a page per occurrence.

Import them in ``models.py``. They add no table of our own and no foreign key to a page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import models
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path

from .frontend import links, restrictions
from .frontend.cache.headers import set_lifetime
from .frontend.context import RequestContext, visibility_for
from .frontend.datetimes import zone_label
from .frontend.feeds import schema_org
from .frontend.page_meta import PageMeta, canonical_path, meta_of
from .frontend.presenters import occurrence_views
from .frontend.visibility import Audience, Channel
from .models import Occurrence
from .streamfield.single import MeetingBlock, meeting_views


class ZoomItemPanel(FieldPanel):
    """The chooser for ``zoom_item``. Imported late, because the admin needs loaded models."""

    def get_form_options(self) -> dict[str, Any]:
        from .admin.chooser_views import ItemChooser

        options = super().get_form_options()
        options.setdefault("widgets", {})[self.field_name] = ItemChooser()
        return options

    def format_value_for_display(self, value: Any) -> Any:
        """Where the panel is read-only: the title only for users who may choose the item."""
        from .admin.item_access import title_for_user

        return title_for_user(value) if value is not None else ""

    class BoundPanel(FieldPanel.BoundPanel):
        @property
        def attrs(self) -> dict[str, Any]:
            """For the editor's script: what visitors would not see is said below the field."""
            return {
                **super().attrs,
                "data-wza-check": reverse("wagtail_zoom_items:check"),
                "data-wza-label": str(self.heading),
            }


class ZoomMeetingPageMixin(models.Model):
    """Gives a page type one meeting, webinar or series.

    ``{{ zoom }}`` in its template is the finished HTML of a ``MeetingBlock``; nothing when no
    meeting is chosen. Add ``ZoomMeetingPageMixin.zoom_panels`` to the panels. ``zoom_meta`` is for
    ``{% include "wagtail_zoom/public/_meta.html" %}`` in the head: canonical URL, description and
    image, if the project's base template has none of its own.
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
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)  # type: ignore[misc]  # of the page type
        context["zoom"] = self.render_zoom(request)
        context["zoom_meta"] = SimpleLazyObject(lambda: self.zoom_meta(request))
        return context

    def render_zoom(self, request: HttpRequest | None = None) -> str:
        """The HTML of a ``MeetingBlock``, with the visibility rules of this page's Site."""
        if self.zoom_item is None:
            return ""
        block = self.zoom_block
        value = block.normalize({**block.get_default(), "item": self.zoom_item})
        return str(block.render(value, {"page": self, "request": request}))

    def zoom_meta(self, request: HttpRequest) -> PageMeta | None:
        """What the head says of this page, with its own title and description first; None without
        a meeting that visitors see."""
        context = {"page": self, "request": request}
        visibility = visibility_for(context)
        if self.zoom_item is None or visibility is None or visibility.site_settings is None:
            return None
        view = RequestContext.from_context(context).memoize(
            ("meeting", self.zoom_item.pk), lambda: meeting_views(visibility, self.zoom_item)
        )[0]
        if view is None:
            return None
        page: Any = self
        meta = meta_of(view, visibility.site_settings, page.get_url(request) or "")
        return replace(
            meta,
            title=page.seo_title or page.title,
            description=page.search_description or meta.description,
        )


class ZoomDatesPageMixin(RoutablePageMixin):
    """Gives a page type a URL for each occurrence: ``…/date/<id>/``.

    Titles in lists on such a page link there. Needs ``wagtail.contrib.routable_page``.
    """

    zoom_date_template = "wagtail_zoom/public/date.html"

    @path("date/<str:token>/", name="zoom_date")
    def zoom_date(self, request: HttpRequest, token: str) -> TemplateResponse:
        """The page of one occurrence."""
        visibility = visibility_for({"page": self, "request": request})
        if visibility is None or visibility.site_settings is None:
            raise Http404
        public_id = links.unsign_id(visibility.site_settings.site_id, token)
        if public_id is None:
            raise Http404
        rows = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
        row = rows.filter(public_id=public_id).first()
        if row is None:
            raise Http404
        view = occurrence_views(visibility, [row], recordings=True)[0]
        path = canonical_path(visibility, row, self)
        meta = meta_of(view, visibility.site_settings, path)
        context = {
            **self.get_context(request),
            "row": view,
            "shown": True,
            "h_title": 1,
            "name": "wz-date",
            "show": dict.fromkeys(("summary", "host", "places", "calendar", "countdown"), True),
            "page_title": f"{view.title}, {view.when.day}",
            "zone": zone_label(row.start, row.meeting.timezone),
            "structured": schema_org.page_of_date(view, visibility.site_settings, path),
            "zoom_meta": meta,
        }
        response = TemplateResponse(request, self.zoom_date_template, context)
        # Also in the frame of a project whose head does not print it.
        response["Link"] = f'<{meta.url}>; rel="canonical"'
        # A purge cannot list all these URLs, so caches store them only for a short time.
        set_lifetime(response, request, 300)
        return restrictions.protect_page(self, response)  # guard: private-date-not-cached

    def zoom_date_path(self, site_id: int, row: Occurrence) -> str:
        """Path of an occurrence below this page."""
        return str(self.reverse_subpage("zoom_date", args=[links.sign_id(site_id, row.public_id)]))
