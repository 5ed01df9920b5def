"""The three sites: names, people and words. Everything here is invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PASSWORD = "demo"
"""Everybody's."""
ADMIN = "admin"
"""Log-in of the superuser."""

Block = dict[str, Any]


def text(html: str) -> Block:
    """A rich text block."""
    return {"type": "text", "value": html}


def dates(heading: str = "", **options: Any) -> Block:
    """A list of dates."""
    return {"type": "meetings", "value": {"heading": heading, **options}}


def next_date(heading: str = "", **options: Any) -> Block:
    """The next date, large."""
    return {"type": "next_meeting", "value": {"heading": heading, **options}}


def calendar(heading: str = "", **options: Any) -> Block:
    """A month."""
    return {"type": "calendar", "value": {"heading": heading, **options}}


def recordings(heading: str = "", **options: Any) -> Block:
    """A list of recordings."""
    return {"type": "recordings", "value": {"heading": heading, **options}}


@dataclass(frozen=True)
class PageFacts:
    """Words and blocks of one page."""

    title: str
    lead: str
    body: list[Block]


@dataclass(frozen=True)
class SiteFacts:
    """One site, its owner and, when it is connected from the start, the person at Zoom."""

    key: str
    """Also the look, the owner's log-in and the account in the simulator's seed data."""
    name: str
    owner: tuple[str, str]
    about: str
    address: str
    zone: str
    """The owner's clock in the admin."""
    home: PageFacts
    events: PageFacts
    recordings: PageFacts
    kinds: frozenset[str] = field(default_factory=frozenset)
    """What the owner shows from the start; empty: the site is not connected."""
    transcripts: bool = False
    """Whether the owner also shows what was said."""

    @property
    def hostname(self) -> str:
        """Browsers resolve every name under ``localhost`` to this machine by themselves."""
        return f"{self.key}.localhost"

    @property
    def email(self) -> str:
        """The owner's address."""
        return f"{self.key}@example.org"

    @property
    def zoom_user(self) -> str:
        """The person in the simulator who says yes on the consent page."""
        return f"{self.key}-0"


AURORA = SiteFacts(
    key="aurora",
    name="Aurora Yoga",
    owner=("Ines", "Krüger"),
    about="A yoga teacher: meetings and recordings",
    address="Oderberger Straße, Berlin",
    zone="Europe/Berlin",
    kinds=frozenset({"meeting", "recording"}),
    home=PageFacts(
        title="Yoga before the day gets loud",
        lead=(
            "Small classes with Ines Krüger, live from Berlin. Roll out your mat, leave the "
            "camera off if you like, and begin."
        ),
        body=[
            next_date(),
            dates("This week and next", limit=5, paging=False),
            text(
                "<h2>How a class works</h2>"
                "<p>You need a mat, a blanket and a bit of wall. Come five minutes early, say "
                "hello or stay quiet, both are fine. We start slowly and on time.</p>"
                "<p>Nobody has to be seen. If something hurts, leave it out and breathe until "
                "the rest of us catch up with you.</p>"
            ),
            recordings("Practise again", limit=3, paging=False),
        ],
    ),
    events=PageFacts(
        title="Classes",
        lead=(
            "Every week of the year, mornings and evenings. When a class moves or has to be "
            "cancelled, it says so here first."
        ),
        body=[dates(limit=12)],
    ),
    recordings=PageFacts(
        title="Practise again",
        lead="Classes you missed, or would like to do once more, at your own hour.",
        body=[recordings(limit=12)],
    ),
)

BOREALIS = SiteFacts(
    key="borealis",
    name="Borealis Institute",
    owner=("Lena", "Brandt"),
    about="An institute: several hosts, webinars, series",
    address="Old Weather Station, Craftsbury, Vermont",
    zone="America/New_York",
    kinds=frozenset({"meeting", "webinar", "recording"}),
    transcripts=True,
    home=PageFacts(
        title="Evenings for people who want to know how things work",
        lead=(
            "Lectures, reading groups and open studios. Founded in 1974 in a disused weather "
            "station, open to everyone with a chair and a connection."
        ),
        body=[
            dates("Lectures and webinars", kind="webinar", limit=3, layout="cards", paging=False),
            dates("Groups and studios", kind="meeting", limit=5, paging=False),
            text(
                "<h2>Free, and meant to be</h2>"
                "<p>The Institute is paid for by its members and by the wind turbine on the "
                "ridge. Lectures are open to all and need no preparation. Reading groups ask "
                "that you read.</p>"
            ),
            recordings("From the archive", limit=3, paging=False),
        ],
    ),
    events=PageFacts(
        title="Programme",
        lead="All lectures, groups and studios to come, in the order in which they happen.",
        body=[dates(layout="agenda", limit=20, filters=True), calendar("By month")],
    ),
    recordings=PageFacts(
        title="Archive",
        lead="Lectures as they were held, coughs and questions included.",
        body=[recordings(limit=12, search=True)],
    ),
)

OFF = "For now the programme hangs on the blue door. It will be here as well, soon."

HARBOUR = SiteFacts(
    key="harbour",
    name="Harbour House",
    owner=("Josefine", "Adler"),
    about="A neighbourhood house: not connected yet",
    address="3 Net Loft Lane, on the quay",
    zone="Europe/London",
    home=PageFacts(
        title="The house on the quay belongs to everyone who uses it",
        lead=(
            "Bread, bicycles, seeds and a choir. Come by, or join from the kitchen table when "
            "the ferry does not run."
        ),
        body=[
            dates("Coming up", limit=5, paging=False, off=OFF),
            text(
                "<h2>Bring what is broken</h2>"
                "<p>On Saturdays the repair café has the long table. Lamps, zips and toasters "
                "have the best chances. For planning evenings we meet online, so that the "
                "islands can take part.</p>"
            ),
        ],
    ),
    events=PageFacts(
        title="What is on",
        lead="Everything that is planned, in the house and online.",
        body=[dates(limit=12, off=OFF), calendar("The month at a glance")],
    ),
    recordings=PageFacts(
        title="Watch again",
        lead="Talks and workshops that people asked us to keep.",
        body=[recordings(limit=30, off="Nothing has been put up here yet.")],
    ),
)

SITES = (AURORA, BOREALIS, HARBOUR)
