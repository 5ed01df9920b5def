"""Form fields for Zoom's questions, with Zoom's limits."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import questions
from .questions import MANY, MAX_ANSWER_LENGTH, MENU, ONE, TEXT, CustomQuestion

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_UNSTORABLE = re.compile("[\ud800-\udfff]")
MAX_RADIO_CHOICES = 7
"""More answers than this are shown as a select."""
MULTIPLE_SEPARATOR = ", "


def one_line(value: str) -> str:
    """No line break or control character may reach an email, a calendar file or a table (X17)."""
    return _UNSTORABLE.sub("\ufffd", _BREAKS.sub(" ", value)).strip()


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
    """An email address as Zoom accepts it: at most 128 characters."""

    default_error_messages = {
        "required": _("Enter your email address"),
        "invalid": _("Enter an address such as name@example.org"),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 128)
        attrs = {"class": "wz-input", "autocomplete": "email"}
        kwargs.setdefault("widget", forms.EmailInput(attrs=attrs))
        super().__init__(**kwargs)


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
        label=label, required=required, max_length=limit, attrs=attrs, error_messages=messages
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
    common: dict[str, Any] = {"label": question.title, "required": question.required}
    if question.kind == TEXT:
        return SingleLineField(
            max_length=MAX_ANSWER_LENGTH,
            error_messages={"required": _("Answer this question")},
            **common,
        )
    choices = [(answer, answer) for answer in question.answers]
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
    """Several answers, together no longer than Zoom accepts."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> list[str]:
        answers: list[str] = super().clean(value)
        if len(MULTIPLE_SEPARATOR.join(answers)) > MAX_ANSWER_LENGTH:
            raise ValidationError(_("Choose fewer answers"), code="too_long")
        return answers
