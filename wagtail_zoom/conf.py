"""The settings object of the package: ``from wagtail_zoom.conf import settings``.

All settings are in the dict ``WAGTAIL_ZOOM`` of the Django settings. Nothing is read at import
time, so tests and ``override_settings`` work, and ``manage.py check`` reports a wrong value (see
``checks.py``) before the worker fails on it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import math
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings

from .exceptions import ZoomConfigurationError

HUB_CLIENT_ID_PREFIX = "zh_"
"""Of the client IDs that a hub gives to its deployments."""
ZOOM_DOMAINS = ("zoom.us", "zoom.com", "zoom.com.cn", "zoomgov.com", "zoom-x.de")
"""Zoom's own domains, with their subdomains. The only list of them."""

DEFAULTS: dict[str, Any] = {
    "CLIENT_ID": "",
    "CLIENT_SECRET": "",
    "WEBHOOK_SECRET_TOKENS": [],
    "BASE_URL": "",
    "ENCRYPTION_KEYS": [],
    "INSTALLATION_ID": "",
    "OAUTH_URL": "https://zoom.us",
    "API_URL": "https://api.zoom.us/v2",
    "API_HOSTS": [],
    "ADMIN_HOSTS": [],
    "LINK_HOSTS": list(ZOOM_DOMAINS),
    "CONNECT_TIMEOUT": 3,
    "READ_TIMEOUT": 10,
    "MAX_RESPONSE_BYTES": 8 * 1024 * 1024,
    "RATE_SHARE": 0.5,
    "PARALLEL_READS": 6,
    "RECORDING_MONTHS": 24,
    "RECONCILE_HOURS": 6,
    "SLICE_SECONDS": 5,
    "DEBOUNCE_SECONDS": 2,
    "WEBHOOK_MAX_BYTES": 1024 * 1024,
    "WEBHOOK_MAX_AGE": 95 * 60,
    "WEBHOOK_MAX_AHEAD": 5 * 60,
    "EVENT_PAYLOAD_DAYS": 7,
    "EVENT_KEY_DAYS": 30,
    "RUN_DAYS": 90,
    "ACTIVITY_DAYS": 180,
    "REGISTRATION_FORM": "wagtail_zoom.registration.form.RegistrationForm",
    "REGISTRATION_CAPTCHA": "",
    "REGISTRATION_LIMITS": {},
    "REGISTRATION_MAX_BYTES": 64 * 1024,
    "REGISTRATION_SECONDS": 3,
    "FORM_ORIGINS": [],
    "BLOCK_CACHE": "default",
    "PAGE_MAX_AGE": 60,
    "TRUSTED_PROXIES": [],
    "METRICS": "",
    "HEALTH_TOKEN": "",
    "OPERATOR_EMAIL": "",
    "HUB_PRIVATE_NETWORKS": [],
}

REGISTRATION_LIMITS: dict[str, tuple[int, int]] = {
    "network": (60, 600),
    "address": (5, 3600),
    "meeting": (3000, 60),
    "site": (6000, 60),
}
"""Defaults of the limits of registrations: how often, in how many seconds."""
MAX_LIMIT = (1_000_000_000, 7 * 86400)
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

RETENTION: dict[str, str] = {
    "EVENT_PAYLOAD_DAYS": "Days after which the payload of a processed webhook event is deleted.",
    "EVENT_KEY_DAYS": "Days for which a processed webhook event is stored.",
    "RUN_DAYS": "Days for which finished runs are stored.",
    "ACTIVITY_DAYS": "Days for which the activity log and finished changes of meetings are stored.",
}
"""Retention settings that ``days()`` reads, with their meanings."""

ZOOM_API_HOSTS = (
    "api.zoom.us",
    "api-us.zoom.us",
    "api-eu.zoom.us",
    "api-uk.zoom.us",
    "api-ca.zoom.us",
    "api-au.zoom.us",
    "api-in.zoom.us",
    "api-sa.zoom.us",
    "api-sg.zoom.us",
    "api.zoomgov.com",
)
"""Hosts that Zoom names as values of ``api_url`` (Zoom: using the APIs)."""


