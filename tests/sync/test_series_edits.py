"""Whatever people do to a series at Zoom: each date stays itself, as long as it takes place.

A few sequences of edits in each run, a thousand with ``make properties``.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.examples import IS_NIGHTLY, examples
from wagtail_zoom.frontend.queries import OccurrenceQuery, occurrences_of
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import Meeting, Occurrence, Registration, RegistrationDate
from wagtail_zoom.registration.status import status_page_of

pytestmark = pytest.mark.django_db
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")
EDIT = st.one_of(
    st.tuples(st.just("hours"), st.sampled_from([-5, -1, 1, 2, 5])),
    st.tuples(st.just("days"), st.sampled_from([-3, -1, 1, 3])),
    st.tuples(st.just("hours and count"), st.sampled_from([-1, 1])),
    st.tuples(st.just("zone"), st.sampled_from(ZONES)),
    st.tuples(st.just("count"), st.sampled_from([-2, -1, 1, 2])),
    st.tuples(st.just("move one"), st.integers(1, 50)),
    st.tuples(st.just("cancel one"), st.integers(0, 5)),
    st.tuples(st.just("restore one"), st.integers(0, 5)),
    st.tuples(st.just("duration"), st.sampled_from([30, 45, 90])),
    st.tuples(st.just("topic"), st.just(0)),
    st.tuples(st.just("single"), st.just(0)),
    st.tuples(st.just("series"), st.just(0)),
)


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Series:
    """A meeting at Zoom, and the public id that each of its dates must have here."""

    def __init__(self, zoom, deliver, site_settings, zone, count, every, chosen):
        self.zoom, self.deliver, self.site_settings = zoom, deliver, site_settings
        self.rule = {"type": 2, "repeat_interval": every, "end_times": count}
        doc = zoom.create_meeting(
            "borealis-0",
            topic="Edited",
            start_time="+12d 18:30",
            timezone=zone,
            recurrence=self.rule,
            registration="auto",
            settings={"registration_type": 3},
        )
        self.number = doc["id"]
        deliver()
        self.meeting = Meeting.objects.get(zoom_id=str(self.number))
        self.expected = [self.row_at(start).public_id for start, _status in self.dates()]
        self.moved_alone: set[int] = set()
        self.cancelled: set[int] = set()
        chosen = min(chosen, count - 1)
        person = zoom.register(
            self.number,
            email="mika@example.org",
            first_name="Mika",
            last_name="Tanaka",
            occurrence_ids=[doc["occurrences"][chosen]["occurrence_id"]],
        )
        self.person = Registration.objects.create(
            site=site_settings.site, account=self.meeting.account, meeting=self.meeting,
            meeting_zoom_id=str(self.number), state="approved", email="mika@example.org",
            email_index="x", idempotency_key=f"edits {self.number}", locale="en",
            zoom_registrant_id=person["id"],
        )  # fmt: skip
        occurrence = Occurrence.objects.get(public_id=self.expected[chosen])
        RegistrationDate.objects.create(
            registration=self.person, occurrence=occurrence,
            zoom_occurrence_id=occurrence.zoom_id, start=occurrence.start,
        )  # fmt: skip
        self.chosen = self.expected[chosen]

    @property
    def doc(self):
        return self.zoom.meeting(self.number)

    def dates(self):
        """Start and status of each date at Zoom, in the order of the rule."""
        doc = self.doc
        dates = doc.get("occurrences") or [{"start_time": doc["start_time"], "status": "available"}]
        return [(parse(date["start_time"]), date["status"]) for date in dates]

    def row_at(self, start):
        rows = Occurrence.objects.filter(meeting=self.meeting, start=start)
        return rows.exclude(state="cancelled").get()

    def edit(self, what, value):
        doc = self.doc
        is_series = "occurrences" in doc
        start, fields = parse(doc["start_time"]), {}
        if what in ("hours", "hours and count"):
            fields["start_time"] = (start + timedelta(hours=value)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if what == "days":
            wall = start.astimezone(ZoneInfo(doc["timezone"])) + timedelta(days=value)
            fields["start_time"] = wall.strftime("%Y-%m-%dT%H:%M:%S")
        if what in ("count", "hours and count") and is_series:
            self.rule = {**self.rule, "end_times": max(2, self.rule["end_times"] + value)}
            fields["recurrence"] = self.rule
        if what in ("zone", "duration", "topic"):
            name = {"zone": "timezone"}.get(what, what)
            fields[name] = f"Edited {value}" if what == "topic" else value
        if what == "series":
            fields.update(type=8, recurrence=self.rule)
        if what == "single":
            fields["type"] = 2
        if what.endswith(" one"):
            return self.edit_one(what, value) if is_series else None
        if what == "series" and is_series:
            return None
        self.zoom.change_meeting(self.number, **fields)
        if what not in ("topic", "duration"):
            self.follow(is_series and what == "single")
        return None

    def follow(self, becomes_single):
        """A whole edit makes the dates anew, in the same order."""
        unsure = self.cancelled | (self.moved_alone if becomes_single else set())
        same = [None if n in unsure else key for n, key in enumerate(self.expected)]
        count = len(self.dates())
        self.expected = [*same, *[None] * count][:count]
        self.moved_alone, self.cancelled = set(), set()

    def edit_one(self, what, value):
        dates = self.doc["occurrences"]
        number = value % len(dates)
        identifier = dates[number]["occurrence_id"]
        if what == "cancel one" and dates[number]["status"] == "available":
            self.zoom.delete_meeting(self.number, identifier)
            self.cancelled.add(number)
        elif what == "restore one" and dates[number]["status"] == "deleted":
            self.zoom.recover_meeting(self.number, identifier)
            self.cancelled.discard(number)
        elif what == "move one" and dates[number]["status"] == "available":
            start = parse(dates[number]["start_time"]) + timedelta(hours=value)
            if start not in [parse(date["start_time"]) for date in dates]:
                self.zoom.change_meeting(
                    self.number,
                    occurrence_id=identifier,
                    start_time=start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                )
                self.moved_alone.add(number)

    def check(self):
        before = self.told_start()
        self.deliver()
        self.deliver()
        dates = self.dates()
        taking_place = {start for start, status in dates if status == "available"}
        visibility = SiteVisibility.for_site(self.site_settings.site)
        shown = occurrences_of(visibility, OccurrenceQuery()).filter(meeting=self.meeting)
        starts = [row.start for row in shown if row.state != "cancelled"]
        assert sorted(starts) == sorted(taking_place), "a date twice, or missing"
        for number, (start, status) in enumerate(dates):
            if status != "available":
                continue
            row = self.row_at(start)
            assert row.public_id == (self.expected[number] or row.public_id)
            self.expected[number] = row.public_id
        self.check_person(dates, before)

    def told_start(self):
        return Occurrence.objects.get(public_id=self.chosen).start

    def check_person(self, dates, before):
        people = self.zoom.registrants(self.number)
        assert [person["status"] for person in people] == ["approved"]
        self.person.refresh_from_db()
        takes_place = [
            start
            for number, (start, status) in enumerate(dates)
            if status == "available" and self.expected[number] == self.chosen
        ]
        page = status_page_of(self.person, self.site_settings)
        assert (page.code == "off") is (not takes_place)
        if takes_place:
            assert [date.when.start for date in page.dates] == takes_place
            assert self.person.mail_due == ("moved" if takes_place != [before] else "")
            date = self.person.dates.get()
            assert date.zoom_occurrence_id == date.occurrence.zoom_id
        Registration.objects.filter(pk=self.person.pk).update(mail_due="", mail_at=None)


@trials(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if IS_NIGHTLY else [])],
    derandomize=not IS_NIGHTLY,
)
@given(
    zone=st.sampled_from(ZONES),
    count=st.integers(3, 6),
    every=st.sampled_from([1, 2]),
    chosen=st.integers(0, 5),
    edits=st.lists(EDIT, min_size=1, max_size=6),
)
@example(  # a date of the former rule stands between those of the present one
    zone="Europe/Berlin",
    count=3,
    every=1,
    chosen=0,
    edits=[("hours and count", -1), ("days", 3), ("days", 3)],
)
def check_edits(zoom_app, zoom_deliver, site_settings, zone, count, every, chosen, edits):
    series = Series(zoom_app, zoom_deliver, site_settings, zone, count, every, chosen)
    try:
        for what, value in edits:
            series.edit(what, value)
            series.check()
    finally:
        zoom_app.delete_meeting(series.number)
        zoom_deliver()
        Registration.objects.all().delete()


def test_each_date_stays_itself_whatever_is_edited(connect, zoom_app, zoom_deliver):
    site_settings = connect("borealis-0", show_registration=True)
    check_edits(zoom_app, zoom_deliver, site_settings)
