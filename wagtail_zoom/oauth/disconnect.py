"""Letting go: disconnect always succeeds here; Zoom is told by the worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import Site

from ..conf import settings
from ..exceptions import ZoomAuthError, ZoomConfigurationError, ZoomError
from ..models import (
    Activity,
    ExposedHost,
    Grant,
    GrantReason,
    OAuthState,
    Secret,
    ZoomAccount,
    ZoomSettings,
)
from ..signals import account_disconnected
from ..utils.logging import get_logger
from ..utils.queue import enqueue
from . import grant_state, protocol

logger = get_logger("oauth")

REVOKE_TRIES = 6
ORPHAN_AGE = timedelta(hours=1)


def disconnect(choice: ZoomSettings, *, keep: bool, user: Any = None) -> None:
    """Unlink a Site. ``keep``: what is shown stays as a frozen archive; else it goes at once.

    Curation (titles, images, decisions) stays for a later connection in either case.
    """
    with transaction.atomic():
        grant, account = choice.grant, choice.account
        if account is None:
            return
        choice.grant, choice.needs_confirmation, choice.paused_at = None, False, None
        choice.archived_at = timezone.now() if keep else None
        if not keep:
            choice.account = None
            choice.configured_at = None
            ExposedHost.objects.filter(settings=choice).delete()
        # These alone: what somebody else has chosen in the meantime is not undone.
        columns = ["grant", "account", "configured_at", "needs_confirmation", "paused_at"]
        choice.save(update_fields=[*columns, "archived_at"])
        OAuthState.objects.filter(site=choice.site_id).delete()
        if grant is not None:
            release(grant)
        Activity.log(
            [choice.site_id],
            "connection",
            "disconnected_kept" if keep else "disconnected",
            outcome=Activity.Outcome.INFO,
            data={"account": str(account)},
            account=account,
            user=user,
        )
        log(instance=choice, action="wagtail_zoom.disconnect", user=user, data={"kept": keep})
        enqueue("purge_account", account.pk)
        _tell_left(choice.site, account, kept=keep)


def _tell_left(site: Site, account: ZoomAccount, *, kept: bool = False) -> None:
    transaction.on_commit(
        lambda: account_disconnected.send_robust(
            ZoomSettings, site=site, account=account, kept=kept
        )
    )


def release(grant: Grant) -> None:
    """Revoke a grant when no Site uses it any more."""
    if ZoomSettings.objects.filter(grant=grant).exists():
        return
    if grant.state != grant_state.REVOKED:
        grant_state.transition(grant, grant_state.REVOKED, GrantReason.DISCONNECTED)
    Grant.objects.filter(pk=grant.pk).update(revoke_requested_at=timezone.now(), revoke_attempts=0)
    enqueue("revoke", grant.pk)


def sweep(now: datetime) -> None:
    """Periodic job: retry revocations, and release grants that were never linked to a Site."""
    for pk in due_revocations():
        enqueue("revoke", pk)
    release_orphans()


def release_orphans() -> None:
    """Grants that were authorised but never linked (the person said no to a switch)."""
    limit = timezone.now() - ORPHAN_AGE
    rows = Grant.objects.usable().filter(site_settings=None, connected_at__lt=limit)
    for grant in rows.distinct()[:50]:
        release(grant)


def due_revocations() -> list[int]:
    """Grants whose revocation has not reached Zoom yet and may be tried now (for the sweep)."""
    rows = Grant.objects.filter(revoke_requested_at__isnull=False)
    rows = rows.filter(Q(retry_at=None) | Q(retry_at__lte=timezone.now()))
    return list(rows.order_by("revoke_requested_at").values_list("pk", flat=True)[:50])


def revoke_pending(grant_pk: int) -> None:
    """Give the token back to Zoom, then drop both. After six tries (an hour) they are dropped
    anyway.

    Documented for the access token; one that is over is renewed first (Zoom: OAuth, revoke).
    """
    grant = Grant.objects.select_related("account").filter(
        pk=grant_pk, revoke_requested_at__isnull=False, state=grant_state.REVOKED
    ).first()  # fmt: skip
    if grant is None:
        return
    same_home = not grant.account.is_quarantined and grant.client_id == settings.client_id
    if same_home and grant.access_token.readable and grant.refresh_token.readable:
        attempts = grant.revoke_attempts + 1
        pause = timedelta(seconds=grant_state.BACKOFF[min(attempts, len(grant_state.BACKOFF)) - 1])
        Grant.objects.filter(pk=grant.pk, state=grant_state.REVOKED).update(
            revoke_attempts=attempts, retry_at=timezone.now() + pause
        )
        try:
            _revoke(grant)
        except ZoomAuthError:
            logger.info("Grant %s was over at Zoom already.", grant.pk)
        except (ZoomError, ZoomConfigurationError) as error:
            logger.warning("Revoking grant %s failed: %s.", grant.pk, type(error).__name__)
            if attempts < REVOKE_TRIES:
                return
    _drop_tokens(grant)


def _revoke(grant: Grant) -> None:
    if not grant.access_token:
        return
    if grant.expires_at is None or grant.expires_at > timezone.now() + timedelta(seconds=30):
        protocol.revoke(grant.access_token)
        return
    fresh = protocol.renew(grant.refresh_token)
    # Kept, because the old pair is dead: the next try needs this one.
    grant.access_token, grant.refresh_token = fresh.access_token, fresh.refresh_token
    kept = Grant.objects.filter(pk=grant.pk, generation=grant.generation).update(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=fresh.expires_at,
        generation=F("generation") + 1,
    )
    grant.generation += kept
    protocol.revoke(Secret(value=fresh.access_token))


def _drop_tokens(grant: Grant) -> None:
    """Only while the grant is still given up: somebody may have connected again in between."""
    rows = Grant.objects.filter(
        pk=grant.pk, generation=grant.generation, state=grant_state.REVOKED,
        revoke_requested_at__isnull=False,
    )  # fmt: skip
    rows.update(
        access_token="", refresh_token="", user_email="", revoke_requested_at=None, retry_at=None
    )


def deauthorize(account_zoom_id: str, user_zoom_id: str, at: datetime) -> list[int]:
    """Zoom says that the app was removed: end that person's grants, unlink their Sites.

    A removal from before the present authorisation is old news (disconnect and connect again
    within seconds). Returns the primary keys of the accounts whose rows are to be purged.
    """
    purge: list[int] = []
    rows = Grant.objects.filter(
        account__zoom_id=account_zoom_id,
        zoom_user_id=user_zoom_id,  # guard: deauthorization-limited-to-user
        connected_at__lte=at,  # guard: deauthorization-ignores-old-news
    ).select_related("account")
    for grant in rows:
        with transaction.atomic():
            if grant.state != grant_state.REVOKED:
                grant_state.transition(grant, grant_state.REVOKED, GrantReason.DEAUTHORIZED)
            # A refresh under way loses against the generation: nothing is stored after this.
            Grant.objects.filter(pk=grant.pk).update(
                access_token="", refresh_token="", user_email="", revoke_requested_at=None,
                generation=F("generation") + 1,  # guard: deauthorization-stops-refresh
            )  # fmt: skip
            choices = ZoomSettings.objects.filter(grant=grant)
            left = list(choices.select_related("site"))
            sites = [choice.site_id for choice in left]
            ExposedHost.objects.filter(settings__in=choices).delete()
            choices.update(
                grant=None, account=None, configured_at=None, archived_at=None, paused_at=None,
                needs_confirmation=False,
            )  # fmt: skip
            Activity.log(
                sites, "connection", "deauthorized", outcome=Activity.Outcome.FAILED,
                data={"account": str(grant.account)}, account=grant.account,
            )  # fmt: skip
            for choice in left:
                _tell_left(choice.site, grant.account)
            purge.append(grant.account_id)
    return sorted(set(purge))
