"""The host's side: all Sites sorted by pain, mails to owners, waking copies."""

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
FLEET = "/admin/zoom/sites/"


def broken(world, **values):
    values = {"state": "needs_reconnect", "reason": "invalid_grant", **values}
    Grant.objects.filter(pk=world.grant.pk).update(**values)


def contact(world, address):
    ZoomSettings.objects.filter(pk=world.choice.pk).update(contact_email=address)


def bulk(name):
    return reverse("wagtail_bulk_action", args=["wagtailcore", "site", name])


def test_fleet_is_sorted_by_pain_and_for_superusers_only(client, as_root, aurora, borealis):
    broken(borealis, state_since=hours_ago(50))
    assert [row.site for row in overview.rows()][:2] == [borealis.site, aurora.site]
    answer = as_root.get(FLEET)
    assert b"Owner must reconnect" in answer.content and b"for 2 days" in answer.content
    assert b"All times are " in answer.content
    assert b"borealis.example" in as_root.get(f"{FLEET}?group=reconnect").content
    assert b"aurora.example" not in as_root.get(f"{FLEET}?group=reconnect").content
    assert b"aurora.example" not in as_root.get(f"{FLEET}results/?q=boreal").content
    assert b"No match." in as_root.get(f"{FLEET}results/?q=nowhere").content
    client.force_login(aurora.owner)
    assert client.get(FLEET).status_code in (302, 403)


def test_fleet_export(as_root, aurora):
    assert b"aurora.example" in b"".join(as_root.get(f"{FLEET}?export=csv"))
    assert b"".join(as_root.get(f"{FLEET}?export=xlsx"))


def test_sites_without_zoom_come_last_and_name_who_may_connect(as_root, aurora):
    site = make_site("meadow.example")
    make_owner("meadow", site)
    row = next(row for row in overview.rows() if row.site == site)
    assert row.word == "Not connected" and row.owner == "meadow@meadow.example" and row.can_mail
    assert overview.rows()[0].site == aurora.site


def test_the_host_can_write_to_an_owner(as_root, aurora):
    url = f"/admin/zoom/{aurora.site.pk}/mail-owner/"
    broken(aurora)
    contact(aurora, "office@aurora.example")
    assert as_root.post(url).status_code == 302
    assert mail.outbox[0].to == ["office@aurora.example"]
    assert "please connect again" in mail.outbox[0].subject
    assert f"https://testserver{aurora.panel}" in mail.outbox[0].body
    assert "mailed" in as_root.get(f"{FLEET}?mailed=yes").content.decode()
    assert b"aurora.example" not in as_root.get(f"{FLEET}results/?mailed=no").content
    # The reminders after three and seven days go on by themselves.
    assert Grant.objects.get(pk=aurora.grant.pk).notices in (None, [])


def test_nobody_is_mailed_about_a_site_that_is_well(as_root, aurora):
    aurora.registration.delete()
    assert as_root.post(f"/admin/zoom/{aurora.site.pk}/mail-owner/").status_code == 404
    assert not mail.outbox


def test_many_owners_are_mailed_at_once(
    as_root, aurora, borealis, django_capture_on_commit_callbacks
):
    broken(aurora)
    aurora.registration.delete()
    contact(aurora, "office@aurora.example")
    borealis.registration.delete()
    url = f"{bulk('zoom_mail')}?id={aurora.site.pk}&id={borealis.site.pk}"
    body = as_root.get(url).content.decode()
    assert "aurora.example: Owner must reconnect, office@aurora.example" in body
    assert "Nothing to write about" in body and "borealis.example: Up to date" in body
    with django_capture_on_commit_callbacks(execute=True):
        assert as_root.post(url).status_code == 302
    assert [one.to for one in mail.outbox] == [["office@aurora.example"]]
    assert Activity.objects.get(code="owner_mailed").site == aurora.site


def test_a_copy_sends_no_mail_and_many_are_woken_at_once(as_root, aurora, borealis):
    ZoomAccount.objects.update(fingerprint="another")
    url = f"?id={aurora.site.pk}&id={borealis.site.pk}"
    assert "Send the mails" not in as_root.get(bulk("zoom_mail") + url).content.decode()
    as_root.post(bulk("zoom_mail") + url)
    assert not mail.outbox
    assert as_root.post(bulk("zoom_wake") + url).status_code == 302
    assert not any(account.is_quarantined for account in ZoomAccount.objects.all())
    assert Activity.objects.filter(code="adopted").count() == 2


@pytest.mark.parametrize("name", ["zoom_mail", "zoom_wake"])
def test_bulk_actions_on_sites_are_for_superusers(as_aurora, aurora, name):
    broken(aurora)
    url = f"{bulk(name)}?id={aurora.site.pk}"
    for answer in (as_aurora.get(url), as_aurora.post(url)):
        assert answer.status_code in (302, 403) and b"aurora.example" not in answer.content
    assert not mail.outbox


def test_many_sites_are_put_in_order_now_and_then(as_root, aurora, borealis, monkeypatch):
    """Issue 7: the order may be half a minute old, what a row says never is."""
    cache.delete(overview.ORDER)
    monkeypatch.setattr(overview, "FEW", 1)
    assert b"Owner must reconnect" not in as_root.get(FLEET).content
    with CaptureQueriesContext(connection) as few:
        as_root.get(FLEET)
    for number in range(30):
        make_site(f"site{number:02}.example")
    broken(aurora)
    with CaptureQueriesContext(connection) as many:
        assert b"Owner must reconnect" in as_root.get(FLEET).content
    assert len(many) == len(few)
    assert b"aurora.example" in as_root.get(f"{FLEET}?q=aurora").content
    cache.delete(overview.ORDER)
    assert b"aurora.example" in as_root.get(f"{FLEET}?group=reconnect").content
    cache.delete(overview.ORDER)


def test_the_fleet_costs_as_much_for_many_sites(as_root, aurora, django_assert_max_num_queries):
    for number in range(30):
        make_site(f"site{number:02}.example")
    with django_assert_max_num_queries(13):
        assert len(overview.rows()) >= 30