class ZoomAppSettings:
    """Typed view of ``settings.WAGTAIL_ZOOM``, with defaults, read on every access."""

    @property
    def raw(self) -> dict[str, Any]:
        """The dict as the project wrote it."""
        value = getattr(django_settings, "WAGTAIL_ZOOM", {})
        return value if isinstance(value, dict) else {}

    def get(self, name: str) -> Any:
        """The project's value of ``name`` or its default. Unknown names are a programming error.

        For a number that is none the default is used; ``manage.py check`` reports it.
        """
        default = DEFAULTS[name]
        value = self.raw.get(name, default)
        if isinstance(default, int | float) and not _is_number(value):
            return default
        return value

    @property
    def malformed_numbers(self) -> list[str]:
        """Names of settings that have to be numbers and are none."""
        return [
            name
            for name, value in self.raw.items()
            if isinstance(DEFAULTS.get(name), int | float) and not _is_number(value)
        ]

    @property
    def unknown_keys(self) -> list[str]:
        """Keys in the dict that are not settings: usually typing errors."""
        return sorted(set(self.raw) - set(DEFAULTS))

    # The app at Zoom

    @property
    def client_id(self) -> str:
        """Required. Client ID of the app in the Zoom Marketplace."""
        return str(self.get("CLIENT_ID"))

    @property
    def client_secret(self) -> str:
        """Required. Client secret of that app.

        Goes to ``oauth/`` only.
        """
        return str(self.get("CLIENT_SECRET"))

    @property
    def webhook_secret_tokens(self) -> list[str]:
        """Required. The app's secret tokens, newest first; two during rotation."""
        return [token for token in self.get("WEBHOOK_SECRET_TOKENS") if token]

    @property
    def oauth_url(self) -> str:
        """Origin of Zoom's authorisation server."""
        return str(self.get("OAUTH_URL")).rstrip("/")

    @property
    def api_url(self) -> str:
        """Base of Zoom's REST API, with ``/v2``."""
        return str(self.get("API_URL")).rstrip("/")

    @property
    def api_hosts(self) -> tuple[str, ...]:
        """Further hosts that a token's ``api_url`` may name, besides Zoom's own.

        Each is ``host`` or ``host:port``; the host of ``API_URL`` is allowed too. For any other
        value ``API_URL`` is used: a forged ``api_url`` must not receive a token.
        """
        own = urlsplit(self.api_url).netloc
        return (*ZOOM_API_HOSTS, own, *self.get("API_HOSTS"))

    # This installation

    @property
    def base_url(self) -> str:
        """Required. Canonical origin of the installation, such as ``https://cms.example.org``."""
        return str(self.get("BASE_URL")).rstrip("/")

    @property
    def admin_hosts(self) -> tuple[str, ...]:
        """Further hosts (``host`` or ``host:port``) on which the admin is used; the OAuth flow may
        redirect to them.
        """
        return tuple(self.get("ADMIN_HOSTS"))

    @property
    def link_hosts(self) -> tuple[str, ...]:
        """Domains, with their subdomains, to which a stored Zoom link may redirect visitors.

        Under ``DEBUG`` the host of ``OAUTH_URL`` counts too, so that the simulator's links work.
        """
        own = (urlsplit(self.oauth_url).hostname or "",) if django_settings.DEBUG else ()
        return (*self.get("LINK_HOSTS"), *own)

    @property
    def encryption_keys(self) -> list[str]:
        """Required outside ``DEBUG``. Fernet keys, newest first: the first encrypts, all decrypt;
        ``manage.py check`` prints a new one.

        Under ``DEBUG`` only, a key is derived when none is set, so that a first test needs none.

        Raises:
            ZoomConfigurationError: no key is set and ``DEBUG`` is off.
        """
        keys = [str(key) for key in self.get("ENCRYPTION_KEYS") if key]
        if keys:
            return keys
        if django_settings.DEBUG:
            seed = f"wagtail-zoom debug key {django_settings.SECRET_KEY}".encode()
            return [base64.urlsafe_b64encode(hashlib.sha256(seed).digest()).decode()]
        raise ZoomConfigurationError(
            "WAGTAIL_ZOOM['ENCRYPTION_KEYS'] is empty; `manage.py check` prints a key to paste."
        )

    @property
    def installation_id(self) -> str:
        """Optional. Distinguishes two installations with the same ``BASE_URL``."""
        return str(self.get("INSTALLATION_ID"))

    @property
    def fingerprint(self) -> str:
        """Identity of this installation: an HMAC of ``BASE_URL`` and ``INSTALLATION_ID``.

        Stored with every ``ZoomAccount``; in a copied database the values differ and the account
        is quarantined. Keyed with a constant: it is an identity, not a secret.
        """
        text = f"{self.base_url}|{self.installation_id}".encode()
        return hmac.new(b"wagtail-zoom installation", text, hashlib.sha256).hexdigest()

    # Tuning. Seconds, bytes and days as named.

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds to wait for a connection to Zoom, and for its response."""
        return float(self.get("CONNECT_TIMEOUT")), float(self.get("READ_TIMEOUT"))

    @property
    def max_response_bytes(self) -> int:
        """Largest response of Zoom that is read, in bytes, after decompression."""
        return int(self.get("MAX_RESPONSE_BYTES"))

    @property
    def rate_share(self) -> float:
        """Share (above 0, at most 1) of the account's rate limit to use."""
        return float(self.get("RATE_SHARE"))

    @property
    def parallel_reads(self) -> int:
        """How many reads of one Zoom account may run in parallel."""
        return int(self.get("PARALLEL_READS"))

    @property
    def recording_months(self) -> int:
        """Months back in which recordings are searched."""
        return int(self.get("RECORDING_MONTHS"))

    @property
    def reconcile_hours(self) -> float:
        """Hours between two reconciliations with Zoom."""
        return float(self.get("RECONCILE_HOURS"))

    @property
    def slice_seconds(self) -> float:
        """Seconds that a slice of a long run works before other tasks continue."""
        return float(self.get("SLICE_SECONDS"))

    @property
    def debounce_seconds(self) -> float:
        """Seconds between two reads of one object in a burst of webhook events."""
        return float(self.get("DEBOUNCE_SECONDS"))

    @property
    def webhook_max_bytes(self) -> int:
        """Largest accepted webhook event, in bytes."""
        return int(self.get("WEBHOOK_MAX_BYTES"))

    @property
    def webhook_max_age(self) -> int:
        """Oldest accepted webhook event, in seconds; the default covers Zoom's retries."""
        return int(self.get("WEBHOOK_MAX_AGE"))

    @property
    def webhook_max_ahead(self) -> int:
        """Seconds that Zoom's clock may be ahead."""
        return int(self.get("WEBHOOK_MAX_AHEAD"))

    # Registration

    @property
    def registration_form(self) -> str:
        """Dotted path of a subclass of ``RegistrationForm``, or of ``function(site, meeting)`` that
        returns one."""
        return str(self.get("REGISTRATION_FORM"))

    @property
    def registration_captcha(self) -> str:
        """Dotted path of ``function(request, form)`` that raises ``ValidationError`` for robots."""
        return str(self.get("REGISTRATION_CAPTCHA"))

    @property
    def registration_limits(self) -> dict[str, tuple[int, int]]:
        """``{name: (times, seconds)}`` for ``address``, ``network``, ``meeting`` and ``site``; see
        below."""
        limits, _problems = _parse_limits(self.get("REGISTRATION_LIMITS"))
        return {**REGISTRATION_LIMITS, **limits}

    @property
    def registration_limit_problems(self) -> list[str]:
        """What is wrong in ``REGISTRATION_LIMITS``; the default is used instead."""
        return _parse_limits(self.get("REGISTRATION_LIMITS"))[1]

    @property
    def registration_max_bytes(self) -> int:
        """Largest accepted registration form, in bytes."""
        return int(self.get("REGISTRATION_MAX_BYTES"))

    @property
    def registration_seconds(self) -> float:
        """Seconds that a visitor waits for Zoom at most; then the worker continues."""
        return float(self.get("REGISTRATION_SECONDS"))

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Further origins, such as ``https://www.example.org``, whose pages may post our forms."""
        return tuple(str(origin).rstrip("/") for origin in _as_list(self.get("FORM_ORIGINS")))

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """IP addresses or networks of your proxies; only their ``X-Forwarded-For`` is trusted.

        ``"unix"`` stands for a web server on a Unix socket.
        """
        return tuple(str(network) for network in _as_list(self.get("TRUSTED_PROXIES")))

    @property
    def trusted_networks(self) -> list[IPNetwork]:
        """``TRUSTED_PROXIES`` as networks, without ``"unix"`` and without malformed ones."""
        return [network for text in self.trusted_proxies if (network := _parse_network(text))]

    @property
    def trusted_proxy_problems(self) -> list[str]:
        """What is wrong in ``TRUSTED_PROXIES``; such an entry is trusted by nobody."""
        if not isinstance(self.get("TRUSTED_PROXIES"), list | tuple | set):
            return ["WAGTAIL_ZOOM['TRUSTED_PROXIES'] must be a list."]
        return [
            f"WAGTAIL_ZOOM['TRUSTED_PROXIES'] holds {text!r}, which is no IP address or network."
            for text in self.trusted_proxies
            if text != "unix" and _parse_network(text) is None
        ]

    # Pages

    @property
    def block_cache(self) -> str:
        """Alias in ``CACHES`` of the cache for the HTML of blocks; empty: no caching."""
        return str(self.get("BLOCK_CACHE") or "")

    @property
    def page_max_age(self) -> int:
        """Seconds for which CDNs and page caches may store a page with our blocks, where the
        project sends no ``max-age``; browsers ask every time. Ends at the next start or end.
        """
        return int(self.get("PAGE_MAX_AGE"))

    # Monitoring

    @property
    def metrics(self) -> str:
        """Dotted path of ``function(name, value, tags)`` that receives counts and durations."""
        return str(self.get("METRICS"))

    @property
    def health_token(self) -> str:
        """With ``Authorization: Bearer <this>``, ``zoom/health/`` also returns metrics; so does
        ``zoom/hub/health/``."""
        return str(self.get("HEALTH_TOKEN"))

    @property
    def operator_email(self) -> str:
        """Email address of whoever runs the installation; owners can write to it from the panel."""
        return str(self.get("OPERATOR_EMAIL"))

    # Hub

    @property
    def hub_private_networks(self) -> list[IPNetwork]:
        """Private networks, such as ``10.0.0.0/8``, in which the hub may send events to
        deployments. Under ``DEBUG`` also this machine.
        """
        texts = [str(text) for text in _as_list(self.get("HUB_PRIVATE_NETWORKS"))]
        local = ["127.0.0.0/8", "::1"] if django_settings.DEBUG else []
        return [network for text in (*texts, *local) if (network := _parse_network(text))]

    @property
    def hub_private_network_problems(self) -> list[str]:
        """What is wrong in ``HUB_PRIVATE_NETWORKS``; nothing is sent into such a network."""
        value = self.get("HUB_PRIVATE_NETWORKS")
        if not isinstance(value, list | tuple | set):
            return ["WAGTAIL_ZOOM['HUB_PRIVATE_NETWORKS'] must be a list."]
        return [
            f"WAGTAIL_ZOOM['HUB_PRIVATE_NETWORKS'] holds {text!r}, which is no network."
            for text in value
            if _parse_network(str(text)) is None
        ]

    def days(self, name: str) -> int:
        """One of the settings in :data:`RETENTION`, in days."""
        return int(self.get(name))


