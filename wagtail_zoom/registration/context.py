"""A form on one page for one meeting: everything that building, showing and judging it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.models import Page, Site

from ..frontend import page_tree
from ..frontend.form_links import Ref
from ..frontend.text import title_for
from ..frontend.visibility import Audience, Exposure, Surface
from ..models import Meeting, Occurrence, SiteItem, ZoomSettings
from .availability import Availability, availability

GONE = (Occurrence.State.CANCELLED, Occurrence.State.OVER, Occurrence.State.EXPIRED)
SINGLE, ALL, ONE, SEVERAL = "single", "all", "one", "several"
_MODES = {1: ALL, 2: ONE, 3: SEVERAL}
"""Zoom's ``registration_type`` of a series → what the visitor chooses."""


@dataclass(frozen=True)
class Offer:
    """What the gate lets one Site offer; without ``meeting`` there is only a sentence."""

    site: Site
    choice: ZoomSettings | None
    meeting: Meeting | None
    dates: tuple[Occurrence, ...] = ()
    page_id: int | None = None
    date: str = ""
    """Public id of the date chosen beforehand."""
    stands_alone: bool = False
    """The form came by a reference that names no page: it stands on a page of ours."""

    @classmethod
    def make(
        cls, gate: Exposure, site: Site, meeting_id: int, page_id: int | None = None, date: str = ""
    ) -> Offer:
        """Ask the gate: two queries."""
        rows = gate.meetings(Audience.VISITOR, Surface.PAGE)
        meeting = rows.select_related("host", "account").filter(pk=meeting_id).first()
        dates: tuple[Occurrence, ...] = ()
        if meeting is not None:
            shown = gate.occurrences(Audience.VISITOR, Surface.PAGE)
            coming = shown.filter(meeting=meeting_id, end__gt=timezone.now()).exclude(
                state__in=GONE
            )
            dates = tuple(coming.order_by("start", "pk"))
        return cls(site, gate.choice, meeting, dates, page_id, date)

    @cached_property
    def availability(self) -> Availability:
        return availability(self.meeting, self.choice, self.dates)

    @property
    def mode(self) -> str:
        """What of the dates is chosen: ``single``, ``all``, ``one`` or ``several``."""
        if self.meeting is None or not self.meeting.is_series or not self.dates:
            return SINGLE
        return _MODES.get(self.meeting.registration_type, ALL)

    @property
    def needs_approval(self) -> bool:
        return bool(self.meeting and self.meeting.approval_type == Meeting.ApprovalType.MANUAL)

    @cached_property
    def title(self) -> str:
        """The owner's own title, else the topic."""
        meeting = self.meeting
        if meeting is None:
            return ""
        item = SiteItem.objects.for_site(self.site).filter(
            account=meeting.account_id, kind=meeting.kind, key=meeting.zoom_id
        )
        own = item.values_list("title", flat=True).first()
        return own or title_for(self.choice, meeting.topic) or _("Zoom meeting")

    @property
    def organiser(self) -> str:
        return organiser(self.site, self.choice)

    @property
    def ref(self) -> Ref:
        """The signed reference for the form's address."""
        options = {"date": self.date} if self.date else {}
        meeting_id = self.meeting.pk if self.meeting else 0
        return Ref(self.site.pk, self.page_id, meeting_id, get_language() or "", options)

    @cached_property
    def page_url(self) -> str:
        """The page on which the form stands, if it is still there."""
        page = Page.objects.filter(pk=self.page_id, live=True).first() if self.page_id else None
        return (page.get_url() if page else "") or ""


def organiser(site: Site, choice: ZoomSettings | None) -> str:
    """Whose registration it is, for sentences to visitors."""
    return (choice.organiser if choice else "") or site.site_name or site.hostname


def offer_of(ref: Ref) -> Offer | None:
    """The offer behind a reference; None when the page is gone or belongs to another Site."""
    site = Site.objects.select_related("root_page").filter(pk=ref.site_id).first()
    if site is None:
        return None
    if ref.page_id is not None:
        pages = Page.objects.filter(page_tree.pages_of(site), pk=ref.page_id, live=True)
        if not pages.exists():
            return None
    gate = Exposure.for_site(site)
    date = str(ref.options.get("date", ""))
    made = Offer.make(gate, site, ref.meeting_id, ref.page_id, date)
    return replace(made, stands_alone=ref.page_id is None)
