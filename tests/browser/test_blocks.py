"""Every block in every state, in a real Chromium: strict policy, no script, widths, directions.

With ``BLOCK_SHOTS=<folder>`` the screenshots are saved.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.models import Occurrence, Transcript

# Playwright runs an event loop in this thread, where Django otherwise refuses database access.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
SHOTS = os.environ.get("BLOCK_SHOTS", "")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'"
)


@pytest.fixture
def specimen(db) -> str:
    """URL of a page with all blocks, with rows in all states."""
    site = Site.objects.get(is_default_site=True)
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    host = rows.host(rows.account())
    host.display_name = "Lena Brandt and Amara Osei"
    host.save()
    values = {"show_webinars": True, "show_registration": True, "show_transcripts": True}
    rows.site_settings(site, host.account, host, **values)
    with_registration = {"approval_type": 0, "capacity": 40}
    live = rows.occurrence(host, topic="Open studio: drawing from memory", state="live", start=now)
    heat = rows.occurrence(
        host,
        topic="Heat pumps in old houses: questions and answers",
        kind="webinar",
        start=now + 3 * DAY,
        agenda="Bring your questions.",
        registrant_count=12,
        **with_registration,
    )
    moved = rows.occurrence(host, topic="Reading group", state="moved", start=now + 4 * DAY)
    Occurrence.objects.filter(pk=moved.pk).update(previous_start=now + DAY)
    full = rows.occurrence(
        host, topic="Bread at home", start=now + 5 * DAY, registrant_count=40, **with_registration
    )
    off = rows.occurrence(
        host, topic="German for beginners", state="cancelled", start=now + 7 * DAY
    )
    begun = now - timedelta(minutes=5)
    rows.occurrence(
        host, topic="Repair café", start=begun, close_registration=True, **with_registration
    )
    over = rows.occurrence(
        host, topic="The harbour in nine maps", state="over", start=now - 9 * DAY
    )
    for number, topic in enumerate(("The harbour in nine maps", "Low water", "Compost")):
        recording = rows.recording(
            host,
            topic=topic,
            start=now - (9 + number) * DAY,
            duration=60,
            meeting_zoom_id="s" if number < 2 else "t",
            occurrence=over if not number else None,
        )
        rows.item(site, recording)
        if number == 1:
            text = "Good evening. " + "The tide leaves more behind than it takes. " * 20
            Transcript.objects.create(recording=recording, text=text)
    series = rows.occurrence(host, topic="Choir, first reading", zoom_type=8, start=now + 2 * DAY)
    for week in (1, 2):
        begins = series.start + week * 7 * DAY
        Occurrence.objects.create(
            meeting=series.meeting, account=host.account, zoom_id=f"w{week}", start=begins,
            end=begins + HOUR, duration=60,
        )  # fmt: skip
    undated = rows.occurrence(host, topic="Office hours", zoom_type=3, agenda="Come when you like.")
    undated.delete()
    items = [
        rows.item(site, occurrence.meeting) for occurrence in (heat, live, moved, full, off, over)
    ]
    layouts = ("list", "cards", "agenda", "table")
    body: list[tuple[str, Any]] = [
        ("dates", {"heading": layout.title(), "layout": layout, "limit": 4, "filters": True})
        for layout in layouts
    ]
    body += [("dates", {"heading": "Tagged", "tags": "none"}), ("next", {"kind": "webinar"})]
    body += [("next", {}), ("next", {"tags": "none"}), ("calendar", {"heading": "Calendar"})]
    items += [rows.item(site, meeting) for meeting in (series.meeting, undated.meeting)]
    body += [("meeting", {"item": item}) for item in items]
    body += [("register", {"item": items[0]}), ("register", {"item": items[3]})]
    body += [("meeting", {"item": None})]
    shown = {"heading": "Recordings", "group": "series", "search": True}
    body += [("recordings", shown), ("recordings", {"heading": "None", "tags": "none"})]
    page = ZoomPage(title="All blocks", slug="blocks", body=body)
    site.root_page.add_child(instance=page)
    prepare("/blocks/")
    return "http://localhost/blocks/"


RESPONSES: dict[str, Any] = {}


def prepare(path: str) -> None:
    """Render a path now: the browser's requests are handled where the database is not available."""
    RESPONSES[path] = Client().get(path)


def fulfil(route: Any) -> None:
    """Fulfil a request of the browser with the prepared response and the strictest policy."""
    path = "/" + route.request.url.split("/", 3)[3].partition("#")[0]
    if path.startswith("/static/"):
        file = finders.find(path.removeprefix("/static/"))
        route.fulfill(path=file) if file else route.fulfill(status=404)
    elif path in RESPONSES:
        response = RESPONSES[path]
        headers = {**response.headers, "Content-Security-Policy": POLICY}
        route.fulfill(status=response.status_code, headers=headers, body=response.content)
    else:
        route.fulfill(status=404)


