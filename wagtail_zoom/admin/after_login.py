"""What follows when a login ended while a page was open.

The page that is open checks it before a button saves or does anything (``session.js``). Without
JavaScript the login leads to the URL of the button with GET, which those views do not allow.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View


class PostOnlyMixin(View):
    """A GET is answered with a page that says that nothing was changed, and leads back."""

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if request.method != "GET":
            return super().http_method_not_allowed(request, *args, **kwargs)
        sentence = _(
            "You had to log in first, so nothing was changed. Please press the button again."
        )
        context = {"sentence": sentence, "back_url": self.back_url()}
        page = render(request, "wagtail_zoom/admin/after_login.html", context, status=405)
        page["Allow"] = "POST"
        return page

    def back_url(self) -> str:
        """Where the button is."""
        return reverse("wagtailadmin_home")
