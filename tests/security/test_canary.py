"""One run through all features, then a search for all secrets (X19-X21, O26).

Connecting, import, webhook events, pages, registrations, the admin, exports, emails, outages,
token refresh, disconnecting. The secrets come from the exchanges of the Zoom simulator.
"""

from __future__ import annotations

import json
import logging

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.security import canaries
from tests.security.tenant_data import all_blocks
from tests.security.test_tenants import admin_page_urls, admin_patterns
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom import tasks
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import (
    Activity,
    Grant,
    Occurrence,
    Registration,
    SiteItem,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.oauth import disconnect
from wagtail_zoom.registration import tokens
from wagtail_zoom.testing.signing import sign
from wagtail_zoom.utils import queue

pytestmark = [pytest.mark.django_db, pytest.mark.full_import]
SECRET = "simulator-webhook-secret"
OWNERS_WATCH_PAGE = "wagtail_zoom_recordings:watch"
"""The one page of the admin that shows a passcode, on purpose: of the recording that its owner
reviews, and has to type it at Zoom. It may hold no other secret, and is never stored."""
PERSON = {"first_name": "Canarina", "last_name": "Voglova", "email": "canarina@visitor.example"}


@pytest.fixture
def canary_values(settings):
    """The canaries, including the installation's own secrets."""
    values = canaries.Canaries()
    app_settings = settings.WAGTAIL_ZOOM
    values.secret["settings"] |= {
        app_settings["CLIENT_SECRET"],
        SECRET,
        *app_settings["ENCRYPTION_KEYS"],
    }
    values.personal["person"] |= {PERSON["email"], PERSON["first_name"], PERSON["last_name"]}
    return values


@pytest.fixture
def both_queues(zoom_worker, monkeypatch):
    """Tasks run here, and are in django-q2's table as well."""
    from django_q.tasks import async_task

    def send(name, ids):
        async_task(f"{queue.TASKS}.{name}", *ids, q_options=dict(queue.Q_OPTIONS))
        zoom_worker.send(name, ids)

    monkeypatch.setattr(queue, "_send", send)
    return zoom_worker


def post_deliveries(zoom_app, client, canary_values):
    """Post the webhook events so far to our endpoint, signed as by Zoom."""
    for delivery in zoom_app.deliveries():
        raw = json.dumps(delivery["body"]).encode()
        headers = sign(raw, SECRET, request_id=delivery["event_id"])
        canary_values.secret["signature"].add(headers["x-zm-signature"].removeprefix("v0="))
        canary_values.collect(delivery["body"])
        headers.pop("content-type")
        url = reverse("wagtail_zoom:webhook")
        response = client.post(url, raw, content_type="application/json", headers=headers)
        assert response.status_code == 200


def make_changes(zoom_app):
    """Cause at least one webhook event of each family."""
    meeting = zoom_app.create_meeting(
        "aurora-0", topic="Canary song", start_time="+2d 10:00", registration="auto"
    )
    zoom_app.change_meeting(meeting["id"], topic="Canary song, new")
    zoom_app.register(meeting["id"], first_name="Zoomina", last_name="Page", email="z@page.example")
    webinar = zoom_app.create_meeting(
        "aurora-0", kind="webinar", topic="Canary webinar", start_time="+3d 10:00"
    )
    zoom_app.start_meeting(webinar["id"])
    zoom_app.end_meeting(webinar["id"])
    recording = zoom_app.create_recording("aurora-0", topic="Canary film", start_time="-2h")
    zoom_app.change_recording(recording["id"], topic="Canary film, renamed")
    zoom_app.change_user("aurora-1", display_name="New name")
    return meeting


def visit_admin(client, row):
    """All pages that a superuser can open, ours with the rows of this run, and the exports."""
    texts = {}
    site = row.site
    keys = {
        "registrations": row.pk,
        "activity": Activity.objects.filter(event__isnull=False).values_list("pk", flat=True)[0],
        "recordings": SiteItem.objects.filter(kind="recording").values_list("pk", flat=True)[0],
    }
    meeting = SiteItem.objects.filter(key=row.meeting_zoom_id).values_list("pk", flat=True)[0]
    for name, arguments in admin_patterns():
        kind = name.removeprefix("wagtail_zoom_").partition(":")[0]
        values = {"site_pk": site.pk, "pk": keys.get(kind, meeting)}
        url = reverse(name, kwargs={key: values[key] for key in arguments})
        response = client.get(url)
        texts[url] = canaries.text_of(response)
        if name == OWNERS_WATCH_PAGE:
            passcode = SiteItem.objects.get(pk=values["pk"]).recording.passcode.reveal()
            assert passcode in texts[url] and "no-store" in response["Cache-Control"]
            texts[url] = texts[url].replace(passcode, "")
        if name.endswith(":index"):
            for format in ("csv", "xlsx"):
                export = f"{url}?site={site.pk}&export={format}"
                texts[export] = canaries.text_of(client.get(export))
    for url in admin_page_urls():
        texts[url] = canaries.text_of(client.get(url))
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])
    texts[panel] = canaries.text_of(client.get(panel))
    for page in DatesPage.objects.all():
        for name in ("edit", "history", "usage"):
            url = reverse(f"wagtailadmin_pages:{name}", args=[page.pk])
            texts[url] = canaries.text_of(client.get(url))
    return texts


