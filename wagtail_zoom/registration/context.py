"""The context of a form for one meeting on one page: everything needed to build and check it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.models import Page, Site

from ..frontend import page_tree
from ..frontend.form_links import FormLink
from ..frontend.text import title_for
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import Meeting, Occurrence, SiteItem, ZoomSettings
from .availability import Availability, availability

CLOSED_STATES = (Occurrence.State.CANCELLED, Occurrence.State.OVER, Occurrence.State.EXPIRED)
SINGLE, ALL, ONE, SEVERAL = "single", "all", "one", "several"
_MODES = {1: ALL, 2: ONE, 3: SEVERAL}
"""Zoom's ``registration_type`` of a series → what the visitor chooses."""


@dataclass(frozen=True)
class FormContext:
    """What a Site may show. Without ``meeting`` there is no form, only a message."""

    site: Site
    site_settings: ZoomSettings | None
    meeting: Meeting | None
    dates: tuple[Occurrence, ...] = ()
    page_id: int | None = None
    date: str = ""
    """Public id of the preselected occurrence."""
    is_standalone: bool = False
    """The form link names no page: the form is on the endpoint's own page."""

    @classmethod
    def load(
        cls,
        visibility: SiteVisibility,
        site: Site,
        meeting_id: int,
        page_id: int | None = None,
        date: str = "",
    ) -> FormContext:
        """Load what is visible to visitors: two queries."""
        rows = visibility.meetings(Audience.VISITOR, Channel.PAGE)
        meeting = rows.select_related("host", "account").filter(pk=meeting_id).first()
        dates: tuple[Occurrence, ...] = ()
        if meeting is not None:
            visible = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
            upcoming = visible.filter(meeting=meeting_id, end__gt=timezone.now()).exclude(
                state__in=CLOSED_STATES
            )
            dates = tuple(upcoming.order_by("start", "pk"))
        return cls(site, visibility.site_settings, meeting, dates, page_id, date)

    @cached_property
    def availability(self) -> Availability:
        return availability(self.meeting, self.site_settings, self.dates)

    @property
    def mode(self) -> str:
        """Which dates a visitor chooses: ``single``, ``all``, ``one`` or ``several``."""
        if self.meeting is None or not self.meeting.is_series or not self.dates:
            return SINGLE
        return _MODES.get(self.meeting.registration_type, ALL)

    @property
    def needs_approval(self) -> bool:
        return bool(self.meeting and self.meeting.approval_type == Meeting.ApprovalType.MANUAL)

    @cached_property
    def title(self) -> str:
        """The owner's title; otherwise the topic."""
        meeting = self.meeting
        if meeting is None:
            return ""
        items = SiteItem.objects.for_site(self.site).filter(
            account=meeting.account_id, kind=meeting.kind, key=meeting.zoom_id
        )
        own_title = items.values_list("title", flat=True).first()
        return own_title or title_for(self.site_settings, meeting.topic) or _("Zoom meeting")

    @property
    def organiser(self) -> str:
        return organiser(self.site, self.site_settings)

    @property
    def form_link(self) -> FormLink:
        """The link that the form posts to."""
        options = {"date": self.date} if self.date else {}
        meeting_id = self.meeting.pk if self.meeting else 0
        return FormLink(self.site.pk, self.page_id, meeting_id, get_language() or "", options)

    @cached_property
    def page_url(self) -> str:
        """The URL of the page with the form, if it still exists."""
        page = Page.objects.filter(pk=self.page_id, live=True).first() if self.page_id else None
        return (page.get_url() if page else "") or ""


def organiser(site: Site, site_settings: ZoomSettings | None) -> str:
    """The organiser's name for visitors."""
    return (site_settings.organiser if site_settings else "") or site.site_name or site.hostname


def form_context_of(form_link: FormLink) -> FormContext | None:
    """The context of a form link; None when the page is gone or belongs to another Site."""
    site = Site.objects.select_related("root_page").filter(pk=form_link.site_id).first()
    if site is None:
        return None
    if form_link.page_id is not None:
        pages = Page.objects.filter(page_tree.site_pages(site), pk=form_link.page_id, live=True)
        if not pages.exists():
            return None
    visibility = SiteVisibility.for_site(site)
    date = str(form_link.options.get("date", ""))
    form_context = FormContext.load(visibility, site, form_link.meeting_id, form_link.page_id, date)
    return replace(form_context, is_standalone=form_link.page_id is None)
