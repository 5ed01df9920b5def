"""One meeting, one truth: every place says the same about its registration, in every state."""

import json
import re
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone
from wagtail.models import Page, Site

from tests.testapp.models import DatesPage
from wagtail_zoom.blocks import (
    CalendarBlock,
    MeetingBlock,
    MeetingListBlock,
    NextMeetingBlock,
    RegistrationFormBlock,
)
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import Host, Meeting, Occurrence, Registration, ZoomAccount, ZoomSettings
from wagtail_zoom.oauth import disconnect
from wagtail_zoom.registration import mail_content, payload, service, tokens
from wagtail_zoom.testing import factories

try:
    from tests.api import test_v3
except pytest.skip.Exception:
    test_v3 = None

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LAYOUTS = ("list", "cards", "agenda", "table")
REGISTER = re.compile(r"<(?:a|button)[^>]*>\s*(?:Register|Register again|Yes, register me)\s*<")


def start_at(shift):
    """Move the first date, which takes an hour."""

    def change(scenario):
        start = timezone.now() + shift
        first = Occurrence.objects.order_by("start").first()
        Occurrence.objects.filter(pk=first.pk).update(start=start, end=start + HOUR)

    return change


def meeting(**values):
    return lambda scenario: Meeting.objects.update(**values)


def dates(**values):
    return lambda scenario: Occurrence.objects.update(**values)


def site(**values):
    return lambda scenario: ZoomSettings.objects.update(**values)


def refused(code):
    return lambda scenario: meeting(registration_block=code, registration_block_at=timezone.now())(
        scenario
    )


def missing_scope(scenario):
    scenario.site_settings.grant.missing_kinds = ["registration"]
    scenario.site_settings.grant.save()


def archive(scenario):
    disconnect.disconnect(ZoomSettings.objects.get(), keep=True)