def visit_public_pages(client, site_settings, row):
    """Pages, join pages, calendars and personal URLs, as a visitor."""
    site = site_settings.site
    item = SiteItem.objects.filter(key=row.meeting_zoom_id).first()
    recording = SiteItem.objects.filter(kind="recording").first()
    page = DatesPage(title="All", slug="all", body=all_blocks(item, recording))
    site.root_page.add_child(instance=page)
    page.save_revision(user=None).publish()
    site.root_page.add_child(instance=EventPage(title="E", slug="event", zoom_item=item))
    token = tokens.token_of(row)
    urls = [
        "/all/", "/event/", links.site_calendar_url(), links.series_calendar_url(item),
        reverse("wagtail_zoom:registration", args=[token]),
        reverse("wagtail_zoom:registration_cancel", args=[token]),
        reverse("wagtail_zoom:registration_calendar", args=[token]),
        FormLink(site.pk, page.pk, row.meeting_id).url,
    ]  # fmt: skip
    for occurrence in Occurrence.objects.filter(account=site_settings.account):
        urls += [links.join_url(site.pk, occurrence), links.calendar_url(site.pk, occurrence)]
    return {url: canaries.text_of(client.get(url)) for url in urls}


def cause_outages(zoom_app, site_settings, worker):
    """Errors write log messages, which the test searches as well."""
    Grant.objects.update(expires_at=timezone.now())
    for fault in (
        {"kind": "broken_json"}, {"kind": "cut_after"}, {"kind": "status", "status": 401},
        {"kind": "status", "status": 500, "path": "/oauth/token"},
    ):  # fmt: skip
        zoom_app.fault(**{"path": "/v2/", "count": 1, **fault})
        WebhookEvent.objects.update(state="pending", run_after=timezone.now())
        Grant.objects.update(retry_at=None, failures=0)
        tasks.tick()
        worker.run()
    zoom_app.clear_faults()


@pytest.mark.slow
def test_x19_x20_x21_no_secret_is_leaked_in_a_full_run(
    connect, zoom_app, both_queues, canary_values, caplog, admin_user
):
    cache.clear()
    caplog.set_level(logging.DEBUG)
    # No link may be given to visitors, so that every match is a leak.
    site_settings = connect("aurora-0")
    ZoomSettings.objects.update(
        passcode_policy="never", join_policy="registrants", show_registration=True,
        review_recordings=False, contact_email="owner@site.example",
    )  # fmt: skip
    created = make_changes(zoom_app)
    client, visitor = Client(raise_request_exception=False), Client()
    client.force_login(admin_user)
    post_deliveries(zoom_app, visitor, canary_values)
    both_queues.run()
    page = DatesPage(title="Form", slug="form")
    site_settings.site.root_page.add_child(instance=page)
    meeting = site_settings.account.meetings.get(zoom_id=str(created["id"]))
    response = visitor.post(
        FormLink(site_settings.site_id, page.pk, meeting.pk).url,
        PERSON,
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert response.status_code == 303
    tasks.deliver_registrations()
    row = Registration.objects.get()
    assert row.state == "approved"
    assert row.join_url
    SiteItem.objects.filter(kind="recording").update(
        visibility="published", decided_at=timezone.now()
    )
    public = visit_public_pages(visitor, site_settings, row)
    cause_outages(zoom_app, site_settings, both_queues)
    admin = visit_admin(client, row)
    disconnect.disconnect(ZoomSettings.for_site(site_settings.site), keep=True, user=admin_user)
    both_queues.run()
    canary_values.collect_exchanges(zoom_app.call("GET", "exchanges")["exchanges"])
    personal = {user["email"] for user in zoom_app.users() if user.get("email")}
    canary_values.personal["host"] |= {url for url in personal if "aurora" in url}

    for name in ("access_token", "refresh_token", "code", "code_verifier", "join_url", "pwd",
                 "tk", "password", "share_url", "play_url", "download_url", "start_url",
                 "download_token", "signature", "settings"):  # fmt: skip
        assert canary_values.secret[name], f"the run has met no {name}"
    text, arguments = canaries.dump_queue()
    assert arguments
    assert all(
        isinstance(argument, int | str) and len(str(argument)) <= 64 for argument in arguments
    )
    emails = "\n".join(
        f"{email.subject}\n{email.body}\n{email.extra_headers}" for email in mail.outbox
    )
    assert "Canarina" in emails  # the registrant's own email
    assert "wagtail_zoom" in canaries.format_log(caplog.records)
    for place, words in {
        "database": canaries.dump_database(), "dumps": canaries.dump_models(), "queue": text,
        "cache": canaries.dump_cache(), "log": canaries.format_log(caplog.records),
    }.items():  # fmt: skip
        assert canary_values.leaks_in(words, personal=True) == [], place
    assert canary_values.leaks_in(emails) == [], "mails"
    assert "Canary song" in "".join(public.values())
    for url, words in public.items():
        own_name = PERSON["first_name"] if "/registration/" in url else "-"
        assert canary_values.leaks_in(words.replace(own_name, "")) == [], url
    assert "canarina@visitor.example" in "".join(admin.values())  # owners see registrations
    for url, words in admin.items():
        assert canary_values.leaks_in(words) == [], url


def test_the_search_detects_secrets(site):
    """A search that cannot detect a secret proves nothing."""
    values = canaries.Canaries()
    link = "https://zoom.us/j/1?pwd=sesame99&tk=personal9"
    values.collect({"object": [{"join_url": link, "password": 834512, "email": "a@b.example"}]})
    assert values.secret == {
        "join_url": {link}, "pwd": {"sesame99"}, "tk": {"personal9"}, "password": {"834512"},
    }  # fmt: skip
    data = {"a": ["sesame99", "a@b.example"]}
    Activity.objects.create(site=site, category="event", code="x", data=data)
    assert len(values.leaks_in(canaries.dump_database(), personal=True)) == 2
    assert values.leaks_in("x834512") == []
    assert len(values.leaks_in("is 834512.")) == 1
