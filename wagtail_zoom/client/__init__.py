"""The only way to Zoom's REST API. Start with ``client_for``."""

from .api import ZoomClient
from .factory import client_for
from .paging import Page
from .ratelimit import Priority

__all__ = ["Page", "Priority", "ZoomClient", "client_for"]
