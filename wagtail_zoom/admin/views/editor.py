"""The page editor: notes about blocks in the form, before publishing and afterwards."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.admin import messages
from wagtail.models import Page, Site

from ...frontend.block_index import blocks_on
from ...models import BlockUsage, SiteItem
from ..block_check import MAX_BLOCKS, BlockCheck, BlockNote, BlockOptions
from ..item_access import ItemAccess, site_of_edited_page

MAX_LINES = 5
"""Warnings that the message after publishing lists."""


class BlockCheckView(View):
    """Notes about the blocks of the form, as the editor's script posts them. Saves nothing.

    ``blocks`` is a JSON list of objects with ``key``, ``usage``, ``label`` and the options of the
    block. With ``publish`` the answer holds the dialog that lists the warnings, if there are any.
    """

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        access = ItemAccess(request.user)
        if not access.site_ids:
            raise PermissionDenied
        site = edited_site(request, access)
        try:
            posted = json.loads(request.POST.get("blocks", ""))
            blocks = [
                BlockOptions.of(
                    str(values["key"])[:200],
                    str(values["usage"]),
                    str(values["label"])[:100],
                    values,
                )
                for values in posted[:MAX_BLOCKS]
            ]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return HttpResponseBadRequest()
        notes = BlockCheck(site, access).check(blocks) if site else []
        warned = [note for note in notes if note.warnings]
        dialog = ""
        if warned and "publish" in request.POST:
            context = {"notes": warned, "count": sum(len(note.warnings) for note in warned)}
            dialog = render_to_string("wagtail_zoom/admin/publish_dialog.html", context, request)
        return JsonResponse(
            {"blocks": {note.options.key: _rendered(note) for note in notes}, "dialog": dialog}
        )


def _rendered(note: BlockNote) -> dict[str, str]:
    titles = " ".join(warning.title for warning in note.warnings)
    return {
        "html": render_to_string("wagtail_zoom/admin/block_note.html", {"note": note}),
        "warning": _("Warning: %(text)s") % {"text": titles} if titles else "",
    }


def edited_site(request: HttpRequest, access: ItemAccess) -> Site | None:
    """The Site whose page is edited; outside the page editor the only Site of the user."""
    site = site_of_edited_page(request)
    if site is not None:
        return site if site.pk in access.site_ids else None  # guard: block-notes-need-the-site
    if len(access.site_ids) != 1:
        return None
    return Site.objects.select_related("root_page").get(pk__in=access.site_ids)


def warn_after_publishing(request: HttpRequest, page: Page) -> None:
    """List the warnings about a page's blocks when it has been published; a hook of Wagtail."""
    blocks = placed_options(page)
    site = page.get_site() if blocks else None
    access = ItemAccess(request.user)
    if site is None or site.pk not in access.site_ids:
        return
    lines = [
        (_name(note), f"{warning.title} {warning.text}")
        for note in BlockCheck(site, access).check(blocks)
        for warning in note.warnings
    ]
    if not lines:
        return
    text = ngettext(
        "“%(page)s” is published with %(n)d warning:",
        "“%(page)s” is published with %(n)d warnings:",
        len(lines),
    ) % {"page": page.get_admin_display_title(), "n": len(lines)}
    listed = format_html_join("", "<li><b>{}</b>: {}</li>", lines[:MAX_LINES])
    button = messages.button(reverse("wagtailadmin_pages:edit", args=[page.pk]), _("Edit"))
    messages.warning(request, format_html("{}<ul>{}</ul>", text, listed), buttons=[button])


def placed_options(page: Page) -> list[BlockOptions]:
    """The options of our blocks on a page, and of its own fields with an item."""
    page = page.specific_deferred
    options = [
        BlockOptions.of(
            placed.block_id, placed.block.zoom_usage, str(placed.block.label), placed.value
        )
        for placed in blocks_on(page)
    ]
    for field in page._meta.get_fields():
        if isinstance(field, ForeignKey) and field.related_model is SiteItem:
            value = {"item": getattr(page, field.attname)}
            label = str(field.verbose_name)
            options.append(BlockOptions.of(field.name, BlockUsage.MEETING, label, value))
    return options


def _name(note: BlockNote) -> str:
    label: Any = note.options.label
    return f"{label}: {note.name}" if note.name else str(label)
