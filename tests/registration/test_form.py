"""The form follows Zoom: questions, required flags, types, limits, dates."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from wagtail_zoom.frontend import form_links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Registration
from wagtail_zoom.registration import questions, tokens
from wagtail_zoom.registration.form import RegistrationForm, make_form
from wagtail_zoom.registration.service import register
from wagtail_zoom.sync.questions import store

from .conftest import PERSON, form_context, form_url, make_meeting, post

CUSTOM = [
    {"title": "Do you own?", "type": "single_radio", "required": True, "answers": ["Own", "Rent"]},
    {"title": "Which fuel?", "type": "multiple", "required": False, "answers": ["Gas", "Oil"]},
    {"title": "City size", "type": "single_dropdown", "required": False, "answers": ["S", "L"]},
    {"title": "Ask us", "type": "short", "required": False},
]


def test_form_link_is_signed():
    """A changed or foreign link is invalid."""
    form_link = FormLink(1, 2, 3, "de", {"date": "x"})
    text = form_link.sign()
    assert form_links.unsign(text) == form_link
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), "", "x" * 700, "a:b:c"):
        assert form_links.unsign(wrong) is None


@pytest.mark.parametrize(
    ("field", "value"), [("email", "nobody"), ("first_name", " "), ("last_name", "")]
)
def test_a_projects_own_code_cannot_store_wrong_answers(tenant, meeting, field, value):
    """What is stored has passed the same form; no address is sent to Zoom unchecked."""
    values = {"email": "m@example.org", "first_name": "Mika", "last_name": "T"}
    with pytest.raises(ValidationError) as caught:
        register(site=tenant.site, meeting=meeting, **{**values, field: value})
    assert field in caught.value.error_dict
    assert not Registration.objects.exists()
    assert register(site=tenant.site, meeting=meeting, **values).pk


def test_standard_questions_with_their_flags(tenant):
    zoom_questions = [
        {"field_name": "last_name", "required": True},
        {"field_name": "country", "required": True},
        {"field_name": "no_of_employees", "required": False},
        {"field_name": "evil", "required": True},
    ]
    meeting = make_meeting(tenant, questions={"questions": zoom_questions})
    form = make_form(form_context(tenant, meeting), dict(PERSON))
    assert list(form.fields) == ["first_name", "last_name", "email", "country", "no_of_employees"]
    assert set(form.errors) == {"country"}
    form = make_form(
        form_context(tenant, meeting), {**PERSON, "country": "DE", "no_of_employees": "500-1,000"}
    )
    assert form.is_valid(), form.errors
    assert form.answers()["standard"]["no_of_employees"] == "500-1,000"


def test_default_questions(tenant):
    """Before the questions are read for the first time, the form has Zoom's default questions."""
    meeting = make_meeting(tenant, questions={}, questions_at=None)
    form = make_form(form_context(tenant, meeting))
    assert list(form.fields) == ["first_name", "last_name", "email"]


def test_custom_questions_of_every_kind(tenant):
    meeting = make_meeting(tenant, questions={"questions": [], "custom_questions": CUSTOM})
    form = make_form(form_context(tenant, meeting))
    names = {question.title: question.name for question in form.questions.custom}
    data = {
        **PERSON,
        names["Do you own?"]: "Rent",
        names["Which fuel?"]: ["Gas", "Oil"],
        names["Ask us"]: "How loud?\r\nBcc: all@example.org",
    }
    form = make_form(form_context(tenant, meeting), data)
    assert form.is_valid(), form.errors
    assert form.answers()["custom"] == [
        {"title": "Do you own?", "label": "Do you own?", "value": "Rent"},
        {"title": "Which fuel?", "label": "Which fuel?", "value": ["Gas", "Oil"]},
        {"title": "Ask us", "label": "Ask us", "value": "How loud? Bcc: all@example.org"},
    ]
    wrong = make_form(form_context(tenant, meeting), {**data, names["Do you own?"]: "Squat"})
    assert list(wrong.errors) == [names["Do you own?"]]
    empty = make_form(form_context(tenant, meeting), {**PERSON})
    assert list(empty.errors) == [names["Do you own?"]]


def test_length_limits(tenant, meeting):
    long = {**PERSON, "first_name": "x" * 65, "email": "a" * 120 + "@example.org"}
    assert set(make_form(form_context(tenant, meeting), long).errors) == {"first_name", "email"}


