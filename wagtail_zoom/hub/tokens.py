"""The token and the revocation endpoint: a deployment's call, checked, with the real client.

Nobody can use what belongs to another deployment: a code is exchanged by the deployment that it was
issued to, a token is refreshed and revoked by the one that holds it.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.db import IntegrityError
from django.http import QueryDict
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables

from ..oauth.scopes import is_account_level
from ..utils.logging import get_logger, record_metric
from . import authorization, bindings, zoom
from .deployments import digest
from .models import Authorization, Deployment
from .zoom import OAuthError

logger = get_logger("hub")

MAX_LENGTH = 16_384
"""Characters of a code, verifier or token that are accepted."""
INVALID_CODE = 4734
INVALID_TOKEN = 4741
"""Zoom's numbers for an invalid code and a revoked token (Zoom: OAuth error messages)."""


@sensitive_variables()
def issue(deployment: Deployment, form: QueryDict) -> dict[str, Any]:
    """The response to a token request.

    Raises:
        OAuthError: it is refused, or Zoom cannot be reached.
    """
    grant_type = form.get("grant_type", "")
    if grant_type == "authorization_code":
        result = _exchange(deployment, form)
    elif grant_type == "refresh_token":
        result = _refresh(deployment, form)
    else:
        raise OAuthError(400, "unsupported_grant_type", code=4705)
    record_metric("hub_tokens", grant=grant_type)
    return result


@sensitive_variables()
def _exchange(deployment: Deployment, form: QueryDict) -> dict[str, Any]:
    code, verifier = _parameter(form, "code"), _parameter(form, "code_verifier")
    rows = Authorization.objects.filter(
        code_hash=digest(code),
        deployment=deployment,  # guard: hub-code-own-deployment-only
        expires_at__gt=timezone.now(),  # guard: hub-code-expires
    )
    row = rows.first()
    if row is None:
        raise OAuthError(400, "invalid_grant", "The code is invalid.", INVALID_CODE)
    # Used from now on, whatever comes of it (RFC 6749, 4.1.2).
    if not rows.update(code_hash=None, expires_at=timezone.now()):
        raise OAuthError(400, "invalid_grant", "The code is invalid.", INVALID_CODE)
    if form.get("redirect_uri", "") != deployment.redirect_uri:
        raise OAuthError(400, "invalid_request", "The redirect URL is another one.", 4709)
    if not constant_time_compare(
        create_s256_code_challenge(verifier), row.challenge
    ):  # guard: hub-verifier-checked
        raise OAuthError(400, "invalid_grant", "The code verifier is wrong.", INVALID_CODE)
    response = zoom.request_token(
        grant_type="authorization_code",
        code=code,
        redirect_uri=authorization.callback_url(),
        code_verifier=verifier,
    )
    user = zoom.fetch_user(response["access_token"])
    if user is None:
        raise OAuthError(503, "temporarily_unavailable", "Zoom does not say who has authorised.")
    try:
        bindings.connect(
            deployment,
            user,
            response["refresh_token"],
            account_level=_is_account_level(response) is True,
            may_move=row.may_move,
        )
    except bindings.UserTaken as error:
        Authorization.objects.filter(pk=row.pk).update(
            conflict=error.name, expires_at=timezone.now() + authorization.CONFLICT_LIFETIME
        )
        raise OAuthError(400, "invalid_grant", "This Zoom user has another website.") from None
    except IntegrityError:
        raise OAuthError(503, "temporarily_unavailable", "Try again.") from None
    row.delete()
    return response


@sensitive_variables()
def _refresh(deployment: Deployment, form: QueryDict) -> dict[str, Any]:
    token = _parameter(form, "refresh_token")
    binding = bindings.of_refresh_token(deployment, token)
    if binding is None:
        raise _invalid_token()
    response = zoom.request_token(grant_type="refresh_token", refresh_token=token)
    if not bindings.store_refresh(
        binding, token, response["refresh_token"], _is_account_level(response)
    ):  # guard: hub-refresh-after-end-refused
        raise _invalid_token()
    return response


@sensitive_variables()
def revoke(deployment: Deployment, form: QueryDict) -> None:
    """Revoke a token of the deployment at Zoom and end its binding at once (RFC 7009).

    Whose an access token is, only Zoom knows: the hub stores none.

    Raises:
        OAuthError: it is not the deployment's token, or Zoom cannot be reached.
    """
    token = _parameter(form, "token")
    binding = bindings.of_refresh_token(deployment, token)
    if binding is None:
        user = zoom.fetch_user(token)
        binding = bindings.of_user(deployment, user) if user is not None else None
    if binding is None:
        raise _invalid_token()
    bindings.end(binding)
    zoom.revoke_token(token)


def _parameter(form: QueryDict, name: str) -> str:
    values = form.getlist(name)
    if len(values) != 1 or not 0 < len(values[0]) <= MAX_LENGTH or "\x00" in values[0]:
        raise OAuthError(400, "invalid_request", f"The parameter {name} is missing.", 4700)
    return values[0]


def _invalid_token() -> OAuthError:
    return OAuthError(400, "invalid_grant", "The token is invalid.", INVALID_TOKEN)


def _is_account_level(response: dict[str, Any]) -> bool | None:
    """What the granted scopes cover; None if the response does not say."""
    scope = response.get("scope")
    return is_account_level(scope.split()) if isinstance(scope, str) and scope.strip() else None
