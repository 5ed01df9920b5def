"""What the buttons of the panel do. POST only; the Site comes from the address."""

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
from .. import links, site_status
from ..permissions import SiteMixin
from ..site_status import Facts


class ActionView(SiteMixin, View):
    """One button: do it, say so, go back to the panel."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        known = site_status.of(self.site)
        said = self.act(known)
        if said:
            messages.success(request, said)
        return redirect(self.next_url(known))

    def next_url(self, known: Facts) -> str:
        """Where the person goes afterwards."""
        return links.panel_url(known)

    def act(self, known: Facts) -> str:
        """Do it. Returns the sentence to say; raises ``Http404`` where it makes no sense."""
        raise NotImplementedError


def _linked(known: Facts) -> Any:
    """The account of a linked Site; there is nothing to do without."""
    if known.account is None or known.grant is None or known.choice.needs_confirmation:
        raise Http404
    return known.account


class SyncView(ActionView):
    """Compare everything with Zoom now."""

    def act(self, known: Facts) -> str:
        from ...sync import runs

        account = _linked(known)
        first = account.reconciled_at is None and known.open_run is None
        mode = SyncRun.Mode.BACKFILL if first else SyncRun.Mode.RECONCILE
        runs.request_run(account, mode, user=self.request.user)
        return _("We are looking.")


class StopView(ActionView):
    """Stop the run that is under way; what has been read stays."""

    def act(self, known: Facts) -> str:
        from ...sync import runs

        _linked(known)
        if known.open_run is not None:
            runs.cancel(known.open_run)
        return _("Stopped. What has been read stays.")


class ApproveRemovalsView(ActionView):
    """The owner says that the mass removal is right: the next run carries it out."""

    def act(self, known: Facts) -> str:
        from ...sync import runs

        _linked(known)
        if not known.withheld or known.last_run is None:
            raise Http404
        runs.approve_removals(known.last_run, self.request.user)
        return _("We remove them with the next check, which starts now.")


class PauseView(ActionView):
    """Go on showing, stop fetching."""

    def act(self, known: Facts) -> str:
        from ...sync import settings_changes

        _linked(known)
        settings_changes.pause(known.choice, self.request.user)
        return _("Paused. Your pages keep what they show.")


class ResumeView(ActionView):
    """Fetch again."""

    def act(self, known: Facts) -> str:
        from ...sync import settings_changes

        _linked(known)
        settings_changes.resume(known.choice, self.request.user)
        return _("It goes on.")


class ConfirmView(ActionView):
    """The owner says yes to a connection that somebody else made by invitation."""

    def act(self, known: Facts) -> str:
        from ...oauth import connect

        if not known.choice.needs_confirmation:
            raise Http404
        connect.confirm(known.choice, self.request.user)
        return _("Good. Now choose what to show.")


class ReplayView(ActionView):
    """Handle all messages again that failed for this Site's account, if it is linked to it."""

    most = 200

    def act(self, known: Facts) -> str:
        from ...sync import inbox

        _linked(known)
        told = Activity.objects.filter(site=self.site, event__state=WebhookEvent.State.DEAD)
        keys = told.exclude(event__payload={}).values_list("event", flat=True)
        events = WebhookEvent.objects.filter(pk__in=set(keys[: self.most]))
        count = 0
        for event in events:
            inbox.replay(event)
            count += 1
        if count:
            Activity.log([self.site.pk], "event", "replayed", user=self.request.user)
            data = {"count": count}
            log(
                instance=known.choice,
                action="wagtail_zoom.replay",
                user=self.request.user,
                data=data,
            )
        return ngettext(
            "We handle %(n)d message again.", "We handle %(n)d messages again.", count
        ) % {"n": count}

    def next_url(self, known: Facts) -> str:
        return links.activity_url(known)


class InviteView(SiteMixin, View):
    """Make a link for the Zoom administrator. It is shown once: only its digest is stored."""

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
                "panel_url": links.panel_url(site_status.of(self.site)),
            },
        )


class UninviteView(ActionView):
    """Take an open link back."""

    def act(self, known: Facts) -> str:
        from ...oauth import invitations

        open_rows = Invitation.objects.filter(site=self.site, used_at=None, revoked_at=None)
        for row in open_rows:
            invitations.revoke(row)
        return _("The link no longer works.")