def _as_list(value: Any) -> list[Any]:
    """A setting that has to be a list; empty when it is none."""
    return list(value) if isinstance(value, list | tuple | set) else []


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _parse_limits(given: Any) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """The well-formed limits, and what is wrong with the others."""
    if not isinstance(given, dict):
        return {}, ["WAGTAIL_ZOOM['REGISTRATION_LIMITS'] must be a dict."]
    limits, problems = {}, []
    for name, pair in given.items():
        if name not in REGISTRATION_LIMITS:
            problems.append(f"WAGTAIL_ZOOM['REGISTRATION_LIMITS'] has the unknown key {name!r}.")
        elif not _is_limit(pair):
            problems.append(
                f"WAGTAIL_ZOOM['REGISTRATION_LIMITS'][{name!r}] must be two whole numbers "
                f"(times, seconds), from (1, 1) to {MAX_LIMIT}."
            )
        else:
            limits[name] = (pair[0], pair[1])
    return limits, problems


def _is_limit(pair: Any) -> bool:
    return (
        isinstance(pair, list | tuple)
        and len(pair) == len(MAX_LIMIT)
        and all(type(number) is int for number in pair)
        and all(1 <= number <= maximum for number, maximum in zip(pair, MAX_LIMIT, strict=True))
    )


def _parse_network(text: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


settings = ZoomAppSettings()
