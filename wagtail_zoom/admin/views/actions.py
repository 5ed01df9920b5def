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

from ...models import SUMMARY, Activity, Invitation, SyncRun
from .. import data_loss, formatting, links
from ..listings.activity import replayable_events
from ..messages.running import not_for_this_site
from ..permissions import SiteMixin
from ..site_status import SiteStatus, get_site_status


class ActionRefused(Exception):
    """The action is not for this Site to perform; the text says why."""


class ActionView(SiteMixin, View):
    """Base: performs the action, shows a message and redirects to the panel."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site, user=request.user)
        try:
            if message := self.perform(site_status):
                messages.success(request, message)
        except ActionRefused as refused:
            messages.error(request, str(refused))
        return redirect(self.next_url(site_status))

    def next_url(self, site_status: SiteStatus) -> str:
        """The URL to redirect to."""
        return links.panel_url(site_status)

    def perform(self, site_status: SiteStatus) -> str:
        """Perform the action and return the success message.

        Raises:
            Http404: the action does not apply to this Site.
            ActionRefused: this Site may not perform it.
        """
        raise NotImplementedError


def _connected_account(site_status: SiteStatus) -> Any:
    """The account of a connected Site, otherwise 404."""
    if (
        site_status.account is None
        or site_status.grant is None  # guard: action-needs-grant
        or site_status.site_settings.needs_confirmation
    ):
        raise Http404
    return site_status.account


def _decided_account(site_status: SiteStatus) -> Any:
    """The account of a connected Site that may decide for the whole account.

    Raises:
        ActionRefused: other Sites use the account, and this Site's grant covers one user only.
    """
    account = _connected_account(site_status)
    if not site_status.decides_for_account:  # guard: account-decided-by-its-grant
        raise ActionRefused(not_for_this_site())
    return account


class SyncView(ActionView):
    """Reconcile everything with Zoom now."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import runs

        account = _connected_account(site_status)
        is_first = account.reconciled_at is None and site_status.open_run is None
        mode = SyncRun.Mode.BACKFILL if is_first else SyncRun.Mode.RECONCILE
        runs.request_run(account, mode, user=self.request.user)
        return _("The sync has started.")


class StopView(ActionView):
    """Stop the current run; imported data stays."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import runs

        _decided_account(site_status)
        if site_status.open_run is not None:
            runs.cancel(site_status.open_run)
        return _("Stopped. What has been imported stays.")


class ApproveRemovalsView(ActionView):
    """The owner approves a mass removal; the next run applies it."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import runs

        _decided_account(site_status)
        if not site_status.withheld_removals or site_status.last_run is None:
            raise Http404
        runs.approve_removals(site_status.last_run, self.request.user)
        return _("They are removed with the next check, which starts now.")


class TurnOffMissingView(ActionView):
    """Turn off the kinds that Zoom does not allow; asks first when that deletes something."""

    def post(self, request: HttpRequest) -> HttpResponse:
        site_status = get_site_status(self.site)
        _connected_account(site_status)
        if not site_status.missing_kinds:
            raise Http404
        kinds = site_status.site_settings.kinds - set(site_status.missing_kinds)
        host_ids = site_status.stored_host_ids
        site_settings = site_status.site_settings
        keeps_summaries = SUMMARY not in site_status.missing_kinds
        loss = data_loss.loss_of_settings(
            site_settings,
            host_ids,
            kinds,
            host_ids,
            show_summaries=keeps_summaries and site_settings.show_summaries,
        )
        if not loss.is_empty and "confirmed" not in request.POST:
            url = links.view_url("turn_off_missing", site_status)
            return data_loss.confirmation(request, site_status, loss, confirm_url=url)
        return super().post(request)

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import settings_changes

        names = site_status.missing_kinds
        settings_changes.turn_off(site_status.site_settings, names, self.request.user)
        return _("Turned off: %(kinds)s.") % {
            "kinds": formatting.join_list(formatting.kind_name(name) for name in names)
        }


class PauseView(ActionView):
    """Pause the sync; the pages stay as they are."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import settings_changes

        _connected_account(site_status)
        settings_changes.pause(site_status.site_settings, self.request.user)
        return _("Paused. Your pages stay unchanged.")


class ResumeView(ActionView):
    """Resume the sync."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import settings_changes

        _connected_account(site_status)
        settings_changes.resume(site_status.site_settings, self.request.user)
        return _("Syncing is resumed.")


class ConfirmView(ActionView):
    """The owner confirms a connection that was made by invitation."""

    def perform(self, site_status: SiteStatus) -> str:
        from ...oauth import connect

        if not site_status.site_settings.needs_confirmation:
            raise Http404
        connect.confirm(site_status.site_settings, self.request.user)
        return _("Confirmed. Now choose what to show.")


class FailedEventsReplayView(ActionView):
    """Replay all failed webhook events of this Site's account."""

    max_events = 200

    def perform(self, site_status: SiteStatus) -> str:
        from ...sync import inbox

        _connected_account(site_status)
        events = replayable_events(self.site.pk).exclude(payload={})
        count = 0
        for event in events.order_by("pk")[: self.max_events]:
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
            "%(n)d webhook event is processed again.",
            "%(n)d webhook events are processed again.",
            count,
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
