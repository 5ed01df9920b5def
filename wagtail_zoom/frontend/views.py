"""The doors of a Site: join a date, watch a recording. What happens is decided at the click.

Never cached, never indexed, and Zoom learns no address of ours. Registrants come through their
own address (registration/), which calls ``answer`` with their audience and personal link.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe
from wagtail.models import Site

from ..models import (
    JoinPolicy,
    Kind,
    Occurrence,
    PasscodePolicy,
    Recording,
    Secret,
    SiteItem,
    ZoomSettings,
)
from ..utils.crypto import DecryptionError
from ..utils.text import sanitize_text
from . import links
from .datetimes import short_day
from .presenters import date_views, film_views, last_day
from .queries import GONE, OVERRUN
from .view_models import Action, DateView
from .visibility import Audience, Exposure, Surface

HUMAN_PASSCODE = 12
"""Longest passcode that a person types; longer ones are made for the address alone."""


@dataclass(frozen=True)
class Door:
    """What stands at the door of one date."""

    code: str
    """``open``, ``early``, ``moved``, ``over``, ``cancelled`` or ``closed``."""
    opens: datetime | None = None


def visitor_join(request: HttpRequest, token: str) -> HttpResponse | None:
    """Join without a registration, as the Site's policy says; None: the token is no date's."""
    site, gate = site_and_gate(request)
    ident = links.resolve(site.pk, token)
    rows = gate.occurrences(Audience.VISITOR, Surface.PAGE)
    row = rows.filter(public_id=ident).first() if ident else None
    return answer(request, gate, row, Audience.VISITOR) if row is not None else None


@sensitive_variables("target")
def answer(
    request: HttpRequest,
    gate: Exposure,
    row: Occurrence,
    audience: Audience,
    personal: Secret | None = None,
) -> HttpResponse:
    """Lead to Zoom if the door is open, else say how things stand.

    ``personal`` is a registrant's own link; without it the meeting's link is used.
    """
    now = timezone.now()
    door = at_the_door(gate, row, audience, now)
    if door.code == "open":
        target = _target(gate, row, audience, personal, request.GET.get("in") == "browser")
        if target:
            return closed_lips(HttpResponseRedirect(target))
        door = Door("closed")
    view = date_views(gate, [row], films=True)[0]
    context = _words(gate.choice, door, view, audience)
    response = render(request, "wagtail_zoom/public/join.html", context)
    if door.opens and door.opens - now < timedelta(hours=2):
        # Without a script the page looks again by itself when the door opens.
        response["Refresh"] = str(max(5, int((door.opens - now).total_seconds()) + 1))
    return closed_lips(response)


def at_the_door(gate: Exposure, row: Occurrence, audience: Audience, now: datetime) -> Door:
    """How things stand for one date and one audience."""
    choice = gate.choice
    if row.state == Occurrence.State.CANCELLED:
        return Door("cancelled")
    live = row.state == Occurrence.State.LIVE and row.end + OVERRUN >= now
    if row.state in GONE or (row.end < now and not live):
        return Door("over")
    early = Door("moved" if row.state == Occurrence.State.MOVED else "early", _opens(row, choice))
    let_in = gate.occurrences(audience, Surface.JOIN).filter(pk=row.pk).exists()
    if choice and choice.join_policy == JoinPolicy.WINDOW and not let_in:
        return early
    if let_in and choice and choice.join_policy == JoinPolicy.REGISTRANTS and not live:
        # They may always come in, but nobody should sit in an empty room for days.
        return Door("open") if early.opens and early.opens <= now else early
    return Door("open" if let_in else "closed")


def _opens(row: Occurrence, choice: ZoomSettings | None) -> datetime:
    return row.start - timedelta(minutes=choice.join_minutes if choice else 15)


@sensitive_variables("url", "parts", "query", "pair")
def _target(
    gate: Exposure, row: Occurrence, audience: Audience, personal: Secret | None, browser: bool
) -> str:
    choice = gate.choice
    let_in = gate.occurrences(audience, Surface.JOIN).filter(pk=row.pk).first()
    if let_in is None or choice is None:
        return ""
    try:
        url = (personal or let_in.meeting.join_url).reveal()
    except DecryptionError:
        return ""
    if not links.is_zoom_link(url):  # guard: join-redirect-to-zoom-only
        return ""
    may_pass = choice.passcode_policy == PasscodePolicy.IN_LINK or (
        choice.passcode_policy == PasscodePolicy.REGISTRANTS and audience is Audience.REGISTRANT
    )
    parts = urlsplit(url)
    query = [
        pair
        for pair in parse_qsl(parts.query)
        if may_pass or pair[0] != "pwd"  # guard: passcode-policy
    ]
    path = parts.path
    room, _slash, number = path.removeprefix("/").partition("/")
    if browser and room in ("j", "w"):
        # Zoom's web client, for those who cannot install the app: meetings, and people's own
        # links to webinars.
        path = f"/wc/join/{number}"
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))


def _words(
    choice: ZoomSettings | None, door: Door, view: DateView, audience: Audience
) -> dict[str, Any]:
    """The sentences of the page."""
    minutes = choice.join_minutes if choice else 15
    early = _(
        "The door opens %(minutes)d minutes before the start. You can leave this page open."
    ) % {"minutes": minutes}
    texts = {
        "early": (_("You are early"), early),
        "moved": (
            _("This meeting has moved"),
            _("This link stays the same.") + " " + early
            if audience is Audience.VISITOR
            else _("Your place and this link stay the same."),
        ),
        "over": (
            _("This meeting is over"),
            _("The recording is ready.") if view.film else _("Thank you to everyone who came."),
        ),
        "cancelled": (
            _("This meeting is cancelled"),
            _("There is nothing you need to do."),
        ),
        "closed": (
            _("You need an invitation"),
            _("This meeting is open to people who have registered.")
            if choice and choice.join_policy == JoinPolicy.REGISTRANTS
            else _("The organiser gives out the link."),
        ),
    }
    headline, sentence = texts[door.code]
    return {
        "door": door.code,
        "headline": headline,
        "sentence": sentence,
        "row": view,
        "site": choice.site if choice else None,
        "opens": door.opens.isoformat(timespec="seconds") if door.opens else "",
        "action": _join_page_action(door, view),
        "page_title": f"{headline}: {view.title}",
    }


def _join_page_action(door: Door, view: DateView) -> Action | None:
    if door.code == "over" and view.film:
        return Action(_("Watch the recording"), view.film.url, main=True)
    if door.code == "closed" and view.has_form:
        return Action(_("Register"), view.url, main=True)
    if door.code in ("early", "moved") and view.calendar_url:
        label = _("Update my calendar") if door.code == "moved" else _("Add to calendar")
        return Action(label, view.calendar_url)
    return None


@login_not_required
@require_safe
@sensitive_variables("url", "passcode", "shown", "context")
def watch(request: HttpRequest, token: str) -> HttpResponse:
    """``zoom/watch/<id>/``: leads to the recording; first to its passcode if a person types it."""
    site, gate = site_and_gate(request)
    ident = links.resolve(site.pk, token)
    row = _recording(gate, ident) if ident else None
    if row is None or gate.choice is None:
        raise Http404
    try:
        url, passcode = row.watch_url.reveal(), row.passcode.reveal()
    except DecryptionError:
        url, passcode = "", ""
    shown = passcode if gate.choice.passcode_policy == PasscodePolicy.IN_LINK else ""
    if not links.is_zoom_link(url):
        raise Http404
    if len(shown) > HUMAN_PASSCODE:
        return closed_lips(HttpResponseRedirect(with_passcode(url, shown)))
    if not shown or "go" in request.GET:
        return closed_lips(HttpResponseRedirect(url))
    view = film_views(gate, [row])[0]
    until = last_day(row, None, gate.choice)
    context = {
        "row": view,
        "passcode": shown,
        "go": f"{request.path}?go=1",
        "until": short_day(datetime(until.year, until.month, until.day)) if until else "",
        "page_title": view.title,
    }
    return closed_lips(render(request, "wagtail_zoom/public/watch.html", context))


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
        "text": sanitize_text(found.text),
        "page_title": _("Transcript: %(title)s") % {"title": views[0].title},
    }
    return closed_lips(render(request, "wagtail_zoom/public/transcript.html", context))


def with_passcode(url: str, passcode: str) -> str:
    """The address of a recording that opens without asking."""
    joiner = "&" if urlsplit(url).query else "?"
    return f"{url}{joiner}{urlencode({'pwd': passcode})}"


def _recording(gate: Exposure, ident: Any) -> Recording | None:
    if gate.choice is None:
        return None
    item = gate.choice.site.zoom_items.filter(public_id=ident).first()
    if item is None:
        return None
    rows = gate.recordings(Audience.VISITOR, Surface.JOIN)
    return rows.filter(account=item.account_id, uuid=item.key).first()


def site_and_gate(request: HttpRequest) -> tuple[Site, Exposure]:
    """The Site of the host that was asked, and its gate.

    The host decides only which Site's data is meant; what that Site shows is public anyway.
    """
    site = Site.find_for_request(request)
    if site is None:
        raise Http404
    return site, Exposure.for_site(site)


def closed_lips(response: HttpResponse) -> HttpResponse:
    """Not stored by anybody, not indexed, and no address of ours goes to Zoom."""
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


urlpatterns = [
    path("watch/<str:token>/", watch, name="watch"),
    path("transcript/<str:token>/", transcript, name="transcript"),
]
