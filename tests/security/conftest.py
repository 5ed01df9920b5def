"""Fixtures of other test packages that these tests use."""

from tests.oauth.conftest import owner, owner_client  # noqa: F401
from tests.sync.conftest import admin_user, connect, site  # noqa: F401
