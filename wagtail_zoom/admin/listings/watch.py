"""Watching a recording before it is published."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.generic import View

from ...frontend.views import MAX_TYPED_PASSCODE, private_response, with_passcode
from ...frontend.visibility import SiteVisibility
from ...models import Kind, Recording, SiteItem
from ...utils.crypto import DecryptionError
from ...utils.zoom_urls import is_zoom_url
from ..permissions import OwnerAccessMixin, visible_to


def is_watchable(recording: Recording) -> bool:
    """Whether the recording is still at Zoom. That the Site may use it is checked before."""
    return not recording.removed_at and not recording.trashed_at


class WatchView(OwnerAccessMixin, View):
    """Redirects the owner to the recording in Zoom; shows a passcode that must be typed."""

    model = SiteItem
    http_method_names = ["get"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = visible_to(request.user, SiteItem.objects.filter(kind=Kind.RECORDING))
        item = get_object_or_404(rows.select_related("site"), pk=pk)
        recording = SiteVisibility.for_site(item.site).row_of(item)
        if not isinstance(recording, Recording) or not is_watchable(recording):
            raise Http404
        try:
            url, passcode = recording.watch_url.reveal(), recording.passcode.reveal()
        except DecryptionError:
            raise Http404 from None
        if not is_zoom_url(url):  # guard: owner-watch-redirect-to-zoom-only
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