@pytest.mark.parametrize(("kind", "mode"), [(1, "all"), (2, "one"), (3, "several")])
def test_dates_as_the_registration_type_allows(tenant, kind, mode):
    meeting = make_meeting(tenant, dates=(1, 2, 3), registration_type=kind)
    context = form_context(tenant, meeting)
    assert context.mode == mode
    first, second, _third = context.dates
    form = make_form(context, dict(PERSON))
    if mode == "all":
        assert "dates" not in form.fields
        assert form.is_valid()
        return
    assert list(form.errors) == ["dates"]
    chosen = (
        str(first.public_id) if mode == "one" else [str(first.public_id), str(second.public_id)]
    )
    form = make_form(context, {**PERSON, "dates": chosen})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["dates"] == ([first] if mode == "one" else [first, second])


def test_all_remaining_dates(tenant):
    meeting = make_meeting(tenant, dates=(-3, 1, 2), registration_type=3)
    form = make_form(form_context(tenant, meeting), {**PERSON, "dates": ["all"]})
    assert form.is_valid()
    assert len(form.cleaned_data["dates"]) == 2


def test_date_of_another_meeting_is_refused(tenant):
    meeting = make_meeting(tenant, dates=(1, 2), registration_type=3)
    other = make_meeting(tenant, dates=(1, 2), registration_type=3, zoom_id="99")
    foreign = str(other.occurrences.first().public_id)
    form = make_form(form_context(tenant, meeting), {**PERSON, "dates": [foreign]})
    assert list(form.errors) == ["dates"]


@pytest.mark.parametrize(
    ("code", "language"),
    [("de", "de-DE"), ("ja", "jp-JP"), ("tr", "Tr-TR"), ("pt-br", "pt-PT"), ("nl", "")],
)
def test_zoom_language_codes(code, language):
    """Zoom's codes are not BCP 47."""
    assert questions.zoom_language(code) == language
    with translation.override(code):
        assert questions.zoom_language() == language


def test_changed_questions_are_detected(meeting):
    same = {"questions": [{"field_name": "last_name", "required": True}]}
    assert store(meeting, same) is False
    assert store(meeting, {**same, "custom_questions": CUSTOM}) is True
    assert [question.title for question in questions.questions_of(meeting).custom] == [
        question["title"] for question in CUSTOM
    ]


class WithDiet(RegistrationForm):
    """The form of a project."""

    from django.forms import CharField

    diet = CharField(required=True)


def chosen_form(site, meeting):
    return WithDiet


@pytest.mark.parametrize("name", ["WithDiet", "chosen_form"])
def test_form_class_of_the_project(tenant, meeting, settings, name):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM, "REGISTRATION_FORM": f"tests.registration.test_form.{name}"
    }  # fmt: skip
    form = make_form(form_context(tenant, meeting), {**PERSON, "diet": "none"})
    assert form.is_valid()
    assert form.answers()["extra"] == {"diet": "none"}


@pytest.mark.parametrize(
    ("posted", "used"),
    [("wz-1a2b3c", "wz-1a2b3c"), ("wz-2", "wz-2")]
    + [
        (odd, "wz-form") for odd in ("", "x", "wz-", 'wz-"><b>', "wz-" + "a" * 33, "wz-A", "wz-1\n")
    ],
)
def test_the_answer_has_the_ids_of_the_form_that_was_posted(client, tenant, meeting, posted, used):
    """Otherwise two forms of one page that come back with errors have the same ids."""
    response = post(client, form_url(tenant, meeting), {"email": "", "wz_form": posted})
    assert response.status_code == 422
    html = response.content.decode()
    assert f'id="{used}-email"' in html and f'href="#{used}-email"' in html
    assert f'name="wz_form" value="{used}"' in html


def test_page_shows_the_form(client, tenant, meeting):
    """Topic, recipients, consent, next steps; no cookie and no CSRF token (X27)."""
    tenant.site_settings.consent_text = "I agree."
    tenant.site_settings.save()
    page = client.get(form_url(tenant, meeting))
    html = page.content.decode()
    for text in ("Heat pumps", "Harbour House and Zoom receive", "I agree.", "What happens next"):
        assert text in html
    assert not page.cookies
    assert "csrf" not in html
    assert "no-store" in page["Cache-Control"]


