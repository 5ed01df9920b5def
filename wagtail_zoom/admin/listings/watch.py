"""Looking at a recording before it is published."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.generic import View

from ...frontend import links
from ...frontend.views import HUMAN_PASSCODE, closed_lips, with_passcode
from ...models import Kind, Recording, SiteItem, ZoomSettings
from ...utils.crypto import DecryptionError
from ..permissions import RowGuard, visible_to


def may_watch(choice: ZoomSettings, recording: Recording) -> bool:
    """Whether this Site's own connection covers the recording's host; an archive has none."""
    if recording.account_id != choice.account_id or recording.removed_at or recording.trashed_at:
        return False
    return choice.grant is None or choice.grant.covers(recording.host_zoom_id)


class WatchView(RowGuard, View):
    """Leads the owner to the recording in Zoom, with its passcode where a person types it."""

    model = SiteItem
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = visible_to(request.user, SiteItem.objects.filter(kind=Kind.RECORDING))
        item = get_object_or_404(rows.select_related("recording__host", "site"), pk=pk)
        choice = ZoomSettings.objects.select_related("grant").filter(site=item.site).first()
        recording = item.recording
        if choice is None or recording is None or not may_watch(choice, recording):
            raise Http404
        try:
            url, passcode = recording.watch_url.reveal(), recording.passcode.reveal()
        except DecryptionError:
            raise Http404 from None
        if not links.is_zoom_link(url):
            raise Http404
        if len(passcode) > HUMAN_PASSCODE:
            url, passcode = with_passcode(url, passcode), ""
        if not passcode or "go" in request.GET:
            return closed_lips(HttpResponseRedirect(url))
        context = {
            "item": item,
            "site": item.site,
            "passcode": passcode,
            "go": f"{request.path}?go=1",
            "back": reverse("wagtail_zoom_recordings:edit", args=[item.pk]),
        }
        return closed_lips(render(request, "wagtail_zoom/admin/watch.html", context))
