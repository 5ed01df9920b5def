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
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.views.generic import EditView
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.images.widgets import AdminImageChooser

from ...frontend.datetimes import zone_city
from ...frontend.visibility import Audience, Channel, ItemRow, SiteVisibility
from ...frontend.visibility_reasons import link_reason
from ...models import (
    Activity,
    ItemTag,
    Kind,
    Meeting,
    Occurrence,
    Recording,
    Refusal,
    SiteItem,
    Summary,
    WriteAccess,
    public_day,
)
from ...models.mirror import DATED_SERIES_TYPES
from ...utils.secret_text import KnownValues, cut_secrets
from .. import activity, curation, formatting, links, usage
from ..concurrent_edits import ConcurrentEditForm
from ..permissions import permission_policy_of, visible_to
from ..reasons import hidden_reason
from ..scheduling.access import SchedulingAccess
from ..scheduling.changes import open_changes, reason_text
from ..scheduling.changes import title as change_title
from ..site_status import get_site_status
from . import dates, rules, watch

MAX_HISTORY = 10
"""Lines of the activity that the page of an item lists."""
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


class ItemForm(ConcurrentEditForm, WagtailAdminModelForm):
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
        self.fields["title"].widget.attrs["placeholder"] = self.instance.last_title
        self.fields["title"].help_text = _("Leave it empty to use the topic from Zoom.")
        self.fields["expires_on"].help_text = _last_day_help()
        if "summary" in self.fields:
            self.fields["summary"].label = _("Summary")
        if "image" in self.fields:
            self.fields["image"].help_text = _(
                "Without an image, a drawing in the colours of the site is used."
            )
        for name in FIELD_ICONS.keys() & self.fields.keys():
            field: Any = self.fields[name]
            field.icon = FIELD_ICONS[name]
        names = self.instance.tags.values_list("name", flat=True)
        self.initial["tags"] = ", ".join(names)

    def last_change(self) -> tuple[Any, Any] | None:
        entries = Activity.objects.filter(item=self.instance, category="curation")
        entry = entries.exclude(user=None).select_related("user").order_by("-created_at").first()
        return (formatting.user_name(entry.user), entry.created_at) if entry else None

    def clean_expires_on(self) -> Any:
        day = self.cleaned_data["expires_on"]
        if day is not None and day < public_day() and "expires_on" in self.changed_data:
            raise forms.ValidationError(
                _("Enter today or a later day. To hide it now, press “Hide from visitors”.")
            )
        return day

    def clean_image(self) -> Any:
        """An image that this user may choose: other image ids can be guessed."""
        image = self.cleaned_data["image"]
        if image is None or "image" not in self.changed_data:
            return image
        policy = permission_policy_of(type(image))
        if not policy.user_has_permission_for_instance(self.for_user, "choose", image):
            raise forms.ValidationError(_("You may not use this image."))
        return image

    def clean_title(self) -> str:
        return self._without_secrets("title")

    def clean_summary(self) -> str:
        return self._without_secrets("summary")

    def _without_secrets(self, name: str) -> str:
        """Refused, not cut: these are the owner's own words."""
        text: str = self.cleaned_data[name]
        known_values = known_values_of(self.instance)
        if cut_secrets(text, known_values) != text:  # guard: own-words-hold-no-secret
            raise forms.ValidationError(
                _(
                    "This text holds a link, the number or the passcode of the meeting. Visitors "
                    "would read it, whatever you have chosen about joining. Please take it out."
                )
            )
        return text

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


def _last_day_help() -> str:
    """What the last day is; with the clock by which it ends, if that is not the user's own."""
    zone = timezone.get_default_timezone_name()
    if zone == timezone.get_current_timezone_name():
        return _("The last day on which visitors see it.")
    return _("The last day on which visitors see it. It ends at midnight, %(zone)s.") % {
        "zone": zone_city(zone)
    }


def known_values_of(item: SiteItem) -> KnownValues:
    """What opens the meeting or recording of an item; nothing of a row that is not the Site's."""
    row = SiteVisibility.for_site(item.site).row_of(item)
    known_values = row.known_values if row is not None else KnownValues()
    if isinstance(row, Summary):
        recordings = SiteVisibility.for_site(item.site).usable_recordings()
        for recording in recordings.filter(uuid=row.uuid):
            known_values |= recording.known_values
    if isinstance(row, Recording) and row.meeting is not None:
        known_values |= row.meeting.known_values
    return known_values


