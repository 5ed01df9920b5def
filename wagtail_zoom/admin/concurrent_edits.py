"""Two people, or two tabs, with the same form: the later save does not overwrite the earlier one
silently."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from . import formatting

SEEN_FIELD = "seen_values"
MAX_TEXT = 80


class ConcurrentEditForm(forms.BaseForm):
    """For model forms: refuses to save over values that somebody changed after the form was opened.

    The form remembers the stored values that it showed, as digests in a hidden field. Fields that
    come back as they were shown keep what somebody else saved. What was entered stays in the form;
    saving again replaces the other values of those fields.
    """

    data: Any
    """What was posted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEEN_FIELD] = forms.CharField(required=False, widget=forms.HiddenInput)
        # Evaluated when the field is rendered: subclasses add initial values.
        self.initial[SEEN_FIELD] = self.stored_digests

    def stored_digests(self) -> str:
        """The stored value of each field, as digests."""
        names = (name for name in self.fields if name != SEEN_FIELD)
        return json.dumps({name: digest(self._stored_value(name)) for name in names})

    def full_clean(self) -> None:
        self._keep_others_values()
        super().full_clean()

    def _keep_others_values(self) -> None:
        """Put what is stored now into the fields that only somebody else has changed."""
        seen = read_digests(self.data.get(self.add_prefix(SEEN_FIELD)))
        data = self.data.copy()
        for name in self.fields:
            stored = self._stored_value(name)
            if seen.get(name) in (None, digest(stored)):
                continue
            if seen[name] == digest(self._entered_value(name)):
                values = list(stored) if isinstance(stored, list | tuple | set) else [stored]
                data.setlist(self.add_prefix(name), values)
        self.data = data

    def _entered_value(self, name: str) -> Any:
        field, key = self.fields[name], self.add_prefix(name)
        value = field.widget.value_from_datadict(self.data, self.files, key)
        with suppress(forms.ValidationError):
            return field.clean(value)
        return value

    def clean(self) -> Any:
        cleaned = super().clean()
        names = self._overwritten_names()
        if names:
            self.add_error(None, self._conflict_text(names))
            stored = self.stored_digests()
            self.data = self.data.copy()
            self.data[self.add_prefix(SEEN_FIELD)] = stored
        return cleaned

    def last_change(self) -> tuple[Any, Any] | None:
        """Who saved last, and when, if it is known."""
        return None

    def _stored_value(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _overwritten_names(self) -> list[str]:
        """Fields whose stored value is neither the one that the form showed nor the entered one."""
        seen = read_digests(self.data.get(self.add_prefix(SEEN_FIELD)))
        return [
            name
            for name in self.fields
            if name in seen
            and seen[name] != digest(self._stored_value(name))
            and name in self.changed_data
        ]

    def _conflict_text(self, names: Iterable[str]) -> str:
        labels = formatting.join_list(self._label_with_value(name) for name in names)
        change = self.last_change()
        if change is None:
            text = _(
                "Somebody else saved other values after you opened this page: %(fields)s. "
                "Yours are not saved. Save again to replace the others, or reload the page to "
                "keep them."
            )
            return text % {"fields": labels}
        person, changed_at = change
        text = _(
            "%(person)s saved other values after you opened this page (%(time)s): %(fields)s. "
            "Yours are not saved. Save again to replace the others, or reload the page to keep "
            "them."
        )
        return text % {
            "person": person,
            "time": formatting.relative_date_time(changed_at),
            "fields": labels,
        }

    def _label_with_value(self, name: str) -> str:
        value = self._stored_value(name)
        field: Any = self.fields[name]
        label = str(field.label or name)
        if isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            value = dict(choices).get(value, value)
        if isinstance(value, bool):
            value = _("on") if value else _("off")
        text = "" if isinstance(value, list | tuple | set) or name == "image" else str(value or "–")
        if not text or len(text) > MAX_TEXT:
            return label
        return _("%(field)s (now “%(value)s”)") % {"field": label, "value": text}


def digest(value: Any) -> str:
    """A short fingerprint of a form value; no value and an empty text have the same."""
    if value is None or isinstance(value, str):
        text = (value or "").replace("\r\n", "\n")
    elif isinstance(value, Iterable):
        text = ",".join(sorted(str(getattr(item, "pk", item)) for item in value))
    else:
        text = str(getattr(value, "pk", value))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_digests(text: str | None) -> dict[str, str]:
    """The posted digests; empty when they were not posted or are not ours."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
