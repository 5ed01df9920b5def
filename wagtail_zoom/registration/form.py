"""The registration form, built from Zoom's questions. Projects may subclass it.

``WAGTAIL_ZOOM["REGISTRATION_FORM"]`` names the subclass. Its own fields are stored with the
registration (``answers["extra"]``) and never sent to Zoom.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.module_loading import import_string
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from ..conf import settings
from ..frontend.datetimes import TimeRange
from ..models import Meeting, Occurrence
from . import fields, questions
from .context import ONE, SEVERAL, FormContext
from .fields import EmailField

ALL_DATES = "all"
HONEYPOT = "wz_url"
ELAPSED_MS = "wz_ms"
CONFIRMATION = "wz_ok"
"""Hidden inputs: the honeypot, milliseconds counted by a script, a signed confirmation."""
FORM_ID = "wz_form"
"""Hidden input: the prefix of the ids of this form, so that the form of an answer has the same."""
DEFAULT_ID = "wz-form"
MAX_DATES = 5
"""With more than two further dates these are folded."""
_ID = re.compile(r"wz-[a-z0-9-]{1,32}")


@dataclass(frozen=True)
class DateOption:
    """One date as an option of the form."""

    value: str
    id: str
    when: TimeRange
    checked: bool


class RegistrationForm(forms.Form):
    """Dates, names, email, Zoom's questions and consent.

    ``cleaned_data["dates"]`` is a list of ``Occurrence``; ``answers()`` is what is stored.
    """

    use_required_attribute = True
    required_css_class = ""

    def __init__(self, *args: Any, form_context: FormContext, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.form_context = form_context
        self.questions = (
            questions.questions_of(form_context.meeting)
            if form_context.meeting
            else questions.Questions({})
        )
        project_fields = dict(self.fields)
        self.fields.clear()
        self._add_dates()
        self._add_standard()
        for question in self.questions.custom:
            self.fields[question.name] = fields.custom_field(question)
        builtin_names = set(self.fields)
        self.fields.update(project_fields)
        if form_context.site_settings and form_context.site_settings.consent_text:
            self.fields["consent"] = forms.BooleanField(
                label=form_context.site_settings.consent_text,
                error_messages={"required": _("Tick this box to register")},
            )
        self.builtin_names = {*builtin_names, "consent"}

    def _add_dates(self) -> None:
        mode, dates = self.form_context.mode, self.form_context.dates
        if mode not in (ONE, SEVERAL):
            return
        choices = [(str(date.public_id), str(date.public_id)) for date in dates]
        legend = (
            _("Which dates would you like to attend?")
            if mode == SEVERAL
            else _("Which date would you like to attend?")
        )
        messages = {
            "required": _("Choose at least one date") if mode == SEVERAL else _("Choose a date"),
            "invalid_choice": _("One of the dates is no longer offered. Please choose again"),
        }
        values = {value for value, _label in choices}
        initial = self.form_context.date if self.form_context.date in values else ""
        if len(choices) == 1:
            initial = choices[0][0]
        if mode == SEVERAL:
            self.fields["dates"] = forms.MultipleChoiceField(
                label=legend,
                choices=[(ALL_DATES, ALL_DATES), *choices],
                widget=forms.CheckboxSelectMultiple,
                error_messages=messages,
                initial=[initial] if initial else [],
            )
        else:
            self.fields["dates"] = forms.ChoiceField(
                label=legend,
                choices=choices,
                widget=forms.RadioSelect,
                error_messages=messages,
                initial=initial,
            )

    def _add_standard(self) -> None:
        self.fields["first_name"] = fields.standard_field("first_name", True)
        required_by_name = self.questions.standard
        if "last_name" in required_by_name:
            self.fields["last_name"] = fields.standard_field(
                "last_name", required_by_name["last_name"]
            )
        self.fields["email"] = EmailField(
            label=_("Email address"),
            help_text=_("We send your confirmation and joining details to this address."),
        )
        for name, required in required_by_name.items():
            if name != "last_name":
                self.fields[name] = fields.standard_field(name, required)

    def clean_dates(self) -> list[Occurrence]:
        """The chosen occurrences; "all" means all that the form shows."""
        chosen = self.cleaned_data["dates"]
        chosen_ids = {chosen} if isinstance(chosen, str) else set(chosen)
        is_all = ALL_DATES in chosen_ids
        return [
            date for date in self.form_context.dates if is_all or str(date.public_id) in chosen_ids
        ]

    def answers(self) -> dict[str, Any]:
        """What is stored and sent to Zoom: only fields of this form (X23)."""
        data = self.cleaned_data
        standard = {
            name: data[name]
            for name in ("first_name", "last_name", *questions.LABELS)
            if name in self.fields and data.get(name)
        }
        return {
            "standard": standard,
            "custom": [
                {
                    "title": question.title,
                    "label": question.label,
                    "value": data.get(question.name),
                }
                for question in self.questions.custom
                if data.get(question.name)
            ],
            "extra": {
                name: _json_value(data.get(name))
                for name in self.fields
                if name not in self.builtin_names
            },
            "language": questions.zoom_language(get_language()),
        }

    # For templates

    @property
    def html_id(self) -> str:
        """The prefix of its ids."""
        return str(self.auto_id).removesuffix("-%s")

    @property
    def date_options(self) -> list[DateOption]:
        """The options of the dates field."""
        bound = self["dates"]
        value = bound.value() or []
        chosen = {value} if isinstance(value, str) else {str(item) for item in value}
        return [
            DateOption(
                str(date.public_id),
                f"{bound.auto_id}_{number}",
                _time_range(date, self.form_context.meeting),
                str(date.public_id) in chosen,
            )
            for number, date in enumerate(self.form_context.dates, start=1)
        ]

    @property
    def first_dates(self) -> list[DateOption] | list[TimeRange]:
        """The dates above the names: a few of many, the others are folded."""
        return self._dates[:MAX_DATES] if self.further_dates else self._dates

    @property
    def further_dates(self) -> list[DateOption] | list[TimeRange]:
        return self._dates[MAX_DATES:] if len(self._dates) > MAX_DATES + 2 else []

    @property
    def opens_further_dates(self) -> bool:
        """Whether one of them is chosen."""
        return any(isinstance(date, DateOption) and date.checked for date in self.further_dates)

    @property
    def _dates(self) -> list[DateOption] | list[TimeRange]:
        return self.date_options if "dates" in self.fields else self.all_dates

    @property
    def is_all_chosen(self) -> bool:
        return ALL_DATES in (self["dates"].value() or [])

    @property
    def takes_several(self) -> bool:
        return self.form_context.mode == SEVERAL

    @property
    def all_dates(self) -> list[TimeRange]:
        """The dates that the registration covers where there is no choice."""
        return [_time_range(date, self.form_context.meeting) for date in self.form_context.dates]

    @property
    def name_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("first_name", "last_name") if name in self.fields]

    @property
    def other_fields(self) -> Iterator[forms.BoundField]:
        """All fields except names, dates and consent."""
        excluded = {"dates", "consent", "first_name", "last_name"}
        return (self[name] for name in self.fields if name not in excluded)

    @property
    def error_title(self) -> str:
        """The heading of the summary."""
        count = len(self.errors)
        return ngettext("Please fix one problem", "Please fix %(count)d problems", count) % {
            "count": count
        }

    @property
    def error_lines(self) -> list[tuple[str, str]]:
        """``(id of an input, message)`` for the links of the summary."""
        return [
            (self._first_input(name) if name in self.fields else "", self._line(name, str(message)))
            for name, messages in self.errors.items()
            for message in messages
        ]

    def _first_input(self, name: str) -> str:
        """The id of the input that a link of the summary leads to."""
        bound = self[name]
        if name == "dates":
            options = self.date_options
            has_all = self.takes_several and len(options) > 1
            return f"{bound.auto_id}_all" if has_all else options[0].id
        return bound.id_for_label or bound.subwidgets[0].id_for_label

    def _line(self, name: str, message: str) -> str:
        """In the summary, "Choose an answer" also has to name its question."""
        custom_names = {question.name for question in self.questions.custom}
        has_options = isinstance(self.fields.get(name), forms.ChoiceField) and name != "dates"
        if name not in custom_names and not has_options:
            return message
        title = str(self.fields[name].label)
        return f"{title} {message}" if title[-1:] in "?!.:" else f"{title}: {message}"


def _time_range(date: Occurrence, meeting: Meeting | None) -> TimeRange:
    return TimeRange.of(
        date.start,
        date.end,
        meeting.timezone if meeting else "",
        has_end=date.has_end,
    )


def _json_value(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)


def form_class(site: Site, meeting: Meeting | None) -> type[RegistrationForm]:
    """The form class of the project."""
    configured = import_string(settings.registration_form)
    return configured if isinstance(configured, type) else configured(site, meeting)


def make_form(form_context: FormContext, data: Any = None, name: str = "") -> RegistrationForm:
    """The form of a context.

    Args:
        data: what was posted.
        name: prefix of its ids, which keeps several forms on one page distinct. Without it, the
            one that was posted.
    """
    posted = str(data.get(FORM_ID, "")) if data else ""
    name = name or (posted if _ID.fullmatch(posted) else DEFAULT_ID)
    return form_class(form_context.site, form_context.meeting)(
        data, form_context=form_context, auto_id=f"{name}-%s"
    )
