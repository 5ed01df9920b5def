"""The only way to Zoom's REST API. Start with ``client_for``."""

from .access import client_for
from .api import Page, ZoomClient
from .budget import Priority

__all__ = ["Page", "Priority", "ZoomClient", "client_for"]
