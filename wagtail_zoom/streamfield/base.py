"""What all our blocks have in common: stable migrations, the gate, references, the preview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.models import Site

from ..frontend.cache.html import Keeper, assets
from ..frontend.context import Shared, gate
from ..frontend.pagination import Asked
from ..frontend.visibility import Exposure
from ..models import Placement


def public_path(kind: type) -> str:
    """Where migrations find a block class: ours all in ``wagtail_zoom.blocks``."""
    own = kind.__module__.startswith("wagtail_zoom.")
    return f"{'wagtail_zoom.blocks' if own else kind.__module__}.{kind.__qualname__}"


def page_url(context: Mapping[str, Any]) -> str:
    """The address of the page at hand, for what has none of its own."""
    page = context.get("page")
    return (page.get_url(context.get("request")) or "") if page else ""


class ZoomBlock(blocks.StructBlock):
    """Base of our blocks. A subclass names its placement and fills ``zoom_context``.

    Children and import path of a subclass are public: stored pages depend on them.
    """

    zoom_placement: ClassVar[str] = ""
    """One of ``Placement``: what the page depends on, for purging."""
    zoom_kept: ClassVar[bool] = True
    """Its HTML is kept (``keeping``). Counts for the very class that says it: a project's subclass
    may show anything, so it has to say so itself."""

    heading = blocks.CharBlock(label=_("Heading"), required=False, default="", max_length=120)
    heading_level = blocks.ChoiceBlock(
        label=_("Level of the heading"),
        choices=[("2", "h2"), ("3", "h3"), ("4", "h4")],
        default="2",
        search_index=False,
    )
    off = blocks.CharBlock(
        label=_("Sentence while Zoom is not connected"),
        required=False,
        default="",
        max_length=300,
        search_index=False,
        help_text=_("Left empty, nothing is shown then."),
    )

    class Meta:
        group = "Zoom"
        preview_template = "wagtail_zoom/blocks/preview.html"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, **kwargs)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Name the class alone, so that new children make no migration for hosts."""
        return public_path(type(self)), [], self._constructor_kwargs

    def deconstruct_with_lookup(self, lookup: Any) -> tuple[str, list[Any], dict[str, Any]]:
        return self.deconstruct()

    @classmethod
    def construct_from_lookup(cls, lookup: Any, *args: Any, **kwargs: Any) -> ZoomBlock:
        return cls(**kwargs)

    def normalize(self, value: Any) -> Any:
        """With the defaults of children that code which fills a stream has left out."""
        made = super().normalize(value)
        for name, child in self.child_blocks.items():
            if name not in made:
                made[name] = child.get_default()
        return made

    def extract_references(self, value: Any) -> Iterator[tuple[Any, str, str, str]]:
        """The chosen items, and the placement: which pages hold such a block at all."""
        yield from super().extract_references(value)
        yield Placement, self.zoom_placement, "", ""

    # Rendering

    @property
    def is_kept(self) -> bool:
        """Whether the HTML of this block may be kept at all."""
        kind = type(self)
        ours = kind.__module__.startswith("wagtail_zoom.")
        return self.zoom_kept and (ours or "zoom_kept" in vars(kind))

    def kept_for(self, value: Any, asked: Asked) -> tuple[Any, ...] | None:
        """What of a visitor's parameters decides about the HTML; None: too many, do not keep."""
        return ()

    def is_worth_keeping(self, context: Mapping[str, Any]) -> bool:
        """Whether the rendered context is one that our own links lead to."""
        return True

    def kept_until(self, context: Mapping[str, Any]) -> datetime | None:
        """A moment at which the HTML ends that ``turns`` cannot know of."""
        return None

    def render(self, value: Any, context: Any = None) -> SafeString:
        """The HTML, as kept or made anew."""
        parent = dict(context or {})
        keeper = Keeper.of(parent) if self.is_kept else None
        if keeper is None:
            return super().render(value, context)
        shared, name = Shared.of(parent), self.block_name(value, parent)
        key = keeper.key(self, value, name, parent["request"])
        with shared.pinned(value, name):
            if not key:
                return super().render(value, context)
            html = keeper.read(key, parent)
            template = self.get_template(value, context=parent)
            if html is None:
                # Nothing of the visitor's is in the template's reach: the HTML is for everybody.
                known = {name: parent[name] for name in ("page", "request")}
                mine = self.get_context(value, {**known, "zoom_keeping": True})
                html = render_to_string(template, {**mine, "request": None})
                if self.is_worth_keeping(mine):
                    keeper.keep(key, html, self.kept_until(mine))
        return mark_safe(assets(parent, template) + html)  # noqa: S308  (templates' own)

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        """The documented context. ``shown`` is false where no Site is known: render nothing."""
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
        found = gate(context)
        if found is None:
            return context
        if found.choice is None or not found.choice.shows_data:
            context["note_off"] = value.get("off", "")
            return context
        context["shown"] = True
        context.update(self.zoom_context(found, value, context))
        if not context.get("zoom_keeping"):
            shared = Shared.of(context)
            context["assets"] = not shared.has_assets
            shared.has_assets = True
        return context

    def zoom_context(
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What the template needs, from the Site's gate."""
        raise NotImplementedError

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        """The same from invented data: the block picker's preview must never show real rows."""
        raise NotImplementedError

    def block_name(self, value: Any, context: Mapping[str, Any]) -> str:
        """The prefix of this block's parameters and its anchor."""
        return Shared.of(context).name(context, value)

    def variants(self, value: Any, found: Exposure) -> list[dict[str, Any]]:
        """Parameters of the further addresses that this block declares, for purging."""
        return []

    def every_variant(self, value: Any) -> list[dict[str, Any]]:
        """The same without knowing any rows: what addresses this block can have had."""
        return []

    def concerns(self, value: Any, found: Exposure, change: Any) -> bool:
        """Whether a change (``purging.Change``) can alter what this block shows."""
        return True

    # Picker preview

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "heading": str(self.label)})

    def get_preview_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        return {**(parent_context or {}), "zoom_sample": True}

    # Headless

    def get_api_representation(self, value: Any, context: Any = None) -> Any:
        """The block's options and, under ``zoom``, what it shows on the Site of this host."""
        answer = super().get_api_representation(value, context=context)
        request = (context or {}).get("request")
        site = Site.find_for_request(request) if request is not None else None
        if site is None:
            return answer
        shared = Shared.of({"request": request})
        found = shared.once(("api gate", site.pk), lambda: Exposure.for_site(site))
        if found.choice is None or not found.choice.shows_data:
            return {**answer, "zoom": None}
        return {**answer, "zoom": self.zoom_api(found, value, {"request": request})}

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        """What the block shows, as plain data."""
        return None
