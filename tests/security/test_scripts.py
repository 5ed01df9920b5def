"""Markup in every external text, rendered by every template (X16).

Columns and templates are enumerated: a new column gets the markup automatically, and a template
that is not rendered fails the test.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.test.signals import template_rendered
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Site

import wagtail_zoom
from tests.admin.test_panel import form as panel_form
from tests.security.tenant_data import all_blocks, make_tenants
from tests.security.test_tenants import (
    BULK_ROWS,
    VISIBLE_URLS,
    admin_patterns,
    bulk_actions,
    public_urls,
)
from tests.testapp.models import DatesPage
from wagtail_zoom.admin import activity as sentences
from wagtail_zoom.blocks import ZoomStreamBlock
from wagtail_zoom.models import (
    Activity,
    Grant,
    Invitation,
    Meeting,
    Occurrence,
    Registration,
    SiteItem,
    WebhookEvent,
    ZoomSettings,
)
from wagtail_zoom.oauth.notifications import (
    send_app_removed,
    send_due_notifications,
    send_invited_connected,
    send_renewed,
    send_status_email,
)
from wagtail_zoom.registration import mail_content, mails, tokens
from wagtail_zoom.utils.fields import SecretField, ZoomIdField

pytestmark = pytest.mark.django_db
MARKUP = "<xss q\" onzzz=1 q' onyyy=1>{{ 7|add:7 }}"
LINK = '<a href="javascript:zzz()">j</a><img src=x onerror=zzz()><style>zzz</style>'
UNESCAPED = ("<xss", 'q" onzzz', "q' onyyy", "<style>zzz", "onerror=zzz()>")
"""Appears in a page only if a text was not escaped."""
JSON_SCRIPT = re.compile(r"<script[^>]*json[^>]*>(.*?)</script>", re.DOTALL)
"""JSON for scripts: quotes are harmless there, but no text may close the element."""
TRUSTED_COLUMNS = {
    "fingerprint", "timezone", "email_index", "idempotency_key", "content_key", "lock_key",
    "locale",
    "state_hash", "session_hash", "token_hash", "nonce_hash", "lease_owner", "redirect_uri",
    "origin", "issuer", "contact_email", "base_url", "api_url", "key", "name_hash", "label",
    "event", "code", "scope", "error_class", "registration_block", "mark_word", "zoom_type",
    "status", "unclear_setting",
}  # fmt: skip
"""Columns with values from our code or from Zoom's fixed vocabularies."""


def poison() -> set[str]:
    """Write the markup into every text column of every row; the names of the columns."""
    columns = set()
    for model in apps.get_app_config("wagtail_zoom").get_models():
        for field in model._meta.get_fields():
            plain = isinstance(field, models.CharField | models.TextField)
            if not plain or isinstance(field, SecretField | ZoomIdField) or field.primary_key:
                continue
            if field.choices or field.name in TRUSTED_COLUMNS or field.unique:
                continue
            longer = MARKUP + LINK if isinstance(field, models.TextField) else MARKUP
            model.objects.update(**{field.name: longer[: field.max_length or 4000]})
            columns.add(f"{model.__name__}.{field.name}")
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
    return columns


def create_all_activity(tenant) -> None:
    """One activity row per code, with the markup in every value that a message can quote."""
    data = dict.fromkeys(
        ("topic", "title", "account", "person", "event", "reason", "kind", "error", "word"), MARKUP
    )
    data |= {"count": 3, "kinds": ["meeting"], "hosts": 1, "counts": {}, "mode": "reconcile"}
    Activity.objects.bulk_create(
        Activity(site=tenant.site, category="event", code=code, data=data, item=tenant.meeting_item)
        for code in sentences._BUILDERS
    )
    WebhookEvent.objects.update(payload={"object": {"topic": MARKUP, "host_id": "host-1"}})


