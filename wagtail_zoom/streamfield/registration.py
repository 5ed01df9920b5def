"""The block that lets visitors sign up for one chosen meeting, webinar or series."""

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
from ..frontend.cache.purge import item_concerned
from ..frontend.pagination import Asked
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import Meeting, Placement, SiteItem, ZoomSettings
from ..registration.availability import BLOCK_HOLDS, Availability
from ..registration.context import Offer
from ..registration.form import RegistrationForm, make_form
from .base import ZoomBlock


class RegistrationFormBlock(ZoomBlock):
    """Zoom's own questions as a form that stands in the page, or the sentence why there is none.

    The HTML is the same for every visitor, so pages with it can be cached.
    """

    zoom_placement = Placement.REGISTRATION

    item = ItemChooserBlock(label=_("Meeting or series"))

    class Meta:
        icon = "form"
        label = _("Zoom registration")
        description = _("A form with which visitors register for one meeting or series.")
        template = "wagtail_zoom/blocks/registration_form.html"
        form_layout = BlockGroup(children=["item"], settings=["heading", "heading_level", "off"])

    def zoom_context(
        self, found: Exposure, value: Any, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        page, request = context.get("page"), context.get("request")
        name = self.block_name(value, context)
        offer = offer_for(found, value["item"], page.pk if page else None)
        made: dict[str, Any] = {
            "name": name,
            "offer": offer,
            # A form in a preview looks real and does nothing.
            "preview": bool(getattr(request, "is_preview", False)),
        }
        if offer.availability.is_open:
            made |= {"form": make_form(offer, name=name), "action": offer.ref.url}
        return made

    def kept_for(self, value: Any, asked: Asked) -> tuple[Any, ...] | None:
        """Our own form follows from Zoom's questions alone; a project's may show anything."""
        return () if settings.registration_form == DEFAULTS["REGISTRATION_FORM"] else None

    def kept_until(self, context: Mapping[str, Any]) -> datetime | None:
        meeting = context["offer"].meeting
        since = meeting.registration_block_at if meeting else None
        return since + BLOCK_HOLDS if since and since + BLOCK_HOLDS > timezone.now() else None

    def concerns(self, value: Any, found: Exposure, change: Any) -> bool:
        return value["item"] is not None and item_concerned(value["item"], change)

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        site = Site(hostname="example.org", site_name=_now("Sample organiser"))
        meeting = Meeting(kind="webinar", zoom_type=6, approval_type=0, topic="Sample")
        offer = Offer(site, ZoomSettings(registration_days=30), meeting)
        offer.__dict__["title"] = _now("Sample: heat pumps in old houses")
        offer.__dict__["availability"] = Availability()
        return {"offer": offer, "form": make_form(offer, name="wz-sample"), "preview": True}

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "item": None})

    def zoom_api(self, found: Exposure, value: Any, context: Mapping[str, Any]) -> Any:
        """The form as data, for a front end of the project's own (``FORM_ORIGINS``)."""
        offer = offer_for(found, value["item"], None)
        verdict = offer.availability
        answer: dict[str, Any] = {
            "state": verdict.code,
            "sentence": str(verdict.sentence),
            "title": offer.title,
        }
        if verdict.is_open:
            form = make_form(offer)
            answer["action"] = offer.ref.url
            answer["fields"] = [_field(form, name) for name in form.fields]
        return answer


def offer_for(found: Exposure, item: SiteItem | None, page_id: int | None) -> Offer:
    """What the gate lets this Site offer of a chosen item; nothing of another Site's."""
    choice = found.choice
    if choice is None:
        return Offer(Site(), None, None)
    pk = 0
    if item is not None and item.site_id == choice.site_id:
        rows = found.meetings(Audience.VISITOR, Surface.PAGE).filter(
            kind=item.kind, zoom_id=item.key, account=item.account_id
        )
        pk = rows.values_list("pk", flat=True).first() or 0
    return Offer.make(found, choice.site, pk, page_id)


def _field(form: RegistrationForm, name: str) -> dict[str, Any]:
    field = form.fields[name]
    made: dict[str, Any] = {
        "name": name,
        "label": str(field.label),
        "required": field.required,
        "several": isinstance(field, forms.MultipleChoiceField),
    }
    if isinstance(field, forms.ChoiceField):
        made["choices"] = [[str(value), str(label)] for value, label in field.choices if value]
    return made
