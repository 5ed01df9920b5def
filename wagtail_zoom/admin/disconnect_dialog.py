"""What is said before a Site leaves: its pages, what goes, what is kept, who has signed up."""

from __future__ import annotations

from typing import Any

from ..models import Registration
from . import data_loss, links, usage
from .site_status import Facts

ALIVE = ("unconfirmed", "waiting", "pending", "approved")
PAGES_SHOWN = 5


def context(facts: Facts) -> dict[str, Any]:
    """For the dialog of the panel and for the page that does without a script."""
    people = Registration.objects.filter(
        site=facts.site, state__in=ALIVE, dates__start__gte=facts.now
    )
    return {
        "pages": usage.with_contents(facts.pages[:PAGES_SHOWN]),
        "pages_count": len(facts.pages),
        "more_pages": max(0, len(facts.pages) - PAGES_SHOWN),
        "loss": data_loss.of_everything(facts.choice, facts.stored_hosts),
        "people": people.values("pk").distinct().count(),
        "archive": facts.grant is None,
        "leave_url": links.url("disconnect", facts),
    }
