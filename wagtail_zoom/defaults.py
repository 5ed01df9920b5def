"""The settings of ``WAGTAIL_ZOOM`` with what they are when a project says nothing."""

from __future__ import annotations

from typing import Any

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
    "LINK_HOSTS": ["zoom.us", "zoomgov.com"],
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
    "TRUSTED_PROXIES": [],
    "METRICS": "",
    "HEALTH_TOKEN": "",
}

RETENTION: dict[str, str] = {
    "EVENT_PAYLOAD_DAYS": "Days after which the content of a handled message is emptied.",
    "EVENT_KEY_DAYS": "Days for which a handled message is remembered.",
    "RUN_DAYS": "Days for which finished runs are kept.",
    "ACTIVITY_DAYS": "Days for which the activity log is kept.",
}
"""How long things are kept: the settings that ``days()`` reads, with their meanings."""

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
