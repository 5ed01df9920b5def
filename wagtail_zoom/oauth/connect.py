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
from ..frontend import disconnected
from ..mapping.parsing import single_line
from ..mapping.users import map_user
from ..models import (
    Activity,
    ExposedHost,
    FormerHost,
    Grant,
    GrantState,
    Host,
    Invitation,
    Plan,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
)
from ..models.mirror import UserType
from ..signals import account_connected
from ..utils import leases
from ..utils.queue import enqueue
from . import disconnect, grant_state, invitations, notifications, userinfo
from .protocol import TokenSet
from .scopes import is_account_level, missing_kinds


def store_grant(
    token_set: TokenSet, profile: dict[str, Any], user: Any, site: Site | None = None
) -> Grant:
    """Create the grant of (client, account, Zoom user), or store its new pair of tokens.

    A second authorisation by the same Zoom user revokes the first one's tokens (Zoom: error 4741).
    So there is one row, and a refresh under way fails because the generation has changed.

    Args:
        site: the Site it is for. Other Sites that use this grant go on with the new tokens, and
            their owners read it.
    """
    account = _update_account(token_set, profile)
    key = {"client_id": settings.client_id, "account": account, "zoom_user_id": profile["id"]}
    scope = " ".join(sorted(token_set.scope.split()))
    values: dict[str, Any] = {
        "user_name": map_user(profile)[1]["display_name"],
        "scope": scope,
        "account_level": is_account_level(scope.split()),
        "missing_kinds": missing_kinds(scope.split()),
        "api_url": token_set.api_url,
        "expires_at": token_set.expires_at,
        "refreshed_at": timezone.now(),
        "connected_at": timezone.now(),
        "connected_by": user if user is not None and user.is_authenticated else None,
        **leases.RELEASED,
        "refresh_started_at": None,
        "revoke_requested_at": None,
        "revoke_attempts": 0,
        "failures": 0,
    }
    grant, _created = Grant.objects.get_or_create(**key)
    was_broken = grant.state == GrantState.NEEDS_RECONNECT
    grant.access_token, grant.refresh_token = token_set.access_token, token_set.refresh_token
    grant.user_email = single_line(profile.get("email"), 254)
    secrets = {
        name: getattr(grant, name) for name in ("access_token", "refresh_token", "user_email")
    }
    Grant.objects.filter(pk=grant.pk).update(**values, **secrets, generation=F("generation") + 1)
    grant.refresh_from_db()
    grant_state.transition(grant, GrantState.CONNECTED)
    _update_host(account, profile)
    _tell_other_sites(grant, site, was_broken)
    return grant


def _tell_other_sites(grant: Grant, site: Site | None, was_broken: bool) -> None:
    """A grant that several Sites use was authorised again for one of them: write it into the
    activity of the others, and to their owners if it had ended for them."""
    others = ZoomSettings.objects.filter(grant=grant).exclude(site=site)
    Activity.log(
        list(others.values_list("site", flat=True)),
        "connection",
        "renewed_elsewhere",
        outcome=Activity.Outcome.GOOD,
        data={"account": str(grant.account), "person": grant.user_name},
        account=grant.account,
    )
    if was_broken:
        notifications.send_renewed(grant, others)


def _update_account(token_set: TokenSet, profile: dict[str, Any]) -> ZoomAccount:
    account, _created = ZoomAccount.objects.get_or_create(zoom_id=profile["account_id"])
    account.number = single_line(profile.get("account_number") or account.number, 32)
    account.fingerprint = account.fingerprint or settings.fingerprint
    if not account.plan_stated and account.plan == Plan.UNKNOWN:
        # A licensed user means at least Pro; Free and Basic users have type 1 (Zoom: users).
        account.plan = Plan.PRO if profile.get("type") == UserType.LICENSED else Plan.FREE
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


