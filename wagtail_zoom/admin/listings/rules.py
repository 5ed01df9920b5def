"""Rules for future recordings of one series or one host. The series takes precedence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View

from ...frontend.visibility import ItemRow, SiteVisibility
from ...models import (
    Activity,
    Kind,
    Recording,
    RecordingRule,
    SiteItem,
    ZoomSettings,
)
from .. import links
from ..permissions import OwnerAccessMixin, SiteMixin, visible_to

NO_RULE = "none"
"""Posted for "no rule": the Site's own setting applies."""


@dataclass(frozen=True)
class RuleTarget:
    """The series or host of a recording, with its rule and the possible ones."""

    name: str
    label: str
    action: str
    options: list[tuple[str, str]]


def rule_targets(
    site_settings: ZoomSettings, item: SiteItem, recording: ItemRow | None
) -> dict[str, Any] | None:
    """The series and host of a recording with their rules, or None without any."""
    if not isinstance(recording, Recording) or site_settings.pk is None:
        return None
    targets = [
        _rule_target(site_settings, name, label, key)
        for name, label, key in (
            ("series", recording.topic or _("this series"), recording.meeting_zoom_id),
            ("host", str(recording.host) if recording.host else "", recording.host_zoom_id),
        )
        if key and label
    ]
    if not targets:
        return None
    return {
        "series": next((target for target in targets if target.name == "series"), None),
        "targets": targets,
        "url": reverse("wagtail_zoom_recordings:rule", args=[item.pk]),
    }


def _rule_target(site_settings: ZoomSettings, name: str, label: str, key: str) -> RuleTarget:
    row = RecordingRule.objects.filter(settings=site_settings, **_target_filter(name, key)).first()
    no_rule_text = _("as new recordings are treated") if row is None else _("no rule any more")
    options = [
        (NO_RULE, no_rule_text),
        *((str(v), str(text)) for v, text in RecordingRule.Action.choices),
    ]
    return RuleTarget(name, label, row.action if row else NO_RULE, options)


def _target_filter(name: str, key: str) -> dict[str, str]:
    if name == "series":
        return {"meeting_zoom_id": key, "host_zoom_id": ""}
    return {"host_zoom_id": key, "meeting_zoom_id": ""}


class RuleView(OwnerAccessMixin, View):
    """Sets the rule for future recordings of the same series or host."""

    model = SiteItem
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = visible_to(request.user, SiteItem.objects.filter(kind=Kind.RECORDING))
        item = get_object_or_404(rows.select_related("site"), pk=pk)
        visibility = SiteVisibility.for_site(item.site)
        site_settings, recording = visibility.site_settings, visibility.row_of(item)
        if site_settings is None or not isinstance(recording, Recording):
            raise Http404
        keys = {"series": recording.meeting_zoom_id, "host": recording.host_zoom_id}
        actions = {name: request.POST[name] for name in keys if name in request.POST}
        valid_actions = {NO_RULE, *RecordingRule.Action.values}
        if not actions or any(
            action not in valid_actions or not keys[name] for name, action in actions.items()
        ):
            raise Http404
        for name, action in actions.items():
            _save_rule(site_settings, _target_filter(name, keys[name]), action)
        _log_rule(site_settings, recording.topic, request.user, item)
        messages.success(request, _("Saved. It applies from the next recording."))
        return redirect(reverse("wagtail_zoom_recordings:edit", args=[item.pk]))

    def back_url(self) -> str:
        return reverse("wagtail_zoom_recordings:edit", args=[self.kwargs["pk"]])


def _save_rule(site_settings: ZoomSettings, key: dict[str, Any], action: str) -> None:
    rows = RecordingRule.objects.filter(settings=site_settings, **key)
    if action == NO_RULE:
        rows.delete()
    else:
        RecordingRule.objects.update_or_create(
            settings=site_settings, **key, defaults={"action": action}
        )


def _log_rule(
    site_settings: ZoomSettings, topic: str, user: Any, item: SiteItem | None = None
) -> None:
    Activity.log(
        [site_settings.site_id],
        "curation",
        "rule_made" if item else "rule_ended",
        outcome=Activity.Outcome.GOOD,
        data={"topic": topic, "kind": "recording"},
        user=user,
        items={site_settings.site_id: item} if item else None,
    )


@dataclass(frozen=True)
class RuleRow:
    """A rule as text, with the URL that ends it."""

    name: str
    text: str
    url: str


def rule_rows(site_settings: ZoomSettings) -> list[RuleRow]:
    """The rules of a Site: at most four queries."""
    rows = list(RecordingRule.objects.filter(settings=site_settings.pk).order_by("pk"))
    if not rows:
        return []
    names = _target_names(site_settings, rows)
    texts = {
        RecordingRule.Action.PUBLISH: _("are published automatically"),
        RecordingRule.Action.REVIEW: _("wait for your review"),
        RecordingRule.Action.HIDE: _("stay hidden"),
    }
    return [
        RuleRow(
            _("Recordings of %(what)s") % {"what": names[row.pk]},
            texts[RecordingRule.Action(row.action)],
            reverse("wagtail_zoom_admin:end_rule", args=[site_settings.site_id, row.pk]),
        )
        for row in rows
    ]


def _target_names(site_settings: ZoomSettings, rows: list[RecordingRule]) -> dict[int, str]:
    visibility = SiteVisibility(site_settings)
    series_ids = {row.meeting_zoom_id for row in rows if row.meeting_zoom_id}
    host_ids = {row.host_zoom_id for row in rows if row.host_zoom_id}
    recordings = visibility.usable_recordings().filter(meeting_zoom_id__in=series_ids)
    topics = dict(recordings.order_by("start").values_list("meeting_zoom_id", "topic"))
    hosts = visibility.usable_hosts().filter(zoom_id__in=host_ids)
    names = dict(hosts.values_list("zoom_id", "display_name"))
    return {
        row.pk: topics.get(row.meeting_zoom_id) or names.get(row.host_zoom_id) or _("a series")
        for row in rows
    }


class EndRuleView(SiteMixin, View):
    """Ends a rule; its past decisions stay."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        site_settings = get_object_or_404(ZoomSettings, site=self.site)
        row = get_object_or_404(RecordingRule, pk=pk, settings=site_settings)
        name = _target_names(site_settings, [row])[row.pk]
        row.delete()
        _log_rule(site_settings, name, request.user)
        messages.success(request, _("The rule has ended. What it has decided stays."))
        return redirect(f"{links.panel_url_of(self.site.pk)}#tab-choices")
