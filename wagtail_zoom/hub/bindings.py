"""Which Zoom users a deployment is connected with: proved, moved and ended."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from ..conf import settings
from ..utils.crypto import blind_index, blind_indexes
from . import own_sites
from .models import Binding, BindingQuerySet, Deployment
from .zoom import User

PURPOSE = "hub-refresh-token"
"""Purpose of the keyed digest of a refresh token."""


def key_label() -> str:
    """A label of the newest of the ``ENCRYPTION_KEYS``, which says nothing about the key.

    A digest cannot be made again without its token, which is not stored: only the next refresh
    brings a binding under the newest key.
    """
    return blind_index("key", "hub-key-label")[:16]


def under_older_keys() -> BindingQuerySet:
    """Bindings in force for which an older key is needed until they are refreshed."""
    return Binding.objects.active().exclude(digest_key=key_label())


class UserTaken(Exception):
    """The Zoom user is connected with another website. ``name``: which one."""

    def __init__(self, name: str) -> None:
        super().__init__("The Zoom user is connected with another website.")
        self.name = name


@sensitive_variables()
def connect(
    deployment: Deployment,
    user: User,
    refresh_token: str,
    *,
    account_level: bool,
    may_move: bool,
) -> None:
    """Bind a user to a deployment.

    Raises:
        UserTaken: another website has this user, and ``may_move`` is False. Zoom has ended its
            tokens all the same, so its operator gets an email.
        IntegrityError: another process connected the same user at this moment.
    """
    now, key = timezone.now(), Binding.key_of(user.account_zoom_id, user.zoom_id)
    others = Binding.objects.filter(active_key=key, deployment__removed_at=None)
    other = others.exclude(deployment=deployment).select_related("deployment").first()
    own_name = own_sites.connected_site(user.account_zoom_id, user.zoom_id)
    if (other is not None or own_name) and not may_move:  # guard: hub-user-moves-by-consent
        if other is not None:
            Binding.objects.filter(pk=other.pk).update(notice=Binding.Notice.INTERRUPTED)
        raise UserTaken(other.deployment.name if other is not None else own_name)
    digest = blind_index(refresh_token, PURPOSE)
    with transaction.atomic():
        if may_move:
            end_moved(Binding.objects.filter(active_key=key).exclude(deployment=deployment))
        Binding.objects.update_or_create(
            deployment=deployment,
            client_id=settings.client_id,
            account_zoom_id=user.account_zoom_id,
            user_zoom_id=user.zoom_id,
            defaults={
                "active_key": key,
                "account_level": account_level,
                "refresh_hash": digest,
                "previous_refresh_hash": "",
                "digest_key": key_label(),
                "connected_at": now,
                "refreshed_at": now,
                "ended_at": None,
                "end_reason": "",
                "notice": "",
            },
        )
    if own_name:
        own_sites.end_connection(user.account_zoom_id, user.zoom_id)


@sensitive_variables()
def of_refresh_token(deployment: Deployment, token: str) -> Binding | None:
    """The deployment's binding whose present or previous refresh token this is."""
    digests = blind_indexes(token, PURPOSE)
    rows = Binding.objects.active().filter(
        Q(refresh_hash__in=digests) | Q(previous_refresh_hash__in=digests),
        deployment=deployment,  # guard: hub-refresh-own-token-only
    )
    return rows.first()


@sensitive_variables()
def store_refresh(
    binding: Binding, old_token: str, new_token: str, account_level: bool | None
) -> bool:
    """Store the digest of the new refresh token; False if the binding has ended meanwhile."""
    levels = {} if account_level is None else {"account_level": account_level}
    rows = Binding.objects.active().filter(pk=binding.pk)
    return bool(
        rows.update(
            refresh_hash=blind_index(new_token, PURPOSE),
            previous_refresh_hash=blind_index(old_token, PURPOSE),
            digest_key=key_label(),  # guard: hub-digest-key-renewed
            refreshed_at=timezone.now(),
            **levels,
        )
    )


def of_user(deployment: Deployment, user: User) -> Binding | None:
    """The deployment's binding of this user, in force or disconnected by the deployment itself,
    whose revocation at Zoom may have failed."""
    rows = Binding.objects.filter(
        Q(ended_at=None) | Q(end_reason=Binding.End.REVOKED),
        deployment=deployment,
        client_id=settings.client_id,
        account_zoom_id=user.account_zoom_id,
        user_zoom_id=user.zoom_id,
    )
    key = Binding.key_of(user.account_zoom_id, user.zoom_id)
    others = Binding.objects.filter(active_key=key).exclude(deployment=deployment)
    if others.exists():  # guard: hub-revoke-own-user-only
        return None
    return rows.first()


def end(binding: Binding) -> None:
    """The deployment has disconnected the user."""
    rows = Binding.objects.filter(pk=binding.pk, ended_at=None)
    rows.update(**_ended(Binding.End.REVOKED, timezone.now()))


def deauthorize(account_zoom_id: str, user_zoom_id: str, removed_at: datetime) -> None:
    """The user has removed the app at Zoom. A binding made after that stays in force."""
    rows = Binding.objects.active().filter(
        account_zoom_id=account_zoom_id,
        user_zoom_id=user_zoom_id,  # guard: hub-deauthorization-of-one-user
        connected_at__lte=removed_at,  # guard: hub-deauthorization-ignores-outdated
    )
    rows.update(
        **_ended(Binding.End.DEAUTHORIZED, timezone.now()),
        refresh_hash="",
        previous_refresh_hash="",
    )


def end_moved(rows: QuerySet[Binding]) -> None:
    """Another website has these users now; the operators get an email."""
    rows.update(
        **_ended(Binding.End.MOVED, timezone.now()),
        notice=Binding.Notice.MOVED,
        refresh_hash="",
        previous_refresh_hash="",
    )


def _ended(reason: str, now: datetime) -> dict[str, object]:
    return {"active_key": None, "ended_at": now, "end_reason": reason}
