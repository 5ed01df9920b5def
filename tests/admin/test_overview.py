"""The operator's overview: all Sites by state, emails to owners, activating copies."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Site

from tests.admin.conftest import hours_ago, make_owner, make_site, make_tenant
from tests.testapp.models import ZoomPage
from wagtail_zoom.admin import overview, usage
from wagtail_zoom.models import (
    Activity,
    Grant,
    Heartbeat,
    Registration,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth.notifications import send_status_email

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


def test_no_site_is_called_up_to_date_while_the_worker_is_stopped(as_root, aurora):
    Registration.objects.all().delete()
    assert "Up to date" in as_root.get(OVERVIEW).content.decode()
    Heartbeat.objects.update(beat_at=hours_ago(1))
    cache.clear()
    body = as_root.get(OVERVIEW).content.decode()
    assert "Not synced now" in body and "Up to date" not in body


@pytest.mark.parametrize("many_sites", [False, True])
def test_sites_are_searched_by_their_name_too(as_root, aurora, borealis, monkeypatch, many_sites):
    """Also where the rows are summaries from the cache. The name stands beside the hostname."""
    Site.objects.filter(pk=aurora.site.pk).update(site_name="Études & Light")
    Site.objects.filter(pk=borealis.site.pk).update(site_name="borealis.example")
    if many_sites:
        monkeypatch.setattr(overview, "CACHE_THRESHOLD", 1)
        cache.delete(overview.SUMMARIES_KEY)
    for query in ("études", "Etudes", "& light", "aurora.ex"):
        text = as_root.get(f"{OVERVIEW}results/", {"q": query}).content.decode()
        assert "aurora.example · Études &amp; Light" in text, query
        assert "borealis.example" not in text
    text = as_root.get(f"{OVERVIEW}results/", {"q": "borealis"}).content.decode()
    assert "borealis.example" in text and "borealis.example ·" not in text


def test_overview_export(as_root, aurora):
    assert b"aurora.example" in b"".join(as_root.get(f"{OVERVIEW}?export=csv"))
    assert b"".join(as_root.get(f"{OVERVIEW}?export=xlsx"))


def test_a_file_of_all_sites_is_streamed_and_read_once(as_root, aurora, monkeypatch):
    """Its first line needs no page, and nothing is counted for visitors."""
    read = []
    complete = overview.complete_for_file
    monkeypatch.setattr(overview, "complete_for_file", lambda r: read.append(1) or complete(r))
    monkeypatch.setattr(overview, "count_for_visitors", lambda statuses: pytest.fail("counted"))
    lines = iter(as_root.get(f"{OVERVIEW}?export=csv"))
    assert b"Site" in next(lines) and not read
    assert any(b"aurora.example" in line for line in lines)
    assert read == [1]


def test_a_file_of_all_sites_says_what_kinds_visitors_see(as_root, aurora, borealis):
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {})])
    aurora.site.root_page.add_child(instance=page)
    rows = list(csv.DictReader(io.StringIO(_file_of_all_sites(as_root))))
    seen = {row["Site"].partition(" ")[0]: row["What visitors see"] for row in rows}
    assert seen["aurora.example"] == "meetings and recordings"
    page.unpublish()
    assert "meetings" not in _file_of_all_sites(as_root)


def _file_of_all_sites(client):
    return b"".join(client.get(f"{OVERVIEW}?export=csv")).decode()


@pytest.mark.parametrize("many_sites", [False, True])
def test_sites_with_a_public_page_are_the_same_of_few_and_many(
    as_root, aurora, borealis, monkeypatch, many_sites
):
    """For many Sites all pages are read, instead of those below their roots."""
    if many_sites:
        monkeypatch.setattr(usage, "MAX_PATHS", 0)
    sites = [aurora.site, borealis.site]
    assert usage.sites_with_public_pages(sites) == set()
    page = ZoomPage(title="Dates", slug="dates", body=[("dates", {})])
    borealis.site.root_page.add_child(instance=page)
    below = {site.pk for site in sites if page.path.startswith(site.root_page.path)}
    assert usage.sites_with_public_pages(sites) == below == {borealis.site.pk}


def test_a_workbook_of_too_many_sites_is_refused_in_words(as_root, aurora, borealis, monkeypatch):
    monkeypatch.setattr("wagtail_zoom.admin.listings.base.MAX_WORKBOOK_ROWS", 2)
    response = as_root.get(f"{OVERVIEW}?export=xlsx&q=aurora", follow=True)
    assert "spreadsheet" in response["Content-Type"]
    response = as_root.get(f"{OVERVIEW}?export=xlsx", follow=True)
    assert "An XLSX file has room for 2 rows" in response.content.decode()


def test_overview_export_needs_no_query_for_each_site(as_root, aurora, borealis):
    def export():
        with CaptureQueriesContext(connection) as queries:
            lines = b"".join(as_root.get(f"{OVERVIEW}?export=csv")).decode().splitlines()
        return len(queries), {line.split(",")[0]: line for line in lines[1:]}

    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(linked_by=aurora.owner)
    few, _lines = export()
    for number in range(12):
        tenant = make_tenant(f"more-{number}")
        ZoomSettings.objects.filter(pk=tenant.site_settings.pk).update(linked_by=tenant.owner)
    many, lines = export()
    assert many == few and len(lines) >= 14


def test_sites_without_zoom_come_last_and_show_their_owner(as_root, aurora):
    site = make_site("meadow.example")
    make_owner("meadow", site)
    row = next(row for row in overview.site_rows() if row.site == site)
    assert (
        row.state_label == "Not connected" and row.owner == "meadow@meadow.example" and row.can_mail
    )
    assert overview.site_rows()[0].site == aurora.site


@pytest.fixture
def immediate_commit(monkeypatch):
    """What waits for the commit runs before the response, as without a test's transaction."""
    monkeypatch.setattr("django.db.transaction.on_commit", lambda run, **options: run())


