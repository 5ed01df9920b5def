"""``zoom/register/<ref>/``: anonymous, forgiving towards people, the same answer for everybody."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from wagtail_zoom.models import Registration
from wagtail_zoom.registration import service, status, tokens
from wagtail_zoom.registration.payload import body_of

from .conftest import PERSON, SAME, answers, hurry, make_meeting, post, url_of, work

pytestmark = pytest.mark.django_db


def test_saved_before_zoom_is_asked(client, place, meeting):
    """A sign-up is never lost: Zoom is away here, the person is told so and gets a mail."""
    answer = post(client, url_of(place, meeting))
    assert answer.status_code == 303
    assert not answer.cookies
    row = Registration.objects.get()
    assert (row.state, row.task, row.page_id) == ("waiting", "add", place.site.root_page_id)
    assert row.email.reveal() == "mika@example.org"
    page = client.get(answer.url).content.decode()
    assert "Your registration is saved" in page
    work()
    assert mail.outbox == [], "Zoom is mostly back within a minute"
    hurry()
    work()
    assert [one.to for one in mail.outbox] == [["mika@example.org"]]
    assert tokens.status_path(row) in mail.outbox[0].body
    assert "https://localhost/" in mail.outbox[0].body


def test_nothing_typed_stands_in_clear(client, place, meeting):
    post(client, url_of(place, meeting))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM wagtail_zoom_registration")
        assert "mika" not in str(cursor.fetchall()).lower()


def test_double_click_is_one(client, place, meeting):
    url = url_of(place, meeting)
    assert post(client, url).url == post(client, url, {"email": "MIKA@example.org"}).url
    assert Registration.objects.count() == 1


def test_other_dates_are_another_sign_up(client, place):
    meeting = make_meeting(place, dates=(1, 2), registration_type=3)
    first, second = (str(one.public_id) for one in meeting.occurrences.order_by("start"))
    for dates in ([first], [first], [first, second]):
        assert post(client, url_of(place, meeting), {"dates": dates}).status_code == 303
    assert sorted(row.dates.count() for row in Registration.objects.all()) == [1, 2]


@time_machine.travel(datetime(2026, 11, 26, 10, tzinfo=UTC), tick=False)
def test_the_form_says_when_it_takes_place(client, place):
    """Whoever comes to its own page by a link sees nothing else of the meeting."""
    html = client.get(url_of(place, make_meeting(place, dates=(3,)))).content.decode()
    assert 'datetime="2026-11-29T11:00+01:00"' in html and "Berlin time" in html


@time_machine.travel(datetime(2026, 11, 26, 10, tzinfo=UTC), tick=False)
@pytest.mark.parametrize(
    ("days", "said"),
    [(6, "See you on Wednesday, Mika"), (7, "See you on Thursday 3 December, Mika")],
)
def test_a_weekday_alone_is_the_next_of_its_name(client, place, days, said):
    post(client, url_of(place, make_meeting(place, dates=(days,))))
    row = Registration.objects.get()
    row.state = Registration.State.APPROVED
    assert status.status_of(row, place.choice).heading == said


def test_errors_keep_what_was_entered(client, place, meeting):
    answer = post(client, url_of(place, meeting), {"last_name": "", "email": "mika@"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Mika"' in html
    for text in (
        "2 things need another look", "Enter your last name",
        "Enter an address such as name@example.org", 'aria-invalid="true"',
    ):  # fmt: skip
        assert text in html
    assert not Registration.objects.exists()


def test_extra_members_go_nowhere(client, place, meeting):
    """X23: only fields of the form, only members that we name."""
    evil = {
        "auto_approve": "true", "status": "approved", "registrant_id": "x", "join_url": "y",
        "occurrence_ids": "1", "source_id": "z", "custom_questions": "[]", "comments": "hi",
    }  # fmt: skip
    post(client, url_of(place, meeting), evil)
    row = Registration.objects.get()
    assert set(body_of(row)) == {"email", "first_name", "last_name", "language"}
    assert set(answers(row)["standard"]) == {"first_name", "last_name"}


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
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Origin": "null"}, 200),
        ({}, 200),
    ],
)
def test_where_a_form_comes_from(client, place, meeting, settings, headers, status):
    """Foreign pages are refused; a silent browser is asked, and nothing is lost."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "FORM_ORIGINS": ["https://front.example"]}
    url = url_of(place, meeting)
    answer = client.post(url, PERSON, headers=headers)
    assert answer.status_code == status
    assert Registration.objects.exists() is (status == 303)
    if status == 200:
        proof = answer.context["confirm_value"]
        pairs = dict(answer.context["pairs"])
        assert pairs == PERSON
        again = client.post(url, {**pairs, "wz_ok": proof}, headers=headers)
        assert again.status_code == 303
        other = url_of(place, meeting, date="x")
        assert client.post(other, {**pairs, "wz_ok": proof}, headers=headers).status_code == 200


