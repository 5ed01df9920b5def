"""One corpus of markup in every text that comes from outside, through every template (X16).

Columns and templates are enumerated: a new column is poisoned by itself, and a template that
nothing here renders fails the last test.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core import mail
from django.db import models
from django.test import Client
from django.test.signals import template_rendered
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

import wagtail_zoom
from tests.admin.test_panel import form as panel_form
from tests.security.test_tenants import (
    BULK_ROWS,
    admin_patterns,
    bulk_actions,
    public_addresses,
)
from tests.security.world import blocks_with, make_world
from tests.testapp.models import DatesPage
from wagtail_zoom.admin import activity as sentences
from wagtail_zoom.blocks import ZoomStreamBlock
from wagtail_zoom.models import (
    Activity,
    Grant,
    Meeting,
    Occurrence,
    Registration,
    SiteItem,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.oauth.notifications import send_about, send_due_notices
from wagtail_zoom.registration import mails, tokens
from wagtail_zoom.utils.fields import SecretField, ZoomIdField

pytestmark = pytest.mark.django_db
MARKUP = "<xss q\" onzzz=1 q' onyyy=1>{{ 7|add:7 }}"
LINK = '<a href="javascript:zzz()">j</a><img src=x onerror=zzz()><style>zzz</style>'
BROKEN = ("<xss", 'q" onzzz', "q' onyyy", "<style>zzz", "onerror=zzz()>")
"""What stands in a page only where something was not escaped."""
DATA = re.compile(r"<script[^>]*json[^>]*>(.*?)</script>", re.DOTALL)
"""Data for scripts: quotes are harmless there, but nothing may end the element."""
OWN = {
    "fingerprint", "timezone", "email_index", "idempotency_key", "content_key", "lock_key",
    "locale",
    "state_hash", "session_hash", "token_hash", "nonce_hash", "lease_owner", "redirect_uri",
    "origin", "issuer", "contact_email", "base_url", "api_url", "key", "name_hash", "label",
    "event", "code", "scope", "error_class", "registration_block", "mark_word", "zoom_type",
    "status",
}  # fmt: skip
"""Columns that hold what our code or Zoom's fixed vocabularies put there."""


def poison() -> set[str]:
    """Write the markup into every text column of every row; the names of the columns."""
    done = set()
    for model in apps.get_app_config("wagtail_zoom").get_models():
        for field in model._meta.get_fields():
            plain = isinstance(field, models.CharField | models.TextField)
            if not plain or isinstance(field, SecretField | ZoomIdField) or field.primary_key:
                continue
            if field.choices or field.name in OWN or field.unique:
                continue
            longer = MARKUP + LINK if isinstance(field, models.TextField) else MARKUP
            model.objects.update(**{field.name: longer[: field.max_length or 4000]})
            done.add(f"{model.__name__}.{field.name}")
    questions = {
        "questions": [{"field_name": name, "required": True} for name in ("last_name", "org")],
        "custom_questions": [
            {"title": f"{MARKUP}{kind}", "type": kind, "required": False,
             "answers": [MARKUP, f"{MARKUP}2"]}
            for kind in ("short", "single", "single_radio", "single_dropdown", "multiple")
        ],
    }  # fmt: skip
    Meeting.objects.update(questions=questions)
    for row in Registration.objects.all():
        row.answers = json.dumps(
            {
                "standard": {"first_name": MARKUP, "last_name": MARKUP, "org": MARKUP},
                "custom": [{"title": MARKUP, "value": MARKUP}],
            }
        )
        row.snapshot = {"topic": MARKUP, "title": MARKUP, "dates": [], "timezone": MARKUP}
        row.save()
    return done


def log_everything(world) -> None:
    """A line of activity for every code, with the markup wherever a sentence may quote."""
    data = dict.fromkeys(
        ("topic", "title", "account", "person", "event", "reason", "kind", "error", "word"), MARKUP
    )
    data |= {"count": 3, "kinds": ["meeting"], "hosts": 1, "counts": {}, "mode": "reconcile"}
    Activity.objects.bulk_create(
        Activity(site=world.site, category="event", code=code, data=data, item=world.meeting_item)
        for code in sentences._WORDS
    )
    WebhookEvent.objects.update(payload={"object": {"topic": MARKUP, "host_id": "host-1"}})


