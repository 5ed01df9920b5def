"""Form fields for Zoom's questions, with Zoom's limits."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import questions, tokens
from .questions import (
    MANY,
    MAX_ANSWER_LENGTH,
    MENU,
    MULTIPLE_SEPARATOR,
    ONE,
    TEXT,
    CustomQuestion,
)

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_NO_TOP_LEVEL_DOMAIN = re.compile(r"^\d|[^a-z0-9-]")
RESERVED_DOMAINS = {"localhost", "localdomain", "local", "internal", "invalid", "onion", "arpa"}
"""Last parts of domains that no email from outside reaches (RFC 6761, 6762, 7686, 9476)."""
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_UNSTORABLE = re.compile("[\ud800-\udfff]")
_ABBREVIATION = re.compile(r"\.(?=\s|$)")
_NAME_MARKS = " -'\u2010\u2011\u2019"
MAX_GREETED_LENGTH = 40
MAX_GREETED_WORDS = 4
MAX_RADIO_CHOICES = 7
"""More answers than this are shown as a select."""


def one_line(value: str) -> str:
    """No line break or control character may reach an email, a calendar file or a table (X17)."""
    return _UNSTORABLE.sub("\ufffd", _BREAKS.sub(" ", value)).strip()


def greetable(name: str) -> str:
    """A first name that may be greeted in an email; empty when it may be an advertisement.

    Anybody can enter any address with any name. Letters only, without what an email program turns
    into a link.
    """
    name = one_line(name)
    is_short = len(name) <= MAX_GREETED_LENGTH and len(name.split()) <= MAX_GREETED_WORDS
    letters = _ABBREVIATION.sub("", name)
    is_name = all(
        unicodedata.category(letter)[0] in "LM" or letter in _NAME_MARKS for letter in letters
    )
    return name if is_short and is_name else ""  # guard: greeting-without-links


class SingleLineField(forms.CharField):
    """Text on one line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        attrs = {"class": "wz-input", **kwargs.pop("attrs", {})}
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        return one_line(super().to_python(value) or "")


class EmailField(forms.EmailField):
    """An email address that can be reached and that Zoom accepts: at most 128 characters.

    A domain with other letters becomes its ASCII form (IDNA 2008), so that it means the same to
    everybody who gets it: Python's own codec, and so Django's emails, take ``straße`` for
    ``strasse``.

    Only one spelling of an address: mail servers read a quoted name and an encoded word
    (``=?utf-8?q?...?=``) as another address than the one that our limits count.
    """

    default_error_messages = {
        "required": _("Enter your email address"),
        "invalid": _("Enter an address such as name@example.org"),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 128)
        attrs = {"class": "wz-input", "autocomplete": "email"}
        kwargs.setdefault("widget", forms.EmailInput(attrs=attrs))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        return tokens.ascii_email(super().to_python(value) or "")

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        name, _separator, domain = str(value).lower().rpartition("@")
        last = domain.rpartition(".")[2]
        is_public = "." in domain and value.isascii() and not _NO_TOP_LEVEL_DOMAIN.search(last)
        is_plain = _DOT_ATOM.fullmatch(name) is not None and "=?" not in name
        if value and not is_plain:  # guard: one-spelling-of-email
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        if value and not (is_public and last not in RESERVED_DOMAINS):  # guard: deliverable-email
            raise ValidationError(self.error_messages["invalid"], code="invalid")


def standard_field(name: str, required: bool) -> forms.Field:
    """The field of a standard question of Zoom."""
    label = questions.LABELS[name]
    choices = questions.CHOICES.get(name)
    if name == "country":
        choices = list(questions.countries())
    attrs = {"class": "wz-input"}
    if name in questions.AUTOCOMPLETE:
        attrs["autocomplete"] = questions.AUTOCOMPLETE[name]
    if choices:
        return forms.ChoiceField(
            label=label,
            required=required,
            choices=[("", _("Please choose")), *choices],
            widget=forms.Select(attrs=attrs),
            error_messages={"required": _("Choose one"), "invalid_choice": _("Choose one")},
        )
    limit = questions.LENGTHS.get(name, 255)
    messages = {"required": _REQUIRED.get(name, _("Fill in this field"))}
    hint = _("Only one name? Enter – here.") if name == "last_name" and required else ""
    if name == "comments":
        return forms.CharField(
            label=label,
            required=required,
            max_length=limit,
            widget=forms.Textarea(attrs={**attrs, "rows": 3}),
            error_messages=messages,
        )
    if name == "phone":
        attrs["type"] = "tel"
    return SingleLineField(
        label=label,
        required=required,
        max_length=limit,
        help_text=hint,
        attrs=attrs,
        error_messages=messages,
    )


_REQUIRED = {
    "first_name": _("Enter your first name"),
    "last_name": _("Enter your last name"),
    "org": _("Enter your organisation"),
    "job_title": _("Enter your job title"),
    "address": _("Enter your street address"),
    "zip": _("Enter your postcode"),
    "city": _("Enter your city"),
    "state": _("Enter your state or region"),
    "phone": _("Enter your phone number"),
    "industry": _("Enter your industry"),
}


def custom_field(question: CustomQuestion) -> forms.Field:
    """The field of a custom question of the organiser."""
    common: dict[str, Any] = {"label": question.label, "required": question.required}
    if question.kind == TEXT:
        return SingleLineField(
            max_length=MAX_ANSWER_LENGTH,
            error_messages={"required": _("Answer this question")},
            **common,
        )
    choices: list[tuple[str, str | Promise]] = [(answer, answer) for answer in question.answers]
    messages = {
        "required": _("Choose an answer"),
        "invalid_choice": _("Choose one of the answers"),
    }
    if question.kind == MANY:
        return MultipleAnswersField(
            choices=choices,
            help_text=_("Choose all that apply."),
            error_messages=messages,
            **common,
        )
    is_menu = question.kind == MENU or (question.kind == ONE and len(choices) > MAX_RADIO_CHOICES)
    if is_menu:
        choices = [("", _("Please choose")), *choices]
        widget: forms.Widget = forms.Select(attrs={"class": "wz-input"})
    else:
        widget = forms.RadioSelect()
    return forms.ChoiceField(choices=choices, widget=widget, error_messages=messages, **common)


class MultipleAnswersField(forms.MultipleChoiceField):
    """Several answers, as Zoom can take them apart and no longer than it accepts.

    A single one is sent as it is.
    """

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> list[str]:
        answers: list[str] = super().clean(value)
        whole = next((answer for answer in answers if MULTIPLE_SEPARATOR in answer), None)
        if len(answers) > 1 and whole is not None:
            message = _("Choose “%(answer)s” alone or not at all")
            raise ValidationError(message, code="separator", params={"answer": whole})
        if len(answers) > 1 and len(MULTIPLE_SEPARATOR.join(answers)) > MAX_ANSWER_LENGTH:
            raise ValidationError(_("Choose fewer answers"), code="too_long")
        return answers
