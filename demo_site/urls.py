"""URLs of the demo; ``/`` is the landing page on localhost and a Site's home page otherwise."""

from django.conf import settings
from django.conf.urls.static import static
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from . import views

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("zoom/", include("wagtail_zoom.urls")),
    path("demo/mails/", views.emails, name="demo_mails"),
    path("", views.home_or_landing, name="demo_front"),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    path("", include(wagtail_urls)),
]
