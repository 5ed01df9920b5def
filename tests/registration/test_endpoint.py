"""``zoom/register/<signed link>/``: anonymous, with the same response for every email address."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import service, status, tokens
from wagtail_zoom.registration.payload import body_of

from .conftest import (
    PERSON,
    SAME_ORIGIN,
    form_url,
    make_all_due,
    make_meeting,
    post,
    process_due,
    stored_answers,
)

pytestmark = pytest.mark.django_db


def test_saved_before_zoom_is_called(client, tenant, meeting):
    """No registration is lost: Zoom is unavailable, the page says so and an email follows."""
    response = post(client, form_url(tenant, meeting))
    assert response.status_code == 303
    assert not response.cookies
    row = Registration.objects.get()
    assert (row.state, row.task, row.page_id) == ("waiting", "add", tenant.site.root_page_id)
    assert row.email.reveal() == "mika@example.org"
    page = client.get(response.url).content.decode()
    assert "Your registration is saved" in page
    process_due()
    assert mail.outbox == [], "Zoom is usually available again within a minute"
    make_all_due()
    process_due()
    assert [email.to for email in mail.outbox] == [["mika@example.org"]]
    assert tokens.status_path(row) in mail.outbox[0].body
    assert "https://localhost/" in mail.outbox[0].body


def test_personal_data_is_encrypted(client, tenant, meeting):
    post(client, form_url(tenant, meeting))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM wagtail_zoom_registration")
        assert "mika" not in str(cursor.fetchall()).lower()


def test_double_click_creates_one_row(client, tenant, meeting):
    url = form_url(tenant, meeting)
    assert post(client, url).url == post(client, url, {"email": "MIKA@example.org"}).url
    assert Registration.objects.count() == 1


def test_other_dates_are_another_registration(client, tenant):
    meeting = make_meeting(tenant, dates=(1, 2), registration_type=3)
    first, second = (
        str(occurrence.public_id) for occurrence in meeting.occurrences.order_by("start")
    )
    for dates in ([first], [first], [first, second]):
        assert post(client, form_url(tenant, meeting), {"dates": dates}).status_code == 303
    assert sorted(row.dates.count() for row in Registration.objects.all()) == [1, 2]


@time_machine.travel(datetime(2026, 11, 26, 10, tzinfo=UTC), tick=False)
def test_standalone_form_shows_the_date(client, tenant):
    """The standalone page shows nothing else about the meeting."""
    html = client.get(form_url(tenant, make_meeting(tenant, dates=(3,)))).content.decode()
    assert 'datetime="2026-11-29T11:00+01:00"' in html and "Berlin time" in html


@time_machine.travel(datetime(2026, 11, 26, 10, tzinfo=UTC), tick=False)
@pytest.mark.parametrize(
    ("days", "heading"),
    [(6, "See you on Wednesday, Mika"), (7, "See you on Thursday 3 December, Mika")],
)
def test_weekday_without_date_only_within_a_week(client, tenant, days, heading):
    post(client, form_url(tenant, make_meeting(tenant, dates=(days,))))
    row = Registration.objects.get()
    row.state = Registration.State.APPROVED
    assert status.status_page_of(row, tenant.site_settings).heading == heading


def test_errors_keep_what_was_entered(client, tenant, meeting):
    response = post(client, form_url(tenant, meeting), {"last_name": "", "email": "mika@"})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="Mika"' in html
    for text in (
        "Please fix 2 problems", "Enter your last name",
        "Enter an address such as name@example.org", 'aria-invalid="true"',
    ):  # fmt: skip
        assert text in html
    assert not Registration.objects.exists()


def test_extra_members_are_ignored(client, tenant, meeting):
    """X23: only fields of the form, only listed members."""
    evil = {
        "auto_approve": "true", "status": "approved", "registrant_id": "x", "join_url": "y",
        "occurrence_ids": "1", "source_id": "z", "custom_questions": "[]", "comments": "hi",
    }  # fmt: skip
    post(client, form_url(tenant, meeting), evil)
    row = Registration.objects.get()
    assert set(body_of(row)) == {"email", "first_name", "last_name", "language"}
    assert set(stored_answers(row)["standard"]) == {"first_name", "last_name"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "https://testserver"}, 303),
        ({"Origin": "https://front.example"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://front.example"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": "http://testserver:²"}, 403),
        ({"Origin": "https://testserver:99999"}, 403),
        ({"Origin": "https://testserver@evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Origin": "null"}, 200),
        ({}, 200),
    ],
)
def test_origin_of_the_form(client, tenant, meeting, settings, headers, status):
    """Foreign origins are refused; unknown origins have to confirm, without losing an entry."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "FORM_ORIGINS": ["https://front.example"]}
    url = form_url(tenant, meeting)
    response = client.post(url, PERSON, headers=headers)
    assert response.status_code == status
    assert Registration.objects.exists() is (status == 303)
    if status == 200:
        proof = response.context["confirm_value"]
        pairs = dict(response.context["pairs"])
        assert pairs == PERSON
        again = client.post(url, {**pairs, "wz_ok": proof}, headers=headers)
        assert again.status_code == 303
        other = form_url(tenant, meeting, date="x")
        assert client.post(other, {**pairs, "wz_ok": proof}, headers=headers).status_code == 200


