"""Stores a finished authorisation as a grant and connects the Site it was made for."""

from __future__ import annotations

import contextlib
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import Site

from ..conf import settings
from ..exceptions import ZoomError
from ..mapping.users import map_user
from ..models import Activity, ExposedHost, Grant, GrantState, Host, Plan, ZoomAccount, ZoomSettings
from ..signals import account_connected
from ..utils.queue import enqueue
from . import disconnect, grant_state, userinfo
from .protocol import TokenSet
from .scopes import is_account_level, missing_kinds

LICENSED_USER_TYPE = 2


def store_grant(token_set: TokenSet, profile: dict[str, Any], user: Any) -> Grant:
    """Create the grant of (client, account, Zoom user), or store its new pair of tokens.

    A second authorisation by the same Zoom user revokes the first one's tokens (Zoom: error 4741).
    So there is one row, and a refresh under way fails because the generation has changed.
    """
    account = _update_account(token_set, profile)
    key = {"client_id": settings.client_id, "account": account, "zoom_user_id": profile["id"]}
    scope = " ".join(sorted(token_set.scope.split()))
    names = [str(profile.get(name) or "") for name in ("first_name", "last_name")]
    values: dict[str, Any] = {
        "user_name": str(profile.get("display_name") or " ".join(names).strip())[:255],
        "scope": scope,
        "account_level": is_account_level(scope.split()),
        "missing_kinds": missing_kinds(scope.split()),
        "api_url": token_set.api_url,
        "expires_at": token_set.expires_at,
        "refreshed_at": timezone.now(),
        "connected_at": timezone.now(),
        "connected_by": user if user is not None and user.is_authenticated else None,
        "lease_owner": "",
        "lease_until": None,
        "refresh_started_at": None,
        "revoke_requested_at": None,
        "revoke_attempts": 0,
        "failures": 0,
    }
    grant, _created = Grant.objects.get_or_create(**key)
    grant.access_token, grant.refresh_token = token_set.access_token, token_set.refresh_token
    grant.user_email = str(profile.get("email") or "")[:254]
    secrets = {
        name: getattr(grant, name) for name in ("access_token", "refresh_token", "user_email")
    }
    Grant.objects.filter(pk=grant.pk).update(**values, **secrets, generation=F("generation") + 1)
    grant.refresh_from_db()
    grant_state.transition(grant, GrantState.CONNECTED)
    _update_host(account, profile)
    return grant


def _update_account(token_set: TokenSet, profile: dict[str, Any]) -> ZoomAccount:
    account, _created = ZoomAccount.objects.get_or_create(zoom_id=profile["account_id"])
    account.number = str(profile.get("account_number") or account.number)[:32]
    account.fingerprint = account.fingerprint or settings.fingerprint
    if not account.plan_stated and account.plan == Plan.UNKNOWN:
        # A licensed user means at least Pro; Free and Basic users have type 1 (Zoom: users).
        account.plan = Plan.PRO if profile.get("type") == LICENSED_USER_TYPE else Plan.FREE
    if not account.name:
        with contextlib.suppress(ZoomError):
            account.name = userinfo.fetch_account_name(token_set)
    account.save(update_fields=["number", "fingerprint", "plan", "name"])
    return account


def _update_host(account: ZoomAccount, profile: dict[str, Any]) -> Host:
    """Create or update the host row of the connecting user, so that it can be selected."""
    zoom_id, fields = map_user(profile)
    host, _created = Host.objects.update_or_create(
        account=account, zoom_id=zoom_id, defaults=fields
    )
    return host


def is_account_switch(site_settings: ZoomSettings, grant: Grant) -> bool:
    """Whether connecting replaces another Zoom account; the user then has to confirm."""
    return site_settings.account_id is not None and site_settings.account_id != grant.account_id


def connect_site(site: Site, grant: Grant, user: Any, *, invited: bool = False) -> ZoomSettings:
    """Connect a Site to the grant that was just authorised for it.

    Rows of a previous account are purged unless another Site shows them; the owner's edits stay
    under that account. Its selected hosts are deleted, because the new account has other hosts.
    The user who connected is selected when no host is.
    """
    with transaction.atomic():
        site_settings = ZoomSettings.for_site(site)
        site_settings = ZoomSettings.objects.select_for_update().get(pk=site_settings.pk)
        previous_grant, previous_account_id, switched = (
            site_settings.grant,
            site_settings.account_id,
            is_account_switch(site_settings, grant),
        )
        # An account whose data the owner has already selected needs no second confirmation.
        already_confirmed = (
            site_settings.shows_data and site_settings.account_id == grant.account_id
        )
        needs_confirmation = invited and not already_confirmed
        if switched:
            ExposedHost.objects.filter(settings=site_settings).delete()
            site_settings.configured_at = None
        site_settings.grant, site_settings.account = grant, grant.account
        site_settings.linked_at, site_settings.archived_at = timezone.now(), None
        site_settings.needs_confirmation = needs_confirmation
        site_settings.save()
        if not ExposedHost.objects.filter(settings=site_settings).exists():
            host = Host.objects.filter(account=grant.account, zoom_id=grant.zoom_user_id).first()
            if host is not None:
                ExposedHost.objects.create(settings=site_settings, host=host)
        if previous_grant is not None and previous_grant.pk != grant.pk:
            disconnect.release_unused(previous_grant)
        if previous_account_id and (switched or previous_grant != grant):
            # Delete rows that no Site can reach any more.
            enqueue("purge_account", previous_account_id)
        _log_activity(site_settings, user, "connected_invited" if invited else "connected")
        if not needs_confirmation:
            start_sync(site_settings)
    return site_settings


def confirm(site_settings: ZoomSettings, user: Any) -> None:
    """The owner confirms a connection that another person made by invitation."""
    if not site_settings.needs_confirmation:
        return
    with transaction.atomic():
        site_settings.needs_confirmation = False
        site_settings.save(update_fields=["needs_confirmation"])
        _log_activity(site_settings, user, "confirmed")
        start_sync(site_settings)


def start_sync(site_settings: ZoomSettings) -> None:
    """Read the directory, so that hosts can be selected; send the signal after the commit.

    A Site that was configured before is reconciled at the next tick, because no webhook events
    arrived in the meantime.
    """
    if site_settings.configured_at is not None:
        rows = ZoomAccount.objects.filter(pk=site_settings.account_id)
        rows.update(next_reconcile_at=timezone.now())
    enqueue("sync_directory", site_settings.account_id)
    transaction.on_commit(
        lambda: account_connected.send_robust(
            ZoomSettings, site=site_settings.site, account=site_settings.account
        )
    )


def _log_activity(site_settings: ZoomSettings, user: Any, code: str) -> None:
    grant = site_settings.grant
    Activity.log(
        [site_settings.site_id],
        "connection",
        code,
        outcome=Activity.Outcome.GOOD,
        data={"account": str(site_settings.account), "person": grant.user_name if grant else ""},
        account=site_settings.account,
        user=user,
    )
    log(instance=site_settings, action="wagtail_zoom.connect", user=user, data={"code": code})