@pytest.fixture
def rendered():
    """Names of the templates that were rendered, includes and parents as well."""
    names: set[str] = set()

    def note(template, **kwargs):
        if template.name:
            names.add(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


@pytest.fixture
def world(db, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://cms.example.org"}
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    made = make_world().north
    made.columns = poison()
    Site.objects.filter(pk=made.site.pk).update(site_name=MARKUP)
    return made


def check(answer, where: str) -> None:
    """Nothing of the markup has become markup; JSON in scripts is JSON."""
    kind = answer.get("Content-Type", "")
    if answer.streaming or "html" not in kind:
        return
    text = answer.content.decode()
    for script in DATA.findall(text):
        assert "<" not in script, where
        json.loads(script)
    text = DATA.sub("", text)
    for part in BROKEN:
        at = text.find(part)
        assert at < 0, (where, text[max(0, at - 200) : at + 100])
    assert not re.search(r"""=\s*["']?\s*javascript:zzz""", text), where
    assert not re.search(r"onyyy=1&gt;14", text), where


def public_pages(world) -> None:
    """Blocks in all layouts, doors in all states, forms, personal pages."""
    client, host = Client(), {"host": world.hostname}

    def get(address, method="get", data=None, **headers):
        answer = getattr(client, method)(address, data or {}, headers={**host, **headers})
        check(answer, address)
        return answer

    body = blocks_with(world.meeting_item, world.recording_item)
    shown = {"show": ["summary", "host", "image", "places", "calendar", "length", "countdown"]}
    body += [("meetings", {"layout": layout, **shown}) for layout in ("list", "cards", "table")]
    body += [("meetings", {"layout": "agenda", "filters": True, "limit": 1, **shown})]
    body += [("recordings", {"layout": layout, "search": True, "years": True, "limit": 1, **shown})
             for layout in ("cards", "list")]  # fmt: skip
    body += [("meetings", {"tags": "nothing", "empty": MARKUP, "heading": MARKUP})]
    page = DatesPage(title="All", slug="poisoned", body=body)
    world.site.root_page.add_child(instance=page)
    get("/poisoned/")
    get(f"/poisoned/?wz-q={MARKUP}")
    for address in public_addresses(world).values():
        get(address)
        get(address, "post", {"email": MARKUP}, **{"Sec-Fetch-Site": "same-origin"})
    form = public_addresses(world)["wagtail_zoom:register"]
    get(form, "post", {"email": "a@b.example", "first_name": MARKUP})
    asked = dict(Meeting.objects.values_list("pk", "questions"))
    Meeting.objects.update(questions={})
    # Nothing is missing, but the browser does not say where it comes from: asked once more.
    names = {"first_name": MARKUP, "last_name": MARKUP, "consent": "on"}
    get(form, "post", {"email": "a@b.example", **names})
    for pk, questions in asked.items():
        Meeting.objects.filter(pk=pk).update(questions=questions)
    get(f"{form}received/")
    get(public_addresses(world)["wagtail_zoom:register"][:-2] + "x/")
    date = Occurrence.objects.filter(pk=world.meeting_date.pk)
    for state in ("scheduled", "moved", "live", "over", "cancelled"):
        date.update(state=state, previous_start=timezone.now())
        ZoomSettings.objects.update(join_policy="registrants" if state == "live" else "window")
        for name in ("wagtail_zoom:join", "personal join", "date page"):
            get(public_addresses(world)[name])
        for address in ("/poisoned/", "/event/", "/all/"):
            get(address)
    for state in Registration.State.values:
        Registration.objects.update(state=state, error_class="full")
        for name in ("registration", "registration_cancel"):
            get(public_addresses(world)[f"wagtail_zoom:{name}"])
    date.update(state="scheduled")
    recording = SiteItem.objects.get(pk=world.recording_item.pk).recording
    recording.passcode = '<xss q">'
    recording.save()
    get(public_addresses(world)["wagtail_zoom:watch"])
    Occurrence.objects.filter(pk=world.webinar_date.pk).update(meeting=world.meeting, zoom_id="2")
    Meeting.objects.update(zoom_type=8, registration_type=3)
    get(form)
    Meeting.objects.update(close_registration=True, registration_block="full")
    get("/all/")
    get(form)
    Grant.objects.update(state="needs_reconnect")
    get("/all/")
    ZoomSettings.objects.update(configured_at=None)
    get("/all/")
    ZoomSettings.objects.update(configured_at=timezone.now())
    Grant.objects.update(state="connected")
    Meeting.objects.update(close_registration=False, registration_block="")


def bulk(client, world) -> None:
    """What each bulk action asks before; those on Sites are for superusers."""
    for app, model, action in bulk_actions():
        pk = getattr(world, BULK_ROWS[model]).pk
        address = reverse("wagtail_bulk_action", args=[app, model, action])
        check(client.get(f"{address}?id={pk}"), action)


def admin_pages_of(world) -> None:
    """Every address of ours by GET and by POST, in every state of the connection."""
    client = Client(raise_request_exception=False)
    client.force_login(world.owner)
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", world.site.pk])
    keys = {"recordings": world.recording_item.pk, "registrations": world.registration.pk,
            "activity": world.activity.pk}  # fmt: skip

    def walk(method, data):
        for name, arguments in admin_patterns():
            kind = name.removeprefix("wagtail_zoom_").partition(":")[0]
            values = {"site_pk": world.site.pk, "pk": keys.get(kind, world.meeting_item.pk)}
            address = reverse(name, kwargs={key: values[key] for key in arguments})
            for query in ("", "?q=%3Cxss"):
                check(getattr(client, method)(address + query, data, follow=True), name)

    check(client.get(panel), panel)
    check(client.post(panel, panel_form(world, show_recordings=None)), panel)
    check(client.post(panel, panel_form(world, mark_word=MARKUP, join_minutes="x")), panel)
    check(client.get(reverse("wagtailadmin_home")), "home")
    walk("get", {})
    bulk(client, world)
    for state, changes in {
        "broken": {"state": "needs_reconnect", "reason": "invalid_grant"},
        "degraded": {"state": "degraded", "reason": ""},
    }.items():
        Grant.objects.update(**changes)
        check(client.get(panel), state)
    Grant.objects.update(state="connected")
    world.account.__class__.objects.update(fingerprint="another")
    for address in (panel, reverse("wagtail_zoom_admin:adopt", args=[world.site.pk])):
        check(client.get(address), "copy")
    world.account.__class__.objects.update(fingerprint="")
    kept = {"title": MARKUP, "summary": MARKUP, "tags": MARKUP, "expires_on": "x"}
    address = reverse("wagtail_zoom_meetings:edit", args=[world.meeting_item.pk])
    check(client.post(address, kept), "item")
    for block in ZoomStreamBlock().child_blocks.values():
        address = f"{reverse('wagtailadmin_block_preview')}?id={block.definition_prefix}"
        check(client.get(address), "picker")
    world.owner.is_superuser = True
    world.owner.save()
    check(client.get(reverse("wagtail_zoom_admin:fleet")), "fleet")
    bulk(client, world)
    check(client.get(reverse("wagtail_zoom_admin:fleet_results")), "fleet")
    walk("post", {})
    ZoomSettings.objects.filter(pk=world.site_settings.pk).update(grant=None, account=None)
    check(client.get(panel), "not connected")
    check(client.get(reverse("wagtail_zoom:start")), "start")


def connecting(world) -> None:
    """The pages of an authorisation."""
    client = Client(headers={"host": world.hostname})
    client.force_login(world.owner)
    check(client.get(public_addresses(world)["wagtail_zoom:invite"]), "invite")
    session = client.session
    session["wagtail_zoom_switch"] = {"site": world.site.pk, "grant": world.grant.pk}
    session.save()
    check(client.get(reverse("wagtail_zoom:oauth_switch", args=[world.site.pk])), "switch")
    for query in ("", f"?state={MARKUP}", f"?state=x&error={MARKUP}&error_description={MARKUP}"):
        check(client.get(reverse("wagtail_zoom:oauth_callback") + query), "callback")
        check(client.get(reverse("wagtail_zoom:oauth_finish") + query), "finish")
    from django.shortcuts import render
    from django.test import RequestFactory

    context = {"site": Site.objects.get(pk=world.site.pk), "grant": Grant.objects.first()}
    check(render(RequestFactory().get("/"), "wagtail_zoom/oauth/invited.html", context), "invited")


def mails_of(world) -> None:
    """All mails: plain text, so that nothing of them is markup, and one line in the subject."""
    world.registration.refresh_from_db()
    for name in mails._subjects():
        message = mails._message(world.registration, name)
        assert "\n" not in message.subject
        assert message.content_subtype == "plain"
        assert MARKUP in message.body
    mails.tell_owner(world.registration)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    send_due_notices(timezone.now())
    Grant.objects.update(state="connected")
    site_settings = ZoomSettings.objects.get(pk=world.site_settings.pk)
    assert send_about(site_settings, "owner@site.example", MARKUP, MARKUP)
    assert len(mail.outbox) >= 3
    assert all("\n" not in one.subject for one in mail.outbox)


@pytest.mark.slow
def test_x16_no_text_becomes_markup_in_any_template(world, rendered):
    """Pages, admin, connecting, mails; the corpus reaches what it should reach."""
    assert {"Meeting.topic", "Meeting.agenda", "Recording.topic", "Host.display_name",
            "SiteItem.title", "ZoomAccount.name", "Grant.user_name"} <= world.columns  # fmt: skip
    log_everything(world)
    assert tokens.token_of(world.registration)
    mails_of(world)
    public_pages(world)
    connecting(world)
    admin_pages_of(world)
    folder = Path(wagtail_zoom.__file__).parent / "templates"
    ours = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    missing = sorted(ours - rendered)
    assert not missing, ", ".join(missing)