@pytest.mark.parametrize("charset", ["base64", "rot13", "utf-16", "idna", "nonsense", "utf-8"])
def test_no_encoding_makes_the_form_fail(client, tenant, meeting, charset):
    """Python decodes no text with some of the encodings that it knows."""
    body = urlencode({**PERSON, "first_name": "Mikä"})
    content_type = f"application/x-www-form-urlencoded; charset={charset}"
    url = form_url(tenant, meeting)
    response = client.generic("POST", url, body, content_type, headers=SAME_ORIGIN)
    assert response.status_code == 303
    answers = stored_answers(Registration.objects.get())
    assert answers["standard"]["first_name"] == "Mikä"


def form_of(html, tenant, meeting):
    """The URL that the form on a page posts to, and its hidden inputs."""
    url = form_url(tenant, meeting)
    assert f'action="{url}"' in html
    hidden = re.findall(r'<input[^>]*name="(wz_[a-z]+)"[^>]*?(?:value="([^"]*)")?[^>]*>', html)
    return url, dict(hidden)


@pytest.mark.parametrize("hours", [49, 24 * 14])
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_a_page_two_days_old_still_registers(client, tenant, hours, script):
    """Neither the form link nor the check of the filling time expires. The visitor's script counts
    from when the page is opened, not from when it was rendered."""
    meeting = make_meeting(tenant, dates=(30,))
    page = client.get(form_url(tenant, meeting))
    assert not page.cookies
    url, hidden = form_of(page.content.decode(), tenant, meeting)
    # A cached page counts from its opening; a browser tab may stay open for as long.
    elapsed = [5000, hours * 3_600_000] if script else [""]
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        for number, counted in enumerate(elapsed):
            entered = {**hidden, "wz_ms": counted, "email": f"p{number}@example.org"}
            assert post(client, url, entered).status_code == 303
    assert Registration.objects.count() == len(elapsed)


def test_invalid_form_links(client, tenant, meeting):
    """A missing page, a page of another Site, a hidden meeting, a forged link."""
    from wagtail_zoom.frontend.form_links import FormLink

    for url in (
        FormLink(tenant.site.pk, 999_999, meeting.pk).url,
        FormLink(tenant.site.pk, 1, meeting.pk).url,
        FormLink(999, None, meeting.pk).url,
        "/zoom/register/forged/",
    ):
        assert post(client, url).status_code == 404
    meeting.is_private = True
    meeting.save()
    assert post(client, form_url(tenant, meeting)).status_code == 409
    assert not Registration.objects.exists()


def test_disabled_registration_is_refused(client, tenant, meeting):
    """The form may be on a cached page for days."""
    type(tenant.site_settings).objects.update(show_registration=False)
    assert post(client, form_url(tenant, meeting)).status_code == 409
    assert not Registration.objects.exists()


def test_honeypot_has_to_be_confirmed(client, tenant, meeting):
    """A browser may fill in the hidden field for a person: nobody is thanked for nothing."""
    url, trap = form_url(tenant, meeting), {"wz_url": "http://spam.example"}
    response = post(client, url, trap)
    assert (response.status_code, Registration.objects.count()) == (200, 0)
    assert b"Thank you" not in response.content
    pairs = {**dict(response.context["pairs"]), "wz_ok": response.context["confirm_value"]}
    assert post(client, url, {**pairs, **trap}).status_code == 200
    assert not Registration.objects.exists()
    assert post(client, url, pairs).status_code == 303
    assert Registration.objects.count() == 1


@pytest.mark.parametrize(
    ("elapsed", "status"), [("200", 200), ("9000", 303), ("", 303), ("x", 303)]
)
def test_fast_form_has_to_be_confirmed(client, tenant, meeting, elapsed, status):
    """A script counts the time; without it there is no check."""
    data = {"wz_ms": elapsed} if elapsed else {}
    assert post(client, form_url(tenant, meeting), data).status_code == status


def test_fast_form_with_errors_is_corrected_first(client, tenant, meeting):
    """Errors are shown before the confirmation page."""
    response = post(client, form_url(tenant, meeting), {"email": "", "wz_ms": "200"})
    assert response.status_code == 422
    assert "Enter your email address" in response.content.decode()
    assert not Registration.objects.exists()


def test_form_size_is_limited(client, tenant, meeting, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "REGISTRATION_MAX_BYTES": 500}
    assert post(client, form_url(tenant, meeting), {"first_name": "x" * 600}).status_code == 413


def no_robots(request, form):
    if form.cleaned_data["first_name"] == "Robot":
        raise ValidationError("Please try again.")


