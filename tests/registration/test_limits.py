"""Whatever is thanked for is stored; everything else is refused visibly.

Limits of networks, meetings and Sites refuse. The limit of an address only delays: anybody may
enter anybody's address, so it must not take a registration from its owner.
"""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from wagtail_zoom.models import LimitCounter, Registration
from wagtail_zoom.registration import csrf, ratelimit, tokens
from wagtail_zoom.utils.ratelimit import log_once

from .conftest import PERSON, SAME_ORIGIN, form_url, make_all_due, make_meeting, post, process_due
from .test_delivery import add_calls, zoom_registrants

pytestmark = pytest.mark.django_db


def drain():
    """Process until nothing is due, however slow the machine is."""
    while process_due():
        pass


def deliver_all():
    """First the tasks, which have to wait for Zoom, then the emails about that."""
    for _time in range(3):
        make_all_due()
        drain()


REFUSED = "You are not registered yet"


def set_limits(settings, **limits):
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "REGISTRATION_LIMITS": limits}


def assert_refused(response, minutes):
    page = response.content.decode()
    assert response.status_code == 429
    assert REFUSED in page and f"in {minutes} minute" in page
    assert int(response["Retry-After"]) <= minutes * 60
    assert "Thank" not in page and "saved" not in page
    assert 'value="Mika"' in page and 'value="Tanaka"' in page


def test_one_visitor_books_eight_dates(client, tenant):
    """Each page that thanks has its row, with its date."""
    meeting = make_meeting(tenant, dates=range(1, 9), registration_type=2)
    dates = [str(pk) for pk in meeting.occurrences.values_list("public_id", flat=True)]
    for date in dates:
        assert post(client, form_url(tenant, meeting), {"dates": date}).status_code == 303
    stored = Registration.objects.values_list("dates__occurrence__public_id", flat=True)
    assert sorted(map(str, stored)) == sorted(dates)


def test_attacker_cannot_use_up_the_limit_of_an_address(client, tenant):
    """Twenty registrations with the victim's address; then the victim's own one is stored."""
    other = make_meeting(tenant, dates=range(1, 21), registration_type=2, zoom_id="81")
    meeting = make_meeting(tenant)
    for date in other.occurrences.all():
        post(client, form_url(tenant, other), {"dates": str(date.public_id), "first_name": "Eve"})
    assert post(client, form_url(tenant, meeting)).status_code == 303
    assert Registration.objects.filter(meeting=meeting).count() == 1
    assert Registration.objects.filter(meeting=other).count() == 20


def test_held_back_registrations_reach_zoom_later(client, connect_site, settings):
    """Stored at once; the call and the email are delayed by at most the window, and never lost."""
    set_limits(settings, address=(2, 3600))
    weekly = {"type": 2, "repeat_interval": 1, "end_times": 3}
    scenario = connect_site(recurrence=weekly, settings={"registration_type": 2})
    dates = list(scenario.meeting.occurrences.order_by("start"))
    for date in dates:
        response = post(client, scenario.url, {"dates": str(date.public_id)})
        assert response.url.endswith("/received/")
    drain()
    states = Registration.objects.order_by("dates__start").values_list("state", flat=True)
    assert list(states) == ["approved", "approved", "waiting"]
    assert len(add_calls(scenario)) == 2
    assert len(mail.outbox) == 2
    assert mail.outbox[0].to == ["mika@example.org"]
    held = Registration.objects.filter(state="waiting").values_list("task_at", flat=True)
    assert max(held) <= timezone.now() + timedelta(seconds=3600)
    make_all_due()
    drain()
    assert set(Registration.objects.values_list("state", flat=True)) == {"approved"}
    assert len(zoom_registrants(scenario)[0]["occurrences"]) == 3


