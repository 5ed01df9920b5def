"""One run through everything, and afterwards a search for every secret that was met (X19-X21, O26).

Connecting, importing, messages, pages, sign-ups, the admin, exports, mails, outages, another
refresh, disconnecting. The secrets are learnt from what the simulated Zoom sent and received.
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
from tests.security.test_tenants import admin_pages, admin_patterns
from tests.security.world import blocks_with
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom import tasks
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import Ref
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

pytestmark = pytest.mark.django_db
SECRET = "simulator-webhook-secret"
PERSON = {"first_name": "Canarina", "last_name": "Voglova", "email": "canarina@visitor.example"}


@pytest.fixture
def found(settings):
    """The canaries, with the installation's own secrets among them."""
    made = canaries.Canaries()
    own = settings.WAGTAIL_ZOOM
    made.secret["settings"] |= {own["CLIENT_SECRET"], SECRET, *own["ENCRYPTION_KEYS"]}
    made.personal["person"] |= {PERSON["email"], PERSON["first_name"], PERSON["last_name"]}
    return made


@pytest.fixture
def both_queues(zoom_worker, monkeypatch):
    """Tasks run here, and stand in django-q2's table as well."""
    from django_q.tasks import async_task

    def send(name, ids):
        async_task(f"{queue.TASKS}.{name}", *ids, q_options=dict(queue.Q_OPTIONS))
        zoom_worker.send(name, ids)

    monkeypatch.setattr(queue, "_send", send)
    return zoom_worker


def post_deliveries(zoom_app, client, found):
    """What Zoom would have delivered until now, posted to our door with its signatures."""
    for delivery in zoom_app.deliveries():
        raw = json.dumps(delivery["message"]).encode()
        headers = sign(raw, SECRET, request_id=delivery["event_id"])
        found.secret["signature"].add(headers["x-zm-signature"].removeprefix("v0="))
        found.learn(delivery["message"])
        headers.pop("content-type")
        address = reverse("wagtail_zoom:webhook")
        answer = client.post(address, raw, content_type="application/json", headers=headers)
        assert answer.status_code == 200


def make_changes(zoom_app):
    """Something of every family of messages."""
    made = zoom_app.create_meeting(
        "aurora-0", topic="Canary song", start_time="+2d 10:00", registration="auto"
    )
    zoom_app.change_meeting(made["id"], topic="Canary song, new")
    zoom_app.register(made["id"], first_name="Zoomina", last_name="Page", email="z@page.example")
    webinar = zoom_app.create_meeting(
        "aurora-0", kind="webinar", topic="Canary webinar", start_time="+3d 10:00"
    )
    zoom_app.start_meeting(webinar["id"])
    zoom_app.end_meeting(webinar["id"])
    film = zoom_app.create_recording("aurora-0", topic="Canary film", start_time="-2h")
    zoom_app.change_recording(film["id"], topic="Canary film, renamed")
    zoom_app.change_user("aurora-1", display_name="New name")
    return made


def walk_the_admin(client, row):
    """Every page that a superuser can open, ours with the rows of this run, and the exports."""
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
        address = reverse(name, kwargs={key: values[key] for key in arguments})
        texts[address] = canaries.text_of(client.get(address))
        if name.endswith(":index"):
            for format in ("csv", "xlsx"):
                export = f"{address}?site={site.pk}&export={format}"
                texts[export] = canaries.text_of(client.get(export))
    for address in admin_pages():
        texts[address] = canaries.text_of(client.get(address))
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])
    texts[panel] = canaries.text_of(client.get(panel))
    for page in DatesPage.objects.all():
        for name in ("edit", "history", "usage"):
            address = reverse(f"wagtailadmin_pages:{name}", args=[page.pk])
            texts[address] = canaries.text_of(client.get(address))
    return texts


def walk_the_public(client, choice, row):
    """Pages, doors, calendars and personal addresses, followed as a visitor would."""
    site = choice.site
    item = SiteItem.objects.filter(key=row.meeting_zoom_id).first()
    film = SiteItem.objects.filter(kind="recording").first()
    page = DatesPage(title="All", slug="all", body=blocks_with(item, film))
    site.root_page.add_child(instance=page)
    page.save_revision(user=None).publish()
    site.root_page.add_child(instance=EventPage(title="E", slug="event", zoom_item=item))
    token = tokens.token_of(row)
    addresses = [
        "/all/", "/event/", links.site_calendar(), links.series_calendar(item),
        reverse("wagtail_zoom:registration", args=[token]),
        reverse("wagtail_zoom:registration_cancel", args=[token]),
        reverse("wagtail_zoom:registration_calendar", args=[token]),
        Ref(site.pk, page.pk, row.meeting_id).url,
    ]  # fmt: skip
    for date in Occurrence.objects.filter(account=choice.account):
        addresses += [links.join(site.pk, date), links.calendar(site.pk, date)]
    return {address: canaries.text_of(client.get(address)) for address in addresses}


