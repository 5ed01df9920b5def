"""Runs a test in one of the small projects of this folder."""

import importlib

import pytest

from tests.blocks import rows
from tests.default_site import default_site


@pytest.fixture
def bakery(settings):
    """The project that is shaped like Wagtail's bakerydemo."""
    project = importlib.import_module("tests.projects.bakery.settings")
    settings.ROOT_URLCONF = project.ROOT_URLCONF
    settings.TEMPLATES = project.TEMPLATES


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True, show_registration=True)
    return host