def mail_button(client, site, query=""):
    """Where *Email the owner* of the row of this Site leads; empty without the button."""
    text = client.get(f"{OVERVIEW}?q={site.hostname}{query}").content.decode()
    links = re.findall(r'<a href="([^"]+)"[^>]*>Email the owner<', text)
    return html.unescape(links[0]) if links else ""


def test_the_operator_reads_to_whom_and_what_before_an_owner_is_emailed(
    as_root, aurora, immediate_commit
):
    break_grant(aurora)
    set_contact_email(aurora, "office@aurora.example")
    url = mail_button(as_root, aurora.site, "&group=reconnect")
    body = as_root.get(url).content.decode()
    assert "Email the owner of this site?" in body and "To: office@aurora.example" in body
    assert f"https://testserver{aurora.panel}" in body and not mail.outbox
    response = as_root.post(url)
    assert response["location"] == f"{OVERVIEW}?q=aurora.example&group=reconnect"
    email = mail.outbox[0]
    assert email.to == ["office@aurora.example"]
    assert "Reconnect Zoom to keep your pages up to date" in email.subject
    assert email.subject in html.unescape(body) and email.body.strip() in html.unescape(body)
    text = as_root.get(f"{OVERVIEW}?mailed=yes").content.decode()
    assert "aurora.example" in text and "1 email is on its way." in text
    assert b"aurora.example" not in as_root.get(f"{OVERVIEW}results/?mailed=no").content
    # The reminders after three and seven days are not affected.
    assert Grant.objects.get(pk=aurora.grant.pk).reminders_sent in (None, [])


def test_a_mail_that_cannot_be_sent_is_reported(
    as_root, aurora, borealis, monkeypatch, immediate_commit
):
    for tenant in (aurora, borealis):
        break_grant(tenant)
        set_contact_email(tenant, f"office@{tenant.site.hostname}")
    send = EmailMessage.send

    def send_to_borealis_only(email, *args, **kwargs):
        if "aurora" in email.to[0]:
            raise OSError("no mail server")
        return send(email, *args, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", send_to_borealis_only)
    url = f"{bulk_url('zoom_mail')}?id={aurora.site.pk}&id={borealis.site.pk}&next={OVERVIEW}"
    as_root.post(url)
    text = as_root.get(OVERVIEW).content.decode()
    assert "1 email is on its way." in text
    assert "The email to the owner of aurora.example could not be sent." in text
    assert Activity.objects.get(code="owner_mailed").site == borealis.site


def test_no_email_about_a_healthy_site(as_root, aurora):
    aurora.registration.delete()
    assert mail_button(as_root, aurora.site) == ""
    as_root.post(f"{bulk_url('zoom_mail')}?id={aurora.site.pk}")
    assert not mail.outbox


def test_owners_are_emailed_in_bulk(as_root, aurora, borealis, django_capture_on_commit_callbacks):
    break_grant(aurora)
    aurora.registration.delete()
    set_contact_email(aurora, "office@aurora.example")
    borealis.registration.delete()
    url = f"{bulk_url('zoom_mail')}?id={aurora.site.pk}&id={borealis.site.pk}"
    body = as_root.get(url).content.decode()
    assert "Owner must reconnect" in body and "To: office@aurora.example" in body
    assert (
        "No problem, or no known email address" in body and "borealis.example: Up to date" in body
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert as_root.post(url).status_code == 302
    assert [email.to for email in mail.outbox] == [["office@aurora.example"]]
    assert Activity.objects.get(code="owner_mailed").site == aurora.site


def test_copies_send_no_email_and_are_activated_in_bulk(as_root, aurora, borealis):
    ZoomAccount.objects.update(fingerprint="another")
    url = f"?id={aurora.site.pk}&id={borealis.site.pk}"
    assert "Send the email" not in as_root.get(bulk_url("zoom_mail") + url).content.decode()
    as_root.post(bulk_url("zoom_mail") + url)
    settings_row = aurora.site_settings
    settings_row.account.refresh_from_db()
    assert not send_status_email(settings_row, "office@aurora.example", "Title", "Text")
    assert not mail.outbox
    assert as_root.post(bulk_url("zoom_wake") + url).status_code == 302
    assert not any(account.is_quarantined for account in ZoomAccount.objects.all())
    assert Activity.objects.filter(code="adopted").count() == 2
    settings_row.account.refresh_from_db()
    assert send_status_email(settings_row, "office@aurora.example", "Title", "Text")


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
