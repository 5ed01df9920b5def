"""Dates at any hour, in any number, zone and language: nothing scrolls sideways or collapses.

With ``BLOCK_SHOTS=<folder>`` the screenshots are saved.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone, translation
from django.utils.html import escape
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend.zone_names import city_of
from wagtail_zoom.models import Meeting, Occurrence, Registration
from wagtail_zoom.registration import tokens
from wagtail_zoom.templatetags.wagtail_zoom import zoom_script_texts

from .test_blocks import RESPONSES, opened, screenshot

# Playwright runs an event loop in this thread, where Django otherwise refuses database access.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WIDTHS = (320, 360, 480, 640, 768, 820, 900, 1024, 1280)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
WIDER = """() => [...document.querySelectorAll("body *")].filter(one => !one.closest(".wz-sr")
    && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 90))"""
COLUMNS = """() => [...document.querySelectorAll(
    ".wz-title, .wz-sub, .wz-big, .wz-meta, .wz-when, .wz-slot > .wz-num, td, th[scope=row]"
)].filter(one => one.offsetParent && one.textContent.trim() && !one.closest(".wz-sr, .wz-month")
).map(one => [one.getBoundingClientRect().width, one.outerHTML])"""


@pytest.fixture
def site(db) -> Site:
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    host.display_name = "Lena Brandt and Amara Osei"
    host.save()
    values = {"show_webinars": True, "show_registration": True}
    rows.site_settings(site, host.account, host, **values)
    return host


def publish(site: Site, body: list[tuple[str, Any]], language: str = "en") -> str:
    """The URL of a page with these blocks, rendered in a language."""
    page = ZoomPage(title="Dates", slug="dates", body=body)
    site.root_page.add_child(instance=page)
    return prepare("/dates/", language)


def prepare(path: str, language: str = "en") -> str:
    response = Client().get(path, headers={"Accept-Language": language})
    assert response.status_code == 200
    content = response.content.replace(b'<html lang="en"', f'<html lang="{language}"'.encode())
    response.content = content
    RESPONSES[path] = response
    return f"http://localhost{path}"


def check_fit(page: Any, width: int) -> None:
    """Nothing is wider than the window, and no text stands in a column of single words."""
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    columns = page.evaluate(COLUMNS)
    assert len(columns) > 40
    assert [text for column, text in columns if column < 64] == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_dates_past_midnight_fit_at_every_width(browser, site, host, language):
    late = timezone.now().replace(hour=22, minute=30, second=0, microsecond=0)
    with_form = {"approval_type": 0, "capacity": 40}
    coming = [
        rows.occurrence(host, topic=topic, start=late + days * DAY, **values)
        for days, topic, values in (
            (1, "Night of the long tables", {"approval_type": 0}),
            (3, "Observatory: the night sky in winter", {"state": "cancelled"}),
            (5, LONG_WORD, {"kind": "webinar"}),
            (6, "Bread at home", {**with_form, "registrant_count": 40}),
            (8, "Reading group", {"state": "moved", **with_form, "registrant_count": 3}),
            (170, "Night of the long tables", {}),
        )
    ]
    Occurrence.objects.filter(pk=coming[0].pk).update(end=late + 3 * DAY + 11 * HOUR)
    Occurrence.objects.filter(pk=coming[4].pk).update(previous_start=late + 7 * DAY)
    Meeting.objects.filter(pk=coming[5].meeting_id).update(timezone="Pacific/Kiritimati")
    running = rows.occurrence(host, topic="Retreat", state="live", start=late - 2 * DAY)
    Occurrence.objects.filter(pk=running.pk).update(end=late + 2 * DAY)
    items = [rows.item(site, occurrence.meeting) for occurrence in (*coming, running)]
    layouts = ("list", "cards", "agenda", "table")
    body: list[tuple[str, Any]] = [
        ("dates", {"heading": layout, "layout": layout}) for layout in layouts
    ]
    body += [("meeting", {"item": item}) for item in items]
    body += [("next", {}), ("next", {"kind": "webinar"}), ("calendar", {})]
    url = publish(site, [*body, ("register", {"item": items[0]})], language)
    for width in WIDTHS:
        size = {"width": width, "height": 800}
        page, messages = opened(browser, url, viewport=size)
        assert messages == []
        check_fit(page, width)
        screenshot(page, f"{width}-{language}-midnight")
        page.context.close()


def test_the_rows_of_a_stacked_table_stay_rows(browser, site, host):
    """For screen readers, without roles in the HTML."""
    rows.occurrence(host, topic="Choir", start=timezone.now() + DAY)
    url = publish(site, [("dates", {"layout": "table"})])
    for width in (360, 1280):
        page, _messages = opened(browser, url, viewport={"width": width, "height": 800})
        session = page.context.new_cdp_session(page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        roles = {node["role"]["value"] for node in nodes if not node["ignored"]}
        assert {"table", "row", "cell", "rowheader"} <= roles, width


def many_dates(host, start: datetime | None = None, **values):
    """A series of 60 evenings, from tomorrow or from a start."""
    start = start or timezone.now() + DAY
    first = rows.occurrence(host, topic="Evening course", zoom_type=8, start=start, **values)
    for number in range(1, 60):
        begins = first.start + number * DAY
        Occurrence.objects.create(
            meeting=first.meeting, account=host.account, zoom_id=f"n{number}", start=begins,
            end=begins + HOUR, duration=60,
        )  # fmt: skip
    return first


@pytest.mark.parametrize("language", ["en", "de"])
def test_join_is_above_the_fold_with_sixty_dates(browser, site, host, language):
    host.user_type = 2
    host.save()
    first = many_dates(host, approval_type=0, registration_type=1)
    row = Registration.objects.create(
        site=site, account=host.account, meeting=first.meeting, email="mika@example.org",
        meeting_zoom_id=first.meeting.zoom_id, state="approved", email_index="x", locale=language,
        idempotency_key="k", join_url="https://us02web.zoom.us/w/123?tk=own",
    )  # fmt: skip
    url = prepare(tokens.status_path(row), language)
    for width, height in ((320, 640), (360, 640), (768, 800), (1280, 800)):
        size = {"width": width, "height": height}
        page, _messages = opened(browser, url, viewport=size, timezone_id="Europe/Berlin")
        join = page.locator(".wz-button--main").first
        box = join.bounding_box()
        assert "/zoom/join/" in join.get_attribute("href")
        assert box["y"] + box["height"] <= height
        assert page.evaluate(WIDER) == []
        assert page.locator(".wz-when:visible").count() == 2  # the title and the next date
        screenshot(page, f"{width}-{language}-sixty")
        page.locator("details summary").click()
        assert page.locator("details .wz-when:visible").count() == 59
        assert page.get_by_text("This is your time too.").count() <= 1
        page.context.close()


def longest_dates() -> datetime:
    """Half an hour before midnight in Berlin, on the last Wednesday of next year's September.

    The days and months from there have the longest English names, and each date ends on another
    day than it begins.
    """
    last_day = datetime(timezone.now().year + 1, 9, 30, 21, 30, tzinfo=UTC)
    return last_day - (last_day.weekday() - 2) % 7 * DAY


@pytest.mark.parametrize("registration_type", [1, 2, 3])
def test_a_form_of_sixty_dates_has_the_names_near_its_top(browser, site, host, registration_type):
    first = many_dates(host, longest_dates(), approval_type=0, registration_type=registration_type)
    url = publish(site, [("register", {"item": rows.item(site, first.meeting)})])
    for width in (320, 1280):
        page, _messages = opened(browser, url, viewport={"width": width, "height": 800})
        assert page.locator("input[name=first_name]").bounding_box()["y"] < 1100
        assert page.locator(".wz-dates > li:visible").count() in (5, 6)
        page.locator("details summary").first.click()
        assert page.locator(".wz-dates > li:visible").count() in (60, 61)
        assert page.evaluate(WIDER) == []
        page.context.close()


@pytest.mark.parametrize("days", [9, 99, 100, 365])
def test_a_countdown_fits_between_its_rules(browser, site, host, days):
    soon = rows.occurrence(host, topic="Far away", start=timezone.now() + days * DAY + HOUR)
    single = {"item": rows.item(site, soon.meeting), "show": ["countdown"]}
    url = publish(site, [("next", {}), ("meeting", single)])
    for width in (320, 360, 768, 1280):
        page, _messages = opened(browser, url, viewport={"width": width, "height": 800})
        parts = page.evaluate(
            """() => [...document.querySelectorAll(".wz-count > span")].map(part => {
                const range = document.createRange();
                range.selectNodeContents(part);
                const panel = part.closest(".wz-panel").getBoundingClientRect();
                return [range.getBoundingClientRect().right, part.getBoundingClientRect().right,
                        panel.right, part.textContent];
            })"""
        )
        assert len(parts) == (6 if days < 100 else 4)
        assert parts[0][3] == f"{days}days"
        assert all(text <= part + 0.5 <= panel for text, part, panel, _words in parts), parts
        page.context.close()


def test_a_text_from_right_to_left_is_set_so_on_any_page(browser, site, host):
    arabic = "ورشة عمل حول الزراعة الحضرية."
    soon = timezone.now() + DAY
    row = rows.occurrence(host, topic=arabic, start=soon, agenda=f"{arabic}\n\nAnd in English.")
    show = ["summary", "host"]
    body = [("dates", {"layout": name, "show": show}) for name in ("list", "cards", "agenda")]
    body += [("meeting", {"item": rows.item(site, row.meeting)})]
    page, _messages = opened(browser, publish(site, body), viewport={"width": 1280, "height": 800})
    lines = page.evaluate(
        """() => [...document.querySelectorAll(".wz-text p")].map(line => {
            const box = line.getBoundingClientRect(), range = document.createRange();
            range.selectNodeContents(line);
            const text = range.getBoundingClientRect();
            /* The full stop of the sentence, the last character of the line. */
            const last = line.lastChild.length;
            range.setStart(line.lastChild, last - 1);
            return [Math.round(text.left - box.left), Math.round(box.right - text.right),
                    Math.round(range.getBoundingClientRect().left - text.left)];
        })"""
    )
    assert len(lines) == 8
    for left, right, stop in lines[::2]:
        assert left > 20 and right == 0 and stop == 0
    for left, right, stop in lines[1::2]:
        assert left == 0 and right > 20 and stop > 20


VISITORS = (
    "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Kiritimati", "America/Santiago", "America/St_Johns",
)  # fmt: skip
STARTS = [datetime(2026, 10, 24, 12, tzinfo=UTC) + number * 5 * HOUR for number in range(40)] + [
    datetime(2027, 4, 3, 12, tzinfo=UTC) + number * 5 * HOUR for number in range(12)
]


def lines_of(zone: str, minutes: int, **attributes: str) -> str:
    """Lines for the script, as ``_yours.html`` has them."""
    lines = []
    for start in STARTS:
        local, end = start.astimezone(ZoneInfo(zone)), start + timedelta(minutes=minutes)
        values = {
            "data-wz-yours": "24",
            "data-wz-start": local.isoformat(timespec="minutes"),
            "data-wz-end": end.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"),
            **attributes,
        }
        text = " ".join(f'{name}="{value}"' for name, value in values.items())
        lines.append(f"<p><span {text}></span></p>")
    return "".join(lines)


def script_page(content: str, language: str = "en") -> str:
    words = escape(zoom_script_texts())
    html = (
        f'<!DOCTYPE html><html lang="{language}"><title>Lines</title>'
        f'<script src="/static/wagtail_zoom/zoom.js" defer data-wz-words="{words}"></script>'
        f'<section class="wz">{content}</section></html>'
    )
    response = Client().get("/static/none")
    response.status_code, response.content = 200, html.encode()
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    RESPONSES["/lines/"] = response
    return "http://localhost/lines/"


def expected(start: datetime, minutes: int, event: ZoneInfo, visitor: ZoneInfo, city: str) -> str:
    """What the script writes, from Python's clock. Without the words for another day."""
    end = start + timedelta(minutes=minutes)
    event_times, own_times = (
        [time.astimezone(zone) for time in (start, end)] for zone in (event, visitor)
    )
    if [time.utcoffset() for time in event_times] == [time.utcoffset() for time in own_times]:
        return ""
    days = {time.date() for time in (*event_times, *own_times)}
    times = [f"{time:%H:%M}" for time in own_times]
    dates = [f"{time:%a}, {time:%b} {time.day}, " for time in own_times]
    if own_times[0].date() != own_times[1].date():
        return f"In your time, {city}: {dates[0]}{times[0]} to {dates[1]}{times[1]}"
    return f"In your time, {city}: {dates[0] if len(days) > 1 else ''}{times[0]} to {times[1]}"


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("minutes", [60, 49 * 60])
def test_the_visitors_time_has_every_day_and_the_right_hour(browser, db, visitor, minutes):
    """Around changes of clocks; there the abbreviation of the zone is added."""
    city = city_of(visitor)
    for event in ("America/New_York", "Europe/Berlin", "Pacific/Apia"):
        url = script_page(lines_of(event, minutes))
        page, messages = opened(browser, url, timezone_id=visitor)
        assert messages == []
        shown = page.locator("[data-wz-yours]").all_text_contents()
        page.context.close()
        assert len(shown) == len(STARTS)
        for start, text in zip(STARTS, shown, strict=True):
            right = expected(start, minutes, ZoneInfo(event), ZoneInfo(visitor), city)
            zones = r"(?: (?:GMT|UTC)(?:[+-][\d:]+)?| [A-Z]{3,4})?"
            pattern = re.escape(right).replace(r"\ to\ ", rf"{zones}\ to\ ")
            pattern += rf"{zones}(?:, [a-z ]+ for you)?" if right else ""
            assert re.fullmatch(pattern, text), (start, event, text, right)


