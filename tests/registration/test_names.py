"""Registration pages show the name of their own Site, also on the canonical host."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import Site

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import tokens

from .conftest import PERSON, form_url, make_meeting, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(site):
    """The canonical host ("testserver") is no Site's own: the default Site answers there."""
    Site.objects.filter(pk=site.pk).update(is_default_site=False, hostname="harbour.example")
    Site.objects.filter(pk=site.pk).update(site_name="Harbour House")
    front = site.root_page.get_parent().add_child(
        instance=type(site.root_page)(title="Front", slug="front", locale=site.root_page.locale)
    )
    Site.objects.create(
        hostname="agency.example", site_name="The agency", root_page=front, is_default_site=True
    )
    return Site.objects.get(pk=site.pk)


def test_x8_pages_on_the_canonical_host_show_their_own_site(client, tenant, home):
    meeting = make_meeting(tenant)
    url = form_url(tenant, meeting)
    assert post(client, url, PERSON, host="harbour.example").status_code == 303
    row = Registration.objects.get()
    tenant.site_settings.refresh_from_db()
    own, link = "Harbour House", 'href="https://harbour.example/"'
    page_urls = [url, f"{url}received/", tokens.status_path(row)]
    Registration.objects.update(state="approved", state_since=timezone.now() - timedelta(hours=1))
    page_urls.append(tokens.join_path(row))
    for page_url in page_urls:
        html = client.get(page_url).content.decode()
        header = html.partition("<header>")[2].partition("</header>")[0]
        assert own in header and link in header and "The agency" not in html, page_url
        html = client.get(page_url, headers={"host": "harbour.example"}).content.decode()
        header = html.partition("<header>")[2].partition("</header>")[0]
        assert own in header and 'href="/"' in header, page_url