def test_error_summary_names_the_question(tenant):
    """Otherwise links with the same text would lead to different fields (WCAG 2.4.4)."""
    zoom_questions = [{**question, "required": True} for question in CUSTOM]
    standard = [{"field_name": "country", "required": True}]
    meeting = make_meeting(
        tenant, questions={"questions": standard, "custom_questions": zoom_questions}
    )
    form = make_form(form_context(tenant, meeting), dict(PERSON))
    lines = [text for _id, text in form.error_lines]
    assert "Do you own? Choose an answer" in lines
    assert "City size: Choose an answer" in lines
    assert len(set(lines)) == len(lines) == 5


@pytest.mark.parametrize(
    "email",
    [
        "a@localhost", "a@LOCALHOST", "a@mail.localhost", "a@printer.local", "a@x.internal",
        "a@x.invalid", "a@[127.0.0.1]", "a@10.0.0.1", "a@straße", "a@-x.example.org", "a@x.onion",
    ],
)  # fmt: skip
def test_undeliverable_emails_are_refused(tenant, meeting, email):
    form = make_form(form_context(tenant, meeting), {**PERSON, "email": email})
    assert form.errors["email"] == ["Enter an address such as name@example.org"]


@pytest.mark.parametrize("email", ["a@example.org", "a@x.example", "a@xn--strae-oqa.example"])
def test_deliverable_emails(tenant, meeting, email):
    form = make_form(form_context(tenant, meeting), {**PERSON, "email": email})
    assert form.is_valid() and form.cleaned_data["email"] == email


@pytest.mark.parametrize(
    "email",
    [
        "=?utf-8?q?victi=6D?=@target.org", "=?utf-8?b?dmljdGlt?=@target.org",
        "=?utf-8?q?a=0Ab?=@target.org", "x=?utf-8?q?=61?=x@target.org",
        '"v\\ictim"@target.org', '"victim"@target.org', '"a b"@target.org', '"a@b"@target.org',
        "victim(x)@target.org", "vic..tim@target.org", ".victim@target.org",
    ],
)  # fmt: skip
def test_other_spellings_of_an_address_are_refused(tenant, meeting, email):
    """Mail servers take them for another address than our limits do."""
    form = make_form(form_context(tenant, meeting), {**PERSON, "email": email})
    assert form.errors["email"] == ["Enter an address such as name@example.org"]


@pytest.mark.parametrize(
    "name", ["mika+zoom", "o'neil", "a.b-c_d", "a?b", "x=y", "{a|b}~`#$%&*/^!"]
)
def test_ordinary_local_parts_are_accepted(tenant, meeting, name):
    form = make_form(form_context(tenant, meeting), {**PERSON, "email": f"{name}@example.org"})
    assert form.is_valid() and form.cleaned_data["email"] == f"{name}@example.org"


def test_domains_that_look_alike_are_different_people(client, tenant, meeting):
    """Stored, indexed and mailed apart; another spelling of one domain is the same person."""
    url = form_url(tenant, meeting)
    for name in ("straße", "strasse", "STRASSE", "xn--strae-oqa"):
        assert post(client, url, {"email": f"a@{name}.example"}).status_code == 303
    rows = Registration.objects.order_by("pk")
    emails = [row.email.reveal() for row in rows]
    assert emails == ["a@xn--strae-oqa.example", "a@strasse.example"]
    assert len({row.email_index for row in rows}) == 2
    assert tokens.email_index("a@straße.example") == rows[0].email_index
    assert tokens.normalise_email("A@Straße.example") == "a@xn--strae-oqa.example"
    assert tokens.normalise_email("A@ＥＸＡＭＰＬＥ.org") == "a@example.org"
    assert tokens.normalise_email("a@STRASSE.example") == "a@strasse.example"


def test_people_with_one_name_get_a_hint(client, tenant, meeting):
    assert "Only one name?" in client.get(form_url(tenant, meeting)).content.decode()
    meeting.questions = {"questions": [{"field_name": "last_name", "required": False}]}
    meeting.save()
    page = client.get(form_url(tenant, meeting)).content.decode()
    assert "Only one name?" not in page and "(optional)" in page
    assert post(client, form_url(tenant, meeting), {"last_name": ""}).status_code == 303
