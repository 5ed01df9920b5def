"""The form of one registration, built from Zoom's questions. Made to be subclassed by projects.

A subclass is named in ``WAGTAIL_ZOOM["REGISTRATION_FORM"]``. Its own fields are kept with the
sign-up (``answers["extra"]``) and never go to Zoom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.module_loading import import_string
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from ..conf import settings
from ..frontend.datetimes import When
from ..models import Meeting, Occurrence
from . import fields, questions
from .context import ONE, SEVERAL, Offer
from .fields import MULTIPLE_SEPARATOR, EmailField

EVERY = "all"
TRAP = "wz_url"
ELAPSED = "wz_ms"
CONFIRM = "wz_ok"
"""Hidden inputs: the honeypot, milliseconds that a script counted, a confirmation's signature."""


@dataclass(frozen=True)
class DateOption:
    """One date as a line of the form."""

    value: str
    id: str
    when: When
    checked: bool


class RegistrationForm(forms.Form):
    """First name, address, Zoom's questions, dates and consent, in this order.

    ``cleaned_data["dates"]`` is a list of ``Occurrence``; ``answers()`` is what is stored.
    """

    use_required_attribute = True
    required_css_class = ""

    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.offer = offer
        self.questions = questions.of(offer.meeting) if offer.meeting else questions.Questions({})
        own = dict(self.fields)
        self.fields.clear()
        self._add_dates()
        self._add_standard()
        for question in self.questions.custom:
            self.fields[question.name] = fields.custom(question)
        ours = set(self.fields)
        self.fields.update(own)
        if offer.choice and offer.choice.consent_text:
            self.fields["consent"] = forms.BooleanField(
                label=offer.choice.consent_text,
                error_messages={"required": _("Tick this box to register")},
            )
        self.our_names = {*ours, "consent"}

    def _add_dates(self) -> None:
        mode, dates = self.offer.mode, self.offer.dates
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
        known = {value for value, _label in choices}
        initial = self.offer.date if self.offer.date in known else ""
        if len(choices) == 1:
            initial = choices[0][0]
        if mode == SEVERAL:
            self.fields["dates"] = forms.MultipleChoiceField(
                label=legend,
                choices=[(EVERY, EVERY), *choices],
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
        self.fields["first_name"] = fields.standard("first_name", True)
        asked = self.questions.standard
        if "last_name" in asked:
            self.fields["last_name"] = fields.standard("last_name", asked["last_name"])
        self.fields["email"] = EmailField(
            label=_("Email address"),
            help_text=_("Everything about your registration goes to this address."),
        )
        for name, required in asked.items():
            if name != "last_name":
                self.fields[name] = fields.standard(name, required)

    def clean_dates(self) -> list[Occurrence]:
        """The dates as rows; "all" means all that were offered."""
        chosen = self.cleaned_data["dates"]
        wanted = {chosen} if isinstance(chosen, str) else set(chosen)
        every = EVERY in wanted
        return [date for date in self.offer.dates if every or str(date.public_id) in wanted]

    def answers(self) -> dict[str, Any]:
        """What is stored, and of it what goes to Zoom: nothing but fields of this form (X23)."""
        data = self.cleaned_data
        standard = {
            name: data[name]
            for name in ("first_name", "last_name", *questions.LABELS)
            if name in self.fields and data.get(name)
        }
        return {
            "standard": standard,
            "custom": [
                {"title": question.title, "value": _text(data.get(question.name))}
                for question in self.questions.custom
                if data.get(question.name)
            ],
            "extra": {
                name: _plain(data.get(name)) for name in self.fields if name not in self.our_names
            },
            "language": questions.zoom_language(get_language()),
        }

    # For templates

    @property
    def date_options(self) -> list[DateOption]:
        """The lines of the choice of dates."""
        bound = self["dates"]
        value = bound.value() or []
        chosen = {value} if isinstance(value, str) else {str(each) for each in value}
        return [
            DateOption(
                str(date.public_id),
                f"{bound.auto_id}_{place}",
                _when(date, self.offer.meeting),
                str(date.public_id) in chosen,
            )
            for place, date in enumerate(self.offer.dates, start=1)
        ]

    @property
    def every_is_chosen(self) -> bool:
        return EVERY in (self["dates"].value() or [])

    @property
    def takes_several(self) -> bool:
        return self.offer.mode == SEVERAL

    @property
    def all_dates(self) -> list[When]:
        """The dates that one registration covers without a choice."""
        return [_when(date, self.offer.meeting) for date in self.offer.dates]

    @property
    def name_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("first_name", "last_name") if name in self.fields]

    @property
    def other_fields(self) -> Iterator[forms.BoundField]:
        """Everything after the names, but for dates and consent."""
        apart = {"dates", "consent", "first_name", "last_name"}
        return (self[name] for name in self.fields if name not in apart)

    @property
    def error_title(self) -> str:
        """The heading of the summary."""
        count = len(self.errors)
        return ngettext(
            "One thing needs another look", "%(count)d things need another look", count
        ) % {"count": count}

    @property
    def error_lines(self) -> list[tuple[str, str]]:
        """``(id of the field, sentence)`` for the links of the summary."""
        return [
            (self[name].auto_id if name in self.fields else "", self._line(name, str(message)))
            for name, messages in self.errors.items()
            for message in messages
        ]

    def _line(self, name: str, message: str) -> str:
        """Away from its question, "Choose an answer" has to say which one it is about."""
        own = {question.name for question in self.questions.custom}
        chosen = isinstance(self.fields.get(name), forms.ChoiceField) and name != "dates"
        if name not in own and not chosen:
            return message
        title = str(self.fields[name].label)
        return f"{title} {message}" if title[-1:] in "?!.:" else f"{title}: {message}"


def _when(date: Occurrence, meeting: Meeting | None) -> When:
    return When.of(date.start, date.end, meeting.timezone if meeting else "")


def _text(value: Any) -> str:
    return MULTIPLE_SEPARATOR.join(value) if isinstance(value, list) else str(value or "")


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)


def form_class(site: Site, meeting: Meeting | None) -> type[RegistrationForm]:
    """The form that the project wants here."""
    found = import_string(settings.registration_form)
    return found if isinstance(found, type) else found(site, meeting)


def make_form(offer: Offer, data: Any = None, name: str = "wz-form") -> RegistrationForm:
    """A form for an offer; ``name`` keeps the ids of several forms on one page apart."""
    auto_id = f"{name}-%s"
    return form_class(offer.site, offer.meeting)(data, offer=offer, auto_id=auto_id)
