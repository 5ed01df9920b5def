"""The list blocks on a page of a Site."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.blocks import CharBlock
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.models import Site

from tests.blocks import rows
from wagtail_zoom.blocks import CalendarBlock, MeetingListBlock, RecordingListBlock
from wagtail_zoom.models import ItemTag, Occurrence, touch

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def listed(html):
    return [part.split("<")[0] for part in html.split('class="wz-title">')[1:]]


def test_escapes_and_keeps_secrets(draw, host, django_assert_num_queries, rf):
    """X16, X26: topics are escaped, links and passcodes are not in the page."""
    for state in ("live", "moved", "cancelled"):
        rows.date(host, topic="<script>x</script>", state=state)
    request = rf.get("/")
    html = draw(MeetingListBlock(), request)
    assert "&lt;script&gt;" in html and "<script>" not in html
    assert "Live now" in html and "Cancelled" in html and "It will not take place." in html
    assert "hush" not in html and "zoom.example" not in html
    with django_assert_num_queries(0):
        draw(MeetingListBlock(), request)


def test_the_same_number_of_queries_for_any_amount(draw, host, site, rf):
    def queries(count):
        for number in range(count):
            rows.item(site, rows.date(host, start=NOW + (number + 2) * HOUR).meeting)
        with CaptureQueriesContext(connection) as found:
            draw(MeetingListBlock(), filters=True)
        return len(found)

    queries(1)
    assert queries(1) == queries(20) <= 9


def test_assets_come_once_a_page(draw, host, rf):
    request = rf.get("/")
    html = draw(MeetingListBlock(), request) + draw(RecordingListBlock(), request)
    assert html.count("blocks.css") == html.count("zoom.js") == 1


@pytest.mark.parametrize("layout", ["list", "cards", "agenda", "table"])
def test_every_layout_names_zone_and_state(draw, host, layout):
    rows.date(host, state="cancelled")
    rows.date(host)
    html = draw(MeetingListBlock(), layout=layout)
    assert "Berlin time" in html and "Cancelled" in html and "<time datetime=" in html


def test_periods(draw, host):
    rows.date(host, topic="Past", start=NOW - 3 * HOUR)
    rows.date(host, topic="Live", start=NOW - HOUR / 2, state="live")
    rows.date(host, topic="Overrun", start=NOW - 2 * HOUR, state="live")
    rows.date(host, topic="Ended early", start=NOW - HOUR / 2, state="over")
    rows.date(host, topic="Later", start=NOW + 40 * DAY)
    assert listed(draw(MeetingListBlock())) == ["Overrun", "Live", "Later"]
    assert listed(draw(MeetingListBlock(), period="past")) == ["Ended early", "Past"]
    assert listed(draw(MeetingListBlock(), period="live")) == ["Overrun", "Live"]
    first = (NOW + 30 * DAY).date().isoformat()
    assert listed(draw(MeetingListBlock(), period="range", first=first)) == ["Later"]


def repeated(host, topic, *days, **states):
    """A series with a date on each of these days from now."""
    meeting = rows.date(host, topic=topic, zoom_type=8, start=NOW + days[0] * DAY).meeting
    for day in days[1:]:
        start = NOW + day * DAY
        Occurrence.objects.create(
            meeting=meeting, account=meeting.account, zoom_id=str(day), start=start,
            end=start + HOUR, duration=60, state=states.get("state", "scheduled"),
        )  # fmt: skip
    return meeting


def shown_days(draw, **value):
    html = draw(MeetingListBlock(), layout="table", repeat="next", **value)
    starts = [part.split('"')[0] for part in html.split('<time datetime="')[1:]]
    return [round((datetime.fromisoformat(start) - NOW) / DAY) for start in starts]


def day_of(number):
    return (NOW + number * DAY).date().isoformat()


def test_one_date_of_a_series_is_the_next_one_or_among_what_is_over_the_latest(draw, host):
    weekly = repeated(host, "Weekly", -21, -14, -7, 7, 14)
    repeated(host, "Fallen through", -10, -3, state="cancelled")
    rows.date(host, topic="Once", start=NOW - 9 * DAY)
    assert shown_days(draw) == [7]
    assert shown_days(draw, period="past") == [-7, -9, -10]
    assert shown_days(draw, period="past", order="soonest") == [-10, -9, -7]
    weekly.occurrences.filter(start__gt=NOW).delete()
    touch(host.account_id)
    assert shown_days(draw) == []
    assert shown_days(draw, period="past") == [-7, -9, -10]


def test_one_date_of_a_series_between_two_days_is_the_next_one_there(draw, host):
    repeated(host, "Weekly", -21, -14, -7, 7, 14, 21)
    assert shown_days(draw, period="range", first=day_of(10), last=day_of(30)) == [14]
    assert shown_days(draw, period="range", first=day_of(-30), last=day_of(30)) == [7]
    assert shown_days(draw, period="range", first=day_of(-30), last=day_of(-10)) == [-14]


def test_what_has_been_is_not_lost_between_two_days_that_go_on(draw, host):
    """Where a series has nothing to come there, its latest date stands for it."""
    repeated(host, "Weekly", -21, -14, -7, 7, 14)
    repeated(host, "Ended", -20, -13)
    rows.date(host, topic="Once", start=NOW - 9 * DAY)
    assert shown_days(draw, period="range", first=day_of(-30), last=day_of(3)) == [-13, -9, -7]
    assert shown_days(draw, period="range", first=day_of(-30)) == [-13, -9, 7]
    assert shown_days(draw, period="range", first=day_of(-10), last=day_of(30)) == [-9, 7]


def test_narrowing_by_kind_host_tag_and_pick(draw, host, site):
    one, two = rows.date(host, topic="One"), rows.date(host, topic="Two", kind="webinar")
    item = rows.item(site, one.meeting)
    ItemTag.objects.create(item=item, name="Yoga")
    assert listed(draw(MeetingListBlock(), kind="webinar")) == ["Two"]
    assert listed(draw(MeetingListBlock(), tags="yoga, other")) == ["One"]
    assert listed(draw(MeetingListBlock(), hosts="Nobody")) == []
    assert set(listed(draw(MeetingListBlock(), hosts="host h1"))) == {"One", "Two"}
    assert listed(draw(MeetingListBlock(), items=[item.pk])) == ["One"]
    assert two.pk


def test_a_picked_item_of_another_site_shows_nothing(draw, host, site):
    """X7: a block never trusts a stored id."""
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    foreign = rows.item(other, rows.date(host).meeting)
    assert listed(draw(MeetingListBlock(), items=[foreign.pk])) == []
    assert listed(draw(MeetingListBlock(), items=[99999])) == []


def test_own_title_and_summary(draw, host, site):
    rows.item(site, rows.date(host).meeting, title="Our name", summary="Line\n\nNext")
    html = draw(MeetingListBlock(), show=["summary"])
    assert listed(html) == ["Our name"] and "<p>Line</p>" in html


def test_links_to_zoom_in_a_description_are_cut_out(draw, host):
    """X26: a pasted invitation gives nothing away."""
    agenda = "Come in.\nJoin https://us02web.zoom.us/j/1?pwd=canary\nPasscode: canary\nBye"
    rows.date(host, agenda=agenda)
    html = draw(MeetingListBlock(), show=["summary"])
    assert "canary" not in html and "Come in." in html and "Bye" in html


def test_only_the_next_date_of_a_series(draw, host):
    date = rows.date(host, topic="Series")
    for number in (1, 2):
        type(date).objects.create(
            meeting=date.meeting,
            account=date.account,
            zoom_id=str(number),
            start=date.start + number * DAY,
            end=date.end + number * DAY,
        )
    assert len(listed(draw(MeetingListBlock()))) == 3
    assert len(listed(draw(MeetingListBlock(), repeat="next"))) == 1


def test_pages_and_filters_are_plain_links_with_the_lists_own_name(draw, host, rf):
    for number in range(5):
        kind = "webinar" if number % 2 else "meeting"
        rows.date(host, topic=f"T{number}", kind=kind, start=NOW + (number + 1) * HOUR)
    block = MeetingListBlock()
    html = draw(block, limit=2, filters=True)
    assert 'href="/?wz-1-page=2#wz-1"' in html and 'href="/?wz-1-kind=webinar#wz-1"' in html
    assert listed(draw(block, rf.get("/?wz-1-page=2"), limit=2)) == ["T2", "T3"]
    assert listed(draw(block, rf.get("/?wz-1-page=99"), limit=2)) == ["T4"]
    assert listed(draw(block, rf.get("/?wz-9-page=2"), limit=2)) == ["T0", "T1"]
    assert listed(draw(block, rf.get("/?wz-1-kind=webinar"), filters=True)) == ["T1", "T3"]
    assert listed(draw(block, rf.get("/?wz-1-kind=webinar"))) == ["T0", "T1", "T2", "T3", "T4"]


def test_nothing_found_by_a_filter_says_so(draw, host, rf):
    rows.date(host)
    html = draw(MeetingListBlock(), rf.get("/?wz-1-kind=webinar"), filters=True)
    assert "No webinars are planned" in html and "Show everything" in html


def test_stale_data_is_named(draw, host, site):
    rows.date(host)
    assert "Last updated" not in draw(MeetingListBlock())
    host.account.reconciled_at = NOW - 3 * DAY
    host.account.save()
    assert "Last updated on <time" in draw(MeetingListBlock())
    assert "Last updated" not in draw(MeetingListBlock(), period="past")


def test_a_range_needs_days_in_order():
    block = MeetingListBlock()
    for values in ({}, {"first": "2026-02-02", "last": "2026-02-01"}):
        value = block.to_python({**values, "period": "range"})
        with pytest.raises(StructBlockValidationError):
            block.clean(value)


def test_recordings(draw, host, site):
    rows.item(site, rows.recording(host, topic="<b>Film"))
    rows.recording(host, topic="Unseen")
    html = draw(RecordingListBlock())
    assert "&lt;b&gt;Film" in html and "Unseen" not in html and "/zoom/watch/" in html


def test_recordings_are_searched_grouped_and_filtered_by_year(draw, host, site, rf):
    for number, topic in enumerate(("Blue sea", "Red sea", "Alone")):
        series = "s" if number < 2 else "x"
        start = NOW - (number * 370 + 1) * DAY
        film = rows.recording(host, topic=topic, start=start, meeting_zoom_id=series)
        rows.item(site, film)
    html = draw(RecordingListBlock(), rf.get("/?wz-1-q=sea+red"), search=True)
    assert "Red sea" in html and "Blue sea" not in html
    html = draw(RecordingListBlock(), rf.get("/?wz-1-q=%22%3E%3Cb"), search=True)
    assert "Nothing found for “&quot;&gt;&lt;b”." in html
    assert "More recordings" in draw(RecordingListBlock(), group="series")
    year = (NOW - 371 * DAY).year
    html = draw(RecordingListBlock(), rf.get(f"/?wz-1-year={year}"), years=True)
    assert "Red sea" in html and "Blue sea" not in html


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_without_page_nothing_and_stable_migrations(block, draw):
    made = block()
    assert made.render(made.to_python({}), {}).strip() == ""
    assert draw(made).strip() == ""
    assert "Not now" in draw(made, off="Not now")
    path = f"wagtail_zoom.blocks.{block.__name__}"
    assert made.deconstruct() == made.deconstruct_with_lookup(None) == (path, [], {})
    assert [ref[1] for ref in made.extract_references({})] == [made.zoom_placement]


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_the_pickers_preview_shows_invented_rows(block, admin_client, host, site):
    """WAGTAIL: the preview is open to every admin user and must never show real rows."""
    rows.item(site, rows.date(host, topic="Real meeting").meeting)
    rows.item(site, rows.recording(host, topic="Real film"))
    made = block()
    url = "/admin/block-preview/"
    html = admin_client.get(url, {"id": made.definition_prefix}).content.decode()
    assert "Sample" in html and "Real" not in html


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_headless(block, host, site, rf):
    rows.item(site, rows.recording(host, topic="Film"))
    rows.date(host, topic="Date")
    made = block()
    found = made.get_api_representation(made.to_python({}), {"request": rf.get("/")})["zoom"]
    assert [each["title"] for each in found] in (["Film"], ["Date"])
    assert "hush" not in str(found) and "zoom.example" not in str(found)


@pytest.mark.parametrize("block", [MeetingListBlock(), CalendarBlock()])
def test_what_is_compared_is_not_translated(block):
    """wagtail-localize takes every text, and none may be missing (also in older stored pages)."""
    value = block.to_python({"hosts": "Ines", "tags": "art"})
    texts = {
        name: child for name, child in block.child_blocks.items() if isinstance(child, CharBlock)
    }
    assert all(isinstance(value[name], str) for name in texts)
    for name in ("hosts", "tags"):
        assert texts[name].get_translatable_segments(value[name]) == []
        assert texts[name].restore_translated_segments(value[name], []) == value[name]


def test_nothing_is_lost_where_the_index_ends(draw, host):
    """Lists look for starts alone; the longest date and one that ended too early stay in them."""
    long = rows.date(host, topic="A month long", start=NOW - 30 * DAY)
    Occurrence.objects.filter(pk=long.pk).update(end=long.start + 31 * DAY)
    rows.date(host, topic="Over before", start=NOW + HOUR / 6, state="over")
    assert listed(draw(MeetingListBlock())) == ["A month long"]
    assert listed(draw(MeetingListBlock(), period="past")) == ["Over before"]


def test_pages_are_counted_as_far_as_links_lead(draw, host, rf, monkeypatch):
    """A hundred thousand rows are not counted for a page that leads to a few more."""
    monkeypatch.setattr("wagtail_zoom.frontend.pagination.MOST_PAGES", 6)
    monkeypatch.setattr("wagtail_zoom.frontend.pagination.PAGES_AHEAD", 2)
    for number in range(15):
        rows.date(host, topic=f"T{number}", start=NOW + (number + 2) * HOUR)
    block = MeetingListBlock()
    for asked, shown, last in ((1, "T0 T1", 3), (3, "T4 T5", 5), (9, "T10 T11", 6)):
        with CaptureQueriesContext(connection) as found:
            html = draw(block, rf.get(f"/?wz-1-page={asked}"), limit=2)
        assert listed(html) == shown.split()
        assert f"wz-1-page={last}#" in html and f"wz-1-page={last + 1}#" not in html
        counts = [each["sql"] for each in found if "COUNT(" in each["sql"]]
        assert len(counts) == 1 and f"LIMIT {2 * last}" in counts[0]


def test_only_the_next_date_is_the_live_one_while_it_overruns(draw, host):
    now = timezone.now()
    live = rows.date(host, start=now - timedelta(minutes=70), state="live", zoom_type=8)
    start = now + timedelta(days=7)
    Occurrence.objects.create(
        meeting=live.meeting, account=live.account, zoom_id="2", start=start, duration=60,
        end=start + timedelta(hours=1),
    )  # fmt: skip
    for period in ("upcoming", "live"):
        html = draw(MeetingListBlock(), repeat="next", period=period)
        assert html.count("<li ") == 1 and "Live now" in html, period
