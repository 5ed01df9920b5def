"""A visitor's page reads the settings of its Site with one query, and never a token."""

import pytest
from wagtail.models import Site

from wagtail_zoom.frontend.visibility import Exposure
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db


def test_one_query_reads_grant_and_account_without_tokens(site, host, django_assert_num_queries):
    with django_assert_num_queries(1):
        choice = Exposure.for_site(site).choice
        assert (choice.grant, choice.account) == (choice.grant, host.account)
        assert choice.site == site
    assert {"access_token", "refresh_token", "connected_by_id"} <= (
        choice.grant.get_deferred_fields()
    )


def test_without_a_grant_or_a_row_there_is_none(site, host, django_assert_num_queries):
    ZoomSettings.objects.filter(site=site).update(grant=None)
    with django_assert_num_queries(1):
        choice = Exposure.for_site(site).choice
        assert choice.grant is None and choice.account == host.account
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    assert Exposure.for_site(other).choice is None


def test_the_row_of_another_site_is_never_read(site, host):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    mine = ZoomSettings.objects.create(site=other)
    assert Exposure.for_site(other).choice == mine
    assert Exposure.for_site(site).choice == ZoomSettings.objects.get(site=site)
