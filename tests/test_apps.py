"""Every signal receiver of the package is named here, and is connected."""

import pytest
from django.apps import apps
from django.core.signals import request_finished, request_started, setting_changed
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_delete
from django.utils.autoreload import file_changed
from django_q.signals import post_spawn
from wagtail.signals import post_page_move

from wagtail_zoom.apps import uid_of
from wagtail_zoom.frontend.cache.invalidation import signal_connections
from wagtail_zoom.signals import (
    account_disconnected,
    mirror_changed,
    occurrences_moved,
    registration_event,
)

SIGNALS = {
    id(account_disconnected): "account_disconnected",
    id(file_changed): "file_changed",
    id(m2m_changed): "m2m_changed",
    id(mirror_changed): "mirror_changed",
    id(occurrences_moved): "occurrences_moved",
    id(post_delete): "post_delete",
    id(post_migrate): "post_migrate",
    id(post_page_move): "post_page_move",
    id(post_save): "post_save",
    id(post_spawn): "post_spawn",
    id(pre_delete): "pre_delete",
    id(registration_event): "registration_event",
    id(request_finished): "request_finished",
    id(request_started): "request_started",
    id(setting_changed): "setting_changed",
}
CACHE = "frontend.cache.invalidation"
CONNECTIONS = {
    "account_disconnected → frontend.cache.purge.on_disconnected",
    "file_changed → frontend.cache.fingerprint.clear_fingerprint",
    "file_changed → frontend.datetimes.clear_formats",
    "mirror_changed → frontend.cache.purge.on_mirror_changed",
    "post_migrate WagtailZoomConfig → utils.queue.ensure_schedule",
    "post_save ZoomSettings → frontend.cache.purge.on_settings_saved",
    "post_delete ZoomSettings → oauth.disconnect.on_settings_deleted",
    "post_delete PageViewRestriction → frontend.cache.purge.on_restriction_changed",
    "post_save PageViewRestriction → frontend.cache.purge.on_restriction_changed",
    "post_save ZoomSettings → registration.retention.on_settings_saved",
    "post_spawn → utils.queue.on_worker_start",
    "occurrences_moved → registration.events.on_occurrences_moved",
    "registration_event → registration.events.on_registration_event",
    "request_finished → admin.item_access.end_request",
    "request_finished → frontend.served_page.forget",
    "request_started → frontend.served_page.forget",
    "setting_changed → frontend.cache.fingerprint.clear_fingerprint",
    f"m2m_changed ExposedHost → {CACHE}._on_hosts_changed",
    f"post_delete Rendition → {CACHE}._on_rendition_deleted",
    f"post_delete ExposedHost → {CACHE}._on_row_changed",
    f"post_delete ItemTag → {CACHE}._on_row_changed",
    f"post_delete PageViewRestriction → {CACHE}._on_restriction_changed",
    f"post_delete Site → {CACHE}._on_site_changed",
    f"post_delete SiteItem → {CACHE}._on_row_changed",
    f"post_delete → {CACHE}._on_page_changed",
    f"post_page_move → {CACHE}._on_page_moved",
    f"post_save Image → {CACHE}._on_image_changed",
    f"post_save ExposedHost → {CACHE}._on_row_changed",
    f"post_save Host → {CACHE}._on_row_changed",
    f"post_save ItemTag → {CACHE}._on_row_changed",
    f"post_save Meeting → {CACHE}._on_row_changed",
    f"post_save Occurrence → {CACHE}._on_row_changed",
    f"post_save PageViewRestriction → {CACHE}._on_restriction_changed",
    f"post_save Recording → {CACHE}._on_row_changed",
    f"post_save Summary → {CACHE}._on_row_changed",
    f"post_save SummaryReview → {CACHE}._on_row_changed",
    f"post_delete SummaryReview → {CACHE}._on_row_changed",
    f"post_save Site → {CACHE}._on_site_changed",
    f"post_save SiteItem → {CACHE}._on_row_changed",
    f"post_save → {CACHE}._on_page_changed",
    f"pre_delete Image → {CACHE}._on_image_changed",
}
"""And ``task_finished``, of the task framework that this version of Wagtail uses."""


def connections():
    return apps.get_app_config("wagtail_zoom").connections()


def described(signal, receiver, sender):
    """``signal sender → receiver`` without the name of the package."""
    name = getattr(sender, "__name__", type(sender).__name__ if sender else "")
    module = receiver.__module__.removeprefix("wagtail_zoom.")
    return f"{SIGNALS[id(signal)]} {name}".strip() + f" → {module}.{receiver.__name__}"


def described_or_task(signal, receiver, sender):
    is_named = id(signal) in SIGNALS
    return described(signal, receiver, sender) if is_named else receiver.__name__


def test_every_connection_is_named():
    signal_rows = [row for row in connections() if id(row[0]) in SIGNALS]
    assert {described(*row) for row in signal_rows} == CONNECTIONS
    others = [row for row in connections() if id(row[0]) not in SIGNALS]
    assert {receiver.__name__ for _signal, receiver, _sender in others} == {"_on_task_finished"}
    assert {row[1] for row in others} <= {row[1] for row in signal_connections()}


@pytest.mark.parametrize("connection", connections(), ids=lambda row: described_or_task(*row))
def test_every_connection_is_live(connection):
    signal, receiver, sender = connection
    uids = {key[0] for key, *_rest in signal.receivers}
    assert uid_of(receiver, sender) in uids
