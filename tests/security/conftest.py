"""Fixtures of the rooms that these tests walk through."""

from tests.sync.conftest import admin_user, connect, site  # noqa: F401