class InvitationRefusedError(Exception):
    """An invited person's authorisation connects nothing; ``code`` names the message to show."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def connect_site(
    site: Site,
    grant: Grant,
    user: Any,
    *,
    invitation: Invitation | None = None,
    before: Grant | None = None,
) -> ZoomSettings:
    """Connect a Site to the grant that was just authorised for it, and end its open invitations.

    Rows of a previous account are purged unless another Site shows them; the owner's edits and
    selected hosts stay under that account, for a return. Hosts that were selected when the Site
    left the new account are selected again; without any, the user who connected is.

    Args:
        invitation: by which another person than the owner authorised it; it is used up. The owner
            confirms, unless the account was chosen before and the grant covers at least as much.
        before: the present grant as it was before the authorisation, which may have changed it.

    Raises:
        InvitationRefusedError: the invitation is over, or the Site has another account or a working
            grant that covers more. Nothing was changed.
    """
    with transaction.atomic():
        site_settings = ZoomSettings.for_site(site)
        site_settings = ZoomSettings.objects.select_for_update().get(pk=site_settings.pk)
        previous_grant, previous_account_id, switched = (
            site_settings.grant,
            site_settings.account_id,
            is_account_switch(site_settings, grant),
        )
        needs_confirmation = invitation is not None and _use_invitation(
            invitation, site_settings, grant, before
        )
        invitations.end_open(site)  # guard: connecting-ends-invitations
        if switched:
            disconnected.remember_hosts([site_settings])
            site_settings.configured_at = None
        disconnected.forget_archive(site_settings)
        site_settings.grant, site_settings.account = grant, grant.account
        site_settings.linked_at = timezone.now()
        site_settings.linked_by = user if user is not None and user.is_authenticated else None
        site_settings.archived_at = site_settings.archived_grant = None
        site_settings.needs_confirmation = needs_confirmation
        site_settings.save()
        disconnected.restore_hosts(grant.account, site_settings)
        exposed = ExposedHost.objects.filter(settings=site_settings)
        former = FormerHost.objects.filter(settings=site_settings, account=grant.account)
        if not exposed.exists() and not former.exists():
            host = Host.objects.filter(account=grant.account, zoom_id=grant.zoom_user_id).first()
            if host is not None:
                ExposedHost.objects.create(settings=site_settings, host=host)
        # A permission that now covers one user only narrows every Site that uses it.
        grant_state.unlink_sites(grant)
        bump_data_version(*{grant.account_id, previous_account_id or grant.account_id})
        if previous_grant is not None and previous_grant.pk != grant.pk:
            disconnect.release_unused(previous_grant)
        if previous_account_id:
            # Delete rows that no Site can reach any more.
            enqueue("purge_account", previous_account_id)
        _log_activity(site_settings, user, "connected_invited" if invitation else "connected")
        if not needs_confirmation:
            start_sync(site_settings, grant.account)
    return site_settings


def _use_invitation(
    invitation: Invitation, site_settings: ZoomSettings, grant: Grant, before: Grant | None
) -> bool:
    """Use an invitation up; return whether the owner has to confirm what it connects.

    Raises:
        InvitationRefusedError: it is over, or the grant would replace a better one.
    """
    if is_account_switch(site_settings, grant):  # guard: invited-switch-refused
        raise InvitationRefusedError("other_account")
    present = site_settings.grant or site_settings.archived_grant
    is_same_row = present is not None and before is not None and present.pk == before.pk == grant.pk
    covers_all = present is not None and _covers(grant, before if is_same_row else present)
    is_working = site_settings.grant is not None and site_settings.grant.is_usable
    in_force = is_working and not site_settings.needs_confirmation and not is_same_row
    if in_force and not covers_all:  # guard: invitation-narrows-nothing
        raise InvitationRefusedError("covers_less")
    if not invitations.mark_used(invitation):  # guard: invitation-single-use
        raise InvitationRefusedError(invitations.end_of(invitation))
    # An account whose data the owner has already selected needs no second confirmation.
    is_selected = site_settings.shows_data and site_settings.account_id == grant.account_id
    return not (
        is_selected and covers_all  # guard: narrower-permission-confirmed
    )


def _covers(grant: Grant, other: Grant | None) -> bool:
    """Whether a grant reads the hosts and kinds that another one reads."""
    if other is None:
        return False
    has_hosts = grant.account_level or (
        not other.account_level and grant.zoom_user_id == other.zoom_user_id
    )
    # A grant from before a feature does not note that it lacks its scope.
    others_missing = {*other.missing_kinds, *(missing_kinds(other.scopes) if other.scope else ())}
    return has_hosts and set(grant.missing_kinds) <= others_missing


def confirm(site_settings: ZoomSettings, user: Any) -> None:
    """The owner confirms a connection that another person made by invitation."""
    if not site_settings.needs_confirmation or site_settings.account is None:
        return
    with transaction.atomic():
        site_settings.needs_confirmation = False
        site_settings.save(update_fields=["needs_confirmation"])
        _log_activity(site_settings, user, "confirmed")
        start_sync(site_settings, site_settings.account)


def start_sync(site_settings: ZoomSettings, account: ZoomAccount) -> None:
    """Read the directory, so that hosts can be selected; send the signal after the commit.

    A Site that was configured before is reconciled at the next tick, because no webhook events
    arrived in the meantime.
    """
    if site_settings.configured_at is not None:
        rows = ZoomAccount.objects.filter(pk=account.pk)
        rows.update(next_reconcile_at=timezone.now())
    enqueue("sync_directory", account.pk)
    enqueue("resume_registrations", account.pk)
    enqueue("link_items", site_settings.pk)
    transaction.on_commit(
        lambda: account_connected.send_robust(
            ZoomSettings, site=site_settings.site, account=account
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