@pytest.mark.parametrize(
    ("zone", "language", "city"),
    [
        ("Europe/Kiev", "en", "Kyiv"),
        ("Asia/Calcutta", "en", "Kolkata"),
        ("Asia/Katmandu", "en", "Kathmandu"),
        ("America/Sao_Paulo", "en", "São Paulo"),
        ("America/Argentina/Buenos_Aires", "en", "Buenos Aires"),
        ("Etc/GMT+5", "en", "UTC-05:00"),
        ("UTC", "en", "UTC"),
        ("Europe/Vienna", "de", "Wien"),
        ("Asia/Calcutta", "de", "Kalkutta"),
        ("Asia/Tokyo", "fr", "Tokyo"),
        ("Asia/Tokyo", "es", "Tokio"),
    ],
)
def test_the_visitors_city_has_its_name_of_today(browser, db, zone, language, city):
    with translation.override(language):
        url = script_page(lines_of("America/Anchorage", 60), language)
    page, _messages = opened(browser, url, timezone_id=zone)
    line = page.locator("p").first.inner_text()
    assert re.search(rf", {re.escape(city)}\s?: ", line), line


def test_that_the_time_is_the_same_is_said_once(browser, site, host):
    for number in range(1, 4):
        rows.occurrence(host, topic=f"Talk {number}", start=timezone.now() + number * DAY)
    layouts = ("list", "cards", "agenda", "table")
    body: list[tuple[str, Any]] = [("dates", {"layout": layout}) for layout in layouts]
    body += [("calendar", {}), ("next", {})]
    url = publish(site, body)
    page, _messages = opened(browser, url, timezone_id="Europe/Berlin")
    same = [
        section.inner_text().count("This is your time too.")
        for section in page.locator("section.wz").all()
    ]
    assert max(same) == 1 and same[2] == same[3] == same[5] == 1
    page.context.close()
    page, _messages = opened(browser, url, timezone_id="Asia/Tokyo")
    for section in page.locator("section.wz").all():
        text = section.inner_text()
        assert "This is your time too." not in text
        assert all(section.locator(".wz-yours").all_text_contents())
