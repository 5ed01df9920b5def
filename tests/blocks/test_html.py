"""The HTML of the blocks has no attribute where HTML does not allow it, and no id twice."""

from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NO_ROLE = ("table", "caption", "thead", "tbody", "tr", "th", "td", "dt", "dd", "dl", "time")
VOID = ("link", "img", "input", "meta", "br")
PHRASING_ONLY = (
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "caption",
    "summary",
    "label",
    "span",
    "button",
)
BLOCKS = ("p", "div", "ul", "ol", "dl", "table", "section", "form", "fieldset", "details")


class Checked(HTMLParser):
    """Collects the mistakes of a page."""

    def __init__(self, html):
        super().__init__()
        self.mistakes, self.stack, self.ids = [], [], Counter()
        self.seen = Counter()
        self.feed(html)
        self.mistakes += [f"id {name} twice" for name, count in self.ids.items() if count > 1]
        self.mistakes += [f"<{tag}> is open" for tag in self.stack]

    def handle_starttag(self, tag, attrs):
        self.seen[tag] += 1
        names = [name for name, _value in attrs]
        attributes = dict(attrs)
        if len(names) != len(set(names)):
            self.mistakes.append(f"<{tag}> has an attribute twice: {names}")
        if "role" in attributes and tag in NO_ROLE:
            self.mistakes.append(f'<{tag} role="{attributes["role"]}">')
        if tag == "a" and "href" not in attributes:
            self.mistakes.append("<a> has no href")
        if attributes.get("id"):
            self.ids[attributes["id"]] += 1
        if tag in BLOCKS:
            self.mistakes += [
                f"<{tag}> in <{parent}>" for parent in self.stack if parent in PHRASING_ONLY
            ]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.mistakes.append(f"</{tag}> out of order")


def test_every_block_is_valid(client, site, host):
    ZoomSettings.objects.update(show_registration=True)
    now = timezone.now()
    series = rows.occurrence(host, zoom_type=8, registration_type=2, approval_type=0)
    for number in range(1, 12):
        series.pk, series.public_id = None, uuid4()
        series.zoom_id, series._state.adding = str(number), True
        series.start, series.end = now + number * DAY, now + number * DAY + DAY
        series.save()
    rows.occurrence(host, start=now + DAY, state="cancelled", agenda="A text.\n\n- one\n- two")
    rows.occurrence(host, start=now + DAY / 2, state="moved", approval_type=0)
    for number in range(3):
        rows.item(site, rows.recording(host, topic=f"Film {number}"))
    item = rows.item(site, series.meeting)
    shown = {"show": ["host", "length", "summary", "image"], "filters": True, "limit": 3}
    body = [("dates", {"layout": name, "heading": name, **shown}) for name in ("list", "cards")]
    body += [("dates", {"layout": name, "heading": name, **shown}) for name in ("agenda", "table")]
    body += [("dates", {"group": "month"}), ("recordings", {"search": True}), ("next", {})]
    body += [("recordings", {"layout": "list"}), ("calendar", {}), ("meeting", {"item": item})]
    body += [("register", {"item": item})]
    site.root_page.add_child(instance=ZoomPage(title="All", slug="all", body=body))
    checked = Checked(client.get("/all/").content.decode())
    assert checked.mistakes == []
    # The further dates of the meeting, and the subscription below each list of dates.
    assert checked.seen["details"] == 7 and checked.seen["table"] == 2 and checked.seen["fieldset"]
    assert Checked('<p id="a"><div id="a"></div></p><td role="cell"></td>').mistakes == [
        "<div> in <p>", '<td role="cell">', "id a twice"
    ]  # fmt: skip
