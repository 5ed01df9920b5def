"""A visitor's page reads the settings of its Site with one query, and never a token."""

import pytest
from wagtail.models import Site

from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db


def test_one_query_reads_grant_and_account_without_tokens(site, host, django_assert_num_queries):
    with django_assert_num_queries(1):
        site_settings = SiteVisibility.for_site(site).site_settings
        assert (site_settings.grant, site_settings.account) == (site_settings.grant, host.account)
        assert site_settings.site == site
    assert {"access_token", "refresh_token", "connected_by_id"} <= (
        site_settings.grant.get_deferred_fields()
    )


def test_site_without_grant_or_settings(site, host, django_assert_num_queries):
    ZoomSettings.objects.filter(site=site).update(grant=None)
    with django_assert_num_queries(1):
        site_settings = SiteVisibility.for_site(site).site_settings
        assert site_settings.grant is None and site_settings.account == host.account
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    assert SiteVisibility.for_site(other).site_settings is None


def test_settings_of_another_site_are_never_read(site, host):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    other_settings = ZoomSettings.objects.create(site=other)
    assert SiteVisibility.for_site(other).site_settings == other_settings
    assert SiteVisibility.for_site(site).site_settings == ZoomSettings.objects.get(site=site)
