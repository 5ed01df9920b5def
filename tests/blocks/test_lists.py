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
from wagtail_zoom.blocks import (
    CalendarBlock,
    MeetingListBlock,
    NextMeetingBlock,
    RecordingListBlock,
)
from wagtail_zoom.models import ItemTag, Occurrence, ZoomSettings, bump_data_version

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def titles_in(html):
    parts = html.split('class="wz-title">')[1:]
    return [part.removeprefix("<bdi>").split("<")[0] for part in parts]


def test_titles_are_escaped_and_secrets_hidden(render_block, host, django_assert_num_queries, rf):
    """X16, X26: topics are escaped, links and passcodes are not in the page."""
    for state in ("live", "moved", "cancelled"):
        rows.occurrence(host, topic="<script>x</script>", state=state)
    request = rf.get("/")
    html = render_block(MeetingListBlock(), request)
    assert "&lt;script&gt;" in html and "<script>" not in html
    assert "Live now" in html and "Cancelled" in html and "It will not take place." in html
    assert "hush" not in html and "zoom.example" not in html
    with django_assert_num_queries(0):
        render_block(MeetingListBlock(), request)


def test_the_same_number_of_queries_for_any_amount(render_block, host, site, rf):
    def queries(count):
        for number in range(count):
            rows.item(site, rows.occurrence(host, start=NOW + (number + 2) * HOUR).meeting)
        with CaptureQueriesContext(connection) as captured:
            render_block(MeetingListBlock(), filters=True)
        return len(captured)

    queries(1)
    assert queries(1) == queries(20) <= 9


def test_assets_come_once_a_page(render_block, host, rf):
    request = rf.get("/")
    html = render_block(MeetingListBlock(), request) + render_block(RecordingListBlock(), request)
    assert html.count("blocks.css") == html.count("zoom.js") == 1


@pytest.mark.parametrize("layout", ["list", "cards", "agenda", "table"])
def test_every_layout_names_zone_and_state(render_block, host, layout):
    rows.occurrence(host, state="cancelled")
    rows.occurrence(host)
    html = render_block(MeetingListBlock(), layout=layout)
    assert "Berlin time" in html and "Cancelled" in html and "<time datetime=" in html


@pytest.mark.parametrize("policy", ["window", "never"])
@pytest.mark.parametrize("layout", ["list", "cards", "agenda", "table", "next"])
def test_every_layout_says_why_a_live_meeting_cannot_be_joined(render_block, host, layout, policy):
    """The host has looked in three hours early."""
    ZoomSettings.objects.update(join_policy=policy)
    rows.occurrence(host, state="live", start=timezone.now() + 3 * HOUR)
    words = {
        "window": "You can join here from 15 minutes",
        "never": "The organiser gives out the link",
    }
    if layout == "next":
        html = render_block(NextMeetingBlock())
    else:
        html = render_block(MeetingListBlock(), layout=layout)
    assert "Live now" in html and words[policy] in html


def test_periods(render_block, host):
    rows.occurrence(host, topic="Past", start=NOW - 3 * HOUR)
    rows.occurrence(host, topic="Live", start=NOW - HOUR / 2, state="live")
    rows.occurrence(host, topic="Overrun", start=NOW - 2 * HOUR, state="live")
    rows.occurrence(host, topic="Ended early", start=NOW - HOUR / 2, state="over")
    rows.occurrence(host, topic="Later", start=NOW + 40 * DAY)
    assert titles_in(render_block(MeetingListBlock())) == ["Overrun", "Live", "Later"]
    assert titles_in(render_block(MeetingListBlock(), period="past")) == ["Ended early", "Past"]
    assert titles_in(render_block(MeetingListBlock(), period="live")) == ["Overrun", "Live"]
    first = (NOW + 30 * DAY).date().isoformat()
    assert titles_in(render_block(MeetingListBlock(), period="range", first=first)) == ["Later"]


def create_series(host, topic, *days, **states):
    """A series with an occurrence on each of these days, counted from now."""
    meeting = rows.occurrence(host, topic=topic, zoom_type=8, start=NOW + days[0] * DAY).meeting
    for day in days[1:]:
        start = NOW + day * DAY
        Occurrence.objects.create(
            meeting=meeting, account=meeting.account, zoom_id=str(day), start=start,
            end=start + HOUR, duration=60, state=states.get("state", "scheduled"),
        )  # fmt: skip
    return meeting


