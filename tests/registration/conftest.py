"""One Site with one meeting that takes sign-ups: as rows only, or really connected."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.default_site import default_site
from wagtail_zoom.frontend.form_links import Ref
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
from wagtail_zoom.registration.context import Offer
from wagtail_zoom.testing.connect import connect_and_import

SAME = {"Sec-Fetch-Site": "same-origin"}
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


@pytest.fixture
def site(db):
    return default_site()


@pytest.fixture
def place(site):
    """Rows only. Zoom "asked to wait", so that nothing is sent anywhere."""
    account = ZoomAccount.objects.create(
        zoom_id="acc", throttled_until=timezone.now() + timedelta(hours=1)
    )
    grant = Grant.objects.create(
        client_id="simulator-client", account=account, zoom_user_id="h1", account_level=True
    )
    host = Host.objects.create(
        account=account, zoom_id="h1", display_name="Ines Novak", user_type=2
    )
    choice = ZoomSettings.objects.create(
        site=site,
        grant=grant,
        account=account,
        configured_at=timezone.now(),
        show_meetings=True,
        show_webinars=True,
        show_registration=True,
        organiser="Harbour House",
    )
    ExposedHost.objects.create(settings=choice, host=host)
    return SimpleNamespace(site=site, account=account, grant=grant, host=host, choice=choice)


def make_meeting(place, *, dates=(1,), **values):
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
        account=place.account,
        host=place.host,
        host_zoom_id=place.host.zoom_id,
        **values,
    )
    for number, days in enumerate(dates):
        start = timezone.now() + timedelta(days=days)
        Occurrence.objects.create(
            meeting=meeting,
            account=place.account,
            zoom_id=f"1{number}" if len(dates) > 1 else "",
            start=start,
            end=start + timedelta(hours=1),
            duration=60,
        )
    return meeting


@pytest.fixture
def meeting(place):
    return make_meeting(place)


def offer(place, meeting, **values):
    from wagtail_zoom.frontend.visibility import Exposure

    return Offer.make(Exposure.for_site(place.site), place.site, meeting.pk, **values)


def url_of(place, meeting, *, locale="en", **options):
    return Ref(place.site.pk, place.site.root_page_id, meeting.pk, locale, options).url


def post(client, url, data=None, **headers):
    """As a browser would send the form."""
    return client.post(url, {**PERSON, **(data or {})}, headers={**SAME, **headers})


def work():
    """Work off everything that is due now, as the worker does."""
    return outbox.run(delivery.work, seconds=0.5)


def hurry():
    """Make everything that waits due now."""
    now = timezone.now()
    Registration.objects.exclude(task="").update(task_at=now, next_try_at=now)
    Registration.objects.exclude(mail_due="").update(mail_at=now, next_try_at=now)


def answers(row):
    return json.loads(row.answers.reveal())


@pytest.fixture
def connected(site, zoom_app, zoom_unpaced, zoom_worker, settings, django_user_model):
    """``connected("aurora-0", topic=…)``: really connected, with a fresh meeting in the mirror."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "DEBOUNCE_SECONDS": 0}
    user = django_user_model.objects.create_superuser("admin", "admin@example.org", "pw")

    def run(person="borealis-0", **facts):
        facts = {"topic": "Heat pumps", "start_time": "+3d 18:30", "registration": "auto", **facts}
        made = zoom_app.create_meeting(person, **facts)
        choice = connect_and_import(
            site,
            person,
            zoom_worker,
            show=["meetings", "webinars", "registration"],
            plan="business",
            host="testserver",
            organiser="Harbour House",
        )
        number = str(made["id"])
        found = Meeting.objects.get(account=choice.account_id, zoom_id=number)
        place = SimpleNamespace(site=site, choice=choice, account=choice.account, user=user)
        place.grant = choice.grant
        zoom_app.forget_calls()
        return SimpleNamespace(
            place=place, meeting=found, number=int(number), url=url_of(place, found), zoom=zoom_app
        )

    return run
