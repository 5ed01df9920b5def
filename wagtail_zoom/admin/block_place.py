"""Where the checklist adds the first Zoom block: to the draft of one page of the Site."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.urls import reverse
from wagtail.blocks import Block, StreamValue
from wagtail.fields import StreamField
from wagtail.models import Page, Site, get_page_models

from ..frontend import page_tree
from ..frontend.block_index import blocks_on
from ..models import BlockUsage, Kind, ZoomSettings

MAX_PAGES = 20
"""Pages that are looked at."""


@dataclass(frozen=True)
class BlockPlace:
    """A field of a page that takes the block."""

    page: Page
    """The newest draft."""
    field: str
    block_name: str
    has_block: bool
    """Whether the draft has a Zoom block already."""

    @property
    def _stream(self) -> Any:
        return getattr(self.page, self.field)

    @property
    def block_label(self) -> str:
        return str(self._stream.stream_block.child_blocks[self.block_name].label)

    @property
    def url(self) -> str:
        """The editor, at the Zoom block of the draft."""
        url = reverse("wagtailadmin_pages:edit", args=[self.page.pk])
        first = next((placed.block_id for placed in blocks_on(self.page)), "")
        return f"{url}#block-{first}-section" if first else url

    def with_block(self) -> StreamValue:
        """The field with one more block, which has its default options."""
        stream = self._stream.stream_block
        children = [(child.block_type, child.value, child.id) for child in self._stream]
        default = stream.child_blocks[self.block_name].get_default()
        return StreamValue(stream, [*children, (self.block_name, default, str(uuid.uuid4()))])

    def add_block(self, user: Any) -> None:
        """Save a draft with the block; visitors see it when the page is published.

        Raises:
            ValidationError: the page has another problem, which its editor shows.
        """
        setattr(self.page, self.field, self.with_block())
        self.page.save_revision(user=user, log_action=True)


def usage_for(site_settings: ZoomSettings) -> str:
    """The type of block that shows what the owner has chosen."""
    shows_dates = {Kind.MEETING, Kind.WEBINAR} & site_settings.kinds
    is_recordings_only = Kind.RECORDING in site_settings.kinds and not shows_dates
    return BlockUsage.RECORDING_LIST if is_recordings_only else BlockUsage.MEETING_LIST


def page_models_with(usage: str) -> list[type[Page]]:
    """The page types with a field that takes a block of this type."""
    return [model for model in get_page_models() if any(_fields(model, usage))]


def block_place(site: Site, usage: str, user: Any) -> BlockPlace | None:
    """The first page of the Site that takes the block and that this user may edit, in the order of
    the page tree: the root page comes first. Published pages come before drafts."""
    models = page_models_with(usage)
    types = ContentType.objects.get_for_models(*models).values()
    pages = Page.objects.filter(page_tree.site_pages(site), content_type__in=types, alias_of=None)
    for page in pages.order_by("-live", "path")[:MAX_PAGES]:
        permissions = page.permissions_for_user(user)
        if not permissions.can_edit() or permissions.page_locked():  # guard: block-added-by-editors
            continue
        if page.get_view_restrictions().exists():
            continue
        draft = page.specific.get_latest_revision_as_object()
        for field, block_name in _fields(type(draft), usage):
            place = BlockPlace(draft, field, block_name, bool(blocks_on(draft)))
            if place.has_block or _is_editable(place, user) and _takes_one_more(place):
                return place
    return None


def _fields(model: type[Page], usage: str) -> Iterator[tuple[str, str]]:
    """Names of the stream fields that take the block, and of the block in each."""
    for field in model._meta.get_fields():
        if isinstance(field, StreamField):
            blocks: dict[str, Block] = field.stream_block.child_blocks
            names = (name for name, b in blocks.items() if getattr(b, "zoom_usage", "") == usage)
            if name := next(names, ""):
                yield field.name, name


def _is_editable(place: BlockPlace, user: Any) -> bool:
    """Whether the editor of the page shows the field to this user."""
    form_class = place.page.get_edit_handler().get_form_class()
    return place.field in form_class(instance=place.page, for_user=user).fields


def _takes_one_more(place: BlockPlace) -> bool:
    """Whether the field is valid with one more block: some have a limit."""
    value = place.with_block()
    try:
        value.stream_block.clean(value)
    except ValidationError:
        return False
    return True
