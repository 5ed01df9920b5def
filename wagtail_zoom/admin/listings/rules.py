"""Rules for the recordings to come: of one series, of one host. The series wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View

from ...models import (
    Activity,
    Host,
    Kind,
    Recording,
    RecordingRule,
    SiteItem,
    ZoomSettings,
)
from .. import links
from ..permissions import RowGuard, SiteMixin, visible_to

NONE = "none"
"""Posted for "no rule": as the Site does it with all of them."""


@dataclass(frozen=True)
class Offer:
    """A rule that could be made from one recording, with what holds now."""

    name: str
    label: str
    action: str
    options: list[tuple[str, str]]


def offered(choice: ZoomSettings, item: SiteItem) -> dict[str, Any] | None:
    """The rules for further recordings like this one, if there can be one."""
    recording = item.recording
    if recording is None or choice.pk is None:
        return None
    offers = [
        _offer(choice, name, label, key)
        for name, label, key in (
            ("series", recording.topic or _("this series"), recording.meeting_zoom_id),
            ("host", str(recording.host) if recording.host else "", recording.host_zoom_id),
        )
        if key and label
    ]
    if not offers:
        return None
    return {
        "series": next((offer for offer in offers if offer.name == "series"), None),
        "offers": offers,
        "url": reverse("wagtail_zoom_recordings:rule", args=[item.pk]),
    }


def _offer(choice: ZoomSettings, name: str, label: str, key: str) -> Offer:
    row = RecordingRule.objects.filter(settings=choice, **_key(name, key)).first()
    usual = _("as new recordings are treated") if row is None else _("no rule any more")
    options = [(NONE, usual), *((str(v), str(text)) for v, text in RecordingRule.Action.choices)]
    return Offer(name, label, row.action if row else NONE, options)


def _key(name: str, key: str) -> dict[str, str]:
    if name == "series":
        return {"meeting_zoom_id": key, "host_zoom_id": ""}
    return {"host_zoom_id": key, "meeting_zoom_id": ""}


class RuleView(RowGuard, View):
    """What happens to the next recordings of the same series, or of the same host."""

    model = SiteItem
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = visible_to(request.user, SiteItem.objects.filter(kind=Kind.RECORDING))
        item = get_object_or_404(rows.select_related("recording", "site"), pk=pk)
        choice = ZoomSettings.objects.filter(site=item.site).first()
        recording = item.recording
        if choice is None or recording is None:
            raise Http404
        keys = {"series": recording.meeting_zoom_id, "host": recording.host_zoom_id}
        wanted = {name: request.POST[name] for name in keys if name in request.POST}
        known = {NONE, *RecordingRule.Action.values}
        if not wanted or any(
            action not in known or not keys[name] for name, action in wanted.items()
        ):
            raise Http404
        for name, action in wanted.items():
            _set(choice, _key(name, keys[name]), action)
        _log(choice, recording.topic, request.user, item)
        messages.success(request, _("Saved. It counts from the next recording on."))
        return redirect(reverse("wagtail_zoom_recordings:edit", args=[item.pk]))


def _set(choice: ZoomSettings, key: dict[str, str], action: str) -> None:
    rows = RecordingRule.objects.filter(settings=choice, **key)
    if action == NONE:
        rows.delete()
    else:
        RecordingRule.objects.update_or_create(settings=choice, **key, defaults={"action": action})


def _log(choice: ZoomSettings, topic: str, user: Any, item: SiteItem | None = None) -> None:
    Activity.log(
        [choice.site_id],
        "curation",
        "rule_made" if item else "rule_ended",
        outcome=Activity.Outcome.GOOD,
        data={"topic": topic, "kind": "recording"},
        user=user,
        items={choice.site_id: item} if item else None,
    )


@dataclass(frozen=True)
class Line:
    """A rule that holds, in a sentence, with where it is ended."""

    name: str
    text: str
    url: str


def lines(choice: ZoomSettings) -> list[Line]:
    """The rules of a Site: at most four queries, however many there are."""
    rows = list(RecordingRule.objects.filter(settings=choice.pk).order_by("pk"))
    if not rows:
        return []
    names = _names(choice, rows)
    words = {
        RecordingRule.Action.PUBLISH: _("are published by themselves"),
        RecordingRule.Action.REVIEW: _("wait for your review"),
        RecordingRule.Action.HIDE: _("stay hidden"),
    }
    return [
        Line(
            _("Recordings of %(what)s") % {"what": names[row.pk]},
            words[RecordingRule.Action(row.action)],
            reverse("wagtail_zoom_admin:end_rule", args=[choice.site_id, row.pk]),
        )
        for row in rows
    ]


def _names(choice: ZoomSettings, rows: list[RecordingRule]) -> dict[int, str]:
    series = {row.meeting_zoom_id for row in rows if row.meeting_zoom_id}
    hosts = {row.host_zoom_id for row in rows if row.host_zoom_id}
    films = Recording.objects.filter(account=choice.account_id, meeting_zoom_id__in=series)
    topics = dict(films.order_by("start").values_list("meeting_zoom_id", "topic"))
    people = Host.objects.filter(account=choice.account_id, zoom_id__in=hosts)
    names = dict(people.values_list("zoom_id", "display_name"))
    return {
        row.pk: topics.get(row.meeting_zoom_id) or names.get(row.host_zoom_id) or _("a series")
        for row in rows
    }


class EndRuleView(SiteMixin, View):
    """A rule ends; what it has decided stays."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        choice = get_object_or_404(ZoomSettings, site=self.site)
        row = get_object_or_404(RecordingRule, pk=pk, settings=choice)
        name = _names(choice, [row])[row.pk]
        row.delete()
        _log(choice, name, request.user)
        messages.success(request, _("The rule has ended. What it has decided stays."))
        return redirect(f"{links.panel_of(self.site.pk)}#tab-choices")