WEBINAR = {"kind": "webinar", "zoom_type": 5}
SERIES = {"dates": 3}
STATES = {
    # The meeting, what happens to it, the expected state, and "n of m are left".
    "open": ({}, [], "open", ""),
    "manual approval": ({"registration": "manual"}, [], "open", ""),
    "limit of zero": ({"capacity": None, "registrant_count": 5}, [], "open", ""),
    "unknown count": ({"capacity": 5}, [], "open", ""),
    "places left": ({"capacity": 5, "registrant_count": 2}, [], "open", "3 of 5 are left"),
    "nobody yet": ({"capacity": 5, "registrant_count": 0}, [], "open", "5 of 5 are left"),
    "full by count": ({"capacity": 5, "registrant_count": 5}, [], "full", "0 of 5 are left"),
    "more than full": ({"capacity": 5, "registrant_count": 9}, [], "full", "0 of 5 are left"),
    "full by Zoom": ({}, [refused("full")], "full", ""),
    "full by Zoom, count unknown": ({"capacity": 5}, [refused("full")], "full", ""),
    "full by Zoom, count too old": (
        {"capacity": 5, "registrant_count": 4}, [refused("full")], "full", "0 of 5 are left"
    ),
    "full and live": (
        {"capacity": 5, "registrant_count": 5},
        [start_at(-HOUR / 4), dates(state="live")], "full", "0 of 5 are left",
    ),
    "full and the host is late": (
        {"capacity": 5, "registrant_count": 5}, [start_at(-HOUR / 4)], "full", "0 of 5 are left"
    ),
    "closed at Zoom": ({}, [refused("over")], "closed", ""),
    "another refusal": ({}, [refused("refused")], "refused", ""),
    "unlicensed by Zoom": ({}, [refused("unlicensed")], "unlicensed", ""),
    "closes later": ({"close_registration": True}, [], "open", ""),
    "closed and the host is late": (
        {"close_registration": True}, [start_at(-HOUR / 4)], "closed", ""
    ),
    "closed while live": (
        {"close_registration": True, "capacity": 5, "registrant_count": 2},
        [start_at(-HOUR / 4), dates(state="live")], "closed", "",
    ),
    "live": ({}, [start_at(-HOUR / 4), dates(state="live")], "open", ""),
    "live too early": ({}, [start_at(3 * HOUR), dates(state="live")], "open", ""),
    "running late": ({}, [start_at(-HOUR * 1.5), dates(state="live")], "closed", ""),
    "running late, without registration": (
        {"registration": "none"}, [start_at(-HOUR * 1.5), dates(state="live")], "none", ""
    ),
    "series that goes on": (
        {**SERIES, "close_registration": True}, [start_at(-HOUR / 4)], "open", ""
    ),
    "last date of a series": (
        {**SERIES, "close_registration": True},
        [lambda scenario: Occurrence.objects.filter(start__gt=timezone.now() + 3 * DAY).delete(),
         start_at(-HOUR / 4)],
        "closed", "",
    ),
    "only cancelled dates follow": (
        {**SERIES, "close_registration": True},
        [lambda scenario: Occurrence.objects.filter(start__gt=timezone.now() + 3 * DAY).update(
            state="cancelled"), start_at(-HOUR / 4)],
        "closed", "",
    ),
    "moved": ({}, [dates(state="moved", previous_start=timezone.now())], "open", ""),
    "moved and full": (
        {"capacity": 1, "registrant_count": 1},
        [dates(state="moved", previous_start=timezone.now())], "full", "0 of 1 are left",
    ),
    "cancelled": ({}, [dates(state="cancelled")], "cancelled", ""),
    "cancelled, without registration": (
        {"registration": "none"}, [dates(state="cancelled")], "cancelled", ""
    ),
    "deleted at Zoom": (
        {}, [dates(state="cancelled"), meeting(removed_at=timezone.now())], "cancelled", ""
    ),
    "over": ({}, [start_at(-2 * HOUR)], "over", ""),
    "over and deleted": (
        {}, [start_at(-2 * HOUR), meeting(expired_at=timezone.now()), dates(state="expired")],
        "over", "",
    ),
    "ended early": ({}, [start_at(-HOUR / 4), dates(state="over")], "over", ""),
    "not needed": ({"registration": "none"}, [], "none", ""),
    "not needed, with a limit": (
        {"registration": "none", "capacity": 5, "registrant_count": 2}, [], "none", ""
    ),
    "webinar without registration": ({**WEBINAR, "registration": "none"}, [], "none", ""),
    "Zoom Events": ({**WEBINAR, "is_events_webinar": True}, [], "events", ""),
    "paused": ({}, [site(paused_at=timezone.now())], "open", ""),
    "copied database": ({}, [lambda scenario: ZoomAccount.objects.update(fingerprint="other")],
                        "paused", ""),
    "switched off": ({"capacity": 5, "registrant_count": 2},
                     [site(show_registration=False)], "off", ""),
    "missing scope": ({}, [missing_scope], "off", ""),
    "archive": ({"capacity": 5, "registrant_count": 2}, [archive], "off", ""),
    "unlicensed host": ({}, [lambda scenario: Host.objects.update(user_type=1)],
                        "unlicensed", ""),
}  # fmt: skip


