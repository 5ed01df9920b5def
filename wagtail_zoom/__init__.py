"""Zoom meetings, webinars, recordings and registration for Wagtail sites."""

__version__ = "0.1.0"
