"""The form is Zoom's own: questions, flags, kinds, limits, dates (issue: the form)."""

import pytest
from django.utils import translation

from wagtail_zoom.frontend import form_links
from wagtail_zoom.frontend.form_links import Ref
from wagtail_zoom.registration import questions
from wagtail_zoom.registration.form import RegistrationForm, make_form
from wagtail_zoom.sync.questions import keep

from .conftest import PERSON, make_meeting, offer, url_of

CUSTOM = [
    {"title": "Do you own?", "type": "single_radio", "required": True, "answers": ["Own", "Rent"]},
    {"title": "Which fuel?", "type": "multiple", "required": False, "answers": ["Gas", "Oil"]},
    {"title": "City size", "type": "single_dropdown", "required": False, "answers": ["S", "L"]},
    {"title": "Ask us", "type": "short", "required": False},
]


def test_reference_proves_our_offer():
    """A changed or foreign reference opens nothing."""
    ref = Ref(1, 2, 3, "de", {"date": "x"})
    text = ref.sign()
    assert form_links.read(text) == ref
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), "", "x" * 700, "a:b:c"):
        assert form_links.read(wrong) is None


def test_standard_questions_with_their_flags(place):
    asked = [
        {"field_name": "last_name", "required": True},
        {"field_name": "country", "required": True},
        {"field_name": "no_of_employees", "required": False},
        {"field_name": "evil", "required": True},
    ]
    meeting = make_meeting(place, questions={"questions": asked})
    form = make_form(offer(place, meeting), dict(PERSON))
    assert list(form.fields) == ["first_name", "last_name", "email", "country", "no_of_employees"]
    assert set(form.errors) == {"country"}
    form = make_form(
        offer(place, meeting), {**PERSON, "country": "DE", "no_of_employees": "500-1,000"}
    )
    assert form.is_valid(), form.errors
    assert form.answers()["standard"]["no_of_employees"] == "500-1,000"


def test_unknown_questions_ask_for_both_names(place):
    """Before the first read of the questions the form is what Zoom asks by default."""
    meeting = make_meeting(place, questions={}, questions_at=None)
    form = make_form(offer(place, meeting))
    assert list(form.fields) == ["first_name", "last_name", "email"]


def test_custom_questions_of_every_kind(place):
    meeting = make_meeting(place, questions={"questions": [], "custom_questions": CUSTOM})
    form = make_form(offer(place, meeting))
    names = {one.title: one.name for one in form.questions.custom}
    data = {
        **PERSON,
        names["Do you own?"]: "Rent",
        names["Which fuel?"]: ["Gas", "Oil"],
        names["Ask us"]: "How loud?\r\nBcc: all@example.org",
    }
    form = make_form(offer(place, meeting), data)
    assert form.is_valid(), form.errors
    assert form.answers()["custom"] == [
        {"title": "Do you own?", "value": "Rent"},
        {"title": "Which fuel?", "value": "Gas, Oil"},
        {"title": "Ask us", "value": "How loud? Bcc: all@example.org"},
    ]
    wrong = make_form(offer(place, meeting), {**data, names["Do you own?"]: "Squat"})
    assert list(wrong.errors) == [names["Do you own?"]]
    empty = make_form(offer(place, meeting), {**PERSON})
    assert list(empty.errors) == [names["Do you own?"]]


def test_limits_of_zoom(place, meeting):
    long = {**PERSON, "first_name": "x" * 65, "email": "a" * 120 + "@example.org"}
    assert set(make_form(offer(place, meeting), long).errors) == {"first_name", "email"}


@pytest.mark.parametrize(("kind", "mode"), [(1, "all"), (2, "one"), (3, "several")])
def test_dates_as_the_registration_type_allows(place, kind, mode):
    meeting = make_meeting(place, dates=(1, 2, 3), registration_type=kind)
    made = offer(place, meeting)
    assert made.mode == mode
    first, second, _third = made.dates
    form = make_form(made, dict(PERSON))
    if mode == "all":
        assert "dates" not in form.fields
        assert form.is_valid()
        return
    assert list(form.errors) == ["dates"]
    chosen = (
        str(first.public_id) if mode == "one" else [str(first.public_id), str(second.public_id)]
    )
    form = make_form(made, {**PERSON, "dates": chosen})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["dates"] == ([first] if mode == "one" else [first, second])


def test_all_remaining_dates(place):
    meeting = make_meeting(place, dates=(-3, 1, 2), registration_type=3)
    form = make_form(offer(place, meeting), {**PERSON, "dates": ["all"]})
    assert form.is_valid()
    assert len(form.cleaned_data["dates"]) == 2


def test_date_of_another_meeting_is_refused(place):
    one = make_meeting(place, dates=(1, 2), registration_type=3)
    other = make_meeting(place, dates=(1, 2), registration_type=3, zoom_id="99")
    foreign = str(other.occurrences.first().public_id)
    form = make_form(offer(place, one), {**PERSON, "dates": [foreign]})
    assert list(form.errors) == ["dates"]


@pytest.mark.parametrize(
    ("code", "language"),
    [("de", "de-DE"), ("ja", "jp-JP"), ("tr", "Tr-TR"), ("pt-br", "pt-PT"), ("nl", "")],
)
def test_languages_are_zooms(code, language):
    """Trap 16: they are not BCP 47."""
    assert questions.zoom_language(code) == language
    with translation.override(code):
        assert questions.zoom_language() == language


def test_questions_that_changed_are_noticed(meeting):
    same = {"questions": [{"field_name": "last_name", "required": True}]}
    assert keep(meeting, same) is False
    assert keep(meeting, {**same, "custom_questions": CUSTOM}) is True
    assert [one.title for one in questions.of(meeting).custom] == [one["title"] for one in CUSTOM]


class WithDiet(RegistrationForm):
    """A project's form."""

    from django.forms import CharField

    diet = CharField(required=True)


def chosen_form(site, meeting):
    return WithDiet


@pytest.mark.parametrize("name", ["WithDiet", "chosen_form"])
def test_a_project_brings_its_own_form(place, meeting, settings, name):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM, "REGISTRATION_FORM": f"tests.registration.test_form.{name}"
    }  # fmt: skip
    form = make_form(offer(place, meeting), {**PERSON, "diet": "none"})
    assert form.is_valid()
    assert form.answers()["extra"] == {"diet": "none"}


def test_page_shows_the_form(client, place, meeting):
    """Labels, hints, what happens next, who receives it; no cookie and no token (X27)."""
    place.choice.consent_text = "I agree."
    place.choice.save()
    page = client.get(url_of(place, meeting))
    html = page.content.decode()
    for text in ("Heat pumps", "Harbour House and Zoom receive", "I agree.", "What happens next"):
        assert text in html
    assert not page.cookies
    assert "csrf" not in html
    assert "no-store" in page["Cache-Control"]


def test_the_summary_says_which_question_it_is(place):
    """Links of one summary that read alike would lead to different places (WCAG 2.4.4)."""
    asked = [{**one, "required": True} for one in CUSTOM]
    standard = [{"field_name": "country", "required": True}]
    meeting = make_meeting(place, questions={"questions": standard, "custom_questions": asked})
    form = make_form(offer(place, meeting), dict(PERSON))
    lines = [text for _id, text in form.error_lines]
    assert "Do you own? Choose an answer" in lines
    assert "City size: Choose an answer" in lines
    assert len(set(lines)) == len(lines) == 5
