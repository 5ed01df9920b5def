"""The block with which visitors register for one chosen meeting, webinar or series."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup
from wagtail.models import Site

from ..admin.choosers import ItemChooserBlock
from ..conf import DEFAULTS, settings
from ..frontend.cache.purge import is_item_changed
from ..frontend.pagination import BlockParams
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import BlockUsage, Meeting, SiteItem, ZoomSettings
from ..registration.availability import REFUSAL_TTL, Availability
from ..registration.context import FormContext
from ..registration.form import RegistrationForm, make_form
from .base import ZoomBlock


class RegistrationFormBlock(ZoomBlock):
    """Zoom's own questions as a form in the page, or a message that explains why there is none.

    The HTML is the same for all visitors, so pages with it can be cached.
    """

    zoom_usage = BlockUsage.REGISTRATION

    item = ItemChooserBlock(label=_("Meeting or series"))

    class Meta:
        icon = "form"
        label = _("Zoom registration")
        description = _("A form with which visitors register for one meeting or series.")
        template = "wagtail_zoom/blocks/registration_form.html"
        form_layout = BlockGroup(children=["item"], settings=["heading", "heading_level", "off"])

    def zoom_context(
        self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        page, request = context.get("page"), context.get("request")
        name = self.block_name(value, context)
        form_context = form_context_for(visibility, value["item"], page.pk if page else None)
        block_context: dict[str, Any] = {
            "name": name,
            "form_context": form_context,
            # In a preview, the form is inert.
            "preview": bool(getattr(request, "is_preview", False)),
        }
        if form_context.availability.is_open:
            block_context |= {
                "form": make_form(form_context, name=name),
                "action": form_context.form_link.url,
            }
        return block_context

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        """Our own form depends on Zoom's questions only; a project's may show anything."""
        return () if settings.registration_form == DEFAULTS["REGISTRATION_FORM"] else None

    def cache_expires_at(self, context: Mapping[str, Any]) -> datetime | None:
        meeting = context["form_context"].meeting
        since = meeting.registration_block_at if meeting else None
        return since + REFUSAL_TTL if since and since + REFUSAL_TTL > timezone.now() else None

    def concerns(self, value: Any, visibility: SiteVisibility, change: Any) -> bool:
        return value["item"] is not None and is_item_changed(value["item"], change)

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        site = Site(hostname="example.org", site_name=_now("Sample organiser"))
        meeting = Meeting(kind="webinar", zoom_type=6, approval_type=0, topic="Sample")
        form_context = FormContext(site, ZoomSettings(registration_days=30), meeting)
        form_context.__dict__["title"] = _now("Sample: heat pumps in old houses")
        form_context.__dict__["availability"] = Availability()
        return {
            "form_context": form_context,
            "form": make_form(form_context, name="wz-sample"),
            "preview": True,
        }

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "item": None})

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        """The form as data, for a separate front end (``FORM_ORIGINS``)."""
        form_context = form_context_for(visibility, value["item"], None)
        availability = form_context.availability
        data: dict[str, Any] = {
            "state": availability.code,
            "sentence": str(availability.sentence),
            "title": form_context.title,
        }
        if availability.is_open:
            form = make_form(form_context)
            data["action"] = form_context.form_link.url
            data["fields"] = [_field(form, name) for name in form.fields]
        return data


def form_context_for(
    visibility: SiteVisibility, item: SiteItem | None, page_id: int | None
) -> FormContext:
    """The form context of a chosen item; empty if the item is not visible or of another Site."""
    site_settings = visibility.site_settings
    if site_settings is None:
        return FormContext(Site(), None, None)
    pk = 0
    if item is not None and item.site_id == site_settings.site_id:
        rows = visibility.meetings(Audience.VISITOR, Channel.PAGE).filter(
            kind=item.kind, zoom_id=item.key, account=item.account_id
        )
        pk = rows.values_list("pk", flat=True).first() or 0
    return FormContext.load(visibility, site_settings.site, pk, page_id)


def _field(form: RegistrationForm, name: str) -> dict[str, Any]:
    field = form.fields[name]
    data: dict[str, Any] = {
        "name": name,
        "label": str(field.label),
        "required": field.required,
        "several": isinstance(field, forms.MultipleChoiceField),
    }
    if isinstance(field, forms.ChoiceField):
        data["choices"] = [[str(value), str(label)] for value, label in field.choices if value]
    return data