def shown_days(render_block, **value):
    html = render_block(MeetingListBlock(), layout="table", repeat="next", **value)
    starts = [part.split('"')[0] for part in html.split('<time datetime="')[1:]]
    return [round((datetime.fromisoformat(start) - NOW) / DAY) for start in starts]


def iso_day(number):
    return (NOW + number * DAY).date().isoformat()


def test_next_only_shows_the_next_or_the_latest_past_occurrence(render_block, host):
    weekly = create_series(host, "Weekly", -21, -14, -7, 7, 14)
    create_series(host, "Fallen through", -10, -3, state="cancelled")
    rows.occurrence(host, topic="Once", start=NOW - 9 * DAY)
    assert shown_days(render_block) == [7]
    assert shown_days(render_block, period="past") == [-7, -9, -10]
    assert shown_days(render_block, period="past", order="soonest") == [-10, -9, -7]
    weekly.occurrences.filter(start__gt=NOW).delete()
    bump_data_version(host.account_id)
    assert shown_days(render_block) == []
    assert shown_days(render_block, period="past") == [-7, -9, -10]


def test_next_only_in_a_range_shows_the_next_occurrence_of_the_range(render_block, host):
    create_series(host, "Weekly", -21, -14, -7, 7, 14, 21)
    assert shown_days(render_block, period="range", first=iso_day(10), last=iso_day(30)) == [14]
    assert shown_days(render_block, period="range", first=iso_day(-30), last=iso_day(30)) == [7]
    assert shown_days(render_block, period="range", first=iso_day(-30), last=iso_day(-10)) == [-14]


def test_next_only_in_an_open_range_falls_back_to_the_latest_occurrence(render_block, host):
    """The latest one is shown for a series without an upcoming occurrence in the range."""
    create_series(host, "Weekly", -21, -14, -7, 7, 14)
    create_series(host, "Ended", -20, -13)
    rows.occurrence(host, topic="Once", start=NOW - 9 * DAY)
    assert shown_days(render_block, period="range", first=iso_day(-30), last=iso_day(3)) == [
        -13,
        -9,
        -7,
    ]
    assert shown_days(render_block, period="range", first=iso_day(-30)) == [-13, -9, 7]
    assert shown_days(render_block, period="range", first=iso_day(-10), last=iso_day(30)) == [-9, 7]


def test_filters_by_kind_host_tag_and_item(render_block, host, site):
    tagged, webinar = (
        rows.occurrence(host, topic="One"),
        rows.occurrence(host, topic="Two", kind="webinar"),
    )
    item = rows.item(site, tagged.meeting)
    ItemTag.objects.create(item=item, name="Yoga")
    assert titles_in(render_block(MeetingListBlock(), kind="webinar")) == ["Two"]
    assert titles_in(render_block(MeetingListBlock(), tags="yoga, other")) == ["One"]
    assert titles_in(render_block(MeetingListBlock(), hosts="Nobody")) == []
    assert set(titles_in(render_block(MeetingListBlock(), hosts="host h1"))) == {"One", "Two"}
    assert titles_in(render_block(MeetingListBlock(), items=[item.pk])) == ["One"]
    assert webinar.pk


def test_a_chosen_item_of_another_site_shows_nothing(render_block, host, site):
    """X7: a block never trusts a stored id."""
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    foreign = rows.item(other, rows.occurrence(host).meeting)
    assert titles_in(render_block(MeetingListBlock(), items=[foreign.pk])) == []
    assert titles_in(render_block(MeetingListBlock(), items=[99999])) == []


def test_own_title_and_summary(render_block, host, site):
    rows.item(site, rows.occurrence(host).meeting, title="Our name", summary="Line\n\nNext")
    html = render_block(MeetingListBlock(), show=["summary"])
    assert titles_in(html) == ["Our name"] and "<p>Line</p>" in html


def test_zoom_links_are_removed_from_descriptions(render_block, host):
    """X26: a pasted invitation reveals nothing."""
    agenda = "Come in.\nJoin https://us02web.zoom.us/j/1?pwd=canary\nPasscode: canary\nBye"
    rows.occurrence(host, agenda=agenda)
    html = render_block(MeetingListBlock(), show=["summary"])
    assert "canary" not in html and "Come in." in html and "Bye" in html


