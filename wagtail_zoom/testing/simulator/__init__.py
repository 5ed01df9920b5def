"""Zoom simulator: a local HTTP server with Zoom's OAuth and REST endpoints and webhooks.

It runs as a separate process and imports neither wagtail-zoom (except the signing helper of the
test kit) nor Django. Start it with ``python -m wagtail_zoom.testing.simulator``.
"""
