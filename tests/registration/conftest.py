"""A Site with a meeting that takes registrations: as rows only, or connected to the simulator."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.default_site import default_site
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    Host,
    Meeting,
    Occurrence,
    Registration,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.registration import delivery, outbox
from wagtail_zoom.registration.context import FormContext

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def tenant(site):
    """Rows only. The account is throttled, so nothing is sent to Zoom."""
    account = ZoomAccount.objects.create(
        zoom_id="acc", throttled_until=timezone.now() + timedelta(hours=1)
    )
    grant = Grant.objects.create(
        client_id="simulator-client", account=account, zoom_user_id="h1", account_level=True
    )
    host = Host.objects.create(
        account=account, zoom_id="h1", display_name="Ines Novak", user_type=2
    )
    site_settings = ZoomSettings.objects.create(
        site=site,
        grant=grant,
        account=account,
        configured_at=timezone.now(),
        show_meetings=True,
        show_webinars=True,
        show_registration=True,
        organiser="Harbour House",
    )
    ExposedHost.objects.create(settings=site_settings, host=host)
    return SimpleNamespace(
        site=site, account=account, grant=grant, host=host, site_settings=site_settings
    )


def make_meeting(tenant, *, dates=(1,), **values):
    values = {
        "kind": "meeting",
        "zoom_type": 2 if len(dates) == 1 else 8,
        "topic": "Heat pumps",
        "approval_type": 0,
        "questions": {"questions": [{"field_name": "last_name", "required": True}]},
        "questions_at": timezone.now(),
        "detail_at": timezone.now(),
        "timezone": "Europe/Berlin",
        "zoom_id": "8123456789",
        **values,
    }
    meeting = Meeting.objects.create(
        account=tenant.account,
        host=tenant.host,
        host_zoom_id=tenant.host.zoom_id,
        **values,
    )
    for number, days in enumerate(dates):
        start = timezone.now() + timedelta(days=days)
        Occurrence.objects.create(
            meeting=meeting,
            account=tenant.account,
            zoom_id=f"1{number}" if len(dates) > 1 else "",
            start=start,
            end=start + timedelta(hours=1),
            duration=60,
        )
    return meeting


@pytest.fixture
def meeting(tenant):
    return make_meeting(tenant)


def form_context(tenant, meeting, **values):
    from wagtail_zoom.frontend.visibility import SiteVisibility

    return FormContext.load(SiteVisibility.for_site(tenant.site), tenant.site, meeting.pk, **values)


def form_url(tenant, meeting, *, locale="en", **options):
    return FormLink(tenant.site.pk, tenant.site.root_page_id, meeting.pk, locale, options).url


def post(client, url, data=None, **headers):
    """Post the form as a browser does."""
    return client.post(url, {**PERSON, **(data or {})}, headers={**SAME_ORIGIN, **headers})


def process_due():
    """Process everything that is due now, as the worker does, also on a busy machine."""
    count = outbox.run(delivery.process, seconds=0.5)
    for _ in range(20):
        if not outbox.due(timezone.now()).exists():
            break
        count += outbox.run(delivery.process, seconds=0.5)
    return count


def make_all_due():
    """Make all queued tasks and emails due now."""
    now = timezone.now()
    Registration.objects.exclude(task="").update(task_at=now, next_try_at=now)
    Registration.objects.exclude(mail_due="").update(mail_at=now, next_try_at=now)


def stored_answers(row):
    return json.loads(row.answers.reveal())


@pytest.fixture
def connect_site(site, zoom_app, import_once_in_a_while, settings, django_user_model):
    """``connect_site("aurora-0", topic=…)``: connected to the simulator, with a new meeting."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0}
    user = django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")

    def run(person="borealis-0", **values):
        values = {
            "topic": "Heat pumps",
            "start_time": "+3d 18:30",
            "registration": "auto",
            **values,
        }
        zoom_meeting = zoom_app.create_meeting(person, **values)
        site_settings = import_once_in_a_while(
            site,
            person,
            show=["meetings", "webinars", "registration"],
            plan="business",
            host="testserver",
            organiser="Harbour House",
        )
        number = str(zoom_meeting["id"])
        meeting = Meeting.objects.get(account=site_settings.account_id, zoom_id=number)
        tenant = SimpleNamespace(
            site=site, site_settings=site_settings, account=site_settings.account, user=user
        )
        tenant.grant = site_settings.grant
        zoom_app.clear_calls()
        return SimpleNamespace(
            tenant=tenant,
            meeting=meeting,
            number=int(number),
            url=form_url(tenant, meeting),
            zoom=zoom_app,
        )

    return run
