"""The edit view of one item: what the Site adds to an object from Zoom, and whether it is shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.views.generic import EditView
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.images.widgets import AdminImageChooser

from ...models import (
    Activity,
    ItemTag,
    Kind,
    Meeting,
    Occurrence,
    SiteItem,
)
from .. import curation, formatting, links, usage
from ..permissions import permission_policy_of, visible_to
from ..site_status import SiteStatus, get_site_status
from . import rules, watch

FIELD_ICONS = {
    "title": "title",
    "summary": "pilcrow",
    "image": "image",
    "tags": "tag",
    "expires_on": "calendar-alt",
}
VISIBILITY_ACTIONS = {
    "action-publish": SiteItem.Visibility.PUBLISHED,
    "action-hide": SiteItem.Visibility.HIDDEN,
    "action-auto": SiteItem.Visibility.AUTO,
}


class ItemForm(WagtailAdminModelForm):
    """Title, summary, image, tags, last day. Empty fields use the value from Zoom."""

    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Separate them by commas. Pages can show items by tag."),
    )

    class Meta:
        model = SiteItem
        fields = ["title", "summary", "image", "expires_on"]
        widgets = {"summary": AdminAutoHeightTextInput, "image": AdminImageChooser}

    field_order = ["title", "summary", "image", "tags", "expires_on"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].label = _("Title on the site")
        self.fields["summary"].label = _("Summary")
        self.fields["title"].widget.attrs["placeholder"] = self.instance.last_title
        self.fields["title"].help_text = _("Leave it empty to use the topic from Zoom.")
        self.fields["image"].help_text = _(
            "Without an image, a drawing in the colours of the site is used."
        )
        self.fields["expires_on"].help_text = _("The last day on which visitors see it.")
        for name, icon in FIELD_ICONS.items():
            self.fields[name].icon = icon
        names = self.instance.tags.values_list("name", flat=True)
        self.initial["tags"] = ", ".join(names)

    def clean_image(self) -> Any:
        """An image that this user may choose: other image ids can be guessed."""
        image = self.cleaned_data["image"]
        if image is None or "image" not in self.changed_data:
            return image
        policy = permission_policy_of(type(image))
        if not policy.user_has_permission_for_instance(self.for_user, "choose", image):
            raise forms.ValidationError(_("You may not use this image."))
        return image

    def save(self, commit: bool = True) -> SiteItem:
        """Save only the edited fields: since the form was opened, the sync may have linked the item
        to another object, and another user may have decided on it."""
        item: SiteItem = super().save(commit=False)
        if not commit:
            return item
        item.save(update_fields=list(self._meta.fields))
        tag_names = curation.split_tags(self.cleaned_data["tags"])
        item.tags.exclude(name__in=tag_names).delete()
        existing_names = set(item.tags.values_list("name", flat=True))
        ItemTag.objects.bulk_create(
            ItemTag(item=item, name=name) for name in tag_names if name not in existing_names
        )
        return item


class ItemEditView(EditView):
    """One button saves and decides: *Save and publish*, *Save only*, *Hide*."""

    model = SiteItem
    template_name = "wagtail_zoom/admin/item.html"
    success_message = None
    kinds: tuple[str, ...] = (Kind.MEETING, Kind.WEBINAR)

    def get_object(self, queryset: Any = None) -> SiteItem:
        rows = visible_to(self.request.user, SiteItem.objects.filter(kind__in=self.kinds))
        related = ("site", "meeting__host", "recording__host", "decided_by", "image")
        return get_object_or_404(rows.select_related(*related), pk=self.kwargs["pk"])

    def get_form_class(self) -> type[ItemForm]:
        return ItemForm

    def get_panel(self) -> None:
        return None

    def save_instance(self) -> SiteItem:
        item: SiteItem = self.form.save()
        user = self.request.user
        decision = next((name for name in VISIBILITY_ACTIONS if name in self.request.POST), None)
        if decision:
            curation.set_visibility([item], VISIBILITY_ACTIONS[decision], user)
        else:
            Activity.log(
                [item.site_id],
                "curation",
                "item_edited",
                outcome=Activity.Outcome.GOOD,
                data={"topic": str(item), "kind": item.kind},
                user=user,
                items={item.site_id: item},
            )
            curation.invalidate_items([item])
        messages.success(self.request, self._success_text(item, decision))
        return item

    def _success_text(self, item: SiteItem, decision: str | None) -> str:
        texts = {
            "action-publish": _("Saved. Visitors see it."),
            "action-hide": _("Saved. Visitors do not see it."),
        }
        return texts.get(decision or "", _("Saved."))

    def get_success_message(self, *args: Any) -> None:
        return None

    def get_success_buttons(self) -> list[Any]:
        return []

    def get_success_url(self) -> str:
        return f"{reverse(self.index_url_name)}?site={self.object.site_id}"

    def get_edit_url(self) -> str:
        return reverse(self.edit_url_name, args=[self.object.pk])

    def get_side_panels(self) -> Any:
        from wagtail.admin.ui.components import MediaContainer

        return MediaContainer([])

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        item: SiteItem = self.object
        site_status = get_site_status(item.site)
        zoom_object = item.mirrored
        reason = (
            site_status.visibility.why_hidden(zoom_object)
            if zoom_object is not None
            else _("It is not in Zoom now.")
        )
        context |= {
            "item": item,
            "is_recording": item.kind == Kind.RECORDING,
            "is_new": item.kind == Kind.RECORDING and item.visibility == curation.AUTO,
            "shown": not reason,
            "reason": reason,
            "zoom_values": zoom_values(item),
            "used_on": usage.pages_using_item(item),
            "rules": rules.rule_targets(site_status.site_settings, item),
            "watch_url": _watch_url(item, site_status),
            "panel_url": links.panel_url(site_status),
        }
        return context


class RecordingEditView(ItemEditView):
    """The same for recordings."""

    kinds = (Kind.RECORDING,)


def _watch_url(item: SiteItem, site_status: SiteStatus) -> str:
    """The URL at which the owner watches a recording before deciding."""
    recording = item.recording
    if recording is None or not watch.may_watch(site_status.site_settings, recording):
        return ""
    return reverse("wagtail_zoom_recordings:watch", args=[item.pk])


def upcoming_occurrences(meeting: Meeting) -> QuerySet[Occurrence]:
    """Occurrences that are not over, including cancelled ones."""
    return Occurrence.objects.filter(meeting=meeting, end__gte=timezone.now())


def zoom_values(item: SiteItem) -> list[tuple[str, str]]:
    """Labels and values from Zoom, which can only be changed there."""
    zoom_object: Any = item.mirrored
    if zoom_object is None:
        return [(_("Topic"), item.last_title)]
    values = [(_("Topic"), zoom_object.topic or _("without a title"))]
    upcoming = (
        upcoming_occurrences(zoom_object)
        if item.kind != Kind.RECORDING
        else Occurrence.objects.none()
    )
    # The next occurrence of a series: its first one may be long past.
    dated_object = (
        upcoming.exclude(state=Occurrence.State.CANCELLED).order_by("start").first() or zoom_object
    )
    if dated_object.start:
        when = (
            f"{formatting.date_time(dated_object.start)}, "
            f"{formatting.duration(dated_object.duration)}"
        )
        values.append((_("Recorded") if item.kind == Kind.RECORDING else _("When"), when))
    values.append((_("Host"), str(zoom_object.host) if zoom_object.host else "–"))
    if item.kind == Kind.RECORDING:
        return values + _recording_values(zoom_object)
    if zoom_object.has_fixed_time:
        values.append((_("Dates to come"), str(upcoming.count())))
    elif not zoom_object.start:
        # A meeting without a fixed time has no occurrences in Zoom.
        values.append((_("When"), _("no fixed date")))
    registration = _("asked for in Zoom") if zoom_object.takes_registration else _("not needed")
    values.append((_("Registration"), registration))
    return values


def _recording_values(recording: Any) -> list[tuple[str, str]]:
    kinds = {"MP4": _("video"), "M4A": _("sound"), "TRANSCRIPT": _("transcript"), "CC": _("text")}
    names = {kinds[name] for name in recording.file_types if name in kinds}
    files = formatting.join_list(sorted(names))
    values = [(_("Files"), files or str(recording.file_count))]
    passcode = _("yes, visitors are told when it opens") if recording.passcode else _("none")
    values.append((_("Passcode in Zoom"), passcode))
    if recording.deletes_on:
        values.append((_("Zoom keeps it until"), formatting.day(recording.deletes_on)))
    return values