@pytest.mark.parametrize("double_opt_in", [True, False])
def test_a_mailbox_is_counted_once_for_all_its_names(
    client, tenant, meeting, settings, double_opt_in
):
    """Twenty registrations of name+0@ to name+19@: five emails, and five calls to Zoom at once.

    Each goes to the address as it was typed.
    """
    tenant.site_settings.double_opt_in = double_opt_in
    tenant.site_settings.save()
    typed = [f"Victim+{number}@example.org" for number in range(20)]
    for email in typed:
        assert post(client, form_url(tenant, meeting), {"email": email}).status_code == 303
    if not double_opt_in:
        soon = timezone.now() + timedelta(minutes=1)
        assert Registration.objects.filter(task_at__gt=soon).count() == 15
    deliver_all()
    assert len(mail.outbox) == 5
    assert {email.to[0] for email in mail.outbox} <= set(typed)
    post(client, form_url(tenant, meeting), {"email": "other@example.org"})
    deliver_all()
    assert len(mail.outbox) == 6


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("Mika+News@Example.org", "mika@example.org"),
        ("mika+a+b@example.org", "mika@example.org"),
        ("+mika@example.org", "+mika@example.org"),
        ("mika@a+b.example", "mika@a+b.example"),
        ("mika", "mika"),
    ],
)
def test_the_mailbox_of_an_address(email, mailbox):
    assert tokens.mailbox_of(email) == mailbox


def test_held_back_registration_is_sent_before_its_date(client, tenant, settings):
    set_limits(settings, address=(1, 3600))
    post(client, form_url(tenant, make_meeting(tenant, zoom_id="81")))
    soon = make_meeting(tenant, dates=(40 / 1440,), zoom_id="82")
    post(client, form_url(tenant, soon))
    row = Registration.objects.get(meeting=soon)
    assert row.task_at < timezone.now() + timedelta(minutes=26)
    assert row.lease_owner == ""


def test_known_address_holds_back_nothing_of_the_owner(client, tenant, meeting, settings):
    """What the owner has just decided is not delayed by whoever enters the address."""
    set_limits(settings, address=(1, 3600))
    post(client, form_url(tenant, meeting))
    due_at = timezone.now()
    Registration.objects.update(state="pending", task="approve", task_at=due_at)
    assert post(client, form_url(tenant, meeting)).status_code == 303
    assert Registration.objects.get().task_at == due_at


@pytest.mark.parametrize("double_opt_in", [True, False])
def test_an_address_gets_a_few_emails_from_all_meetings(client, tenant, settings, double_opt_in):
    """Forty-one registrations of one address in a minute, by somebody else: five emails in an hour,
    then one for the rest. Nothing is lost: each registration is in one of them."""
    tenant.site_settings.double_opt_in = double_opt_in
    tenant.site_settings.save()
    for number in range(21):
        meeting = make_meeting(tenant, zoom_id=f"81{number}", topic=f"Evening {number}.")
        post(client, form_url(tenant, meeting), {"email": "Victim@example.org"})
    deliver_all()
    assert len(mail.outbox) == 5
    with time_machine.travel(timezone.now() + timedelta(seconds=3700)):
        drain()
    assert len(mail.outbox) == 6
    text = "\n".join(email.body for email in mail.outbox)
    links = re.findall(r"https://localhost/zoom/registration/\S+", text)
    assert len(links) == len(set(links)) == 21
    assert {f"Evening {number}." for number in range(21)} <= set(text.splitlines())
    assert mail.outbox[-1].subject == "Your registrations"
    assert mail.outbox[-1].body.count("Hello") == 1
    assert not Registration.objects.exclude(mail_due="").exists()
    assert not Registration.objects.exclude(lease_owner="").exists()


def test_merged_email_is_retried_as_one(client, tenant, settings):
    """The mail server refuses for a while: the rest is not sent one by one afterwards."""
    set_limits(settings, address=(1, 3600))
    for number in range(4):
        meeting = make_meeting(tenant, zoom_id=f"81{number}")
        post(client, form_url(tenant, meeting))
    deliver_all()
    assert len(mail.outbox) == 1
    settings.EMAIL_BACKEND = "tests.registration.test_mails.FakeEmailBackend"
    from .test_mails import FakeEmailBackend

    later = timezone.now() + timedelta(seconds=3700)
    FakeEmailBackend.error = ConnectionRefusedError()
    try:
        with time_machine.travel(later):
            drain()
        FakeEmailBackend.error = None
        with time_machine.travel(later + timedelta(minutes=6)):
            drain()
    finally:
        FakeEmailBackend.error = None
    assert [email.subject for email in mail.outbox][1:] == ["Your registrations"]
    assert not Registration.objects.exclude(mail_due="").exists()


