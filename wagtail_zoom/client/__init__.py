"""Client of Zoom's REST API; all calls use it. Start with ``client_for_reading``."""

from .api import SiteClient, ZoomClient
from .factory import client_for_reading, client_for_request, client_for_site
from .paging import ApiPage
from .ratelimit import Priority

__all__ = [
    "ApiPage",
    "Priority",
    "SiteClient",
    "ZoomClient",
    "client_for_reading",
    "client_for_request",
    "client_for_site",
]
