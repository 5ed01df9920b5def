"""Client of Zoom's REST API; all calls use it. Start with ``client_for``."""

from .api import ZoomClient
from .factory import client_for
from .paging import ApiPage
from .ratelimit import Priority

__all__ = ["ApiPage", "Priority", "ZoomClient", "client_for"]