def test_waiting_for_zoom_is_reported_to_everybody(client, tenant, meeting):
    """Zoom answers nobody of the account: who is deferred unasked gets the email too."""
    emails = [f"p{number}@example.org" for number in range(4)]
    for email in emails:
        post(client, form_url(tenant, meeting), {"email": email})
    drain()
    Registration.objects.exclude(mail_due="").update(mail_at=timezone.now())
    deliver_all()
    assert sorted(message.to[0] for message in mail.outbox) == emails
    assert all("Zoom is not answering" in message.body for message in mail.outbox)


def test_other_people_are_not_delayed(client, tenant, meeting, settings):
    set_limits(settings, address=(1, 3600))
    for email in ("a@example.org", "b@example.org", "A@example.org"):
        post(client, form_url(tenant, meeting), {"email": email})
    deliver_all()
    assert sorted(email.to[0] for email in mail.outbox) == ["a@example.org", "b@example.org"]


def test_limit_of_a_network_refuses(client, tenant, meeting, settings):
    set_limits(settings, network=(1, 90))
    url = form_url(tenant, meeting)
    assert post(client, url).status_code == 303
    assert_refused(post(client, url, {"email": "b@example.org"}), 2)
    assert Registration.objects.count() == 1
    other = client.post(url, {**PERSON, "email": "c@example.org"}, headers=SAME_ORIGIN,
                        REMOTE_ADDR="198.51.100.7")  # fmt: skip
    assert other.status_code == 303


def test_a_refused_form_with_errors_has_one_focus(client, tenant, meeting, settings):
    """What is refused, and below it what is wrong: the first has the focus."""
    set_limits(settings, network=(1, 90))
    url = form_url(tenant, meeting)
    assert post(client, url).status_code == 303
    text = post(client, url, {"email": "b@example.org", "first_name": ""}).content.decode()
    assert text.count('class="wz-summary"') == 2
    assert text.count(" autofocus") == 1
    assert text.index(" autofocus") < text.index("Please fix one problem")


def test_a_counter_does_not_reveal_what_it_counts(db, settings):
    """Not even to somebody who knows all addresses, but not the key."""
    keys = set()
    for secret in ("1" * 44, "2" * 44):
        settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [secret]}
        ratelimit.seconds_to_wait("address", "a@example.org")
        keys |= set(LimitCounter.objects.values_list("key", flat=True))
    assert len(keys) == 2


def test_limit_of_a_meeting_refuses(client, tenant, meeting, settings):
    set_limits(settings, meeting=(1, 60))
    assert post(client, form_url(tenant, meeting)).status_code == 303
    assert_refused(post(client, form_url(tenant, meeting), {"email": "b@example.org"}), 1)
    assert Registration.objects.count() == 1
    other = form_url(tenant, make_meeting(tenant, zoom_id="82"))
    assert post(client, other, {"email": "b@example.org"}).status_code == 303


def test_limit_of_a_site_refuses(client, tenant, meeting, settings):
    set_limits(settings, site=(1, 60))
    assert post(client, form_url(tenant, meeting)).status_code == 303
    other = form_url(tenant, make_meeting(tenant, zoom_id="82"))
    assert_refused(post(client, other, {"email": "b@example.org"}), 1)
    assert Registration.objects.count() == 1


