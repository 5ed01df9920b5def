"""URLs of the app: ``path("zoom/", include("wagtail_zoom.urls"))``."""

from . import joining, monitor, reading, webhooks
from .feeds import urls as feeds
from .oauth import urls as oauth
from .registration import urls as registration

app_name = "wagtail_zoom"

urlpatterns = [
    *webhooks.urlpatterns,
    *monitor.urlpatterns,
    *oauth.urlpatterns,
    *joining.urlpatterns,
    *reading.urlpatterns,
    *feeds.urlpatterns,
    *registration.urlpatterns,
]
