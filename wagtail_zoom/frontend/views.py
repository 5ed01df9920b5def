"""Public views of a Site: join an occurrence, watch a recording, read a transcript.

They decide on each request. Responses are never cached or indexed and send no referrer to Zoom.
Registrants use a URL of their own (``registration``), which calls ``join_response`` with their
audience and personal link.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlunsplit
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe
from wagtail.models import Site

from ..models import (
    SUMMARY,
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
from ..utils.urls import split_url
from ..utils.zoom_urls import is_zoom_url
from . import links, restrictions
from .availability import RegistrationState
from .presenters import occurrence_views, recording_views, summary_views
from .queries import visible_recordings
from .view_models import ActionLink, OccurrenceView
from .visibility import Audience, Channel, SiteVisibility

MAX_TYPED_PASSCODE = 12
"""Maximum length of a passcode that people type; longer ones are for use in a URL only."""


@dataclass(frozen=True)
class JoinDecision:
    """Whether one occurrence can be joined now."""

    code: str
    """``open``, ``early``, ``moved``, ``over``, ``cancelled``, ``closed`` or ``unavailable``."""
    opens_at: datetime | None = None


def visitor_join(request: HttpRequest, token: str) -> HttpResponseBase | None:
    """Join without a registration, by the Site's join policy; None: the token has no occurrence."""
    site, visibility = site_and_visibility(request)
    link = links.unsign_link(site.pk, token)
    rows = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
    row = rows.filter(public_id=link.public_id).first() if link else None
    if link is None or row is None:
        return None
    refusal = restrictions.login_response(request, visitor_join, token)
    if refusal is not None:  # guard: join-requires-login
        return refusal
    access = restrictions.check(request, site, link.page_id)
    refusal = access.refusal(request)
    if refusal is not None:  # guard: join-follows-its-page
        return refusal
    if link.page_id is not None:
        visibility = replace(visibility, page=access.page)
    return join_response(request, visibility, row, Audience.VISITOR)


@sensitive_variables()
def join_response(
    request: HttpRequest,
    visibility: SiteVisibility,
    row: Occurrence,
    audience: Audience,
    personal_link: Secret | None = None,
    calendar_url: str = "",
) -> HttpResponse:
    """Redirect to Zoom if joining is possible, otherwise render the join page.

    Args:
        personal_link: a registrant's own link; without it the meeting's link is used.
        calendar_url: of a registrant's own calendar file; without it the public one is used.
    """
    now = timezone.now()
    decision = join_decision(visibility, row, audience, now)
    if decision.code == "open":
        target = _join_target(
            visibility, row, audience, personal_link, request.GET.get("in") == "browser"
        )
        if target:
            return private_response(HttpResponseRedirect(target))
        decision = JoinDecision("unavailable")
    view = occurrence_views(visibility, [row], recordings=True)[0]
    if calendar_url:  # guard: personal-page-links-personal-calendar
        view = replace(view, calendar_url=calendar_url)
    context = _join_context(visibility.site_settings, decision, view, audience)
    response = render(request, "wagtail_zoom/public/join.html", context)
    if decision.opens_at and decision.opens_at - now < timedelta(hours=2):
        # Without a script the page reloads when joining becomes possible.
        response["Refresh"] = str(max(5, int((decision.opens_at - now).total_seconds()) + 1))
    return private_response(response)


def join_decision(
    visibility: SiteVisibility, row: Occurrence, audience: Audience, now: datetime
) -> JoinDecision:
    """Whether an audience can join one occurrence."""
    site_settings = visibility.site_settings
    if row.state == Occurrence.State.CANCELLED:
        return JoinDecision("cancelled")
    if not row.may_be_running(now):
        return JoinDecision("over")
    early = JoinDecision(
        "moved" if row.state == Occurrence.State.MOVED else "early",
        _join_opens_at(row, site_settings),
    )
    may_join = visibility.occurrences(audience, Channel.JOIN).filter(pk=row.pk).exists()
    if site_settings and site_settings.join_policy == JoinPolicy.WINDOW and not may_join:
        return early
    if (
        may_join
        and site_settings
        and site_settings.join_policy == JoinPolicy.REGISTRANTS
        and not row.is_live(now)
    ):
        # Registrants may always join, but are not sent to an empty meeting days before.
        return JoinDecision("open") if early.opens_at and early.opens_at <= now else early
    return JoinDecision("open" if may_join else "closed")


def _join_opens_at(row: Occurrence, site_settings: ZoomSettings | None) -> datetime:
    return row.start - timedelta(minutes=site_settings.join_minutes if site_settings else 15)


