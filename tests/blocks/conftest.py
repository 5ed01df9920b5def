"""A Site with meetings, webinars and recordings of one host, and a function to render blocks."""

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
def render_block(site, rf):
    def render(block, request=None, **values):
        context = {"page": site.root_page, "request": request or rf.get("/")}
        return block.render(block.to_python(values), context)

    return render