@pytest.fixture
def rendered():
    """Names of the rendered templates, including parents and includes."""
    names: set[str] = set()

    def note(template, **kwargs):
        if template.name:
            names.add(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


@pytest.fixture
def tenant(db, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://cms.example.org"}
    tenants = make_tenants()
    north = tenants.north
    north.other_account = tenants.east.account
    north.columns = poison()
    Site.objects.filter(pk=north.site.pk).update(site_name=MARKUP)
    return north


def html_in_json(data) -> list[str]:
    """Markup for the page in an answer to a script; the script inserts other members as text."""
    if not isinstance(data, dict):
        return []
    nested = [html for value in data.values() for html in html_in_json(value)]
    return nested + [data[name] for name in ("html", "dialog") if data.get(name)]


def check_escaped(response, where: str) -> None:
    """Assert that all markup is escaped, and that JSON in scripts is valid."""
    kind = response.get("Content-Type", "")
    if kind == "application/json":
        for html in html_in_json(response.json()):
            check_escaped(HttpResponse(html), where)
    if response.streaming or "html" not in kind:
        return
    text = response.content.decode()
    for script in JSON_SCRIPT.findall(text):
        assert "<" not in script, where
        json.loads(script)
    text = JSON_SCRIPT.sub("", text)
    for part in UNESCAPED:
        position = text.find(part)
        assert position < 0, (where, text[max(0, position - 200) : position + 100])
    assert not re.search(r"""=\s*["']?\s*javascript:zzz""", text), where
    assert not re.search(r"onyyy=1&gt;14", text), where


def add_dates(tenant) -> None:
    """More dates of the meeting than its form shows at first."""
    for number in range(3, 10):
        start = tenant.meeting_date.start + timedelta(days=number)
        Occurrence.objects.create(
            meeting=tenant.meeting, account=tenant.account, zoom_id=str(number), start=start,
            end=start + timedelta(hours=1), duration=60,
        )  # fmt: skip


def visit_public_pages(tenant) -> None:
    """Blocks in all layouts, join pages in all states, forms, personal pages."""
    client, host = Client(), {"host": tenant.hostname}

    def get(url, method="get", data=None, **headers):
        response = getattr(client, method)(url, data or {}, headers={**host, **headers})
        check_escaped(response, url)
        return response

    body = all_blocks(tenant.meeting_item, tenant.recording_item)
    options = {"show": ["summary", "host", "image", "places", "calendar", "length", "countdown"]}
    body += [("meetings", {"layout": layout, **options}) for layout in ("list", "cards", "table")]
    body += [("meetings", {"layout": "agenda", "filters": True, "limit": 1, **options})]
    interactive = {"search": True, "years": True, "limit": 1}
    body += [
        ("recordings", {"layout": layout, **interactive, **options}) for layout in ("cards", "list")
    ]
    body += [("meetings", {"tags": "nothing", "empty": MARKUP, "heading": MARKUP})]
    page = DatesPage(title="All", slug="poisoned", body=body)
    tenant.site.root_page.add_child(instance=page)
    get("/poisoned/")
    get(f"/poisoned/?wz-q={MARKUP}")
    for name in VISIBLE_URLS:
        assert get(public_urls(tenant)[name]).status_code in (200, 302, 303), name
    for url in public_urls(tenant).values():
        get(url)
        get(url, "post", {"email": MARKUP}, **{"Sec-Fetch-Site": "same-origin"})
    form = public_urls(tenant)["wagtail_zoom:register"]
    get(form, "post", {"email": "a@b.example", "first_name": MARKUP})
    questions_by_meeting = dict(Meeting.objects.values_list("pk", "questions"))
    Meeting.objects.update(questions={})
    # Complete, but without the header that names the origin: needs a confirmation.
    names = {"first_name": MARKUP, "last_name": MARKUP, "consent": "on"}
    get(form, "post", {"email": "a@b.example", **names})
    for pk, questions in questions_by_meeting.items():
        Meeting.objects.filter(pk=pk).update(questions=questions)
    get(f"{form}received/")
    get(public_urls(tenant)["wagtail_zoom:register"][:-2] + "x/")
    occurrences = Occurrence.objects.filter(pk=tenant.meeting_date.pk)
    for state in ("scheduled", "moved", "live", "over", "cancelled"):
        occurrences.update(state=state, previous_start=timezone.now())
        ZoomSettings.objects.update(join_policy="registrants" if state == "live" else "window")
        for name in ("wagtail_zoom:join", "personal join", "date page"):
            get(public_urls(tenant)[name])
        for url in ("/poisoned/", "/event/", "/all/"):
            get(url)
    for state in Registration.State.values:
        Registration.objects.update(state=state, error_class="full")
        for name in ("registration", "registration_cancel"):
            get(public_urls(tenant)[f"wagtail_zoom:{name}"])
    occurrences.update(state="scheduled")
    recording = SiteItem.objects.get(pk=tenant.recording_item.pk).recording
    recording.passcode = '<xss q">'
    recording.save()
    get(public_urls(tenant)["wagtail_zoom:watch"])
    Occurrence.objects.filter(pk=tenant.webinar_date.pk).update(meeting=tenant.meeting, zoom_id="2")
    Meeting.objects.update(zoom_type=8, registration_type=3)
    get(form)
    add_dates(tenant)
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


def visit_bulk_actions(client, tenant) -> None:
    """The confirmation pages of all bulk actions; those on Sites need a superuser."""
    for app, model, action in bulk_actions():
        pk = getattr(tenant, BULK_ROWS[model]).pk
        url = reverse("wagtail_bulk_action", args=[app, model, action])
        check_escaped(client.get(f"{url}?id={pk}"), action)


def check_page_editor(client, tenant) -> None:
    """The notes about blocks, with warnings about names, hidden and cancelled items."""
    blocks = [
        {"key": f"list {kind}", "usage": "meeting_list", "label": MARKUP, "kind": kind,
         "hosts": f"{MARKUP}2", "tags": f"{MARKUP}2"} for kind in ("", "webinar")
    ] + [
        {"key": f"{usage} {row}", "usage": usage, "label": MARKUP, "item": getattr(tenant, row).pk}
        for usage in ("meeting", "registration") for row in ("meeting_item", "webinar_item")
    ]  # fmt: skip
    SiteItem.objects.filter(pk=tenant.webinar_item.pk).update(visibility="hidden")
    editor = reverse("wagtailadmin_pages:edit", args=[tenant.page.pk])
    response = client.post(
        reverse("wagtail_zoom_items:check"),
        {"blocks": json.dumps(blocks), "publish": "1"},
        headers={"referer": f"http://testserver{editor}"},
    )
    assert len(html_in_json(response.json())) == len(blocks) + 1
    check_escaped(response, "page editor")
    SiteItem.objects.filter(pk=tenant.webinar_item.pk).update(visibility="published")


def visit_admin(tenant) -> None:
    """All our admin URLs by GET and by POST, in every state of the connection."""
    client = Client(raise_request_exception=False)
    client.force_login(tenant.owner)
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", tenant.site.pk])
    keys = {"recordings": tenant.recording_item.pk, "summaries": tenant.summary_item.pk,
            "registrations": tenant.registration.pk,
            "activity": tenant.activity.pk}  # fmt: skip

    def walk(method, data):
        for name, arguments in admin_patterns():
            kind = name.removeprefix("wagtail_zoom_").partition(":")[0]
            values = {"site_pk": tenant.site.pk, "pk": keys.get(kind, tenant.meeting_item.pk)}
            url = reverse(name, kwargs={key: values[key] for key in arguments})
            for query in ("", "?q=%3Cxss"):
                check_escaped(getattr(client, method)(url + query, data, follow=True), name)

    check_escaped(client.get(panel), panel)
    check_escaped(client.post(panel, panel_form(tenant, show_recordings=None)), panel)
    check_escaped(client.post(panel, panel_form(tenant, mark_word=MARKUP, join_minutes="x")), panel)
    check_escaped(client.get(reverse("wagtailadmin_home")), "home")
    walk("get", {})
    Registration.objects.update(state="approved", zoom_registrant_id="registrant", task="")
    url = reverse("wagtail_zoom_registrations:cancel", args=[tenant.registration.pk])
    check_escaped(client.get(url), "question before a cancellation")
    visit_bulk_actions(client, tenant)
    for state, changes in {
        "broken": {"state": "needs_reconnect", "reason": "invalid_grant"},
        "degraded": {"state": "degraded", "reason": ""},
    }.items():
        Grant.objects.update(**changes)
        check_escaped(client.get(panel), state)
    Grant.objects.update(state="connected")
    tenant.account.__class__.objects.update(fingerprint="another")
    for url in (panel, reverse("wagtail_zoom_admin:adopt", args=[tenant.site.pk])):
        check_escaped(client.get(url), "copy")
    tenant.account.__class__.objects.update(fingerprint="")
    check_page_editor(client, tenant)
    form_data = {"title": MARKUP, "summary": MARKUP, "tags": MARKUP, "expires_on": "x"}
    url = reverse("wagtail_zoom_meetings:edit", args=[tenant.meeting_item.pk])
    check_escaped(client.post(url, form_data), "item")
    for block in ZoomStreamBlock().child_blocks.values():
        url = f"{reverse('wagtailadmin_block_preview')}?id={block.definition_prefix}"
        check_escaped(client.get(url), "picker")
    tenant.owner.is_superuser = True
    tenant.owner.save()
    check_escaped(client.get(reverse("wagtailadmin_home")), "home of a superuser")
    operator = Client(raise_request_exception=False)
    operator.force_login(
        get_user_model().objects.create_superuser("operator", "operator@example.org", "x")
    )
    check_escaped(operator.get(panel), "panel of somebody else's site")
    check_escaped(client.get(reverse("wagtail_zoom_admin:overview")), "overview")
    visit_bulk_actions(client, tenant)
    check_escaped(client.get(reverse("wagtail_zoom_admin:overview_results")), "overview")
    walk("post", {})
    ZoomSettings.objects.filter(pk=tenant.site_settings.pk).update(grant=None, account=None)
    check_escaped(client.get(panel), "not connected")
    check_escaped(client.get(reverse("wagtail_zoom:start")), "start")


def visit_oauth_pages(tenant) -> None:
    """The pages of the OAuth flow."""
    client = Client(headers={"host": tenant.hostname})
    client.force_login(tenant.owner)
    check_escaped(client.get(public_urls(tenant)["wagtail_zoom:invite"]), "invite")
    session = client.session
    new = Grant.objects.create(
        client_id="simulator-client", account=tenant.other_account, zoom_user_id="new",
        user_name=MARKUP, connected_at=timezone.now(),
    )  # fmt: skip
    session["wagtail_zoom_switch"] = {
        "site": tenant.site.pk, "grant": new.pk, "connected_at": new.connected_at.isoformat()
    }  # fmt: skip
    session.save()
    check_escaped(client.get(reverse("wagtail_zoom:oauth_switch", args=[tenant.site.pk])), "switch")
    for query in ("", f"?state={MARKUP}", f"?state=x&error={MARKUP}&error_description={MARKUP}"):
        check_escaped(client.get(reverse("wagtail_zoom:oauth_callback") + query), "callback")
        check_escaped(client.get(reverse("wagtail_zoom:oauth_finish") + query), "finish")
    from django.shortcuts import render
    from django.test import RequestFactory

    context = {"site": Site.objects.get(pk=tenant.site.pk), "grant": Grant.objects.first()}
    check_escaped(
        render(RequestFactory().get("/"), "wagtail_zoom/oauth/invited.html", context), "invited"
    )


def check_emails(tenant) -> None:
    """Subjects are single lines, texts are plain, and their HTML is escaped."""
    tenant.registration.refresh_from_db()
    for name in mail_content._subjects():
        message = mail_content.message(tenant.registration, name)
        assert "\n" not in message.subject
        assert message.content_subtype == "plain"
        assert MARKUP in message.body
        check_escaped(HttpResponse(message.alternatives[0][0]), f"mail {name}")
    other = Registration.objects.exclude(pk=tenant.registration.pk).first()
    Registration.objects.filter(pk=other.pk).update(site=tenant.site, mail_due="approved")
    other.refresh_from_db()
    message = mail_content.message(tenant.registration, "approved", [other])
    assert MARKUP in message.body
    check_escaped(HttpResponse(message.alternatives[0][0]), "mail about several")
    mails.notify_owner(tenant.registration)
    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    send_due_notifications(timezone.now())
    send_renewed(tenant.grant, ZoomSettings.objects.filter(pk=tenant.site_settings.pk))
    Grant.objects.update(state="connected")
    site_settings = ZoomSettings.objects.get(pk=tenant.site_settings.pk)
    account, owner = site_settings.account, "owner@site.example"
    send_app_removed(site_settings, owner, account, timezone.now())
    send_invited_connected(site_settings, Invitation.objects.filter(site=tenant.site).first())
    assert send_status_email(site_settings, owner, MARKUP, MARKUP)
    assert len(mail.outbox) >= 6
    assert all("\n" not in email.subject for email in mail.outbox)


WITH_SIMULATOR = {
    f"wagtail_zoom/admin/scheduling/{name}.html"
    for name in ("change", "choose_create", "compare", "confirm_rule", "discard")
}
"""Pages for which Zoom is asked: ``tests/scheduling/test_markup.py``."""


@pytest.mark.slow
def test_x16_all_templates_escape_text(tenant, rendered):
    """Public pages, admin, OAuth pages and emails; all templates are rendered."""
    assert {"Meeting.topic", "Meeting.agenda", "Recording.topic", "Host.display_name",
            "SiteItem.title", "ZoomAccount.name", "Grant.user_name"} <= tenant.columns  # fmt: skip
    create_all_activity(tenant)
    assert tokens.token_of(tenant.registration)
    check_emails(tenant)
    visit_public_pages(tenant)
    visit_oauth_pages(tenant)
    visit_admin(tenant)
    folder = Path(wagtail_zoom.__file__).parent / "templates"
    ours = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    missing = sorted(ours - rendered - WITH_SIMULATOR)
    assert not missing, ", ".join(missing)