def form_of(html, place, meeting):
    """The form as it stands on a page: where it posts to, and what it sends along by itself."""
    url = url_of(place, meeting)
    assert f'action="{url}"' in html
    hidden = re.findall(r'<input[^>]*name="(wz_[a-z]+)"[^>]*?(?:value="([^"]*)")?[^>]*>', html)
    return url, dict(hidden)


@pytest.mark.parametrize("hours", [49, 24 * 14])
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_a_page_two_days_old_still_registers(client, place, hours, script):
    """Issue, shows 4: neither the reference nor the guard against robots' pace grows old; what a
    visitor's own script counts starts when the page is opened, not when it was made."""
    meeting = make_meeting(place, dates=(30,))
    page = client.get(url_of(place, meeting))
    assert not page.cookies
    url, hidden = form_of(page.content.decode(), place, meeting)
    # A CDN forgets; a browser's own tab may stay open for just as long.
    elapsed = [5000, hours * 3_600_000] if script else [""]
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        for number, counted in enumerate(elapsed):
            entered = {**hidden, "wz_ms": counted, "email": f"p{number}@example.org"}
            assert post(client, url, entered).status_code == 303
    assert Registration.objects.count() == len(elapsed)


def test_no_way_to_what_is_not_offered(client, place, meeting):
    """Page gone, page of another Site, meeting hidden, reference forged."""
    from wagtail_zoom.frontend.form_links import Ref

    for ref in (
        Ref(place.site.pk, 999_999, meeting.pk).url,
        Ref(place.site.pk, 1, meeting.pk).url,
        Ref(999, None, meeting.pk).url,
        "/zoom/register/forged/",
    ):
        assert post(client, ref).status_code == 404
    meeting.is_private = True
    meeting.save()
    assert post(client, url_of(place, meeting)).status_code == 409
    assert not Registration.objects.exists()


def test_what_is_switched_off_is_not_taken(client, place, meeting):
    """The form may stand on a cached page for days."""
    type(place.choice).objects.update(show_registration=False)
    assert post(client, url_of(place, meeting)).status_code == 409
    assert not Registration.objects.exists()


def test_honeypot_is_told_that_all_is_well(client, place, meeting):
    answer = post(client, url_of(place, meeting), {"wz_url": "http://spam.example"})
    assert answer.status_code == 303
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("elapsed", "status"), [("200", 200), ("9000", 303), ("", 303), ("x", 303)]
)
def test_robots_pace_has_to_confirm(client, place, meeting, elapsed, status):
    """The time is counted by a script; without one nothing is assumed."""
    data = {"wz_ms": elapsed} if elapsed else {}
    assert post(client, url_of(place, meeting), data).status_code == status


def test_a_hasty_form_with_mistakes_is_corrected_before_it_is_confirmed(client, place, meeting):
    """Whoever presses Enter at once reads what is missing, not that all is there."""
    answer = post(client, url_of(place, meeting), {"email": "", "wz_ms": "200"})
    assert answer.status_code == 422
    assert "Enter your email address" in answer.content.decode()
    assert not Registration.objects.exists()


def test_body_is_bounded(client, place, meeting, settings):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "REGISTRATION_MAX_BYTES": 500}
    assert post(client, url_of(place, meeting), {"first_name": "x" * 600}).status_code == 413


def no_robots(request, form):
    if form.cleaned_data["first_name"] == "Robot":
        raise ValidationError("Please try again.")


def test_captcha_of_the_project(client, place, meeting, settings):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "REGISTRATION_CAPTCHA": "tests.registration.test_endpoint.no_robots",
    }
    url = url_of(place, meeting)
    assert post(client, url, {"first_name": "Robot"}).status_code == 422
    assert post(client, url).status_code == 303


def test_limit_of_a_network(client, place, meeting, settings):
    """X24: bounded, with an honest page that keeps the entries."""
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM, "REGISTRATION_LIMITS": {"network": (2, 600)}
    }  # fmt: skip
    url = url_of(place, meeting)
    codes = [post(client, url, {"email": f"p{n}@example.org"}).status_code for n in range(4)]
    assert codes == [303, 303, 429, 429]
    last = post(client, url)
    assert "Nothing is lost" in last.content.decode()
    assert 'value="Mika"' in last.content.decode()
    other = client.post(url, PERSON, headers=SAME, REMOTE_ADDR="198.51.100.7")
    assert other.status_code == 303


