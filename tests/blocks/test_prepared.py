"""The Site's choices, read by SQL that is put together once, are those that Django would read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from wagtail_zoom.exposure import _UNREAD, Exposure
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db


def facts(row):
    """What has been read of a row; that of a related one beside it."""
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_it_is_the_row_that_django_reads(site, host):
    theirs = ZoomSettings.objects.select_related("grant", "account").defer(*_UNREAD).get(site=site)
    for _time in ("made", "known"):
        with CaptureQueriesContext(connection) as seen:
            ours = Exposure.for_site(site).choice
            assert facts(ours) == facts(theirs)
            assert facts(ours.grant) == facts(theirs.grant)
            assert facts(ours.account) == facts(theirs.account)
        assert len(seen) == 1
    assert ours._state.db == theirs._state.db and not ours._state.adding
    assert ours.grant.get_deferred_fields() == theirs.grant.get_deferred_fields()
    assert {"access_token", "refresh_token", "connected_by_id"} <= ours.grant.get_deferred_fields()


def test_without_a_grant_or_a_row_there_is_none(site, host, django_assert_num_queries):
    ZoomSettings.objects.filter(site=site).update(grant=None)
    with django_assert_num_queries(1):
        choice = Exposure.for_site(site).choice
        assert choice.grant is None and choice.account == host.account
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    assert Exposure.for_site(other).choice is None


def test_a_row_of_another_site_is_never_read(site, host):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    mine = ZoomSettings.objects.create(site=other)
    assert Exposure.for_site(other).choice == mine
    assert Exposure.for_site(site).choice == ZoomSettings.objects.get(site=site)
