from django.urls import include, path

from wagtail_zoom import webhooks

urlpatterns = [path("zoom/", include((webhooks.urlpatterns, "wagtail_zoom")))]