def opened(browser: Any, url: str, **options: Any) -> tuple[Any, list[str]]:
    """The page in a new browser context, and the messages of its console."""
    context = browser.new_context(**{"timezone_id": "Asia/Tokyo", **options})
    context.route("**/*", fulfil)
    page, console_messages = context.new_page(), []
    page.on("console", lambda message: console_messages.append(message.text))
    page.on("pageerror", lambda error: console_messages.append(str(error)))
    page.goto(url)
    return page, [text for text in console_messages if "favicon" not in text and "404" not in text]


def screenshot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_strict_policy_script_and_accessibility(browser, specimen):
    """Nothing is blocked, "your time" and countdown are there, axe finds nothing."""
    page, console_messages = opened(browser, specimen, viewport={"width": 1280, "height": 900})
    assert console_messages == []
    assert "In your time, Tokyo" in page.locator(".wz-list .wz-yours").first.inner_text()
    assert page.locator(".wz-count b").count() >= 3
    results = Axe().run(page)
    assert results.response["violations"] == [], results.generate_report()
    screenshot(page, "1280-light")


BROKEN_WORDS = """[...document.querySelectorAll(".wz-leaf span")].filter(node => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getClientRects().length > 1;
}).map(node => node.textContent)"""
"""Months and weekdays beside a number that take more than one line."""


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_horizontal_overflow_at_any_width(browser, long_times, specimen, width, scheme):
    """No horizontal overflow at any width."""
    size = {"width": width, "height": 800}
    page, console_messages = opened(browser, specimen, viewport=size, color_scheme=scheme)
    assert console_messages == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(BROKEN_WORDS) == []
    text_color = page.evaluate("getComputedStyle(document.body).color")
    assert (text_color == "rgb(255, 255, 255)") == (scheme == "dark")
    results = Axe().run(page)
    assert results.response["violations"] == [], results.generate_report()
    screenshot(page, f"{width}-{scheme}")


def test_a_long_state_stays_in_its_row(browser, specimen):
    """As long as the German one of a closed registration, at the narrowest width."""
    page, _messages = opened(browser, specimen, viewport={"width": 320, "height": 800})
    states = page.locator(".wz-state:visible")
    states.evaluate_all("all => all.forEach(one => { one.textContent = 'Anmeldung geschlossen' })")
    outside = states.evaluate_all(
        """all => all.filter(one => one.getBoundingClientRect().right
            > one.closest(".wz").getBoundingClientRect().right + 1)
            .map(one => one.parentElement.parentElement.className)"""
    )
    assert states.count() > 8 and outside == []


@pytest.mark.parametrize("width", [320, 360, 768])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_occurrences_past_midnight_fit_at_any_hour(browser, db, width, direction):
    """A time such as "11:30 PM to Wednesday 2 December, 12:30 AM" wraps in every layout."""
    site = Site.objects.get(is_default_site=True)
    host = rows.host(rows.account())
    rows.site_settings(site, host.account, host, show_webinars=True, show_registration=True)
    late = timezone.now().replace(hour=22, minute=30, second=0, microsecond=0)
    coming = [
        rows.occurrence(host, topic="Night of the long tables", start=late + days * DAY, **values)
        for days, values in ((1, {"approval_type": 0}), (3, {"state": "cancelled"}), (5, {}))
    ]
    body: list[tuple[str, Any]] = [
        ("dates", {"heading": layout, "layout": layout})
        for layout in ("list", "cards", "agenda", "table")
    ]
    items = [rows.item(site, occurrence.meeting) for occurrence in coming]
    body += [("meeting", {"item": item}) for item in items]
    body += [("next", {}), ("register", {"item": items[0]})]
    page = ZoomPage(title="Past midnight", slug="late", body=body)
    site.root_page.add_child(instance=page)
    prepare("/late/")
    size = {"width": width, "height": 800}
    page, _messages = opened(browser, "http://localhost/late/", viewport=size)
    page.evaluate(f"document.documentElement.dir = '{direction}'")
    assert page.locator(".wz-num--days").count() >= 12
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    column = page.locator(".wz-slot > .wz-num").first.bounding_box()
    assert column["width"] >= 60
    screenshot(page, f"{width}-{direction}-late")


def test_without_script_nothing_is_missing(browser, specimen):
    """Filters, pages and search are links and forms; the times show their time zone."""
    page, _messages = opened(browser, specimen, java_script_enabled=False)
    assert page.locator(".wz-copy:visible").count() == 0
    assert "Berlin time" in page.locator(".wz-when").first.inner_text()
    link = page.locator(".wz-meetings .wz-nav a", has_text="Webinars").first
    prepare(link.get_attribute("href").partition("#")[0])
    link.click()
    titles = page.locator(".wz-list .wz-title")
    expect(titles).to_have_text(["Heat pumps in old houses: questions and answers"])
    name = page.locator("input[type=search]").get_attribute("name")
    prepare(f"/blocks/?{name}=compost")
    page.fill("input[type=search]", "compost")
    page.locator(".wz-search button").click()
    expect(page.locator(".wz-recordings .wz-card--recording")).to_have_count(1)


