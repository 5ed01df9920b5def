"""The page with everything that was said in a recording, where its owner shows transcripts.

Not stored by anybody: what an owner takes back is gone with the next visit.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from . import links, wording
from .exposure import Audience, Surface
from .joining import closed_lips, site_and_gate
from .models import Kind, SiteItem
from .showing.presenting import film_views


@login_not_required
@require_safe
def transcript(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/transcript/<id>/``: the text, by the same gate as the recording itself."""
    site, gate = site_and_gate(request)
    ident = links.resolve(site.pk, token)
    item = SiteItem.objects.for_site(site).filter(public_id=ident).first() if ident else None
    if item is None or item.kind != Kind.RECORDING:
        raise Http404
    shown = gate.transcripts(Audience.VISITOR, Surface.PAGE).select_related("recording__host")
    found = shown.filter(recording__uuid=item.key, recording__account=item.account_id).first()
    views = film_views(gate, [found.recording], texts=False) if found else []
    if found is None or not views:
        raise Http404
    context = {
        "row": views[0],
        "text": wording.plain(found.text),
        "page_title": _("Transcript: %(title)s") % {"title": views[0].title},
    }
    return closed_lips(render(request, "wagtail_zoom/public/transcript.html", context))


urlpatterns = [path("transcript/<str:token>/", transcript, name="transcript")]
