"""A Site that shows meetings, webinars and recordings of one host, and a way to draw blocks."""

import pytest
from wagtail.models import Site

from tests.blocks import rows


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True)
    return host


@pytest.fixture
def draw(site, rf):
    def draw(block, request=None, **values):
        context = {"page": site.root_page, "request": request or rf.get("/")}
        return block.render(block.to_python(values), context)

    return draw
