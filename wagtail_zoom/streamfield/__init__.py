"""The blocks, a module for each kind; projects import them from ``wagtail_zoom.blocks``."""
