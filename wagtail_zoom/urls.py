"""Public addresses. In the project: ``path("zoom/", include("wagtail_zoom.urls"))``."""

from django.urls import URLPattern, URLResolver

app_name = "wagtail_zoom"

urlpatterns: list[URLPattern | URLResolver] = []
