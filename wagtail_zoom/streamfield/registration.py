"""The block with which visitors register for one chosen meeting, webinar or series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup
from wagtail.models import Site

from ..admin.choosers import RegistrationItemChooserBlock
from ..conf import DEFAULTS, settings
from ..frontend import links, serializers
from ..frontend.availability import Availability
from ..frontend.cache.purge import is_item_changed
from ..frontend.datetimes import TimeRange
from ..frontend.pagination import BlockParams
from ..frontend.visibility import SiteVisibility
from ..models import BlockUsage, Kind, Meeting, Occurrence, SiteItem, ZoomSettings
from ..models.mirror import ApprovalType, MeetingType
from ..models.versions import ALL_DATA, DATES
from ..registration.context import FormContext, visible_meeting
from ..registration.dates import RegisteredDate
from ..registration.form import ALL_DATES, RegistrationForm, make_form
from .base import ZoomBlock


class RegistrationFormBlock(ZoomBlock):
    """Zoom's own questions as a form in the page, or a message that explains why there is none.

    The HTML is the same for all visitors, so pages with it can be cached.
    """

    zoom_usage = BlockUsage.REGISTRATION
    zoom_label = ("item",)
    zoom_label_formats: ClassVar[dict[str, Any]] = {"item": _("Register: {item}")}
    zoom_label_empty = _("Nothing chosen yet")

    item = RegistrationItemChooserBlock(label=_("Meeting or series"))

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

    def zoom_data(self, value: Any) -> tuple[str, ...]:
        return (DATES,) if self.is_own else ALL_DATA

    def cache_vary(self, value: Any, params: BlockParams) -> tuple[Any, ...] | None:
        """Our own form depends on Zoom's questions only; a project's may show anything."""
        return () if settings.registration_form == DEFAULTS["REGISTRATION_FORM"] else None

    def concerns(self, value: Any, visibility: SiteVisibility, change: Any) -> bool:
        return value["item"] is not None and is_item_changed(value["item"], change)

    def zoom_sample(self, value: Any) -> dict[str, Any]:
        site = Site(hostname="example.org", site_name=gettext("Sample organiser"))
        meeting = Meeting(
            kind=Kind.WEBINAR,
            zoom_type=MeetingType.WEBINAR_NO_FIXED_TIME,
            approval_type=ApprovalType.AUTOMATIC,
            topic="Sample",
        )
        form_context = FormContext(site, ZoomSettings(registration_days=30), meeting)
        form_context.__dict__["title"] = gettext("Sample: heat pumps in old houses")
        form_context.__dict__["availability"] = Availability()
        return {
            "form_context": form_context,
            "form": make_form(form_context, name="wz-sample"),
            "preview": True,
        }

    def get_preview_value(self) -> Any:
        return self.normalize({**self.get_default(), "item": None})

    def zoom_api(self, visibility: SiteVisibility, value: Any, context: Mapping[str, Any]) -> Any:
        """The form as data, for a separate front end (``FORM_ORIGINS``).

        ``action`` is on the Site's own hostname. ``dates`` are those that the registration covers
        or, with the ``mode`` ``one`` or ``several``, the options of the field ``dates``.
        """
        form_context = form_context_for(visibility, value["item"], None)
        availability = form_context.availability
        data: dict[str, Any] = {
            **serializers.registration(availability),
            "title": form_context.title,
        }
        site_settings, meeting = form_context.site_settings, form_context.meeting
        if availability.is_open and site_settings is not None and meeting is not None:
            form = make_form(form_context)
            dates = [_date(date, meeting.timezone) for date in form_context.dates]
            data["action"] = f"{links.site_origin(site_settings)}{form_context.form_link.url}"
            data["mode"] = form_context.mode
            data["dates"] = dates
            labels = {date["id"]: date["label"] for date in dates}
            data["fields"] = [_field(form, name, labels) for name in form.fields]
        return data


def form_context_for(
    visibility: SiteVisibility, item: SiteItem | None, page_id: int | None
) -> FormContext:
    """The form context of a chosen item; empty if the item is not visible or of another Site."""
    site_settings = visibility.site_settings
    if site_settings is None:
        return FormContext(Site(), None, None)
    meeting = None
    if item is not None and item.site_id == site_settings.site_id:
        meeting = visible_meeting(
            visibility, kind=item.kind, zoom_id=item.key, account=item.account_id
        )
    pk = meeting.pk if meeting else 0
    return FormContext.load(visibility, site_settings.site, pk, page_id)


def _date(date: Occurrence, zone: str) -> dict[str, Any]:
    when = TimeRange.of(date.start, date.end, zone, has_end=date.has_end)
    return {
        "id": str(date.public_id),
        "label": RegisteredDate(when).text,
        "start": when.start.isoformat(),
        "end": when.end.isoformat() if when.has_end else None,
        "timezone": when.zone_name,
    }


def _field(form: RegistrationForm, name: str, date_labels: Mapping[str, str]) -> dict[str, Any]:
    field = form.fields[name]
    widget = field.widget
    data: dict[str, Any] = {
        "name": name,
        "label": str(field.label),
        "help": str(field.help_text),
        "type": widget.attrs.get("type") or getattr(widget, "input_type", "textarea"),
        "required": field.required,
        "several": isinstance(field, forms.MultipleChoiceField),
    }
    if isinstance(field, forms.ChoiceField):
        labels = (
            {**date_labels, ALL_DATES: gettext("All remaining dates")} if name == "dates" else {}
        )
        choices: Any = field.choices
        data["choices"] = [
            [str(value), labels.get(str(value), str(label))] for value, label in choices if value
        ]
    return data