def test_limit_of_an_address_is_silent(client, place, meeting):
    """X25: the sixth try looks like the first, and mails nobody."""
    url = url_of(place, meeting)
    answers = {(post(client, url).status_code) for _n in range(5)}
    row = Registration.objects.get()
    Registration.objects.update(mail_due="", next_try_at=None)
    assert answers == {303}
    assert post(client, url).status_code == 303
    row.refresh_from_db()
    assert row.mail_due == ""


@pytest.mark.parametrize(
    "state", ["approved", "pending", "denied", "waiting", "cancelled", "failed"]
)
def test_known_and_unknown_look_alike(client, place, meeting, state):
    """X25, X26: the page says nothing about the person, and no link."""
    place.account.throttled_until = None
    url = url_of(place, meeting)
    new = post(client, url)
    Registration.objects.update(state=state, join_url="", task="", maybe_sent=False)
    known = post(client, url)
    assert (known.status_code, known.url.partition("?")[0]) == (
        new.status_code,
        new.url.partition("?")[0],
    )
    first, second = (client.get(one.url).content for one in (new, known))
    assert b"tk=" not in second
    assert b"mika" not in second.lower()
    assert first == second


def test_settled_answers_cannot_be_overwritten(client, place, meeting):
    """Whoever knows an address cannot change what its owner entered."""
    url = url_of(place, meeting)
    post(client, url)
    Registration.objects.update(
        state="approved", task="", zoom_registrant_id="r", mail_due="", mail_at=None
    )
    post(client, url, {"first_name": "Mallory"})
    row = Registration.objects.get()
    assert answers(row)["standard"]["first_name"] == "Mika"
    assert row.mail_due == "again"


def test_double_opt_in(client, place, meeting):
    """Zoom is asked only after the person has confirmed the address."""
    place.choice.double_opt_in = True
    place.choice.save()
    answer = post(client, url_of(place, meeting))
    assert "confirmed it there" in client.get(answer.url).content.decode()
    row = Registration.objects.get()
    assert (row.state, row.task, row.mail_due) == ("unconfirmed", "", "confirm")
    assert (row.purge_on - timezone.now().date()).days == 2
    work()
    assert "confirm" in mail.outbox[0].subject
    page = client.get(tokens.status_path(row))
    assert b"Yes, register me" in page.content
    row.refresh_from_db()
    assert row.state == "unconfirmed"
    client.post(tokens.status_path(row) + "confirm/")
    row.refresh_from_db()
    assert (row.state, row.task) == ("waiting", "add")
    assert (row.purge_on - timezone.now().date()).days > 20


def test_language_of_the_page(client, place, meeting):
    """The answer and the mails come in the language of the page, not of the browser."""
    from wagtail_zoom.frontend.form_links import Ref

    url = Ref(place.site.pk, place.site.root_page_id, meeting.pk, "de").url
    page = client.get(url, headers={"Accept-Language": "fr"})
    assert b'lang="de"' in page.content
    post(client, url)
    assert Registration.objects.get().locale == "de"


def again_in(page):
    """Where the button "Register again" leads."""
    found = re.search(r'href="([^"]+)">Register again<', page.content.decode())
    return found.group(1) if found else ""


@pytest.mark.parametrize("stands_alone", [True, False])
def test_whoever_cancelled_finds_the_form_again_wherever_it_stood(
    client, place, meeting, stands_alone
):
    from wagtail_zoom.frontend.form_links import Ref

    root = place.site.root_page
    url = Ref(place.site.pk, None if stands_alone else root.pk, meeting.pk, "en").url
    post(client, url)
    status_path = tokens.status_path(Registration.objects.get())
    assert again_in(client.get(status_path)) == ""
    client.post(status_path + "cancel/")
    again = again_in(client.get(status_path))
    assert again == (url if stands_alone else root.get_url())
    if stands_alone:
        assert post(client, again).status_code == 303
        assert Registration.objects.get().state == "waiting"


def test_whom_a_projects_own_code_signed_up_is_led_to_no_form(client, place, meeting):
    """There may be none on purpose, as where a place is paid for."""
    facts = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}
    row = service.register(site=place.site, meeting=meeting, **facts)
    service.cancel(row.pk)
    page = client.get(tokens.status_path(row))
    assert b"You are welcome to register once more." in page.content
    assert again_in(page) == ""
