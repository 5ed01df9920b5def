"""Fixtures for the whole suite. Zoom is the simulator, over real HTTP."""

pytest_plugins = ["wagtail_zoom.testing.fixtures"]
