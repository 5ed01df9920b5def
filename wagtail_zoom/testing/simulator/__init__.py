"""A Zoom that runs on this machine: OAuth and the REST endpoints that a website needs.

A separate process over real HTTP; imports nothing of wagtail-zoom and nothing of Django. Start it
with ``python -m wagtail_zoom.testing.simulator``.
"""
