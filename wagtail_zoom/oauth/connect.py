"""A finished authorisation becomes a grant, and a grant is linked to the Site it was made for."""

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
from ..models import Activity, ExposedHost, Grant, Host, Plan, ZoomAccount, ZoomSettings
from ..signals import account_connected
from ..utils.queue import enqueue
from . import disconnect, grant_state, userinfo
from .protocol import TokenSet
from .scopes import is_account_level, missing_kinds

LICENSED = 2


def store_grant(fresh: TokenSet, who: dict[str, Any], user: Any) -> Grant:
    """Create the grant of (client, account, Zoom user), or give it its new pair of tokens.

    A second authorisation by the same Zoom user ends the first one's tokens (Zoom: error 4741), so
    there is one row, and a refresh under way loses against it by the generation.
    """
    account = _account(fresh, who)
    key = {"client_id": settings.client_id, "account": account, "zoom_user_id": who["id"]}
    scope = " ".join(sorted(fresh.scope.split()))
    names = [str(who.get(name) or "") for name in ("first_name", "last_name")]
    values: dict[str, Any] = {
        "user_name": str(who.get("display_name") or " ".join(names).strip())[:255],
        "scope": scope,
        "account_level": is_account_level(scope.split()),
        "missing_kinds": missing_kinds(scope.split()),
        "api_url": fresh.api_url,
        "expires_at": fresh.expires_at,
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
    grant.access_token, grant.refresh_token = fresh.access_token, fresh.refresh_token
    grant.user_email = str(who.get("email") or "")[:254]
    secrets = {
        name: getattr(grant, name) for name in ("access_token", "refresh_token", "user_email")
    }
    Grant.objects.filter(pk=grant.pk).update(**values, **secrets, generation=F("generation") + 1)
    grant.refresh_from_db()
    grant_state.transition(grant, grant_state.CONNECTED)
    _host(account, who)
    return grant


def _account(fresh: TokenSet, who: dict[str, Any]) -> ZoomAccount:
    account, _created = ZoomAccount.objects.get_or_create(zoom_id=who["account_id"])
    account.number = str(who.get("account_number") or account.number)[:32]
    account.fingerprint = account.fingerprint or settings.fingerprint
    if not account.plan_stated and account.plan == Plan.UNKNOWN:
        # A licensed user means at least Pro; Free and Basic users have type 1 (Zoom: users).
        account.plan = Plan.PRO if who.get("type") == LICENSED else Plan.FREE
    if not account.name:
        with contextlib.suppress(ZoomError):
            account.name = userinfo.account_name(fresh)
    account.save(update_fields=["number", "fingerprint", "plan", "name"])
    return account


def _host(account: ZoomAccount, who: dict[str, Any]) -> Host:
    """The connecting person is a host from the beginning, so that they can be ticked."""
    zoom_id, fields = map_user(who)
    host, _created = Host.objects.update_or_create(
        account=account, zoom_id=zoom_id, defaults=fields
    )
    return host


def is_switch(choice: ZoomSettings, grant: Grant) -> bool:
    """Whether linking would replace another Zoom account: then the person is asked first."""
    return choice.account_id is not None and choice.account_id != grant.account_id


def connect_site(site: Site, grant: Grant, user: Any, *, invited: bool = False) -> ZoomSettings:
    """Link a Site to the grant that was just authorised for it.

    The rows of a former account go, unless another Site shows them; what the owner made of them
    stays under that account. Its ticked hosts are dropped, because the new account has other ones.
    The person who connected is ticked when nobody is.
    """
    with transaction.atomic():
        choice = ZoomSettings.for_site(site)
        choice = ZoomSettings.objects.select_for_update().get(pk=choice.pk)
        former, left, switched = choice.grant, choice.account_id, is_switch(choice, grant)
        # An account that the owner has chosen from already needs no second yes.
        known = choice.shows_data and choice.account_id == grant.account_id
        asks = invited and not known
        if switched:
            ExposedHost.objects.filter(settings=choice).delete()
            choice.configured_at = None
        choice.grant, choice.account = grant, grant.account
        choice.linked_at, choice.archived_at = timezone.now(), None
        choice.needs_confirmation = asks
        choice.save()
        if not ExposedHost.objects.filter(settings=choice).exists():
            host = Host.objects.filter(account=grant.account, zoom_id=grant.zoom_user_id).first()
            if host is not None:
                ExposedHost.objects.create(settings=choice, host=host)
        if former is not None and former.pk != grant.pk:
            disconnect.release(former)
        if left and (switched or former != grant):
            # What no Site reaches any more is not kept.
            enqueue("purge_account", left)
        _record(choice, user, "connected_invited" if invited else "connected")
        if not asks:
            begin(choice)
    return choice


def confirm(choice: ZoomSettings, user: Any) -> None:
    """The owner says yes to a connection that somebody else made by invitation."""
    if not choice.needs_confirmation:
        return
    with transaction.atomic():
        choice.needs_confirmation = False
        choice.save(update_fields=["needs_confirmation"])
        _record(choice, user, "confirmed")
        begin(choice)


def begin(choice: ZoomSettings) -> None:
    """Read the directory, so that hosts can be chosen; tell the project after the commit.

    What was chosen before is compared with Zoom at the next tick: nothing was heard meanwhile.
    """
    if choice.configured_at is not None:
        rows = ZoomAccount.objects.filter(pk=choice.account_id)
        rows.update(next_reconcile_at=timezone.now())
    enqueue("sync_directory", choice.account_id)
    transaction.on_commit(
        lambda: account_connected.send_robust(
            ZoomSettings, site=choice.site, account=choice.account
        )
    )


def _record(choice: ZoomSettings, user: Any, code: str) -> None:
    grant = choice.grant
    Activity.log(
        [choice.site_id],
        "connection",
        code,
        outcome=Activity.Outcome.GOOD,
        data={"account": str(choice.account), "person": grant.user_name if grant else ""},
        account=choice.account,
        user=user,
    )
    log(instance=choice, action="wagtail_zoom.connect", user=user, data={"code": code})
