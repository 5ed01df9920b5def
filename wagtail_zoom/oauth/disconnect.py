"""Disconnects Sites and revokes grants. Disconnecting never waits for Zoom; the worker revokes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import Site

from ..conf import settings
from ..exceptions import ZoomAuthError, ZoomConfigurationError, ZoomError
from ..frontend import disconnected
from ..models import (
    Activity,
    Grant,
    GrantReason,
    GrantState,
    OAuthState,
    Secret,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
)
from ..signals import account_disconnected
from ..utils import backoff
from ..utils.logging import get_logger
from ..utils.queue import enqueue
from . import grant_state, notifications, protocol

logger = get_logger("oauth")

MAX_REVOKE_ATTEMPTS = 6
ORPHAN_AGE = timedelta(hours=1)
REVOCATION_ECHO = timedelta(minutes=10)
"""How long after our own revocation Zoom may give as the time of the app's removal."""


def disconnect(site_settings: ZoomSettings, *, keep: bool, user: Any = None) -> None:
    """Disconnect a Site. ``keep``: what visitors see stays as an archive to which nothing is added
    and in which nothing changes; otherwise it is deleted immediately.

    Curation (titles, images, decisions, selected hosts) stays for a later connection in either
    case.
    """
    with transaction.atomic():
        grant, account = site_settings.grant, site_settings.account
        if account is None or (keep and site_settings.is_archive):
            return
        if keep:
            disconnected.freeze(site_settings)
        else:
            disconnected.forget_archive(site_settings)
            disconnected.remember_hosts([site_settings])
        site_settings.grant, site_settings.needs_confirmation, site_settings.paused_at = (
            None,
            False,
            None,
        )
        site_settings.archived_at = timezone.now() if keep else None
        site_settings.archived_grant = grant if keep else None
        if not keep:
            site_settings.account = None
            site_settings.configured_at = None
        # Only these columns: settings saved by another user in the meantime are not overwritten.
        columns = ["grant", "account", "configured_at", "needs_confirmation", "paused_at"]
        site_settings.save(update_fields=[*columns, "archived_at", "archived_grant"])
        disconnected.unlink(site_settings.site_id)
        bump_data_version(account.pk)
        OAuthState.objects.filter(site=site_settings.site_id).delete()
        if grant is not None:
            release_unused(grant)
        Activity.log(
            [site_settings.site_id],
            "connection",
            "disconnected_kept" if keep else "disconnected",
            outcome=Activity.Outcome.INFO,
            data={"account": str(account)},
            account=account,
            user=user,
        )
        log(
            instance=site_settings,
            action="wagtail_zoom.disconnect",
            user=user,
            data={"archived": keep},
        )
        enqueue("purge_account", account.pk)
        _send_disconnected(site_settings.site, account, archived=keep)


def _send_disconnected(site: Site, account: ZoomAccount, *, archived: bool = False) -> None:
    transaction.on_commit(
        lambda: account_disconnected.send_robust(
            ZoomSettings, site=site, account=account, archived=archived
        )
    )


def on_settings_deleted(instance: ZoomSettings, **kwargs: Any) -> None:
    """Receiver of ``post_delete``: a Site was deleted. As after disconnecting, nothing stays of
    Zoom that no other Site uses."""
    if instance.account_id is not None:
        enqueue("purge_account", instance.account_id)
    if instance.grant_id is None:
        return
    grants = Grant.objects.filter(pk=instance.grant_id)  # guard: deleted-site-ends-own-grant
    for grant in grants:
        release_unused(grant)


def release_unused(grant: Grant) -> None:
    """Revoke a grant when no Site uses it any more."""
    if ZoomSettings.objects.filter(grant=grant).exists():
        return
    if grant.state != GrantState.REVOKED:
        grant_state.transition(grant, GrantState.REVOKED, GrantReason.DISCONNECTED)
    Grant.objects.filter(pk=grant.pk).update(revoke_requested_at=timezone.now(), revoke_attempts=0)
    enqueue("revoke", grant.pk)


def sweep(now: datetime) -> None:
    """Periodic job: retry revocations, and release grants that were never linked to a Site."""
    for pk in due_revocations():
        enqueue("revoke", pk)
    release_orphans()


def release_orphans() -> None:
    """Release grants that were authorised but never connected (the user declined the switch)."""
    cutoff = timezone.now() - ORPHAN_AGE
    rows = Grant.objects.usable().filter(site_settings=None, connected_at__lt=cutoff)
    for grant in rows.distinct()[:50]:
        release_unused(grant)


def due_revocations() -> list[int]:
    """Grants whose revocation has not reached Zoom and may be tried now."""
    rows = Grant.objects.filter(revoke_requested_at__isnull=False)
    rows = rows.filter(Q(retry_at=None) | Q(retry_at__lte=timezone.now()))
    return list(rows.order_by("revoke_requested_at").values_list("pk", flat=True)[:50])