def meet_outages(zoom_app, choice, worker):
    """The unhappy ways: what goes wrong is logged, and what is logged is searched."""
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
def test_x19_x20_x21_no_secret_anywhere_after_a_full_run(
    connect, zoom_app, both_queues, found, settings, caplog, admin_user
):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    cache.clear()
    caplog.set_level(logging.DEBUG)
    # Nothing may be handed out at all, so that whatever is found is a mistake.
    choice = connect("aurora-0")
    ZoomSettings.objects.update(
        passcode_policy="never", join_policy="registrants", show_registration=True,
        review_recordings=False, contact_email="owner@site.example",
    )  # fmt: skip
    made = make_changes(zoom_app)
    client, visitor = Client(raise_request_exception=False), Client()
    client.force_login(admin_user)
    post_deliveries(zoom_app, visitor, found)
    both_queues.run()
    page = DatesPage(title="Form", slug="form")
    choice.site.root_page.add_child(instance=page)
    meeting = choice.account.meetings.get(zoom_id=str(made["id"]))
    answer = visitor.post(
        Ref(choice.site_id, page.pk, meeting.pk).url,
        PERSON,
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 303
    tasks.deliver_registrations()
    row = Registration.objects.get()
    assert row.state == "approved"
    assert row.join_url
    SiteItem.objects.filter(kind="recording").update(
        visibility="published", decided_at=timezone.now()
    )
    public = walk_the_public(visitor, choice, row)
    meet_outages(zoom_app, choice, both_queues)
    admin = walk_the_admin(client, row)
    disconnect.disconnect(ZoomSettings.for_site(choice.site), keep=True, user=admin_user)
    both_queues.run()
    found.learn_exchanges(zoom_app.call("GET", "exchanges")["exchanges"])
    personal = {user["email"] for user in zoom_app.users() if user.get("email")}
    found.personal["host"] |= {address for address in personal if "aurora" in address}

    for name in ("access_token", "refresh_token", "code", "code_verifier", "join_url", "pwd",
                 "tk", "password", "share_url", "play_url", "download_url", "start_url",
                 "download_token", "signature", "settings"):  # fmt: skip
        assert found.secret[name], f"the run has met no {name}"
    text, arguments = canaries.queue_tables()
    assert arguments
    assert all(isinstance(one, int | str) and len(str(one)) <= 64 for one in arguments)
    mails = "\n".join(f"{one.subject}\n{one.body}\n{one.extra_headers}" for one in mail.outbox)
    assert "Canarina" in mails  # the person's own mail
    assert "wagtail_zoom" in canaries.logged(caplog.records)
    for place, words in {
        "database": canaries.database(), "dumps": canaries.dumps(), "queue": text,
        "cache": canaries.cached(), "log": canaries.logged(caplog.records),
    }.items():  # fmt: skip
        assert found.found_in(words, personal=True) == [], place
    assert found.found_in(mails) == [], "mails"
    assert "Canary song" in "".join(public.values())
    for address, words in public.items():
        mine = PERSON["first_name"] if "/registration/" in address else "-"
        assert found.found_in(words.replace(mine, "")) == [], address
    assert "canarina@visitor.example" in "".join(admin.values())  # owners see sign-ups
    for address, words in admin.items():
        assert found.found_in(words) == [], address


def test_the_search_finds_what_is_there(site):
    """A search that cannot find proves nothing."""
    made = canaries.Canaries()
    link = "https://zoom.us/j/1?pwd=sesame99&tk=personal9"
    made.learn({"object": [{"join_url": link, "password": 834512, "email": "a@b.example"}]})
    assert made.secret == {
        "join_url": {link}, "pwd": {"sesame99"}, "tk": {"personal9"}, "password": {"834512"},
    }  # fmt: skip
    data = {"a": ["sesame99", "a@b.example"]}
    Activity.objects.create(site=site, category="event", code="x", data=data)
    assert len(made.found_in(canaries.database(), personal=True)) == 2
    assert made.found_in("x834512") == []
    assert len(made.found_in("is 834512.")) == 1
