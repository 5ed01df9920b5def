"""Adds, rotates and removes deployments; authenticates their calls and limits them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from authlib.oauth2.rfc6749.util import extract_basic_authorization
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from ..conf import HUB_CLIENT_ID_PREFIX, settings
from ..utils.crypto import blind_index
from ..utils.ratelimit import count, network_of
from ..utils.urls import split_origin, split_url
from .http import is_private_literal
from .models import CallCounter, Deployment

ROTATION_DAYS = 7
"""Days for which the previous secrets stay valid after a rotation."""
CALLBACK_PATH = "/zoom/oauth/callback/"
WEBHOOK_PATH = "/zoom/webhook/"
LIMITS = {"token": (600, 60), "authorize": (30, 600)}
"""Calls in so many seconds: of one deployment to the token endpoint, of one network and deployment
to the authorisation endpoint."""
PURPOSE = "hub-limit"
"""Purpose of the blind index of what is counted."""


@dataclass(frozen=True)
class Credentials:
    """New secrets of a deployment, in clear: shown once."""

    deployment: Deployment
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    def settings_text(self, hub_url: str) -> str:
        """What the deployment's operator puts into the settings."""
        return (
            "WAGTAIL_ZOOM = {\n"
            f'    "OAUTH_URL": "{hub_url}",\n'
            f'    "CLIENT_ID": "{self.deployment.client_id}",\n'
            f'    "CLIENT_SECRET": "{self.client_secret}",\n'
            f'    "WEBHOOK_SECRET_TOKENS": ["{self.webhook_secret}"],\n'
            f'    "BASE_URL": "{self.deployment.url}",\n'
            "}"
        )


def digest(text: str) -> str:
    """SHA-256 of a random string; only this is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def add(
    name: str,
    url: str,
    contact_email: str,
    *,
    redirect_uri: str = "",
    webhook_url: str = "",
) -> Credentials:
    """Add a deployment. Redirect URL and webhook URL are by default those of ``wagtail_zoom``
    mounted at ``/zoom/``.

    Raises:
        ValidationError: a name, address or URL is missing or not allowed.
    """
    url = url.rstrip("/")
    if split_origin(url) is None:
        raise ValidationError(
            _("“%(url)s” is not the address of a website, such as https://example.org.")
            % {"url": url}
        )
    deployment = Deployment(
        name=name.strip(),
        url=url,
        client_id=f"{HUB_CLIENT_ID_PREFIX}{secrets.token_urlsafe(16)}",
        redirect_uri=redirect_uri or f"{url}{CALLBACK_PATH}",
        webhook_url=webhook_url or f"{url}{WEBHOOK_PATH}",
        contact_email=contact_email,
    )
    for address in (deployment.url, deployment.redirect_uri, deployment.webhook_url):
        check_url(address)
    credentials = _new_secrets(deployment)
    deployment.full_clean()
    deployment.save()
    return credentials


def rotate(deployment: Deployment) -> Credentials:
    """New secrets. Those that were valid so far stay valid for a week, but no webhook secret that
    cannot be decrypted any more."""
    deployment.previous_secret_hash = deployment.secret_hash
    secret = deployment.webhook_secret
    deployment.previous_webhook_secret = secret.reveal() if secret.readable else ""
    deployment.previous_until = timezone.now() + timedelta(days=ROTATION_DAYS)
    credentials = _new_secrets(deployment)
    deployment.save()
    return credentials


def remove(deployment: Deployment) -> None:
    """Refuse its calls from now on and send it nothing more.

    Access tokens that it has end within the hour; the hub stores none and can revoke none.
    """
    Deployment.objects.filter(pk=deployment.pk).update(removed_at=timezone.now())


def _new_secrets(deployment: Deployment) -> Credentials:
    client_secret, webhook_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    deployment.secret_hash = digest(client_secret)
    deployment.webhook_secret = webhook_secret
    return Credentials(deployment, client_secret, webhook_secret)


def check_url(url: str) -> None:
    """Check a URL of a deployment: ``https`` outside ``DEBUG``, no user information, no private
    address.

    Raises:
        ValidationError: it is not allowed.
    """
    parts = split_url(url)
    schemes = ("https", "http") if django_settings.DEBUG else ("https",)
    if (
        parts.scheme not in schemes  # guard: hub-urls-https
        or not parts.hostname
        or "@" in parts.netloc
        or parts.fragment
    ):
        raise ValidationError(_("“%(url)s” is not an https address.") % {"url": url})
    if is_private_literal(parts.hostname):
        raise ValidationError(
            _("“%(url)s” is in a private network. HUB_PRIVATE_NETWORKS can allow it.")
            % {"url": url}
        )


@sensitive_variables()
def authenticate(request: HttpRequest) -> Deployment | None:
    """The deployment whose ID and secret a call has: HTTP Basic or, as widely used, in the body
    (RFC 6749, 2.3.1)."""
    client_id, secret = _credentials(request)
    deployment = _active(client_id or "")
    given = digest(secret or "")
    expected = deployment.secret_hash if deployment is not None else digest("")
    if constant_time_compare(given, expected):  # guard: hub-client-secret-compared
        return deployment
    if (
        deployment is not None
        and deployment.has_previous_secrets  # guard: hub-rotated-secret-expires
        and constant_time_compare(given, deployment.previous_secret_hash)
    ):
        return deployment
    return None


@sensitive_variables()
def _credentials(request: HttpRequest) -> tuple[str | None, str | None]:
    if not request.headers.get("Authorization"):
        return request.POST.get("client_id"), request.POST.get("client_secret")
    try:
        client_id, secret = extract_basic_authorization(request.headers)
    except ValueError:
        return None, None
    return client_id, secret


def by_client_id(client_id: str) -> Deployment | None:
    """The deployment with this ID, unless it was removed."""
    return _active(client_id)


def _active(client_id: str) -> Deployment | None:
    if not client_id or len(client_id) > 100 or "\x00" in client_id:
        return None
    rows = Deployment.objects.filter(removed_at=None)  # guard: hub-removed-deployment-refused
    return rows.filter(client_id=client_id).first()


def seconds_to_wait(name: str, deployment: Deployment, request: HttpRequest) -> int:
    """Count a call. Returns 0, or the seconds to wait when a limit of ``LIMITS`` is exceeded.

    Browsers are counted by network: nobody can use up the limit of another website's owner.
    """
    times, seconds = LIMITS[name]
    network = network_of(request) if name == "authorize" else ""
    key = blind_index(f"{deployment.pk}:{network}", PURPOSE)
    return count(CallCounter, f"{name}:{key}"[:80], times, timedelta(seconds=seconds))


def hub_url(path: str) -> str:
    """``OAUTH_URL`` of the deployments; ``path`` is where the hub is mounted."""
    return f"{settings.base_url}{path}".rstrip("/")
