"""The owner's checklist for the first run: connect, choose, place a block, view the page.

Each step is read from the data; the last one is done by its link. A day later, or when the
owner hides it, the list is gone for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from ..models import BlockUsage, Kind, SyncRun
from . import block_place, formatting, kinds, links, page_check, progress
from .site_state import StatusAction
from .site_status import SiteStatus

SHOWN_AFTER_LAST_STEP = timedelta(days=1)


@dataclass(frozen=True)
class ChecklistStep:
    """A step with what is so, and what to do about it.

    ``state``: ``done``, ``waiting`` (continues without the owner), ``next`` or ``later``.
    """

    title: str
    text: str
    state: str = "later"
    actions: list[StatusAction] = field(default_factory=list)


class Checklist:
    """The steps of one Site."""

    def __init__(self, site_status: SiteStatus, user: Any = None) -> None:
        self.site_status = site_status
        self.user = user

    @property
    def is_shown(self) -> bool:
        """Whether the Site is being set up: not after the last step, and not while a connection
        that has ended needs its owner first."""
        site_status = self.site_status
        if site_status.app_removed_at or site_status.site_settings.is_archive:
            return False
        ends_at = site_status.site_settings.checklist_ends_at
        return ends_at is None or ends_at > site_status.now

    @cached_property
    def steps(self) -> list[ChecklistStep]:
        """The four steps; the first open one is the next."""
        rows = [self._connect(), self._choose(), self._place(), self._view()]
        for index, row in enumerate(rows):
            if row.state == "later":
                rows[index] = replace(row, state="next")
                break
        return [row if row.state != "later" else replace(row, actions=[]) for row in rows]

    @property
    def has_meetings_button(self) -> bool:
        """Whether one button may choose the meetings of the ticked hosts: nothing is chosen yet."""
        site_settings, grant = self.site_status.site_settings, self.site_status.grant
        is_chosen = site_settings.configured_at is not None and site_settings.kinds
        if grant is None or site_settings.needs_confirmation or is_chosen:
            return False
        return Kind.MEETING not in (grant.missing_kinds or [])

    @property
    def done_count(self) -> int:
        return sum(step.state == "done" for step in self.steps)

    @property
    def is_done(self) -> bool:
        return self.done_count == len(self.steps)

    @property
    def summary(self) -> str:
        """``2 of 4 steps done``."""
        return _("%(done)d of %(n)d steps done") % {"done": self.done_count, "n": len(self.steps)}

    @property
    def done_text(self) -> str:
        """What stands in the place of the steps when all are done."""
        params = {"shown": self._shown_text, "page": self._live_page}
        return (
            _("Visitors see %(shown)s on “%(page)s”. You find everything in the menu under “Zoom”.")
            % params
        )

    @cached_property
    def page_url(self) -> str:
        """URL of the page of the last step; empty while no published page shows Zoom."""
        page = self._live_page
        return (page.get_full_url() or "") if page is not None else ""

    def _connect(self) -> ChecklistStep:
        title = _("Connect your Zoom account")
        site_status = self.site_status
        account, grant = site_status.account, site_status.grant
        if account is None or grant is None:
            if site_status.invitation:
                text = _("You made an invitation link on %(day)s. It works once, until %(until)s.")
                days = {
                    "day": formatting.day(site_status.invitation.created_at),
                    "until": formatting.day(site_status.invitation.expires_at),
                }
                action = StatusAction(
                    _("Show the invitation"), links.panel_url(site_status), post=False
                )
                return ChecklistStep(title, text % days, actions=[action])
            actions = [
                StatusAction(_("Connect Zoom"), links.connect_url(site_status), primary=True),
                StatusAction(
                    _("Invite your Zoom administrator"), links.view_url("invite", site_status)
                ),
            ]
            return ChecklistStep(
                title,
                _(
                    "You need the login of a Zoom administrator. If another person has it, send "
                    "an invitation link."
                ),
                actions=actions,
            )
        params = {"account": account, "person": grant.user_name or _("Somebody")}
        if site_status.site_settings.needs_confirmation:
            text = _("%(person)s connected %(account)s. Nothing is imported until you confirm.")
            action = StatusAction(
                _("Confirm the account"), links.view_url("confirm", site_status), primary=True
            )
            return ChecklistStep(title, text % params, actions=[action])
        linked_at = site_status.site_settings.linked_at or grant.connected_at
        params["day"] = formatting.day(linked_at)
        text = _("Connected with the account %(account)s by %(person)s, %(day)s.") % params
        return ChecklistStep(title, text, "done")

    def _choose(self) -> ChecklistStep:
        title = _("Choose what to show")
        site_status = self.site_status
        panel_url = links.panel_url(site_status)
        if site_status.grant is None or site_status.site_settings.needs_confirmation:
            return ChecklistStep(
                title, _("Nothing is visible until you choose. Private meetings never are.")
            )
        choices_url = f"{panel_url}#tab-choices"
        if site_status.site_settings.configured_at is None:
            action = StatusAction(title, choices_url, post=False, primary=True)
            return ChecklistStep(title, self._totals_text(), actions=[action])
        run = site_status.open_run
        if run is not None and run.mode == SyncRun.Mode.BACKFILL:
            text = progress.progress_of(run, site_status.now).text
            if site_status.worker_down:
                text = _("The import continues when the background worker runs.")
            action = StatusAction(_("Show the import"), panel_url, post=False)
            return ChecklistStep(title, text, "waiting", [action])
        if not (site_status.occurrences_shown or site_status.recordings_shown):
            text = kinds.preview_text(site_status.preview)
            if site_status.new_recordings:
                text = _("Your recordings wait for your review. Visitors see nothing yet.")
            action = StatusAction(_("Change the choices"), choices_url, post=False, primary=True)
            return ChecklistStep(title, text, actions=[action])
        text = _("%(shown)s, of %(hosts)s.") % {
            "shown": self._shown_text,
            "hosts": formatting.host_count(len(site_status.selected_hosts)),
        }
        return ChecklistStep(title, text, "done")

    def _totals_text(self) -> str:
        totals = self.site_status.preview.zoom_totals
        parts = [formatting.kind_count(kind, totals[kind]) for kind in Kind if totals.get(kind)]
        if not parts:
            return _("Now choose what to show. Until then nothing is visible.")
        return _("Zoom has %(things)s. Now choose what to show. Until then nothing is visible.") % {
            "things": formatting.join_list(parts)
        }

    def _place(self) -> ChecklistStep:
        title = _("Place a Zoom block on a page")
        if (page := self._live_page) is not None:
            if not page.last_published_at:
                return ChecklistStep(title, _("“%(page)s” is published.") % {"page": page}, "done")
            text = _("“%(page)s”, published: %(time)s.")
            published_at = formatting.relative_date_time(page.last_published_at)
            return ChecklistStep(title, text % {"page": page, "time": published_at}, "done")
        pages = self.site_status.pages
        if pages:
            page = pages[0]
            text = (
                _("The template of “%(page)s” does not print the field with the Zoom block.")
                if page.live
                else _("“%(page)s” has a Zoom block, but is not published.")
            )
            action = StatusAction(
                _("Open the page"),
                reverse("wagtailadmin_pages:edit", args=[page.pk]),
                post=False,
                primary=True,
            )
            return ChecklistStep(title, text % {"page": page}, actions=[action])
        return ChecklistStep(title, *self._add_block())

    def _add_block(self) -> tuple[str, str, list[StatusAction]]:
        """Text, state and actions while no page has a block."""
        site_status = self.site_status
        choose = StatusAction(
            _("Choose a page"),
            links.view_url("choose_page", site_status),
            post=False,
            primary=True,
        )
        if not site_status.site_settings.shows_data:
            return _("No page shows Zoom yet."), "later", []
        usage = block_place.usage_for(site_status.site_settings)
        place = self.user and block_place.block_place(site_status.site, usage, self.user)
        if place and place.has_block:
            text = _("The draft of “%(page)s” has a Zoom block. Publish the page to show it.")
            action = StatusAction(_("Open the page"), place.url, post=False, primary=True)
            return text % {"page": place.page}, "later", [action]
        if place:
            text = _(
                "No page shows Zoom yet. Add the block “%(block)s” to the draft of “%(page)s”. "
                "Visitors see it when you publish the page."
            )
            add = StatusAction(
                _("Add it to “%(page)s”") % {"page": _short(place.page)},
                links.view_url("add_block", site_status),
                primary=True,
            )
            choose = replace(choose, label=_("Choose another page"), primary=False)
            params = {"page": place.page, "block": place.block_label}
            return text % params, "later", [add, choose]
        if not block_place.page_models_with(usage):
            text = _(
                "No page type of this installation has a field for Zoom blocks. Ask the person who "
                "builds the site to add one."
            )
            return text, "later", []
        return f"{_('No page shows Zoom yet.')} {hint(usage)}", "later", [choose]

    def _view(self) -> ChecklistStep:
        title = _("View the page")
        if self.site_status.site_settings.checklist_ends_at is not None:
            return ChecklistStep(title, "", "done")
        if not self.page_url or not self.site_status.site_settings.shows_data:
            return ChecklistStep(title, _("Look at it as a visitor."))
        text = _("Visitors see %(shown)s there.") % {"shown": self._shown_text}
        action = StatusAction(
            _("View “%(page)s”") % {"page": _short(self._live_page)},
            links.view_url("view_page", self.site_status),
            post=False,
            primary=True,
        )
        return ChecklistStep(title, text, actions=[action])

    @cached_property
    def _live_page(self) -> Any:
        """The first published page that shows its Zoom blocks."""
        if not any(page.live for page in self.site_status.pages):
            return None
        hidden = {page.pk for page in page_check.pages_without_blocks(self.site_status.pages)}
        rows = (page for page in self.site_status.pages if page.live and page.pk not in hidden)
        return next(rows, None)

    @property
    def _shown_text(self) -> str:
        return formatting.shown_counts(
            self.site_status.occurrences_shown, self.site_status.recordings_shown
        )


def hint(usage: str) -> str:
    """How to show Zoom on a page of the editor's own choice."""
    if usage == BlockUsage.RECORDING_LIST:
        return _("Open a page, add the block “Zoom recordings” and publish it.")
    return _("Open a page, add the block “Zoom dates” and publish it.")


def current(site_statuses: Iterable[SiteStatus], user: Any) -> list[Checklist]:
    """The checklists of those Sites that are being set up, for this user."""
    rows = (Checklist(site_status, user) for site_status in site_statuses)
    return [row for row in rows if row.is_shown]


def _short(page: Any) -> str:
    """The title of a page on a button."""
    return Truncator(page).chars(30)