@sensitive_variables()
def _join_target(
    visibility: SiteVisibility,
    row: Occurrence,
    audience: Audience,
    personal_link: Secret | None,
    in_browser: bool,
) -> str:
    site_settings = visibility.site_settings
    joinable = visibility.occurrences(audience, Channel.JOIN).filter(pk=row.pk).first()
    if joinable is None or site_settings is None:
        return ""
    is_registrant = audience is Audience.REGISTRANT and joinable.meeting.takes_registration
    if is_registrant and not personal_link:  # guard: registrant-gets-own-link-only
        # The public link would ask the person to register once more.
        return ""
    try:
        url = (personal_link or joinable.meeting.join_url).reveal()
    except DecryptionError:
        return ""
    if not is_zoom_url(url):  # guard: join-redirect-to-zoom-only
        return ""
    parts = split_url(link_for(audience, url, site_settings))
    path = parts.path
    prefix, _slash, number = path.removeprefix("/").partition("/")
    if in_browser and prefix in ("j", "w"):
        # Zoom's web client, for visitors without the app: meetings, and personal links to
        # webinars.
        path = f"/wc/join/{number}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def may_have_passcode(audience: Audience, site_settings: ZoomSettings) -> bool:
    """Whether the owner's policy gives an audience the passcodes of meetings and recordings."""
    policy = site_settings.passcode_policy
    return policy == PasscodePolicy.IN_LINK or (
        policy == PasscodePolicy.REGISTRANTS and audience is Audience.REGISTRANT
    )


@sensitive_variables()
def link_for(audience: Audience, url: str, site_settings: ZoomSettings) -> str:
    """Zoom's link to a meeting or recording, with its passcode only if the policy allows it."""
    if may_have_passcode(audience, site_settings):  # guard: passcode-policy
        return url
    parts = split_url(url)
    query = [pair for pair in parse_qsl(parts.query) if pair[0].lower() != "pwd"]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def _join_context(
    site_settings: ZoomSettings | None,
    decision: JoinDecision,
    view: OccurrenceView,
    audience: Audience,
) -> dict[str, Any]:
    """The context of the join page."""
    minutes = site_settings.join_minutes if site_settings else 15
    early_message = _(
        "You can join from %(minutes)d minutes before the start. You can leave this page open."
    ) % {"minutes": minutes}
    texts = {
        "early": (_("You are early"), early_message),
        "moved": (
            _("This meeting has moved"),
            _("This link stays the same.") + " " + early_message
            if audience is Audience.VISITOR
            else _("Your place and this link stay the same."),
        ),
        "over": (
            _("This meeting is over"),
            _("The recording is ready.")
            if view.recording
            else _("Thank you to everyone who came."),
        ),
        "cancelled": (
            _("This meeting is cancelled"),
            _("There is nothing you need to do."),
        ),
        "unavailable": (
            _("There is no link to join"),
            _("Zoom provided no link for it. Please ask the organiser."),
        ),
        "closed": (
            _("You need an invitation"),
            _("This meeting is open to people who have registered.")
            if site_settings
            and site_settings.join_policy == JoinPolicy.REGISTRANTS
            and view.registration.code is not RegistrationState.NOT_NEEDED
            else _("The organiser gives out the link."),
        ),
    }
    headline, message = texts[decision.code]
    return {
        "join_state": decision.code,
        "headline": headline,
        "message": message,
        "row": view,
        "site": site_settings.site if site_settings else None,
        "opens_at": decision.opens_at.isoformat(timespec="seconds") if decision.opens_at else "",
        "action": _join_page_action(decision, view),
        "page_title": f"{headline}: {view.title}",
    }


def _join_page_action(decision: JoinDecision, view: OccurrenceView) -> ActionLink | None:
    if decision.code == "over" and view.recording:
        return ActionLink(_("Watch the recording"), view.recording.url, main=True)
    if decision.code == "closed" and view.has_form and view.registration.is_open:
        return ActionLink(_("Register"), view.url, main=True)
    if decision.code in ("early", "moved") and view.calendar_url:
        label = _("Update my calendar") if decision.code == "moved" else _("Add to calendar")
        return ActionLink(label, view.calendar_url)
    return None