def test_a_limit_ends(client, tenant, meeting, settings):
    set_limits(settings, network=(1, 600))
    url = form_url(tenant, meeting)
    post(client, url)
    assert post(client, url, {"email": "b@example.org"}).status_code == 429
    with time_machine.travel(timezone.now() + timedelta(seconds=601)):
        assert post(client, url, {"email": "b@example.org"}).status_code == 303


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"REGISTRATION_LIMITS": "60/600"}, "REGISTRATION_LIMITS"),
        ({"REGISTRATION_LIMITS": {"network": 60}}, "REGISTRATION_LIMITS"),
        ({"REGISTRATION_LIMITS": {"network": (60, 0)}}, "REGISTRATION_LIMITS"),
        ({"REGISTRATION_LIMITS": {"address": ("5", None)}}, "REGISTRATION_LIMITS"),
        ({"REGISTRATION_LIMITS": None}, "REGISTRATION_LIMITS"),
        ({"REGISTRATION_LIMITS": {"adress": (5, 60)}}, "adress"),
        ({"TRUSTED_PROXIES": ["10.0.0.0/99"]}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": None}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": [None, 7.5]}, "TRUSTED_PROXIES"),
        ({"REGISTRATION_MAX_BYTES": "64 kB"}, ""),
        ({"REGISTRATION_SECONDS": None}, ""),
        ({"FORM_ORIGINS": None}, ""),
    ],
)
def test_malformed_setting_costs_no_registration(
    client, tenant, meeting, settings, given, problem, caplog
):
    """The default is used, and the log says so once. ``manage.py check`` names it."""
    log_once.cache_clear()
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, **given}
    for number in range(2):
        data = {"email": f"p{number}@example.org"}
        assert post(client, form_url(tenant, meeting), data).status_code == 303
    assert Registration.objects.count() == 2
    assert caplog.text.count("The default is used") == bool(problem) * (
        2 if "None, 7" in str(given) else 1
    )
    assert problem in caplog.text


def test_confirmation_of_a_form_expires(client, tenant, meeting):
    """A signed confirmation is no ticket for good."""
    url = form_url(tenant, meeting)
    proof = client.post(url, PERSON).context["confirm_value"]
    late = timezone.now() + timedelta(seconds=csrf.CONFIRM_SECONDS + 5)
    with time_machine.travel(late):
        assert client.post(url, {**PERSON, "wz_ok": proof}).status_code == 200
    assert not Registration.objects.exists()
    assert client.post(url, {**PERSON, "wz_ok": proof}).status_code == 303


def resend(client, row):
    response = client.post(tokens.status_path(row) + "resend/")
    return client.get(response.url).content.decode()


@pytest.fixture
def registered(client, tenant, meeting):
    post(client, form_url(tenant, meeting))
    Registration.objects.update(
        state="approved", task="", task_at=None, mail_due="", mail_at=None, next_try_at=None
    )
    return Registration.objects.get()


def test_limit_of_resending(client, registered):
    """Eight times pressed: five emails at most, and the page never announces another one."""
    for number in range(8):
        page = resend(client, registered)
        due = Registration.objects.get().mail_due
        assert ("We are sending the email now." in page) is (due == "again") is (number < 5)
        Registration.objects.update(mail_due="", mail_at=None, next_try_at=None)
    assert Registration.objects.get().mail_due == ""


def test_resend_page_says_when(client, registered, settings):
    set_limits(settings, address=(1, 3600))
    assert "We are sending the email now." in resend(client, registered)
    drain()
    assert len(mail.outbox) == 1
    page = client.get(tokens.status_path(registered) + "?sent").content.decode()
    assert "We sent the email less than a minute ago." in page
    with time_machine.travel(timezone.now() + timedelta(minutes=7)):
        page = resend(client, registered)
        assert "We sent the email 7 minutes ago." in page
    assert "on its way" not in page


def test_resend_page_says_when_it_is_delayed(client, tenant, registered, settings):
    set_limits(settings, address=(2, 3600))
    other = make_meeting(tenant, zoom_id="82")
    for _time in range(2):
        post(client, form_url(tenant, other))
        deliver_all()
    resend(client, registered)
    drain()
    assert len(mail.outbox) == 2
    page = client.get(tokens.status_path(registered) + "?sent").content.decode()
    assert re.search(r"We send the email in (59|60) minutes\.", page)
