"""Base of all blocks: stable migrations, visibility rules, references, HTML cache, preview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.telepath import register
from wagtail.blocks.struct_block import StructBlockAdapter

from ..admin.choosers import editor_media
from ..frontend.api_site import AmbiguousSite, site_of_api_request
from ..frontend.cache.html import BlockCache, render_assets
from ..frontend.context import RequestContext, visibility_for
from ..frontend.pagination import BlockParams
from ..frontend.restrictions import check, is_login_missing
from ..frontend.served_page import complete_context, record_rendered
from ..frontend.visibility import SiteVisibility
from ..models import BlockUsage
from ..models.versions import ALL_DATA


def public_path(block_class: type) -> str:
    """Import path of a block class in migrations: ``wagtail_zoom.blocks`` for all our blocks."""
    is_own = block_class.__module__.startswith("wagtail_zoom.")
    return (
        f"{'wagtail_zoom.blocks' if is_own else block_class.__module__}.{block_class.__qualname__}"
    )


def page_url(context: Mapping[str, Any]) -> str:
    """URL of the current page, for objects without a URL of their own."""
    page = context.get("page")
    return (page.get_url(context.get("request")) or "") if page else ""


class ZoomValue(blocks.StructValue):
    """The value of a block; ``{{ block.value }}`` renders it, also in a Django template, which asks
    for a text first."""

    def __str__(self) -> str:
        html: str = self.__html__()
        return html


class NamedByClass(blocks.Block):
    """A block of which migrations hold the class only: new children need none in a project."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, **kwargs)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return public_path(type(self)), [], self._constructor_kwargs

    def deconstruct_with_lookup(self, lookup: Any) -> tuple[str, list[Any], dict[str, Any]]:
        return self.deconstruct()

    @classmethod
    def construct_from_lookup(cls, lookup: Any, *args: Any, **kwargs: Any) -> Self:
        return cls(**kwargs)