@require_safe
@restrictions.follows_offering_page
@sensitive_variables()
def watch(request: HttpRequest, visibility: SiteVisibility, public_id: UUID) -> HttpResponse:
    """``zoom/watch/<id>/``: redirects to the recording, or shows its passcode if people type it."""
    row = _find_recording(visibility, public_id)
    if row is None or visibility.site_settings is None:
        raise Http404
    try:
        url, passcode = row.watch_url.reveal(), row.passcode.reveal()
    except DecryptionError:
        url, passcode = "", ""
    url = link_for(Audience.VISITOR, url, visibility.site_settings)
    shown = passcode if may_have_passcode(Audience.VISITOR, visibility.site_settings) else ""
    if not is_zoom_url(url):  # guard: watch-redirect-to-zoom-only
        raise Http404
    if len(shown) > MAX_TYPED_PASSCODE:
        return private_response(HttpResponseRedirect(with_passcode(url, shown)))
    if not shown or "go" in request.GET:
        return private_response(HttpResponseRedirect(url))
    view = recording_views(visibility, [row])[0]
    context = {
        "row": view,
        "passcode": shown,
        "go": f"{request.path}?go=1",
        "until": view.until_day,
        "page_title": view.title,
    }
    return private_response(render(request, "wagtail_zoom/public/watch.html", context))


@require_safe
@restrictions.follows_offering_page
def transcript(request: HttpRequest, visibility: SiteVisibility, public_id: UUID) -> HttpResponse:
    """``zoom/transcript/<id>/``: the transcript, with the visibility rules of the recording."""
    item = _find_item(visibility, public_id)
    if item is None or item.kind != Kind.RECORDING:
        raise Http404
    transcripts = visibility.transcripts(Audience.VISITOR, Channel.PAGE).select_related(
        "recording__host"
    )
    transcript_row = transcripts.filter(
        recording__uuid=item.key, recording__account=item.account_id
    ).first()
    views = (
        recording_views(visibility, [transcript_row.recording], with_transcripts=False)
        if transcript_row
        else []
    )
    if transcript_row is None or not views:
        raise Http404
    context = {
        "row": views[0],
        "text": sanitize_text(transcript_row.text),
        "page_title": _("Transcript: %(title)s") % {"title": views[0].title},
    }
    return private_response(render(request, "wagtail_zoom/public/transcript.html", context))


@require_safe
@restrictions.follows_offering_page
def summary(request: HttpRequest, visibility: SiteVisibility, public_id: UUID) -> HttpResponse:
    """``zoom/summary/<id>/``: the summary of a meeting, as a person of the Site has reviewed it."""
    item = _find_item(visibility, public_id)
    if item is None or item.kind != SUMMARY:
        raise Http404
    rows = visibility.summaries(Audience.VISITOR, Channel.PAGE)
    row = rows.filter(uuid=item.key, account=item.account_id).first()
    views = summary_views(visibility, [row], whole=True) if row else []
    if not views:
        raise Http404
    recordings = visible_recordings(visibility).filter(uuid=item.key, account=item.account_id)
    recording = next(iter(recording_views(visibility, recordings, with_transcripts=False)), None)
    view = replace(views[0], recording_url=recording.url if recording else "")
    context = {
        "row": view,
        "page_title": _("Summary: %(title)s") % {"title": view.title},
    }
    return private_response(render(request, "wagtail_zoom/public/summary.html", context))


def with_passcode(url: str, passcode: str) -> str:
    """The URL of a recording with its passcode, unless Zoom's own link holds one."""
    if any(name == "pwd" for name, _value in parse_qsl(split_url(url).query)):
        return url
    separator = "&" if split_url(url).query else "?"
    return f"{url}{separator}{urlencode({'pwd': passcode})}"


def _find_item(visibility: SiteVisibility, public_id: UUID) -> SiteItem | None:
    if visibility.site_settings is None:
        return None
    items = SiteItem.objects.for_site(visibility.site_settings.site_id)
    return items.filter(public_id=public_id).first()


def _find_recording(visibility: SiteVisibility, public_id: UUID) -> Recording | None:
    item = _find_item(visibility, public_id)
    if item is None:
        return None
    rows = visibility.recordings(Audience.VISITOR, Channel.JOIN)
    return rows.filter(account=item.account_id, uuid=item.key).first()


def site_and_visibility(request: HttpRequest) -> tuple[Site, SiteVisibility]:
    """The Site of the request's hostname, and its visibility rules.

    The hostname only selects the Site; what that Site shows is public anyway.
    """
    site = Site.find_for_request(request)
    if site is None:
        raise Http404
    return site, SiteVisibility.for_site(site)


def private_response(response: HttpResponse) -> HttpResponse:
    """Sets headers: not stored, not indexed, no referrer to other websites.

    Not ``no-referrer``: with it a browser posts the forms of a page, such as those of the project's
    base template, with ``Origin: null``, which Django's CSRF protection refuses.
    """
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


urlpatterns = [
    path("watch/<str:token>/", watch, name="watch"),
    path("transcript/<str:token>/", transcript, name="transcript"),
    path("summary/<str:token>/", summary, name="summary"),
]