TEXT_EDGES = """node => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return Math.max(...[...range.getClientRects()].map(rect => Math.round(rect.right)));
}"""
WORD_EDGE = """word => {
    const parts = [...document.querySelectorAll(".wz-list .wz-parts > span")];
    const text = parts.map(part => part.lastChild).find(node => /60.minutes/.test(node.data));
    const range = document.createRange();
    range.setStart(text, text.data.indexOf(word));
    range.setEnd(text, text.data.indexOf(word) + word.length);
    return range.getBoundingClientRect().left;
}"""


def right_edge(locator):
    return locator.evaluate(TEXT_EDGES)


def left_edge_of_word(page, word):
    return page.evaluate(WORD_EDGE, word)


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_right_to_left(browser, specimen, width, scheme):
    """The first column is on the right, no horizontal overflow, axe finds nothing."""
    size = {"width": width, "height": 800}
    page, _messages = opened(browser, specimen, viewport=size, color_scheme=scheme)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    leaf = page.locator(".wz-list .wz-leaf").first.bounding_box()
    title = page.locator(".wz-list .wz-title").first.bounding_box()
    assert leaf["x"] > title["x"]
    # Words of another direction keep their order, and their lines begin where the others do.
    yours = page.locator(".wz-list .wz-yours").first
    assert right_edge(yours) == right_edge(page.locator(".wz-list .wz-title").first)
    number, unit = (left_edge_of_word(page, word) for word in ("60", "minutes"))
    assert number < unit
    results = Axe().run(page)
    assert results.response["violations"] == [], results.generate_report()
    screenshot(page, f"{width}-{scheme}-rtl")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_no_separator_at_the_start_or_end_of_a_line(browser, specimen, direction):
    """Where the parts of a row wrap, the separator between them is hidden."""
    page, _messages = opened(browser, specimen, viewport={"width": 320, "height": 800})
    page.evaluate("to => { document.documentElement.dir = to }", direction)
    separators = page.evaluate(
        """() => [...document.querySelectorAll(".wz-parts span span")].map(dot => {
            const box = node => node.getBoundingClientRect();
            const part = dot.parentElement, before = part.previousElementSibling;
            const line = box(dot.closest(".wz-parts"));
            const broken = box(before).top !== box(part).top;
            const cut = box(dot).right <= line.left + 1 || box(dot).left >= line.right - 1;
            return [broken, cut];
        })"""
    )
    assert {broken for broken, _cut in separators} == {True, False}
    assert all(broken == cut for broken, cut in separators)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo"])
def test_no_reserved_line_is_left_empty_below_the_screen(browser, specimen, zone):
    """On a phone, above the buttons of a list: the lines of the script are as high as their text.

    A visitor in the time zone of the events reads no other time, and would see two empty lines.
    """
    options = {"viewport": {"width": 360, "height": 200}, "timezone_id": zone}
    page, _messages = opened(browser, specimen, **options)
    gaps = page.evaluate(
        """() => [...document.querySelectorAll(".wz-item .wz-yours")]
            .filter(line => line.checkVisibility())
            .filter(line => line.getBoundingClientRect().top > innerHeight)
            .map(line => {
                const range = document.createRange();
                range.selectNodeContents(line);
                const texts = [...range.getClientRects()].map(one => one.bottom);
                const box = line.getBoundingClientRect();
                return box.bottom - Math.max(box.top, ...texts);
            })"""
    )
    assert len(gaps) > 3 and max(gaps) < 10


@pytest.fixture(params=[3, 16], ids=["the same day in Tokyo", "the next day in Tokyo"])
def hour(request):
    """The text under a date depends on the hour of the test."""
    now = timezone.now().replace(hour=request.param, minute=20)
    with time_machine.travel(now, tick=True):
        yield


HEIGHTS = """[...document.querySelectorAll(".wz-yours, .wz-count, .wz-day, .wz-month")].map(
    one => [one.innerText, one.getBoundingClientRect().height])"""


@pytest.mark.parametrize("width", [360, 1280])
def test_no_layout_shift_when_the_script_loads(browser, hour, specimen, width):
    """The space for the script's text is reserved from the start.

    One more line is allowed on a phone for each event that is on another day for the visitor:
    three empty lines under every date would be worse.
    """
    page = browser.new_page(timezone_id="Asia/Tokyo", viewport={"width": width, "height": 900})
    held: list[Any] = []
    page.route("**/*", fulfil)
    page.route("**/zoom*.js", lambda route: held.append(route))
    page.goto(specimen, wait_until="commit")
    while page.evaluate("document.readyState") == "loading" or not held:
        page.wait_for_timeout(20)
    before = page.evaluate(HEIGHTS)
    for route in held:
        fulfil(route)
    page.wait_for_load_state("load")
    after = page.evaluate(HEIGHTS)
    assert "Tokyo" in after[0][0]
    for (_empty, reserved), (text, height) in zip(before, after, strict=True):
        # "the next day for you", or "tomorrow for you" where it is tomorrow by the browser's clock.
        lines = text.count("for you") if width < 400 else 0
        assert height <= reserved + 23 * lines + 0.5, text
