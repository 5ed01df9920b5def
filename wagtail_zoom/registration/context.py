"""The context of a form for one meeting on one page: everything needed to build and check it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.models import Page, Site

from ..frontend import links, page_tree
from ..frontend.availability import Availability, RegistrationState, availability
from ..frontend.datetimes import TimeRange
from ..frontend.form_links import FormLink
from ..frontend.presenters import occurrence_views
from ..frontend.text import shown_title
from ..frontend.view_models import OccurrenceView
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import Meeting, Occurrence, Registration, SiteItem, ZoomSettings
from ..models.mirror import CLOSED_STATES, ApprovalType, RegistrationType
from .fields import one_line

SINGLE, ALL, ONE, SEVERAL = "single", "all", "one", "several"
_MODES: dict[int, str] = {
    RegistrationType.ALL_DATES: ALL,
    RegistrationType.EACH_DATE: ONE,
    RegistrationType.SEVERAL_DATES: SEVERAL,
}
"""What the visitor of a series chooses."""


@dataclass(frozen=True)
class OfferedDate:
    """One date that a form offers."""

    public_id: str
    when: TimeRange
    calendar_url: str
    """Its public calendar file, which has no join link."""


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
    offered_by: int | None = None
    """The page that offers the form: whoever may not see it cannot use the form."""

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
        meeting = visible_meeting(visibility, pk=meeting_id)
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
    def offered_dates(self) -> list[OfferedDate]:
        """The dates for templates."""
        zone = self.meeting.timezone if self.meeting else ""
        return [
            OfferedDate(
                str(date.public_id),
                TimeRange.of(date.start, date.end, zone, has_end=date.has_end),
                links.calendar_url(self.site.pk, date),
            )
            for date in self.dates
        ]

    @cached_property
    def next_date(self) -> OccurrenceView | None:
        """The next date, with how to join it, of a meeting that needs no registration."""
        if self.needs_no_form and self.dates:
            return occurrence_views(SiteVisibility(self.site_settings), self.dates[:1])[0]
        return None

    @property
    def needs_no_form(self) -> bool:
        """Whether anybody may come without a registration."""
        return self.availability.code is RegistrationState.NOT_NEEDED

    @property
    def needs_approval(self) -> bool:
        return bool(self.meeting and self.meeting.approval_type == ApprovalType.MANUAL)

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
        return shown_title(self.site_settings, own_title or "", meeting.topic)

    @property
    def heading(self) -> str:
        """Above the form; above the message that replaces it, only the title."""
        if not self.title or not self.availability.is_open:
            return self.title
        return _("Register for %(title)s") % {"title": self.title}

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


def availability_for(row: Registration) -> Availability:
    """Whether somebody could register now for what a registration is about."""
    visibility = SiteVisibility.for_site(row.site)
    return FormContext.load(visibility, row.site, row.meeting_id or 0).availability


def visible_meeting(visibility: SiteVisibility, **match: Any) -> Meeting | None:
    """The meeting that visitors see: also a deleted one that pages still show as cancelled."""
    meetings = visibility.meetings(Audience.VISITOR, Channel.PAGE).select_related("account")
    meeting = meetings.filter(**match).first()
    if meeting is not None:
        return meeting
    occurrences = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
    conditions = {f"meeting__{name}": value for name, value in match.items()}
    row = occurrences.select_related("meeting__account").filter(**conditions).first()
    return row.meeting if row else None


def organiser(site: Site, site_settings: ZoomSettings | None) -> str:
    """The organiser's name for visitors."""
    name = (site_settings.organiser if site_settings else "") or site.site_name or site.hostname
    return one_line(name)


def form_context_of(form_link: FormLink) -> FormContext | None:
    """The context of a form link; None when the page is gone or belongs to another Site."""
    site = Site.objects.select_related("root_page").filter(pk=form_link.site_id).first()
    if site is None:
        return None
    if form_link.offered_by is not None:
        pages = Page.objects.filter(page_tree.site_pages(site), pk=form_link.offered_by, live=True)
        if not pages.exists():
            return None
    visibility = SiteVisibility.for_site(site)
    date = str(form_link.options.get("date", ""))
    form_context = FormContext.load(visibility, site, form_link.meeting_id, form_link.page_id, date)
    return replace(
        form_context, is_standalone=form_link.page_id is None, offered_by=form_link.offered_by
    )
