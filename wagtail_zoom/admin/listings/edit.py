"""The edit view of one item: what the Site adds to a thing from Zoom, and who sees it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
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
from .. import curation, formatting, links, site_status, usage
from ..permissions import policy_of, visible_to
from . import rules, watch

ICONS = {
    "title": "title",
    "summary": "pilcrow",
    "image": "image",
    "tags": "tag",
    "expires_on": "calendar-alt",
}
DECISIONS = {
    "action-publish": SiteItem.Visibility.PUBLISHED,
    "action-hide": SiteItem.Visibility.HIDDEN,
    "action-auto": SiteItem.Visibility.AUTO,
}


class ItemForm(WagtailAdminModelForm):
    """Title, summary, image, tags, last day. Empty means: as in Zoom."""

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
        for name, icon in ICONS.items():
            self.fields[name].icon = icon
        names = self.instance.tags.values_list("name", flat=True)
        self.initial["tags"] = ", ".join(names)

    def clean_image(self) -> Any:
        """An image that this person may choose: image ids of others can be guessed."""
        image = self.cleaned_data["image"]
        if image is None or "image" not in self.changed_data:
            return image
        policy = policy_of(type(image))
        if not policy.user_has_permission_for_instance(self.for_user, "choose", image):
            raise forms.ValidationError(_("You may not use this image."))
        return image

    def save(self, commit: bool = True) -> SiteItem:
        """Write what the form edits and nothing else: while it stood open, the sync may have linked
        the item to another row of the mirror, and somebody else may have decided on it."""
        item: SiteItem = super().save(commit=False)
        if not commit:
            return item
        item.save(update_fields=list(self._meta.fields))
        wanted = curation.split_tags(self.cleaned_data["tags"])
        item.tags.exclude(name__in=wanted).delete()
        known = set(item.tags.values_list("name", flat=True))
        ItemTag.objects.bulk_create(
            ItemTag(item=item, name=name) for name in wanted if name not in known
        )
        return item


class ItemEditView(EditView):
    """Saving and deciding are one press: *Save and publish*, *Save only*, *Hide*."""

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
        decision = next((name for name in DECISIONS if name in self.request.POST), None)
        if decision:
            curation.decide([item], DECISIONS[decision], user)
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
            curation.changed([item])
        messages.success(self.request, self._said(item, decision))
        return item

    def _said(self, item: SiteItem, decision: str | None) -> str:
        words = {
            "action-publish": _("Saved. Visitors see it."),
            "action-hide": _("Saved. Visitors do not see it."),
        }
        return words.get(decision or "", _("Saved."))

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
        known = site_status.of(item.site)
        thing = item.mirrored
        reason = known.gate.why_hidden(thing) if thing is not None else _("It is not in Zoom now.")
        context |= {
            "item": item,
            "is_recording": item.kind == Kind.RECORDING,
            "is_new": item.kind == Kind.RECORDING and item.visibility == curation.AUTO,
            "shown": not reason,
            "reason": reason,
            "zoom_facts": zoom_facts(item),
            "used_on": usage.pages_for(item),
            "rules": rules.offered(known.choice, item),
            "watch_url": _watch_url(item, known),
            "panel_url": links.panel_url(known),
        }
        return context


class RecordingEditView(ItemEditView):
    """The same for recordings."""

    kinds = (Kind.RECORDING,)


def _watch_url(item: SiteItem, known: site_status.Facts) -> str:
    """Where the owner looks at a recording before deciding."""
    recording = item.recording
    if recording is None or not watch.may_watch(known.choice, recording):
        return ""
    return reverse("wagtail_zoom_recordings:watch", args=[item.pk])


def dates_to_come(meeting: Meeting) -> QuerySet[Occurrence]:
    """Dates that are not over yet, called off or not."""
    return Occurrence.objects.filter(meeting=meeting, end__gte=site_status.timezone.now())


def zoom_facts(item: SiteItem) -> list[tuple[str, str]]:
    """What Zoom says; it is changed there."""
    thing: Any = item.mirrored
    if thing is None:
        return [(_("Topic"), item.last_title)]
    found = [(_("Topic"), thing.topic or _("without a title"))]
    coming = dates_to_come(thing) if item.kind != Kind.RECORDING else Occurrence.objects.none()
    # Of a series the next date: its first one may be long past.
    begins = coming.exclude(state=Occurrence.State.CANCELLED).order_by("start").first() or thing
    if begins.start:
        when = f"{formatting.moment(begins.start)}, {formatting.minutes(begins.duration)}"
        found.append((_("Recorded") if item.kind == Kind.RECORDING else _("When"), when))
    found.append((_("Host"), str(thing.host) if thing.host else "–"))
    if item.kind == Kind.RECORDING:
        return found + _recording_facts(thing)
    if thing.has_fixed_time:
        found.append((_("Dates to come"), str(coming.count())))
    elif not thing.start:
        # Zoom knows no dates of it, which does not mean that there are none.
        found.append((_("When"), _("no fixed date")))
    yes = _("asked for in Zoom") if thing.takes_registration else _("not needed")
    found.append((_("Registration"), yes))
    return found


def _recording_facts(recording: Any) -> list[tuple[str, str]]:
    kinds = {"MP4": _("video"), "M4A": _("sound"), "TRANSCRIPT": _("transcript"), "CC": _("text")}
    names = {kinds[name] for name in recording.file_types if name in kinds}
    files = formatting.listing(sorted(names))
    found = [(_("Files"), files or str(recording.file_count))]
    passcode = _("yes, visitors are told when it opens") if recording.passcode else _("none")
    found.append((_("Passcode in Zoom"), passcode))
    if recording.deletes_on:
        found.append((_("Zoom keeps it until"), formatting.day(recording.deletes_on)))
    return found
