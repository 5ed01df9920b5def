"""URLs of the app: ``path("zoom/", include("wagtail_zoom.urls"))``."""

from . import webhooks
from .frontend import views
from .frontend.feeds import urls as feeds
from .oauth import urls as oauth
from .registration import urls as registration
from .sync import health

app_name = "wagtail_zoom"

urlpatterns = [
    *webhooks.urlpatterns,
    *health.urlpatterns,
    *oauth.urlpatterns,
    *views.urlpatterns,
    *feeds.urlpatterns,
    *registration.urlpatterns,
]
