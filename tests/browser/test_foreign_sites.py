"""Our blocks and pages in sites that nobody here designed: stylesheets that reset everything, bare
frames, narrow columns.

With ``BLOCK_SHOTS=<folder>`` the screenshots are saved.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from wagtail.models import Site

from tests.blocks import rows
from tests.testapp.models import DatesPage, ZoomPage
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Registration, Transcript
from wagtail_zoom.registration import tokens
from wagtail_zoom.registration.questions import ONE, CustomQuestion

from .test_blocks import opened, prepare, screenshot

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "tests" / "preflight"
BASE = "wagtail_zoom/public/base.html"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE = "http://localhost"
WIDTHS = (320, 768, 1280)

CONTRASTS = """() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, ground) => [0, 1, 2].map(
    (part) => (top[part] * top[3] + ground[part] * (255 - top[3])) / 255);
  const ground = (element) => {
    const own = rgba(getComputedStyle(element).backgroundColor);
    const below = element.parentElement ? ground(element.parentElement) : [255, 255, 255];
    return over(own, below);
  };
  const luminance = (color) => {
    const [red, green, blue] = color.map((part) => part / 255).map(
      (part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const ratio = (element) => {
    const below = ground(element), ink = rgba(getComputedStyle(element).webkitTextFillColor);
    const both = [luminance(over(ink, below)), luminance(below)];
    return (Math.max(...both) + .05) / (Math.min(...both) + .05);
  };
  const speaks = (element) => [...element.childNodes].some(
    (node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll(".wz-panel, .wz-panel *, .wz-state")]
    .filter((element) => speaks(element) && element.checkVisibility() && !element.closest(".wz-sr"))
    .map((element) => [element.textContent.trim().slice(0, 40), element.tagName, ratio(element)]);
}"""
"""Text on a tint, its element, and the contrast of its computed colours, as WCAG defines it."""


def recipe() -> str:
    """The template of the designers' guide."""
    guide = (ROOT / "docs/how-to/designer.md").read_text()
    return re.search(r"### Your frame.*?```html\n(.*?)```", guide, re.DOTALL)[1]  # type: ignore[index]


@pytest.fixture
def project(db: Any, settings: Any, tmp_path: Path) -> Path:
    """The project with the bare frame; returns a folder for further templates."""
    base = tmp_path / BASE
    base.parent.mkdir(parents=True)
    base.write_text(recipe())
    folders = [tmp_path, PROJECT / "templates"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": folders}]
    settings.STATICFILES_DIRS = [PROJECT / "static"]
    return tmp_path


QUESTION = "Do you own the house in which you live, or do you rent it from somebody else?"
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika.tanaka@example.org"}


class Rows:
    """A Site with dates, a form, a recording, and a registration that waits for confirmation."""

    def __init__(self) -> None:
        self.site = Site.objects.get(is_default_site=True)
        Site.objects.update(site_name="Harbour House")
        host = rows.host(rows.account())
        host.display_name, host.user_type = "Lena Brandt and Amara Osei", 2
        host.save()
        flags = ("show_webinars", "show_registration", "show_transcripts", "double_opt_in")
        rows.site_settings(
            self.site,
            host.account,
            host,
            contact_email="a@example.org",
            **dict.fromkeys(flags, True),
        )
        now = timezone.now().replace(minute=0, second=0, microsecond=0)
        takes = {"approval_type": 0, "capacity": 40}
        question = {"title": QUESTION, "type": "single_radio", "answers": ["I own", "I rent"]}
        questions = {"questions": [{"field_name": "last_name"}], "custom_questions": [question]}
        self.heat = rows.occurrence(
            host,
            topic="Heat pumps in old houses",
            start=now + DAY,
            registrant_count=12,
            questions=questions,
            questions_at=now,
            **takes,
        )
        self.live = rows.occurrence(host, topic="Open studio", state="live", start=now)
        self.off = rows.occurrence(host, topic="Bread", state="cancelled", start=now + 2 * DAY)
        rows.occurrence(host, topic="German", start=now + 3 * DAY, registrant_count=40, **takes)
        recording = rows.recording(host, topic="The harbour in nine maps")
        rows.item(self.site, recording)
        Transcript.objects.create(recording=recording, text="Good evening. " * 40)
        dates = (self.heat, self.live, self.off)
        self.items = [rows.item(self.site, date.meeting) for date in dates]

    def public_paths(self, language: str = "en") -> dict[str, str]:
        """Our pages outside the page tree, and the page of a date."""
        page = DatesPage(title="Dates", slug="dates", body=[("meetings", {})])
        self.site.root_page.add_child(instance=page)
        dates = Client().get("/dates/").content.decode()
        form = FormLink(self.site.pk, self.site.root_page_id, self.heat.meeting_id, language, {})
        data = {**PERSON, question_name(): "I rent"}
        headers = {"Sec-Fetch-Site": "same-origin"}
        assert Client().post(form.url, data, headers=headers).status_code == 303
        status = tokens.status_path(Registration.objects.get())
        paths = {
            "date": re.findall(r'href="([^"]+/date/[^"]+)"', dates)[0],
            "register": form.url,
            "received": f"{form.url}received/",
            "status": status,
            "cancel": f"{status}cancel/",
            "join": f"/zoom/join/{links.sign_id(self.site.pk, self.live.public_id)}/",
            "sentence": "/zoom/register/gone/",
        }
        for path in paths.values():
            prepare(path)
        return paths


def question_name() -> str:
    return CustomQuestion(QUESTION, ONE, False).name


@pytest.fixture
def data(db: Any) -> Rows:
    return Rows()


def opened_at(browser: Browser, url: str, width: int, **options: Any) -> Page:
    """The page in a window of this width, without errors in its console."""
    page, messages = opened(browser, url, viewport={"width": width, "height": 900}, **options)
    assert messages == []
    return page


@pytest.fixture
def url(project: Path, data: Rows) -> str:
    """A page of the project with every block, in a column of 700 pixels."""
    layouts = ("list", "cards", "agenda", "table")
    body: list[tuple[str, Any]] = [
        ("dates", {"heading": layout.title(), "layout": layout, "filters": True})
        for layout in layouts
    ]
    body += [("next", {"heading": "Next"}), ("calendar", {"heading": "Calendar"})]
    body += [("meeting", {"item": item}) for item in data.items]
    body += [("register", {"item": data.items[0]})]
    body += [("recordings", {"heading": "Recordings", "search": True})]
    data.site.root_page.add_child(instance=ZoomPage(title="What is on", slug="on", body=body))
    prepare("/on/")
    return f"{SITE}/on/"


def test_a_reset_leaves_headings_and_links(browser: Browser, url: str) -> None:
    """Headings are larger than the titles below them, and links can be told from text."""
    page = opened_at(browser, url, 1280)
    size = "(all) => all.map((each) => parseFloat(getComputedStyle(each).fontSize))"
    headings = page.locator(".wz-heading").evaluate_all(size)
    titles = page.locator(".wz-title").evaluate_all(size)
    text = page.locator(".wz-meta").evaluate_all(size)
    assert len(headings) > 6 and len(titles) > 6
    assert min(headings) > max(titles) > max(text)
    weight = "(all) => all.map((each) => Number(getComputedStyle(each).fontWeight))"
    assert set(page.locator(".wz-title, .wz-sub").evaluate_all(weight)) == {600}
    plain = page.locator(".wz a:not(.wz-button, .wz-nav a)")
    line = "(all) => all.map((each) => getComputedStyle(each).textDecorationLine)"
    assert set(plain.evaluate_all(line)) == {"underline"} and plain.count() > 10
    results = Axe().run(page)
    assert results.response["violations"] == [], results.generate_report()
    screenshot(page, "preflight-1280")


@pytest.mark.parametrize("type_size", ["16px", "18px"])
def test_table_and_calendar_in_a_column_of_text(
    browser: Browser, long_times: None, url: str, type_size: str
) -> None:
    """A table and a month in 700 pixels; on a phone rows below each other."""
    page = opened_at(browser, url, 1280)
    page.locator(".column").evaluate(f"(each) => {{ each.style.fontSize = '{type_size}' }}")
    column = page.locator(".column").bounding_box()
    assert column and column["width"] == 700
    expect(page.locator(".wz-month table")).to_be_visible()
    expect(page.locator(".wz-table thead")).to_be_visible()
    for table in page.locator(".wz-month table, .wz-table table").all():
        box = table.bounding_box()
        assert box and box["width"] <= 700
    cells = page.locator(".wz-table tbody tr").first.locator("> *")
    tops = cells.evaluate_all("(all) => all.map((each) => each.getBoundingClientRect().top)")
    assert len(tops) == 5 and len(set(tops)) == 1
    screenshot(page, f"preflight-{type_size}")
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.locator(".wz-month")).to_be_hidden()
    expect(page.locator(".wz-table thead")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_on_a_tint_can_be_read(browser: Browser, url: str, scheme: str) -> None:
    """4.5 to 1, also for text and links that have just that on the page itself."""
    page = opened_at(browser, url, 1280, color_scheme=scheme)
    for ink in ("", "quiet"):
        page.locator(".column").evaluate(f"(each) => {{ each.className = 'column {ink}' }}")
        texts = page.evaluate(CONTRASTS)
        assert len([tag for _text, tag, _ratio in texts if tag == "A"]) > 4 and len(texts) > 20
        assert [line for line in texts if line[2] < 4.5] == []
    screenshot(page, f"preflight-quiet-{scheme}")


@pytest.mark.parametrize("frame", ["ours", "project"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_public_pages_have_room_at_their_sides(
    browser: Browser, data: Rows, request: pytest.FixtureRequest, frame: str, language: str
) -> None:
    """Styled and apart from the edge of the window, also where the frame brings neither."""
    if frame == "project":
        request.getfixturevalue("project")
    paths = data.public_paths(language)
    page = opened_at(browser, SITE + paths["date"], 1280)
    for name, path in paths.items():
        page.goto(SITE + path)
        assert page.locator("link[href$='blocks.css']").count() == 1
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            left, right = sides(page)
            assert left >= 16 and right >= 16, (name, width)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                name,
                width,
            )
            screenshot(page, f"public-{frame}-{language}-{name}-{width}")
        if frame == "project":
            page.set_viewport_size({"width": 320, "height": 800})
            page.locator("main").evaluate("(each) => { each.style.padding = '0 24px' }")
            assert sides(page) == (24, 24), f"{name}: no room is added to that of the frame"


def sides(page: Page) -> tuple[float, float]:
    """Pixels beside our section."""
    box = page.locator("main .wz").bounding_box()
    size = page.viewport_size
    assert box and size
    return box["x"], size["width"] - box["x"] - box["width"]