class ItemEditView(EditView):
    """One button saves and decides: *Save and publish*, *Save only*, *Hide*."""

    model = SiteItem
    template_name = "wagtail_zoom/admin/item.html"
    success_message = None
    kinds: tuple[str, ...] = (Kind.MEETING, Kind.WEBINAR)

    def get_object(self, queryset: Any = None) -> SiteItem:
        rows = visible_to(self.request.user, SiteItem.objects.filter(kind__in=self.kinds))
        rows = rows.select_related("site", "decided_by", "image")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_page_subtitle(self) -> str:
        return self.object.display_title

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
                data={"topic": item.display_title, "kind": item.kind},
                user=user,
                items={item.site_id: item},
            )
            curation.invalidate_items([item])
        messages.success(self.request, self._success_text(item, decision))
        return item

    def _success_text(self, item: SiteItem, decision: str | None) -> str:
        """What visitors see now, from the rules that decide it, not from the button."""
        visibility = SiteVisibility.for_site(item.site)
        reason = hidden_reason(item, visibility)
        row = visibility.row_of(item)
        if not reason and isinstance(row, Meeting) and row.has_fixed_time:
            shown = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
            n = shown.filter(meeting=row, end__gte=timezone.now()).count()
            if not n:
                return _("Saved. Visitors see no date of it: none is to come.")
            return ngettext(
                "Saved. Visitors see %(n)d date of it.", "Saved. Visitors see %(n)d dates of it.", n
            ) % {"n": n}
        if not reason:
            return _("Saved. Visitors see it.")
        if decision == "action-hide":
            return _("Saved. Visitors do not see it.")
        return _("Saved. Visitors do not see it: %(reason)s") % {"reason": reason}

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

    def _dates(self, item: SiteItem, row: ItemRow | None) -> dict[str, Any]:
        """The dates of a series; a single date is hidden with its meeting."""
        if not isinstance(row, Meeting):
            return {}
        upcoming = dates.upcoming_occurrences(row)
        if len(upcoming) < 2 and not item.hidden_dates.exists():
            return {}
        return {
            "rows": dates.date_rows(item, upcoming, self.request.user),
            "text": dates.shown_text(SiteVisibility.for_site(item.site), row),
            "url": reverse("wagtail_zoom_meetings:date", args=[item.pk]),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        item: SiteItem = self.object
        site_status = get_site_status(item.site)
        row = site_status.visibility.row_of(item)
        reason = hidden_reason(item, site_status.visibility)
        context |= {
            "item": item,
            "is_recording": item.kind == Kind.RECORDING,
            "is_new": item.kind == Kind.RECORDING and item.visibility == curation.AUTO,
            "shown": not reason,
            "reason": reason,
            "zoom_values": zoom_values(item, row),
            "used_on": usage.pages_using_item(item),
            "dates": self._dates(item, row),
            "rules": rules.rule_targets(site_status.site_settings, item, row),
            "watch_url": _watch_url(item, row),
            "panel_url": links.panel_url(site_status),
            "scheduling": _scheduling(item, row, self.request.user),
            "history": _history(item),
        }
        return context


def _history(item: SiteItem) -> list[dict[str, Any]]:
    """What has happened with it, newest first: times and texts as in the activity of its Site."""
    rows = Activity.objects.filter(site=item.site_id, item=item)
    rows = rows.select_related("user", "event", "item").order_by("-created_at", "-pk")
    return [
        {
            "when": formatting.relative_date_time(row.created_at),
            "line": activity.activity_text(row),
        }
        for row in rows[:MAX_HISTORY]
    ]


def _scheduling(item: SiteItem, row: ItemRow | None, user: Any) -> dict[str, Any]:
    """URLs to change and cancel the meeting, or why Zoom has not allowed it; empty where this Site
    may not change it at all."""
    if not isinstance(row, Meeting) or row.removed_at is not None:
        return {}
    access = WriteAccess.of(item.site_id)
    refusal = access.refusal(row.account_id, row.host_zoom_id, row.kind, even_if_hidden=True)
    if refusal not in (None, Refusal.CONNECTION):
        return {}
    scheduling = SchedulingAccess(item.site, user)
    change = open_changes(item.site_id, row).first()
    return {
        "change_url": reverse("wagtail_zoom_admin:change_meeting", args=[item.site_id, item.pk]),
        "cancel_url": reverse("wagtail_zoom_admin:cancel_meeting", args=[item.site_id, item.pk]),
        "change_missing": scheduling.missing_access("update", row.kind),
        "cancel_missing": scheduling.missing_access("delete", row.kind),
        "connect_url": reverse("wagtail_zoom:oauth_connect", args=[item.site_id]),
        "is_series": row.zoom_type in DATED_SERIES_TYPES,
        "open_change": f"{change_title(change)} {reason_text(change)}" if change else "",
    }


class RecordingEditView(ItemEditView):
    """The same for recordings."""

    kinds = (Kind.RECORDING,)


def _watch_url(item: SiteItem, row: ItemRow | None) -> str:
    """The URL at which the owner watches a recording before deciding."""
    if not isinstance(row, Recording) or not row.has_link or not watch.is_watchable(row):
        return ""
    return reverse("wagtail_zoom_recordings:watch", args=[item.pk])


def upcoming_occurrences(meeting: Meeting) -> QuerySet[Occurrence]:
    """Occurrences that are not over, including cancelled ones."""
    return Occurrence.objects.filter(meeting=meeting, end__gte=timezone.now())


def zoom_values(item: SiteItem, row: ItemRow | None) -> list[tuple[str, str]]:
    """Labels and values from Zoom, which can only be changed there.

    Without a row that the Site may read now: the last topic that it knew.
    """
    zoom_object: Any = row
    if zoom_object is None:
        return [(_("Topic"), item.last_title), (_("In Zoom"), _("not available"))]
    values = [(_("Topic"), zoom_object.topic or _("without a title"))]
    if isinstance(zoom_object, Summary):
        host = str(zoom_object.host) if zoom_object.host else "–"
        return [*values, (_("Held"), formatting.date_time(zoom_object.start)), (_("Host"), host)]
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
    if reason := link_reason(zoom_object):
        values.append((_("Link"), reason))
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
