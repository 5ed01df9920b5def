"""The only way to Zoom's REST API. Start with ``client_for``."""

from .access import client_for
from .api import ZoomClient
from .budget import Priority
from .paging import Page

__all__ = ["Page", "Priority", "ZoomClient", "client_for"]
