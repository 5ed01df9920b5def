from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.documents.api.v2.views import DocumentsAPIViewSet
from wagtail.images.api.v2.views import ImagesAPIViewSet

from wagtail_zoom.api.v2 import (
    ZoomDatesAPIViewSet,
    ZoomRecordingsAPIViewSet,
    ZoomSummariesAPIViewSet,
)

api_router = WagtailAPIRouter("wagtailapi")
api_router.register_endpoint("zoom_dates", ZoomDatesAPIViewSet)
api_router.register_endpoint("pages", PagesAPIViewSet)
api_router.register_endpoint("images", ImagesAPIViewSet)
api_router.register_endpoint("documents", DocumentsAPIViewSet)
api_router.register_endpoint("zoom_recordings", ZoomRecordingsAPIViewSet)
api_router.register_endpoint("zoom_summaries", ZoomSummariesAPIViewSet)

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("zoom/", include("wagtail_zoom.urls")),
    path("api/v2/", api_router.urls),
    path("", include(wagtail_urls)),
]
