"""URLs of the hub: ``path("zoom/hub/", include("wagtail_zoom.hub.urls"))``."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "wagtail_zoom_hub"

urlpatterns = [
    path("oauth/authorize", views.authorize, name="authorize"),
    path("oauth/token", views.token, name="token"),
    path("oauth/revoke", views.revoke, name="revoke"),
    path("callback/", views.callback, name="callback"),
    path("webhook/", views.webhook, name="webhook"),
    path("health/", views.health, name="health"),
    path("webhook", views.webhook_without_slash),
]