class ZoomBlock(NamedByClass, blocks.StructBlock):
    """Base of our blocks. A subclass sets ``zoom_usage`` and implements ``zoom_context``.

    Children and import path of a subclass are public: stored pages depend on them.
    """

    zoom_usage: ClassVar[str] = ""
    """One of ``BlockUsage``: which data the page depends on, for purging."""
    zoom_cacheable: ClassVar[bool] = True
    """Whether its HTML may be cached (``frontend.cache``). Not inherited by a project's subclass,
    which may show anything and has to set it in its own body."""
    zoom_label: ClassVar[tuple[str, ...]] = ("heading",)
    """Children whose texts name a block in the editor, where it is collapsed and in Wagtail's
    minimap, unless it has a label format. The minimap has room for 22 characters."""
    zoom_label_formats: ClassVar[Mapping[str, Any]] = {}
    """Formats for these texts, under ``child`` or ``child=value``: ``{"limit": "Next {limit}"}``.
    In braces are names of children."""
    zoom_label_empty: ClassVar[Any] = ""
    """Label of a block whose children have no text."""

    heading = blocks.CharBlock(label=_("Heading"), required=False, default="", max_length=120)
    heading_level = blocks.ChoiceBlock(
        label=_("Level of the heading"),
        choices=[("2", "h2"), ("3", "h3"), ("4", "h4")],
        default="2",
        search_index=False,
    )
    off = blocks.CharBlock(
        label=_("Message while Zoom is not connected"),
        required=False,
        default="",
        max_length=300,
        search_index=False,
        help_text=_("Left empty, nothing is shown then."),
    )

    class Meta:
        group = "Zoom"
        value_class = ZoomValue
        preview_template = "wagtail_zoom/blocks/preview.html"

    def normalize(self, value: Any) -> Any:
        """Add defaults of children that are missing where a stream is filled by code."""
        normalized = super().normalize(value)
        for name, child in self.child_blocks.items():
            if name not in normalized:
                normalized[name] = child.get_default()
        return normalized

    def extract_references(self, value: Any) -> Iterator[tuple[Any, str, str, str]]:
        """The chosen items, and the block usage: it finds all pages with such a block."""
        yield from super().extract_references(value)
        yield BlockUsage, self.zoom_usage, "", ""

    # Rendering

    @property
    def is_cacheable(self) -> bool:
        """Whether the HTML of this block may be cached at all."""
        return self.zoom_cacheable and (self.is_own or "zoom_cacheable" in vars(type(self)))

    @property
    def is_own(self) -> bool:
        """Whether the block is ours. A project's subclass may show anything else, too."""
        return type(self).__module__.startswith("wagtail_zoom.")

    def zoom_data(self, value: Any) -> tuple[str, ...]:
        """The kinds of data that the HTML depends on: a change of another kind leaves it cached."""
        return ALL_DATA

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        """Query parameters that affect the HTML, for the cache key; None: do not cache."""
        return ()

    def should_cache(self, context: Mapping[str, Any]) -> bool:
        """Whether our own links lead to the rendered context."""
        return True

    def cache_expires_at(self, context: Mapping[str, Any]) -> datetime | None:
        """When the cached HTML expires, if ``expiry`` cannot know it."""
        return None

    def render(self, value: Any, context: Any = None) -> SafeString:
        """The HTML, from the cache or newly rendered."""
        parent = complete_context(context)
        record_rendered(self, value, parent)
        block_cache = BlockCache.from_context(parent) if self.is_cacheable else None
        if block_cache is None:
            return super().render(value, parent)
        request_context, name = RequestContext.from_context(parent), self.block_name(value, parent)
        key = block_cache.key(self, value, name, parent["request"])
        with request_context.fixed_name(value, name):
            if not key:
                return super().render(value, parent)
            html = block_cache.get(key, parent)
            template = self.get_template(value, context=parent)
            if html is None:
                # No data of the visitor in the template context: the HTML is shared.
                page_context = {variable: parent[variable] for variable in ("page", "request")}
                block_context = self.get_context(value, {**page_context, "zoom_caching": True})
                html = render_to_string(template, {**block_context, "request": None})
                if self.should_cache(block_context):
                    block_cache.set(key, html, self.cache_expires_at(block_context))
        return mark_safe(render_assets(parent, template) + html)  # noqa: S308  (templates' own)

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        """The documented context. ``shown`` is false without a Site: render nothing then."""
        context: dict[str, Any] = super().get_context(value, parent_context)
        level = int(value.get("heading_level") or 2)
        context.update(
            heading=value.get("heading", ""),
            h=level,
            h_title=level + 1 if value.get("heading") else level,
            shown=False,
            note_off="",
            stale=None,
            assets=False,
        )
        if context.get("zoom_sample"):
            context.update(shown=True, name="wz-sample", **self.zoom_sample(value))
            return context
        visibility = visibility_for(context)
        if visibility is None:
            return context
        if visibility.site_settings is None or not visibility.site_settings.shows_data:
            context["note_off"] = value.get("off", "")
            return context
        context["shown"] = True
        context.update(self.zoom_context(visibility, value, context))
        if not context.get("zoom_caching"):
            request_context = RequestContext.from_context(context)
            context["assets"] = not request_context.has_assets
            request_context.has_assets = True
        return context

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Template context, from what the Site may show."""
        raise NotImplementedError

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        """The same from sample data: the preview in the block picker never shows real rows."""
        raise NotImplementedError

    def block_name(self, value: Any, context: Mapping[str, Any]) -> str:
        """Prefix of this block's query parameters, and its anchor."""
        return RequestContext.from_context(context).name(context, value)

    def variants(self, value: Any, visibility: SiteVisibility) -> list[dict[str, Any]]:
        """Query parameters of the other URLs of this block, for purging."""
        return []

    def possible_variants(self, value: Any) -> list[dict[str, Any]]:
        """The same without a query: parameters of all URLs that the block can have had."""
        return []

    def concerns(self, value: Any, visibility: SiteVisibility, change: Any) -> bool:
        """Whether a change (``purge.Change``) can affect the output of this block."""
        return True

    # Picker preview

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "heading": str(self.label)})

    def get_preview_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        return {**(parent_context or {}), "zoom_sample": True}

    # Headless

    def get_api_representation(self, value: Any, context: Any = None) -> Any:
        """The block's options and, under ``zoom``, its data for the Site of the request, or for
        the one that ``?site=`` names. None where the visitor may not see that Site's root page: an
        endpoint of the project may serve the block without asking."""
        representation = super().get_api_representation(value, context=context)
        request: Any = (context or {}).get("request")
        try:
            site = site_of_api_request(request) if request is not None else None
        except AmbiguousSite:
            site = None
        if site is None:
            return representation
        request_context = RequestContext.from_context({"request": request})
        access, visibility = request_context.memoize(
            ("api visibility", site.pk),
            lambda: (check(request, site, None), SiteVisibility.for_site(site)),
        )
        view_headers = getattr((context or {}).get("view"), "headers", None)
        if access.is_private and view_headers is not None:  # guard: block-in-api-not-cached
            view_headers["Cache-Control"] = "private, no-store"
        is_refused = access.refused_by is not None or is_login_missing(request)
        if is_refused:  # guard: block-in-api-private
            return {**representation, "zoom": None}
        if visibility.site_settings is None or not visibility.site_settings.shows_data:
            return {**representation, "zoom": None}
        return {**representation, "zoom": self.zoom_api(visibility, value, {"request": request})}

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        """The data of the block, serialized."""
        return None


class ZoomBlockAdapter(StructBlockAdapter):
    """Our blocks in the editor: labels, and notes about what visitors would not see."""

    js_constructor = "wagtail_zoom.blocks.ZoomBlock"

    def js_args(self, block: ZoomBlock) -> list[Any]:
        name, children, meta = super().js_args(block)
        meta["zoom"] = {
            "usage": block.zoom_usage,
            "labels": block.zoom_label,
            "labelFormats": {key: str(text) for key, text in block.zoom_label_formats.items()},
            "labelEmpty": str(block.zoom_label_empty),
            "url": reverse("wagtail_zoom_items:check"),
        }
        return [name, children, meta]

    @cached_property
    def media(self) -> forms.Media:
        media: forms.Media = super().media + editor_media()
        return media


register(ZoomBlockAdapter(), ZoomBlock)
