"""Zoom refuses a registration while the visitor waits, or does not answer: the page says so."""

import re

import pytest
from django.core import mail

from wagtail_zoom.models import Activity, Registration

from .conftest import make_all_due, post, process_due
from .test_delivery import ADD, add_calls, zoom_registrants

pytestmark = pytest.mark.django_db

FULL = {"status": 400, "code": 3043, "message": "Meeting has reached the maximum"}
REFUSALS = [
    (FULL, "All places are taken"),
    ({"status": 400, "code": 3038, "message": "Webinar is over"}, "It was over"),
    ({"status": 400, "code": 200, "message": "Only for Paid users"}, "not possible in Zoom"),
    ({"status": 404, "code": 404, "message": "Registration is not enabled"}, "no longer offers"),
]


@pytest.mark.parametrize(("answer", "reason"), REFUSALS)
def test_refusal_is_shown_immediately(client, connect_site, answer, reason):
    """Nobody is thanked, nothing is stored, no email follows, and the next visitor knows."""
    scenario = connect_site()
    scenario.zoom.fault("status", **ADD, **answer)
    response = post(client, scenario.url)
    page = response.content.decode()
    assert response.status_code == 409
    assert "You are not registered." in page and reason in page
    assert "Thank" not in page and "saved" not in page
    assert not Registration.objects.exists()
    make_all_due()
    process_due()
    assert mail.outbox == [] and not Activity.objects.filter(code="registration_failed").exists()
    if answer["code"] != 404:
        calls = len(add_calls(scenario))
        html = client.get(scenario.url).content.decode()
        assert "<form" not in html
        assert post(client, scenario.url, {"email": "b@example.org"}).status_code == 409
        assert len(add_calls(scenario)) == calls


def test_refusal_of_a_person_who_had_cancelled(client, connect_site):
    """The old row stays, and no email follows what the page has said."""
    scenario = connect_site()
    post(client, scenario.url)
    Registration.objects.update(state="cancelled", task="", mail_due="", next_try_at=None)
    scenario.zoom.fault("status", **ADD, **FULL)
    assert post(client, scenario.url).status_code == 409
    row = Registration.objects.get()
    assert (row.state, row.task, row.mail_due) == ("failed", "", "")


def test_unreachable_zoom_is_not_a_mailbox(client, connect_site):
    """The heading says what is known: saved, and Zoom does not answer."""
    scenario = connect_site()
    scenario.zoom.fault("status", **ADD, status=503, message="down")
    page = client.get(post(client, scenario.url).url).content.decode()
    assert "Thank you. We have saved your registration" in page
    assert "Zoom is not answering at the moment." in page
    assert "Check your email" not in page and "once more" not in page
    assert Registration.objects.get().state == "waiting"


def test_no_answer_is_promised_in_the_owners_name(client, connect_site):
    """Nobody but the organiser knows when the organiser answers."""
    scenario = connect_site(registration="manual")
    texts = [client.get(scenario.url).content.decode()]
    texts.append(client.get(post(client, scenario.url).url).content.decode())
    process_due()
    texts.append(mail.outbox[-1].body)
    status = mail.outbox[-1].body.partition("https://localhost")[2].split()[0]
    texts.append(client.get(status).content.decode())
    assert "Pending" in texts[-1]
    for text in texts:
        assert "two days" not in text and "within a minute" not in text


ANSWERS = {
    "title": "Pets",
    "type": "multiple",
    "required": True,
    "answers": ["Cats, dogs", "Birds", "Fish", "x" * 140, "Owls; ravens", "y" * 900, "  Bees "],
}


@pytest.mark.parametrize(
    ("chosen", "sent"),
    [
        (["Cats, dogs", "Birds"], "Cats, dogs;Birds"),
        (["Cats, dogs"], "Cats, dogs"),
        (["Birds", "Fish"], "Birds;Fish"),
        (["x" * 140], "x" * 140),
        (["Owls; ravens"], "Owls; ravens"),
        (["y" * 900], "y" * 900),
        (["  Bees "], "  Bees "),
    ],
    ids=["comma", "one", "plain", "long", "semicolon", "longer", "blanks"],
)
def test_options_are_sent_whole(client, connect_site, chosen, sent):
    scenario = connect_site(kind="webinar", custom_questions=[ANSWERS])
    page = client.get(scenario.url)
    name = page.context["form"].questions.custom[0].name
    assert post(client, scenario.url, {name: chosen}).status_code == 303
    assert Registration.objects.get().state == "approved"
    assert zoom_registrants(scenario)[0]["custom_questions"] == [{"title": "Pets", "value": sent}]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["Owls; ravens", "Birds"], "Choose “Owls; ravens” alone or not at all"),
        (["x" * 140, "Birds"], "Choose fewer answers"),
        (["Eels"], "Choose one of the answers"),
        ([], "Choose an answer"),
    ],
    ids=["semicolon", "long", "unknown", "none"],
)
def test_answers_that_zoom_cannot_take_are_refused(client, connect_site, chosen, message):
    """Not saved, thanked for and refused later."""
    scenario = connect_site(kind="webinar", custom_questions=[ANSWERS])
    name = client.get(scenario.url).context["form"].questions.custom[0].name
    response = post(client, scenario.url, {name: chosen})
    assert response.status_code == 422
    assert f"Pets: {message}" in response.content.decode()
    assert not Registration.objects.exists() and zoom_registrants(scenario) == []


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_people_with_one_name(client, connect_site, kind):
    """The hint of the form works at Zoom, too."""
    scenario = connect_site(
        kind=kind, questions=[{"field_name": "last_name", "required": True}], custom_questions=[]
    )
    page = client.get(scenario.url).content.decode()
    hint = re.search(r'id="([^"]+)">Only one name\? Enter (.) here\.', page)
    assert hint and f'aria-describedby="{hint[1]}"' in page
    data = {"first_name": "Suharto", "last_name": hint[2]}
    assert post(client, scenario.url, data).status_code == 303
    assert Registration.objects.get().state == "approved"
    process_due()
    assert "Hello Suharto" in mail.outbox[-1].body


def test_an_unreachable_address_is_refused(client, connect_site):
    scenario = connect_site()
    response = post(client, scenario.url, {"email": "a@localhost"})
    assert response.status_code == 422
    assert "Enter an address such as name@example.org" in response.content.decode()
    assert not Registration.objects.exists() and zoom_registrants(scenario) == []