class Scenario:
    """A Site with one meeting, a person who has cancelled, and one who has to confirm."""

    def __init__(self, values):
        values = {"registration": "auto", **values}
        self.site = Site.objects.get(is_default_site=True)
        account = factories.make_account()
        self.host = factories.make_host(account, user_type=2)
        self.site_settings = factories.make_settings(
            self.site, factories.make_grant(account), [self.host], show_registration=True
        )
        self.meeting = factories.make_meeting(self.host, topic="Heat pumps", **values)
        self.item = factories.make_item(self.site, self.meeting, visibility="auto")
        self.page = DatesPage(title="Dates", slug="dates", body=[("meetings", {})])
        Page.objects.get(pk=self.site.root_page_id).add_child(instance=self.page)
        self.people = [
            factories.make_registration(
                self.site, self.meeting, state=state, page_id=self.page.pk, locale="en",
                error_class=error,
            )
            for state, error in (("cancelled", ""), ("unconfirmed", ""), ("failed", "answers"))
        ]  # fmt: skip

    def block(self, rf, block, query="", **values):
        request = rf.get(f"/dates/{query}")
        value = block.to_python(values)
        return str(block.render(value, {"page": self.page, "request": request}))

    def pages(self, client, rf, period):
        """The HTML of every place that may have a button, by its name."""
        form = FormLink(self.site.pk, None, self.meeting.pk, "en").url
        pages = {
            layout: self.block(rf, MeetingListBlock(), layout=layout, period=period)
            for layout in LAYOUTS
        }
        pages |= {
            "single": self.block(rf, MeetingBlock(), item=self.item.pk),
            "next": self.block(rf, NextMeetingBlock()),
            "calendar": self.block(rf, CalendarBlock()),
            "form": self.block(rf, RegistrationFormBlock(), item=self.item.pk),
            "form page": client.get(form).content.decode(),
        }
        dates = DatesPage.objects.get()
        row = Occurrence.objects.order_by("start").first()
        pages["date page"] = client.get(
            f"/dates/{dates.zoom_date_path(self.site.pk, row)}"
        ).content.decode()
        for person in self.people:
            path = tokens.status_path(person)
            pages[f"status {person.state}"] = client.get(path).content.decode()
        return pages

    def dates(self, client, rf, period):
        """The data of every interface, by its name."""
        results = {}
        with override_settings(ROOT_URLCONF="tests.api.test_v2"):
            data = client.get("/api/zoom_dates/", {"period": period, "limit": 50}).json()
            results["v2"] = data["items"]
        if test_v3:
            with override_settings(ROOT_URLCONF="tests.api.test_v3"):
                data = client.get("/api/v3/zoom/dates/", {"period": period, "limit": 50}).json()
                results["v3"] = data["items"]
        request = {"request": rf.get("/")}
        for name, block in (("meeting", MeetingBlock()), ("list", MeetingListBlock())):
            value = block.to_python({"item": self.item.pk, "period": period})
            data = block.get_api_representation(value, request)["zoom"]
            results[name] = data["dates"] if name == "meeting" else data
        assert results["v2"]
        return {name: rows[0] for name, rows in results.items() if rows}

    def form_data(self, rf):
        block = RegistrationFormBlock()
        value = block.to_python({"item": self.item.pk})
        return block.get_api_representation(value, {"request": rf.get("/")})["zoom"]


def availabilities(html):
    """The offers of the events in a page's structured data."""
    scripts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    events = [event for script in scripts for event in json.loads(script)["@graph"]]
    return [event.get("offers", {}).get("availability", "") for event in events]


