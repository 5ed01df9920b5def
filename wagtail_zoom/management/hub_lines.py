"""What ``zoom_doctor`` says about the hub, where this installation is one of its deployments.

Such an installation has a client ID from a hub, and the hub's URL as ``OAUTH_URL``.
"""

from __future__ import annotations

from django.db.models import Max, Min
from django.utils import timezone

from ..admin import formatting
from ..admin.health_checks import Health
from ..admin.installation import InstallationLine
from ..conf import DEFAULTS, HUB_CLIENT_ID_PREFIX, settings
from ..exceptions import ZoomProtocolError, ZoomTransient
from ..models import WebhookEvent, ZoomSettings
from ..oauth.http import ZoomResponse, request_json
from ..utils.urls import split_url

SECONDS = 8.0
INVALID_TOKEN_STATUS = 400
"""To a token that nobody has, from a hub that knows this installation."""


def hub_lines() -> list[InstallationLine]:
    """Whether the hub answers, and since when events come through it; empty without a hub."""
    if not settings.client_id.startswith(HUB_CLIENT_ID_PREFIX):
        return []
    if settings.oauth_url == DEFAULTS["OAUTH_URL"]:
        title = "CLIENT_ID is of a hub, but OAUTH_URL is not set"
        text = "Set OAUTH_URL as zoom_hub add has printed it."
        return [InstallationLine("hub", Health.FAILED, title, text)]
    return [_answers(), _events()]


def _answers() -> InstallationLine:
    name = split_url(settings.oauth_url).netloc
    try:
        response = _call()
        health = request_json("GET", f"{settings.oauth_url}/health/", deadline=SECONDS)
    except ZoomTransient as error:
        reason = f"OAUTH_URL is {settings.oauth_url} ({type(error).__name__})."
        return InstallationLine("hub", Health.FAILED, f"The hub {name} does not answer", reason)
    except ZoomProtocolError:
        return _no_hub(name)
    if response.status == 401:
        title = f"The hub {name} does not know this website"
        text = "CLIENT_ID or CLIENT_SECRET is wrong, or its operator has removed the deployment."
        return InstallationLine("hub", Health.FAILED, title, text)
    if response.status not in (INVALID_TOKEN_STATUS, 429):
        return _no_hub(name)
    if health.status != 200:
        title = f"The hub {name} answers, but its worker does not send events in time"
        text = "Tell its operator. Changes are found by comparison, every few hours."
        return InstallationLine("hub", Health.WAITING, title, text)
    title = f"The hub {name} answers and knows this website"
    return InstallationLine("hub", Health.GOOD, title, "")


def _no_hub(name: str) -> InstallationLine:
    title = f"Something else than a hub answers at {name}"
    return InstallationLine("hub", Health.FAILED, title, f"OAUTH_URL is {settings.oauth_url}.")


def _call() -> ZoomResponse:
    """Present our client ID and secret, with a token that nobody has."""
    return request_json(
        "POST",
        f"{settings.oauth_url}/oauth/token",
        auth=(settings.client_id, settings.client_secret),
        form={"grant_type": "refresh_token", "refresh_token": "zoom_doctor"},
        deadline=SECONDS,
    )


def _events() -> InstallationLine:
    connected = ZoomSettings.objects.filter(grant__client_id=settings.client_id)
    linked_at = connected.aggregate(first=Min("linked_at"))["first"]
    if linked_at is None:
        title = "No Zoom account is connected through the hub yet"
        return InstallationLine("hub_events", Health.UNKNOWN, title, "")
    rows = WebhookEvent.objects.filter(
        account_zoom_id__in=connected.values("account__zoom_id"),
        received_at__gte=linked_at,  # those before came from another app
    )
    times = rows.aggregate(first=Min("received_at"), last=Max("received_at"))
    if times["first"] is None:
        title = "No event has come through the hub yet"
        text = "That is normal while nothing changes in Zoom."
        return InstallationLine("hub_events", Health.UNKNOWN, title, text)
    now = timezone.now()
    title = f"Events come through the hub since {formatting.date_time(times['first'], now)}"
    text = f"The last one {formatting.age(times['last'], now)} ago."
    return InstallationLine("hub_events", Health.GOOD, title, text)