def test_next_only_shows_one_occurrence_of_a_series(render_block, host):
    occurrence = rows.occurrence(host, topic="Series")
    for number in (1, 2):
        type(occurrence).objects.create(
            meeting=occurrence.meeting,
            account=occurrence.account,
            zoom_id=str(number),
            start=occurrence.start + number * DAY,
            end=occurrence.end + number * DAY,
        )
    assert len(titles_in(render_block(MeetingListBlock()))) == 3
    assert len(titles_in(render_block(MeetingListBlock(), repeat="next"))) == 1


def test_pages_and_filters_are_links_with_the_prefix_of_the_list(render_block, host, rf):
    for number in range(5):
        kind = "webinar" if number % 2 else "meeting"
        rows.occurrence(host, topic=f"T{number}", kind=kind, start=NOW + (number + 1) * HOUR)
    block = MeetingListBlock()
    html = render_block(block, limit=2, filters=True)
    assert 'href="/?wz-1-page=2#wz-1"' in html and 'href="/?wz-1-kind=webinar#wz-1"' in html
    assert titles_in(render_block(block, rf.get("/?wz-1-page=2"), limit=2)) == ["T2", "T3"]
    assert titles_in(render_block(block, rf.get("/?wz-1-page=99"), limit=2)) == ["T4"]
    assert titles_in(render_block(block, rf.get("/?wz-9-page=2"), limit=2)) == ["T0", "T1"]
    assert titles_in(render_block(block, rf.get("/?wz-1-kind=webinar"), filters=True)) == [
        "T1",
        "T3",
    ]
    assert titles_in(render_block(block, rf.get("/?wz-1-kind=webinar"))) == [
        "T0",
        "T1",
        "T2",
        "T3",
        "T4",
    ]


def test_a_filter_without_results_shows_a_message(render_block, host, rf):
    rows.occurrence(host)
    html = render_block(MeetingListBlock(), rf.get("/?wz-1-kind=webinar"), filters=True)
    assert "No webinars are planned" in html and "Show everything" in html


def test_stale_data_is_reported(render_block, host, site):
    rows.occurrence(host)
    assert "Last updated" not in render_block(MeetingListBlock())
    host.account.reconciled_at = NOW - 3 * DAY
    host.account.save()
    assert "Last updated on <time" in render_block(MeetingListBlock())
    assert "Last updated" not in render_block(MeetingListBlock(), period="past")


def test_a_range_needs_days_in_order():
    block = MeetingListBlock()
    for values in ({}, {"first": "2026-02-02", "last": "2026-02-01"}):
        value = block.to_python({**values, "period": "range"})
        with pytest.raises(StructBlockValidationError):
            block.clean(value)


def test_recordings(render_block, host, site):
    rows.item(site, rows.recording(host, topic="<b>Film"))
    rows.recording(host, topic="Unseen")
    html = render_block(RecordingListBlock())
    assert "&lt;b&gt;Film" in html and "Unseen" not in html and "/zoom/watch/" in html


def test_recordings_are_searched_grouped_and_filtered_by_year(render_block, host, site, rf):
    for number, topic in enumerate(("Blue sea", "Red sea", "Alone")):
        series = "s" if number < 2 else "x"
        start = NOW - (number * 370 + 1) * DAY
        recording = rows.recording(host, topic=topic, start=start, meeting_zoom_id=series)
        rows.item(site, recording)
    html = render_block(RecordingListBlock(), rf.get("/?wz-1-q=sea+red"), search=True)
    assert "Red sea" in html and "Blue sea" not in html
    html = render_block(RecordingListBlock(), rf.get("/?wz-1-q=%22%3E%3Cb"), search=True)
    assert "Nothing found for “&quot;&gt;&lt;b”." in html
    assert "More recordings" in render_block(RecordingListBlock(), group="series")
    year = (NOW - 371 * DAY).year
    html = render_block(RecordingListBlock(), rf.get(f"/?wz-1-year={year}"), years=True)
    assert "Red sea" in html and "Blue sea" not in html


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_without_page_nothing_and_stable_migrations(block, render_block):
    block_instance = block()
    assert block_instance.render(block_instance.to_python({}), {}).strip() == ""
    assert render_block(block_instance).strip() == ""
    assert "Not now" in render_block(block_instance, off="Not now")
    path = f"wagtail_zoom.blocks.{block.__name__}"
    assert (
        block_instance.deconstruct()
        == block_instance.deconstruct_with_lookup(None)
        == (path, [], {})
    )
    assert [reference[1] for reference in block_instance.extract_references({})] == [
        block_instance.zoom_usage
    ]


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_the_preview_shows_sample_data(block, admin_client, host, site):
    """The preview is open to every admin user and must never show real rows."""
    rows.item(site, rows.occurrence(host, topic="Real meeting").meeting)
    rows.item(site, rows.recording(host, topic="Real film"))
    block_instance = block()
    url = "/admin/block-preview/"
    html = admin_client.get(url, {"id": block_instance.definition_prefix}).content.decode()
    assert "Sample" in html and "Real" not in html


