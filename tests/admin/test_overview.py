"""The operator's overview: all Sites by state, emails to owners, activating copies."""

from __future__ import annotations

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import hours_ago, make_owner, make_site
from wagtail_zoom.admin import overview
from wagtail_zoom.models import Activity, Grant, ZoomAccount, ZoomSettings

pytestmark = pytest.mark.django_db
OVERVIEW = "/admin/zoom/sites/"


def break_grant(tenant, **values):
    values = {"state": "needs_reconnect", "reason": "invalid_grant", **values}
    Grant.objects.filter(pk=tenant.grant.pk).update(**values)


def set_contact_email(tenant, email):
    ZoomSettings.objects.filter(pk=tenant.site_settings.pk).update(contact_email=email)


def bulk_url(name):
    return reverse("wagtail_bulk_action", args=["wagtailcore", "site", name])


def test_overview_is_sorted_by_state_and_for_superusers_only(client, as_root, aurora, borealis):
    break_grant(borealis, state_since=hours_ago(50))
    assert [row.site for row in overview.site_rows()][:2] == [borealis.site, aurora.site]
    response = as_root.get(OVERVIEW)
    assert b"Owner must reconnect" in response.content and b"for 2 days" in response.content
    assert b"All times are " in response.content
    assert b"borealis.example" in as_root.get(f"{OVERVIEW}?group=reconnect").content
    assert b"aurora.example" not in as_root.get(f"{OVERVIEW}?group=reconnect").content
    assert b"aurora.example" not in as_root.get(f"{OVERVIEW}results/?q=boreal").content
    assert b"No match." in as_root.get(f"{OVERVIEW}results/?q=nowhere").content
    client.force_login(aurora.owner)
    assert client.get(OVERVIEW).status_code in (302, 403)


def test_overview_export(as_root, aurora):
    assert b"aurora.example" in b"".join(as_root.get(f"{OVERVIEW}?export=csv"))
    assert b"".join(as_root.get(f"{OVERVIEW}?export=xlsx"))


def test_sites_without_zoom_come_last_and_show_their_owner(as_root, aurora):
    site = make_site("meadow.example")
    make_owner("meadow", site)
    row = next(row for row in overview.site_rows() if row.site == site)
    assert (
        row.state_label == "Not connected" and row.owner == "meadow@meadow.example" and row.can_mail
    )
    assert overview.site_rows()[0].site == aurora.site


def test_the_operator_can_email_an_owner(as_root, aurora):
    url = f"/admin/zoom/{aurora.site.pk}/mail-owner/"
    break_grant(aurora)
    set_contact_email(aurora, "office@aurora.example")
    assert as_root.post(url).status_code == 302
    assert mail.outbox[0].to == ["office@aurora.example"]
    assert "please connect again" in mail.outbox[0].subject
    assert f"https://testserver{aurora.panel}" in mail.outbox[0].body
    assert "mailed" in as_root.get(f"{OVERVIEW}?mailed=yes").content.decode()
    assert b"aurora.example" not in as_root.get(f"{OVERVIEW}results/?mailed=no").content
    # The reminders after three and seven days are not affected.
    assert Grant.objects.get(pk=aurora.grant.pk).reminders_sent in (None, [])


def test_no_email_about_a_healthy_site(as_root, aurora):
    aurora.registration.delete()
    assert as_root.post(f"/admin/zoom/{aurora.site.pk}/mail-owner/").status_code == 404
    assert not mail.outbox


def test_owners_are_emailed_in_bulk(as_root, aurora, borealis, django_capture_on_commit_callbacks):
    break_grant(aurora)
    aurora.registration.delete()
    set_contact_email(aurora, "office@aurora.example")
    borealis.registration.delete()
    url = f"{bulk_url('zoom_mail')}?id={aurora.site.pk}&id={borealis.site.pk}"
    body = as_root.get(url).content.decode()
    assert "aurora.example: Owner must reconnect, office@aurora.example" in body
    assert "Nothing to write about" in body and "borealis.example: Up to date" in body
    with django_capture_on_commit_callbacks(execute=True):
        assert as_root.post(url).status_code == 302
    assert [email.to for email in mail.outbox] == [["office@aurora.example"]]
    assert Activity.objects.get(code="owner_mailed").site == aurora.site


def test_copies_send_no_email_and_are_activated_in_bulk(as_root, aurora, borealis):
    ZoomAccount.objects.update(fingerprint="another")
    url = f"?id={aurora.site.pk}&id={borealis.site.pk}"
    assert "Send the mails" not in as_root.get(bulk_url("zoom_mail") + url).content.decode()
    as_root.post(bulk_url("zoom_mail") + url)
    assert not mail.outbox
    assert as_root.post(bulk_url("zoom_wake") + url).status_code == 302
    assert not any(account.is_quarantined for account in ZoomAccount.objects.all())
    assert Activity.objects.filter(code="adopted").count() == 2


@pytest.mark.parametrize("name", ["zoom_mail", "zoom_wake"])
def test_bulk_actions_on_sites_are_for_superusers(as_aurora, aurora, name):
    break_grant(aurora)
    url = f"{bulk_url(name)}?id={aurora.site.pk}"
    for response in (as_aurora.get(url), as_aurora.post(url)):
        assert response.status_code in (302, 403) and b"aurora.example" not in response.content
    assert not mail.outbox


def test_the_order_of_many_sites_is_cached(as_root, aurora, borealis, monkeypatch):
    """The order may be half a minute old, but rows are always current."""
    cache.delete(overview.SUMMARIES_KEY)
    monkeypatch.setattr(overview, "CACHE_THRESHOLD", 1)
    assert b"Owner must reconnect" not in as_root.get(OVERVIEW).content
    with CaptureQueriesContext(connection) as few:
        as_root.get(OVERVIEW)
    for number in range(30):
        make_site(f"site{number:02}.example")
    break_grant(aurora)
    with CaptureQueriesContext(connection) as many:
        assert b"Owner must reconnect" in as_root.get(OVERVIEW).content
    assert len(many) == len(few)
    assert b"aurora.example" in as_root.get(f"{OVERVIEW}?q=aurora").content
    cache.delete(overview.SUMMARIES_KEY)
    assert b"aurora.example" in as_root.get(f"{OVERVIEW}?group=reconnect").content
    cache.delete(overview.SUMMARIES_KEY)


def test_the_overview_takes_as_many_queries_for_many_sites(
    as_root, aurora, django_assert_max_num_queries
):
    for number in range(30):
        make_site(f"site{number:02}.example")
    with django_assert_max_num_queries(13):
        assert len(overview.site_rows()) >= 30
