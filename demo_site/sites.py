"""The three Sites: names, people and texts. All data is fictional."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PASSWORD = "demo"
"""Password of all users."""
ADMIN = "admin"
"""Username of the superuser."""

Block = dict[str, Any]


def text(html: str) -> Block:
    """A rich text block."""
    return {"type": "text", "value": html}


def dates(heading: str = "", **options: Any) -> Block:
    """A meeting list block."""
    return {"type": "meetings", "value": {"heading": heading, **options}}


def next_date(heading: str = "", **options: Any) -> Block:
    """A next meeting block."""
    return {"type": "next_meeting", "value": {"heading": heading, **options}}


def calendar(heading: str = "", **options: Any) -> Block:
    """A calendar block."""
    return {"type": "calendar", "value": {"heading": heading, **options}}


def recordings(heading: str = "", **options: Any) -> Block:
    """A recording list block."""
    return {"type": "recordings", "value": {"heading": heading, **options}}


@dataclass(frozen=True)
class PageData:
    """Texts and blocks of one page."""

    title: str
    lead: str
    body: list[Block]


@dataclass(frozen=True)
class SiteData:
    """One Site, its owner and what it shows."""

    key: str
    """Also the owner's username and the key of the simulator's account."""
    name: str
    owner: tuple[str, str]
    about: str
    address: str
    zone: str
    """The owner's time zone in the admin."""
    home: PageData
    events: PageData
    recordings: PageData
    kinds: frozenset[str] = field(default_factory=frozenset)
    """Kinds shown from the start; empty: the Site is not connected."""
    may_schedule: bool = False
    """Whether Zoom has allowed the Site to schedule meetings."""
    transcripts: bool = False
    """Whether the Site also shows transcripts."""
    summaries: bool = False
    """Whether the Site also shows summaries of meetings."""
    attendance: bool = False
    """Whether the Site records who attended."""
    theme: str = ""
    """One of ``HomePage.Theme``; empty: the one named like the key."""

    @property
    def hostname(self) -> str:
        """A name under ``localhost``, which browsers resolve to this machine."""
        return f"{self.key}.localhost"

    @property
    def email(self) -> str:
        """The owner's email."""
        return f"{self.key}@example.org"

    @property
    def zoom_user(self) -> str:
        """Key of the simulator's user who allows access on the consent page."""
        return f"{self.key}-0"


AURORA = SiteData(
    key="aurora",
    name="Aurora Yoga",
    owner=("Ines", "Krüger"),
    about="A yoga teacher: meetings and recordings",
    address="Oderberger Straße, Berlin",
    zone="Europe/Berlin",
    kinds=frozenset({"meeting", "recording"}),
    may_schedule=True,
    summaries=True,
    attendance=True,
    home=PageData(
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
    events=PageData(
        title="Classes",
        lead=(
            "Every week of the year, mornings and evenings. When a class moves or has to be "
            "cancelled, it says so here first."
        ),
        body=[dates(limit=12)],
    ),
    recordings=PageData(
        title="Practise again",
        lead="Classes you missed, or would like to do once more, at your own hour.",
        body=[recordings(limit=12)],
    ),
)

BOREALIS = SiteData(
    key="borealis",
    name="Borealis Institute",
    owner=("Lena", "Brandt"),
    about="An institute: several hosts, webinars, series",
    address="Old Weather Station, Craftsbury, Vermont",
    zone="America/New_York",
    kinds=frozenset({"meeting", "webinar", "recording"}),
    transcripts=True,
    home=PageData(
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
    events=PageData(
        title="Programme",
        lead="All lectures, groups and studios to come, in the order in which they happen.",
        body=[dates(layout="agenda", limit=20, filters=True), calendar("By month")],
    ),
    recordings=PageData(
        title="Archive",
        lead="Lectures as they were held, coughs and questions included.",
        body=[recordings(limit=12, search=True)],
    ),
)

OFF = "For now the programme hangs on the blue door. It will be here as well, soon."

HARBOUR = SiteData(
    key="harbour",
    name="Harbour House",
    owner=("Josefine", "Adler"),
    about="A neighbourhood house: not connected yet",
    address="3 Net Loft Lane, on the quay",
    zone="Europe/London",
    home=PageData(
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
    events=PageData(
        title="What is on",
        lead="Everything that is planned, in the house and online.",
        body=[dates(limit=12, off=OFF), calendar("The month at a glance")],
    ),
    recordings=PageData(
        title="Watch again",
        lead="Talks and workshops that people asked us to keep.",
        body=[recordings(limit=30, off="Nothing has been put up here yet.")],
    ),
)

SITES = (AURORA, BOREALIS, HARBOUR)
