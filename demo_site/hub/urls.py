"""URLs of the hub: nothing else is needed."""

from django.urls import include, path

urlpatterns = [path("zoom/hub/", include("wagtail_zoom.hub.urls"))]
