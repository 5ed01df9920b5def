"""Test kit: a Zoom simulator in its own process, pytest fixtures and factories."""