def test_captcha_of_the_project(client, tenant, meeting, settings):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "REGISTRATION_CAPTCHA": "tests.registration.test_endpoint.no_robots",
    }
    url = form_url(tenant, meeting)
    assert post(client, url, {"first_name": "Robot"}).status_code == 422
    assert post(client, url).status_code == 303


def test_limit_of_a_network(client, tenant, meeting, settings):
    """X24: limited, with a page that keeps the entries."""
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM, "REGISTRATION_LIMITS": {"network": (2, 600)}
    }  # fmt: skip
    url = form_url(tenant, meeting)
    codes = [post(client, url, {"email": f"p{n}@example.org"}).status_code for n in range(4)]
    assert codes == [303, 303, 429, 429]
    page = post(client, url).content.decode()
    assert "You are not registered yet" in page and "in 10 minutes" in page
    assert "Thank" not in page and "saved" not in page
    assert 'value="Mika"' in page
    assert Registration.objects.count() == 2
    other = client.post(url, PERSON, headers=SAME_ORIGIN, REMOTE_ADDR="198.51.100.7")
    assert other.status_code == 303


@pytest.mark.parametrize(
    "state", ["approved", "pending", "denied", "waiting", "cancelled", "failed"]
)
def test_known_and_unknown_emails_look_alike(client, tenant, meeting, state):
    """X25, X26: the page contains nothing about the person, and no link."""
    tenant.account.throttled_until = None
    url = form_url(tenant, meeting)
    new_response = post(client, url)
    Registration.objects.update(state=state, join_url="", task="", maybe_sent=False)
    known_response = post(client, url)
    assert (known_response.status_code, known_response.url.partition("?")[0]) == (
        new_response.status_code,
        new_response.url.partition("?")[0],
    )
    first, second = (
        client.get(response.url).content for response in (new_response, known_response)
    )
    assert b"tk=" not in second
    assert b"mika" not in second.lower()
    assert first == second


def test_finished_registration_cannot_be_overwritten(client, tenant, meeting):
    """Another person who knows the email address cannot change the answers."""
    url = form_url(tenant, meeting)
    post(client, url)
    Registration.objects.update(
        state="approved", task="", zoom_registrant_id="r", mail_due="", mail_at=None
    )
    post(client, url, {"first_name": "Mallory"})
    row = Registration.objects.get()
    assert stored_answers(row)["standard"]["first_name"] == "Mika"
    assert row.mail_due == "again"


def test_double_opt_in(client, tenant, meeting):
    """Nothing is sent to Zoom until the person has confirmed the email address."""
    tenant.site_settings.double_opt_in = True
    tenant.site_settings.save()
    response = post(client, form_url(tenant, meeting))
    assert "you confirm it there" in client.get(response.url).content.decode()
    row = Registration.objects.get()
    assert (row.state, row.task, row.mail_due) == ("unconfirmed", "", "confirm")
    assert (row.purge_on - timezone.now().date()).days == 2
    process_due()
    assert "confirm" in mail.outbox[0].subject
    page = client.get(tokens.status_path(row))
    assert b"Yes, register me" in page.content
    row.refresh_from_db()
    assert row.state == "unconfirmed"
    client.post(
        tokens.status_path(row) + "confirm/", {"entries": page.context["status"].entries_digest}
    )
    row.refresh_from_db()
    assert (row.state, row.task) == ("waiting", "add")
    assert (row.purge_on - timezone.now().date()).days > 20


def test_language_of_the_page(client, tenant, meeting):
    """Response and emails use the language of the page, not of the browser."""
    from wagtail_zoom.frontend.form_links import FormLink

    url = FormLink(tenant.site.pk, tenant.site.root_page_id, meeting.pk, "de").url
    page = client.get(url, headers={"Accept-Language": "fr"})
    assert b'lang="de"' in page.content
    post(client, url)
    assert Registration.objects.get().locale == "de"


def register_again_link(page):
    """The URL of the button "Register again"."""
    match = re.search(r'href="([^"]+)">Register again<', page.content.decode())
    return match.group(1) if match else ""


@pytest.mark.parametrize("standalone", [True, False])
def test_register_again_after_cancelling(client, tenant, meeting, standalone):
    from wagtail_zoom.frontend.form_links import FormLink

    root = tenant.site.root_page
    url = FormLink(tenant.site.pk, None if standalone else root.pk, meeting.pk, "en").url
    post(client, url)
    status_path = tokens.status_path(Registration.objects.get())
    assert register_again_link(client.get(status_path)) == ""
    client.post(status_path + "cancel/")
    again = register_again_link(client.get(status_path))
    assert again == (url if standalone else root.get_url())
    if standalone:
        assert post(client, again).status_code == 303
        assert Registration.objects.get().state == "waiting"


def test_no_form_link_for_registrations_from_project_code(client, tenant, meeting):
    """There may be no form, for instance where a place is paid for."""
    person = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}
    row = service.register(site=tenant.site, meeting=meeting, **person)
    service.cancel(row.pk)
    page = client.get(tokens.status_path(row))
    assert b"You can register again at any time." in page.content
    assert register_again_link(page) == ""
