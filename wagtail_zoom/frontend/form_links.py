"""The signed token in a form's URL: proves that we showed this form on this page.

It contains Site, page and meeting, and registers for nothing else. It does not expire, because the
page with the form may be cached for days. All rules are checked again when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.urls import reverse

SALT = "wagtail_zoom.registration.form"
MAX_LENGTH = 600


@dataclass(frozen=True)
class FormLink:
    """Site, page and meeting of one form."""

    site_id: int
    page_id: int | None
    meeting_id: int
    locale: str = ""
    """The language of the page, for the responses, whatever the browser prefers."""
    options: dict[str, Any] = field(default_factory=dict)
    """``date``: the public id of the preselected occurrence. ``offered_by``: the page with the link
    to a form that is on no page. ``chosen`` and ``count``: after a registration, the beginnings of
    the public ids of the first dates, and how many dates there are."""

    def sign(self) -> str:
        """The signed token for a URL. It has no timestamp, so the page stays the same."""
        value = [self.site_id, self.page_id, self.meeting_id, self.locale, self.options]
        return signing.Signer(salt=SALT).sign_object(value)

    @property
    def offered_by(self) -> int | None:
        """The page that offers the form: whoever may not see it cannot use the form."""
        return self.page_id or self.options.get("offered_by")

    @property
    def url(self) -> str:
        """The URL to which the form posts."""
        return reverse("wagtail_zoom:register", args=[self.sign()])


def unsign(text: str) -> FormLink | None:
    """The form link of a token, or None when its signature is not ours."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        site_id, page_id, meeting_id, locale, options = signing.Signer(salt=SALT).unsign_object(
            text
        )  # guard: form-reference-signed
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return FormLink(site_id, page_id, meeting_id, locale, options)
