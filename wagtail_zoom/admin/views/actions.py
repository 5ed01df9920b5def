"""The actions of the panel. POST only; the Site comes from the URL."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View
from wagtail.log_actions import log

from ...models import Activity, Invitation, SyncRun, WebhookEvent
from .. import links
from ..permissions import SiteMixin
from ..site_status import SiteStatus, get_site_status


class ActionView(SiteMixin, View):
    """Base: performs the action, shows a message and redirects to the panel."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        message = self.perform(site_status)
        if message:
            messages.success(request, message)
        return redirect(self.next_url(site_status))

    def next_url(self, site_status: SiteStatus) -> str:
        """The URL to redirect to."""
        return links.panel_url(site_status)

    def perform(self, site_status: SiteStatus) -> str:
        """Perform the action and return the success message.

        Raises:
            Http404: the action does not apply to this Site.
        """
        raise NotImplementedError


def _connected_account(site_status: SiteStatus) -> Any:
    """The account of a connected Site, otherwise 404."""
    if (
        site_status.account is None
        or site_status.grant is None
        or site_status.site_settings.needs_confirmation
    ):
        raise Http404
    return site_status.account


class SyncView(ActionView):
    """Reconcile everything with Zoom now."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import runs

        account = _connected_account(site_status)
        is_first = account.reconciled_at is None and site_status.open_run is None
        mode = SyncRun.Mode.BACKFILL if is_first else SyncRun.Mode.RECONCILE
        runs.request_run(account, mode, user=self.request.user)
        return _("We are looking.")


class StopView(ActionView):
    """Stop the current run; imported data stays."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import runs

        _connected_account(site_status)
        if site_status.open_run is not None:
            runs.cancel(site_status.open_run)
        return _("Stopped. What has been read stays.")


class ApproveRemovalsView(ActionView):
    """The owner approves a mass removal; the next run applies it."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import runs

        _connected_account(site_status)
        if not site_status.withheld_removals or site_status.last_run is None:
            raise Http404
        runs.approve_removals(site_status.last_run, self.request.user)
        return _("We remove them with the next check, which starts now.")


class PauseView(ActionView):
    """Pause the sync; the pages stay as they are."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import settings_changes

        _connected_account(site_status)
        settings_changes.pause(site_status.site_settings, self.request.user)
        return _("Paused. Your pages keep what they show.")


class ResumeView(ActionView):
    """Resume the sync."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import settings_changes

        _connected_account(site_status)
        settings_changes.resume(site_status.site_settings, self.request.user)
        return _("It goes on.")


class ConfirmView(ActionView):
    """The owner confirms a connection that was made by invitation."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...oauth import connect

        if not site_status.site_settings.needs_confirmation:
            raise Http404
        connect.confirm(site_status.site_settings, self.request.user)
        return _("Good. Now choose what to show.")


class FailedEventsReplayView(ActionView):
    """Replay all failed webhook events of this Site's account."""

    max_events = 200

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import inbox

        _connected_account(site_status)
        entries = Activity.objects.filter(site=self.site, event__state=WebhookEvent.State.DEAD)
        event_ids = entries.exclude(event__payload={}).values_list("event", flat=True)
        events = WebhookEvent.objects.filter(pk__in=set(event_ids[: self.max_events]))
        count = 0
        for event in events:
            inbox.replay(event)
            count += 1
        if count:
            Activity.log([self.site.pk], "event", "replayed", user=self.request.user)
            data = {"count": count}
            log(
                instance=site_status.site_settings,
                action="wagtail_zoom.replay",
                user=self.request.user,
                data=data,
            )
        return ngettext(
            "We handle %(n)d message again.", "We handle %(n)d messages again.", count
        ) % {"n": count}

    def next_url(self, site_status: SiteStatus) -> str:
        return links.activity_url(site_status)


class InviteView(SiteMixin, View):
    """Create a link for the Zoom administrator. It is shown once: only its digest is stored."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        from ...oauth import invitations

        row, link = invitations.create(self.site, request.user)
        return render(
            request,
            "wagtail_zoom/admin/invitation.html",
            {
                "site": self.site,
                "link": link,
                "invitation": row,
                "panel_url": links.panel_url(get_site_status(self.site)),
            },
        )


class UninviteView(ActionView):
    """Revoke an open invitation link."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...oauth import invitations

        open_rows = Invitation.objects.filter(site=self.site, used_at=None, revoked_at=None)
        for row in open_rows:
            invitations.revoke(row)
        return _("The link no longer works.")