@pytest.mark.parametrize("block", [MeetingListBlock, RecordingListBlock])
def test_headless(block, host, site, rf):
    rows.item(site, rows.recording(host, topic="Film"))
    rows.occurrence(host, topic="Date")
    block_instance = block()
    entries = block_instance.get_api_representation(
        block_instance.to_python({}), {"request": rf.get("/")}
    )["zoom"]
    assert [entry["title"] for entry in entries] in (["Film"], ["Date"])
    assert "hush" not in str(entries) and "zoom.example" not in str(entries)


@pytest.mark.parametrize("block", [MeetingListBlock(), CalendarBlock()])
def test_names_in_filters_are_not_translated(block):
    """wagtail-localize reads every text, and none may be missing (also in older stored pages)."""
    value = block.to_python({"hosts": "Ines", "tags": "art"})
    texts = {
        name: child for name, child in block.child_blocks.items() if isinstance(child, CharBlock)
    }
    assert all(isinstance(value[name], str) for name in texts)
    for name in ("hosts", "tags"):
        assert texts[name].get_translatable_segments(value[name]) == []
        assert texts[name].restore_translated_segments(value[name], []) == value[name]


def test_long_and_early_ended_occurrences_are_listed(render_block, host):
    """Lists filter by start only, but must include the longest and early-ended occurrences."""
    long = rows.occurrence(host, topic="A month long", start=NOW - 30 * DAY)
    Occurrence.objects.filter(pk=long.pk).update(end=long.start + 31 * DAY)
    rows.occurrence(host, topic="Over before", start=NOW + HOUR / 6, state="over")
    assert titles_in(render_block(MeetingListBlock())) == ["A month long"]
    assert titles_in(render_block(MeetingListBlock(), period="past")) == ["Over before"]


def test_rows_are_counted_only_up_to_the_last_linked_page(render_block, host, rf, monkeypatch):
    """With very many rows, only those of linked pages are counted."""
    monkeypatch.setattr("wagtail_zoom.frontend.pagination.MAX_PAGES", 6)
    monkeypatch.setattr("wagtail_zoom.frontend.pagination.PAGES_AHEAD", 2)
    for number in range(15):
        rows.occurrence(host, topic=f"T{number}", start=NOW + (number + 2) * HOUR)
    block = MeetingListBlock()
    for page, shown, last in ((1, "T0 T1", 3), (3, "T4 T5", 5), (9, "T10 T11", 6)):
        with CaptureQueriesContext(connection) as captured:
            html = render_block(block, rf.get(f"/?wz-1-page={page}"), limit=2)
        assert titles_in(html) == shown.split()
        assert f"wz-1-page={last}#" in html and f"wz-1-page={last + 1}#" not in html
        counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
        assert len(counts) == 1 and f"LIMIT {2 * last}" in counts[0]


def test_next_only_shows_the_live_occurrence_while_it_overruns(render_block, host):
    now = timezone.now()
    live = rows.occurrence(host, start=now - timedelta(minutes=70), state="live", zoom_type=8)
    start = now + timedelta(days=7)
    Occurrence.objects.create(
        meeting=live.meeting, account=live.account, zoom_id="2", start=start, duration=60,
        end=start + timedelta(hours=1),
    )  # fmt: skip
    for period in ("upcoming", "live"):
        html = render_block(MeetingListBlock(), repeat="next", period=period)
        assert html.count("<li ") == 1 and "Live now" in html, period
