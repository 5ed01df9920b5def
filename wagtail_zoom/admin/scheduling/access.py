"""Who may schedule for a Site, and what Zoom has not allowed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Site

from ...frontend.visibility import SiteVisibility
from ...models import MEETING_KINDS, Host, Kind, Meeting, MeetingChange, SiteItem, ZoomSettings
from ...oauth.scopes import LIST_TEMPLATES, has_scope, scheduling_scope
from ...permissions import may_change
from .. import links
from ..forms import available_hosts
from ..item_access import ItemAccess
from ..permissions import SiteMixin

MESSAGES = {
    ("write", Kind.MEETING): gettext_lazy("Zoom has not allowed this site to create meetings."),
    ("write", Kind.WEBINAR): gettext_lazy("Zoom has not allowed this site to create webinars."),
    ("update", Kind.MEETING): gettext_lazy("Zoom has not allowed this site to change meetings."),
    ("update", Kind.WEBINAR): gettext_lazy("Zoom has not allowed this site to change webinars."),
    ("delete", Kind.MEETING): gettext_lazy("Zoom has not allowed this site to cancel meetings."),
    ("delete", Kind.WEBINAR): gettext_lazy("Zoom has not allowed this site to cancel webinars."),
}


@dataclass
class SchedulingAccess:
    """What one user may schedule on one Site. Valid for one request."""

    site: Site
    user: Any

    @cached_property
    def site_settings(self) -> ZoomSettings | None:
        rows = ZoomSettings.objects.select_related("grant", "account")
        return rows.filter(site=self.site).first()

    @cached_property
    def is_owner(self) -> bool:
        return may_change(self.user, self.site)

    @cached_property
    def may_schedule(self) -> bool:
        """The owner; an editor of the Site's pages if the owner allows it."""
        if self.is_owner:
            return True
        is_allowed = self.site_settings is not None and self.site_settings.editors_may_schedule
        if not is_allowed:  # guard: editors-schedule-if-allowed
            return False
        return self.site.pk in self.item_access.edited_sites

    @cached_property
    def item_access(self) -> ItemAccess:
        return ItemAccess(self.user)

    @property
    def changes(self) -> QuerySet[MeetingChange]:
        """The changes of the Site that the user may read and decide on: of an editor only the own
        ones, because others may be about meetings that visitors do not see."""
        rows = MeetingChange.objects.filter(site=self.site)
        if not self.is_owner:  # guard: editors-decide-on-own-changes
            rows = rows.filter(requested_by=self.user)
        return rows

    @property
    def kinds(self) -> list[Kind]:
        """Meetings and webinars, as far as the Site shows them."""
        shown = self.site_settings.kinds if self.site_settings else frozenset()
        return [kind for kind in (Kind.MEETING, Kind.WEBINAR) if kind in shown]

    @property
    def hosts(self) -> Any:
        """The hosts that are ticked on this Site, and that its connection covers."""
        if self.site_settings is None:
            return Host.objects.none()
        rows = available_hosts(self.site_settings)
        return rows.filter(exposed_on__settings=self.site_settings)

    def missing_access(self, verb: str, kind: str) -> str:
        """Why Zoom will not do it: a sentence, empty if it is allowed as far as we know.

        Args:
            verb: ``write``, ``update`` or ``delete``.
        """
        grant = self.site_settings.grant if self.site_settings else None
        if grant is None or not grant.scope:
            return ""
        if has_scope(grant.scopes, scheduling_scope(kind, verb)):
            return ""
        return str(MESSAGES[verb, Kind(kind)])

    @property
    def reads_templates(self) -> bool:
        """Whether Zoom has allowed to read the templates of hosts, as far as we know."""
        grant = self.site_settings.grant if self.site_settings else None
        if grant is None:
            return False
        return not grant.scope or has_scope(grant.scopes, LIST_TEMPLATES)

    @property
    def allowed_kinds(self) -> list[Kind]:
        """Of which the user can schedule new ones."""
        return [kind for kind in self.kinds if not self.missing_access("write", kind)]

    def problem(self) -> dict[str, Any]:
        """Why nothing can be scheduled: ``title``, ``text``, ``actions``; empty if it can."""
        site_settings = self.site_settings
        panel = links.panel_url_of(self.site.pk)
        if site_settings is None or site_settings.grant is None:
            return self._problem(_("Zoom is not connected."), "", _("Connect Zoom"), panel)
        if site_settings.needs_confirmation or not site_settings.grant.is_usable:
            text = _("Nothing can be scheduled until the connection works again.")
            title = _("The connection with Zoom needs attention.")
            return self._problem(title, text, _("Open the connection"), panel)
        if site_settings.paused_at is not None:
            title = _("Zoom is paused on this site.")
            return self._problem(title, "", _("Open the connection"), panel)
        choices = f"{panel}#tab-choices"
        if not self.kinds:
            title = _("Meetings and webinars are switched off.")
            return self._problem(title, "", _("What to show"), choices)
        if not self.allowed_kinds:
            text = _(
                "Zoom has allowed this site to read meetings, but not to create, change or cancel "
                "them. Everything else works as before."
            )
            connect = reverse("wagtail_zoom:oauth_connect", args=[self.site.pk])
            title = _("Scheduling needs more Zoom access.")
            return self._problem(title, text, _("Update Zoom access"), connect, post=True)
        if not self.hosts.exists():
            title = _("No host is selected for this site.")
            return self._problem(title, "", _("What to show"), choices)
        return {}

    def _problem(
        self, title: str, text: str, label: str, url: str, *, post: bool = False
    ) -> dict[str, Any]:
        if not self.is_owner:
            text = f"{text} {_('The owner of this site can change this.')}".strip()
            return {"title": title, "text": text, "actions": []}
        action = {"label": label, "url": url, "primary": True, "post": post}
        return {"title": title, "text": text, "actions": [action]}

    def meeting_or_404(self, item_pk: int) -> tuple[SiteItem, Meeting]:
        """An item of the Site that the user may read, with its meeting."""
        items = SiteItem.objects.for_site(self.site).filter(kind__in=MEETING_KINDS)
        item = get_object_or_404(items, pk=item_pk)
        meeting = SiteVisibility.for_site(self.site).row_of(item)
        if not isinstance(meeting, Meeting) or meeting.removed_at is not None:
            raise Http404
        if not self.item_access.may_choose(item):  # guard: editors-change-what-they-may-choose
            raise Http404
        return item, meeting


class SchedulingMixin(SiteMixin):
    """For views that schedule, change and cancel: also for editors whom the owner allows it."""

    access: SchedulingAccess

    def get_site(self, request: HttpRequest, pk: int) -> Site:
        site = get_object_or_404(Site.objects.select_related("root_page"), pk=pk)
        self.access = SchedulingAccess(site, request.user)
        if not self.access.may_schedule:  # guard: schedule-permission
            raise Http404
        return site