@pytest.mark.parametrize("name", STATES)
def test_every_place_says_the_same(client, rf, name):
    values, changes, expected, places = STATES[name]
    scenario = Scenario(values)
    for change in changes:
        change(scenario)
    is_open = expected == "open"
    period = "past" if expected == "over" else "upcoming"
    pages = scenario.pages(client, rf, period)
    for place, html in pages.items():
        assert "Heat pumps" in html or place in ("next", "calendar"), place
    lists = [*LAYOUTS, "single", "date page", *(["next"] if "Heat pumps" in pages["next"] else [])]
    assert "next" in lists or expected in ("over", "cancelled")
    assert {place for place in lists if REGISTER.search(pages[place])} == set(
        lists if is_open else []
    )
    others = ["form", "form page", *(f"status {person.state}" for person in scenario.people)]
    assert {place for place in others if REGISTER.search(pages[place])} == set(
        others if is_open else []
    )
    assert all(("<form" in pages[place]) is is_open for place in ("form", "form page"))
    assert all(("Register for" in pages[place]) is is_open for place in ("form", "form page"))
    assert ("register again" in pages["status cancelled"]) is is_open
    assert ("register again" in pages["status failed"]) is is_open
    form = scenario.form_data(rf)
    assert form["state"] == expected and ("action" in form) is is_open
    for data in scenario.dates(client, rf, period).values():
        assert data["registration"] == {"state": expected, "sentence": form["sentence"]}
        action = (data["action"] or {}).get("label")
        assert (action == "Register") is is_open
        left = data["places"]
        assert (f"{left['left']} of {left['total']} are left" if left else "") == places
    assert bool(form["sentence"]) is not is_open
    for place in ("single", "date page"):
        assert re.findall(r"\d+ of \d+ (?:is|are) left", pages[place]) == (
            [places] if places else []
        )
    if expected in ("full", "paused", "unlicensed", "refused"):
        assert [place for place in lists if form["sentence"] not in pages[place]] == []
    if expected == "closed":
        closed = ("Registration closed", form["sentence"])
        assert all(any(text in pages[place] for text in closed) for place in lists)
        assert form["sentence"] in pages["single"]
    with_places = scenario.block(
        rf, MeetingListBlock(), "?wz-1-places=1", filters=True, period="upcoming"
    )
    assert ("Heat pumps" in with_places) is is_open
    # "none": everybody can join without a registration.
    in_stock, sold_out = "https://schema.org/InStock", "https://schema.org/SoldOut"
    availability = {"open": in_stock, "none": in_stock, "full": sold_out}
    for place in ("list", "single"):
        assert set(availabilities(pages[place])[:1]) <= {availability.get(expected, "")}
    failed = scenario.people[2]
    body = mail_content.message(failed, "failed").body
    assert ("Please register again." in body) is is_open
    project = {"site": scenario.site, "meeting": Meeting.objects.get(), "email": "a@example.org"}
    if is_open:
        assert service.register(**project, first_name="Mika", last_name="Tanaka").pk
    else:
        with pytest.raises(service.RegistrationClosed) as closed:
            service.register(**project, first_name="Mika", last_name="Tanaka")
        assert closed.value.availability.code == expected


@pytest.mark.parametrize("name", STATES)
def test_a_closed_registration_is_not_confirmed(client, name):
    values, changes, expected, _places = STATES[name]
    scenario = Scenario(values)
    for change in changes:
        change(scenario)
    person = scenario.people[1]
    page = client.get(tokens.status_path(person)).content.decode()
    digest = re.search(r'name="entries" value="(\w+)"', page)
    assert bool(digest) is (expected == "open")
    # As on a page that was opened before.
    entries = payload.entries_digest(person)
    assert not digest or digest[1] == entries
    client.post(f"{tokens.status_path(person)}confirm/", {"entries": entries})
    state = Registration.objects.get(pk=person.pk).state
    assert (state != "unconfirmed") is (expected == "open")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, "Register"),
        ({"registration_block": "full", "registration_block_at": timezone.now()}, "All places"),
        ({"approval_type": 2}, ""),
    ],
)
def test_without_a_fixed_time(rf, change, shown):
    scenario = Scenario({"dates": 0})
    Meeting.objects.update(**change)
    html = scenario.block(rf, MeetingBlock(), item=scenario.item.pk)
    assert "No fixed date" in html and bool(REGISTER.search(html)) is (shown == "Register")
    assert shown in html
    assert scenario.form_data(rf)["state"] == {"Register": "open", "": "none"}.get(shown, "full")


def test_a_refusal_ends_for_lists_and_forms_at_the_same_time(rf):
    scenario = Scenario({})
    since = timezone.now() - timedelta(minutes=59)
    Meeting.objects.update(registration_block="full", registration_block_at=since)
    assert not REGISTER.search(scenario.block(rf, MeetingListBlock()))
    Meeting.objects.update(registration_block_at=since - timedelta(minutes=2))
    other = Scenario.block(scenario, rf, MeetingListBlock(), heading="Another entry of the cache")
    assert REGISTER.search(other) and scenario.form_data(rf)["state"] == "open"


def test_lists_ask_no_more_for_more_rows(django_assert_max_num_queries, rf):
    scenario = Scenario({"dates": 12, "close_registration": True})
    start_at(-HOUR / 4)(scenario)
    visibility = SiteVisibility.for_site(scenario.site)
    assert visibility.site_settings is not None
    with django_assert_max_num_queries(14):
        assert len(REGISTER.findall(scenario.block(rf, MeetingListBlock(), limit=20))) == 12
