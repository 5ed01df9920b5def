"""Watching a recording before it is published."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.generic import View

from ...frontend import links
from ...frontend.views import MAX_TYPED_PASSCODE, private_response, with_passcode
from ...models import Kind, Recording, SiteItem, ZoomSettings
from ...utils.crypto import DecryptionError
from ..permissions import OwnerAccessMixin, visible_to


def may_watch(site_settings: ZoomSettings, recording: Recording) -> bool:
    """Whether this Site's grant covers the recording's host; an archive needs no grant."""
    if (
        recording.account_id != site_settings.account_id
        or recording.removed_at
        or recording.trashed_at
    ):
        return False
    return site_settings.grant is None or site_settings.grant.covers(recording.host_zoom_id)


class WatchView(OwnerAccessMixin, View):
    """Redirects the owner to the recording in Zoom; shows a passcode that must be typed."""

    model = SiteItem
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = visible_to(request.user, SiteItem.objects.filter(kind=Kind.RECORDING))
        item = get_object_or_404(rows.select_related("recording__host", "site"), pk=pk)
        site_settings = ZoomSettings.objects.select_related("grant").filter(site=item.site).first()
        recording = item.recording
        if site_settings is None or recording is None or not may_watch(site_settings, recording):
            raise Http404
        try:
            url, passcode = recording.watch_url.reveal(), recording.passcode.reveal()
        except DecryptionError:
            raise Http404 from None
        if not links.is_zoom_link(url):
            raise Http404
        if len(passcode) > MAX_TYPED_PASSCODE:
            url, passcode = with_passcode(url, passcode), ""
        if not passcode or "go" in request.GET:
            return private_response(HttpResponseRedirect(url))
        context = {
            "item": item,
            "site": item.site,
            "passcode": passcode,
            "watch_url": f"{request.path}?go=1",
            "edit_url": reverse("wagtail_zoom_recordings:edit", args=[item.pk]),
        }
        return private_response(render(request, "wagtail_zoom/admin/watch.html", context))