def revoke_pending(grant_pk: int) -> None:
    """Revoke the token at Zoom, then delete both. After six attempts (an hour) they are deleted
    anyway.

    Zoom documents revocation for the access token; an expired one is refreshed first (Zoom: OAuth,
    revoke).
    """
    grant = Grant.objects.select_related("account").filter(
        pk=grant_pk, revoke_requested_at__isnull=False, state=GrantState.REVOKED
    ).first()  # fmt: skip
    if grant is None:
        return
    is_own_installation = not grant.account.is_quarantined and grant.client_id == settings.client_id
    if is_own_installation and grant.access_token.readable and grant.refresh_token.readable:
        attempts = grant.revoke_attempts + 1
        retry_at = backoff.retry_at(grant_state.RETRY_SECONDS, attempts)
        Grant.objects.filter(pk=grant.pk, state=GrantState.REVOKED).update(
            revoke_attempts=attempts, retry_at=retry_at
        )
        try:
            _revoke_token(grant)
        except ZoomAuthError:
            logger.info("Grant %s had already ended at Zoom.", grant.pk)
        except (ZoomError, ZoomConfigurationError) as error:
            logger.warning("Revoking grant %s failed: %s.", grant.pk, type(error).__name__)
            if attempts < MAX_REVOKE_ATTEMPTS:
                return
    _drop_tokens(grant)


def _revoke_token(grant: Grant) -> None:
    if not grant.access_token:
        return
    Grant.objects.filter(
        pk=grant.pk  # guard: revocation-of-one-grant
    ).update(revoked_at=timezone.now())
    if grant.expires_at is None or grant.expires_at > timezone.now() + timedelta(seconds=30):
        protocol.revoke(grant.access_token)
        return
    token_set = protocol.refresh(grant.refresh_token)
    # Store the new pair: the old one is invalid, and the next attempt needs this one.
    grant.access_token, grant.refresh_token = token_set.access_token, token_set.refresh_token
    updated = Grant.objects.filter(pk=grant.pk, generation=grant.generation).update(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=token_set.expires_at,
        generation=F("generation") + 1,
    )
    grant.generation += updated
    protocol.revoke(Secret(value=token_set.access_token))


def _drop_tokens(grant: Grant) -> None:
    """Delete the tokens, unless the Site was connected again in the meantime."""
    rows = Grant.objects.filter(
        pk=grant.pk, generation=grant.generation, state=GrantState.REVOKED,
        revoke_requested_at__isnull=False,
    )  # fmt: skip
    rows.update(
        access_token="", refresh_token="", user_email="", revoke_requested_at=None, retry_at=None
    )


def _is_own_revocation(grant: Grant, removed_at: datetime) -> bool:
    """Whether Zoom reports the removal that our own revocation was (Zoom: OAuth, revoke)."""
    return grant.revoked_at is not None and removed_at < grant.revoked_at + REVOCATION_ECHO


def deauthorize(account_zoom_id: str, user_zoom_id: str, removed_at: datetime) -> list[int]:
    """Handle the app's removal at Zoom: revoke that user's grants and disconnect their Sites.

    Archives that such a grant has filled end as well, whatever the owner chose. A removal from
    before the current authorisation is ignored (disconnected and connected again within seconds).
    Returns the primary keys of the accounts whose rows are to be purged.
    """
    account_ids: list[int] = []
    rows = Grant.objects.filter(
        account__zoom_id=account_zoom_id,
        zoom_user_id=user_zoom_id,  # guard: deauthorization-limited-to-user
        connected_at__lte=removed_at,  # guard: deauthorization-ignores-outdated
    ).select_related("account")
    for grant in rows:
        with transaction.atomic():
            if grant.state != GrantState.REVOKED:
                grant_state.transition(grant, GrantState.REVOKED, GrantReason.DEAUTHORIZED)
            # The new generation makes a refresh under way fail: it stores nothing after this.
            Grant.objects.filter(
                pk=grant.pk  # guard: deauthorization-of-one-grant
            ).update(
                access_token="", refresh_token="", user_email="", revoke_requested_at=None,
                generation=F("generation") + 1,  # guard: deauthorization-stops-refresh
            )  # fmt: skip
            affected = Q(grant=grant)
            if not _is_own_revocation(grant, removed_at):
                affected |= Q(grant=None, archived_grant=grant)  # guard: removed-app-ends-archives
            settings_rows = ZoomSettings.objects.filter(affected)
            affected_rows = list(settings_rows.select_related("site", "linked_by", "account"))
            for site_settings in affected_rows:
                # As it was before, also of an archive: the Zoom user's address is needed below.
                site_settings.grant = grant
            emails = [notifications.owner_email(row) for row in affected_rows]
            site_ids = [site_settings.site_id for site_settings in affected_rows]
            disconnected.remember_hosts(affected_rows)
            for site_settings in affected_rows:
                disconnected.forget_archive(site_settings)
            settings_rows.update(
                grant=None, account=None, configured_at=None, archived_at=None, paused_at=None,
                needs_confirmation=False, archived_grant=None,
            )  # fmt: skip
            for site_id in site_ids:
                disconnected.unlink(site_id)
            bump_data_version(grant.account_id)
            Activity.log(
                site_ids, "connection", "deauthorized", outcome=Activity.Outcome.FAILED,
                data={"account": str(grant.account)}, account=grant.account,
            )  # fmt: skip
            for site_settings, email in zip(affected_rows, emails, strict=True):
                _send_disconnected(site_settings.site, grant.account)
                transaction.on_commit(
                    partial(
                        notifications.send_app_removed,
                        site_settings, email, grant.account, removed_at,
                    )
                )  # fmt: skip
            account_ids.append(grant.account_id)
    return sorted(set(account_ids))
