"""The signed reference in a form's address: proves that we offered this form there.

It names Site, page and meeting, and nothing else can be registered for with it. It does not
expire: the page with the form may stand in a cache for days. What it names is judged anew when
it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.urls import reverse

SALT = "wagtail_zoom.registration.form"
LONGEST = 600


@dataclass(frozen=True)
class Ref:
    """What one form was offered for."""

    site_id: int
    page_id: int | None
    meeting_id: int
    locale: str = ""
    """The language of the page, so that answers come in it whatever the browser prefers."""
    options: dict[str, Any] = field(default_factory=dict)
    """``date``: the public id of the date that is chosen beforehand."""

    def sign(self) -> str:
        """As text for an address: without a time, so that a page reads the same each second."""
        value = [self.site_id, self.page_id, self.meeting_id, self.locale, self.options]
        return signing.Signer(salt=SALT).sign_object(value)

    @property
    def url(self) -> str:
        """Where the form posts to."""
        return reverse("wagtail_zoom:register", args=[self.sign()])


def read(text: str) -> Ref | None:
    """The reference, or None when we did not make it."""
    if len(text) > LONGEST:
        return None
    try:
        site_id, page_id, meeting_id, locale, options = signing.Signer(salt=SALT).unsign_object(
            text
        )  # guard: form-reference-signed
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Ref(site_id, page_id, meeting_id, locale, options)
