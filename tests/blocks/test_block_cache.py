"""Cached HTML always equals newly rendered HTML, after every type of change and at any time."""

import contextlib
import gettext
import pickle
import random
import re
import struct
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import ClassVar

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.files.images import ImageFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import translation
from django.utils.translation import trans_real
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Page, PageViewRestriction

from tests.blocks import rows
from tests.testapp.models import DatesPage, EventPage, ZoomPage
from wagtail_zoom.admin import curation
from wagtail_zoom.blocks import MeetingListBlock
from wagtail_zoom.frontend.cache import fingerprint, invalidation
from wagtail_zoom.frontend.cache import html as html_cache
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.mapping.recordings import map_recording
from wagtail_zoom.models import (
    ExposedHost,
    Grant,
    Meeting,
    Occurrence,
    SiteItem,
    ZoomAccount,
    ZoomSettings,
    bump_data_version,
    fetch_scope,
)
from wagtail_zoom.oauth import disconnect
from wagtail_zoom.registration import capacity, events
from wagtail_zoom.sync import event_effects, questions, removals, retention, users
from wagtail_zoom.sync.persist import WriteContext, store_meetings, store_recordings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)
"""When the data exists and changes begin."""
HOUR = timedelta(hours=1)


def block_cache(alias="default"):
    return override_settings(WAGTAIL_ZOOM={**django_settings.WAGTAIL_ZOOM, "BLOCK_CACHE": alias})


@pytest.fixture(autouse=True)
def fresh_cache():
    html_cache._retry_at.clear()
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOW) as traveller:
        yield traveller


class SiteData:
    """A Site with data of every type, its pages, and methods that change them."""

    def __init__(self, site, host, rf, clock):
        self.site, self.host, self.rf, self.clock = site, host, rf, clock
        self.account = host.account
        self.other = rows.host(self.account, "h2")
        ZoomSettings.objects.update(show_registration=True)
        self.number = 700
        self.store(1, hours=30, approval=0)
        self.store(2, hours=3, webinar=True)
        self.store(3, hours=-50)
        self.recording("a")
        self.recording("b", days=400)
        item = SiteItem.objects.get(key="1")
        curation.set_visibility(SiteItem.objects.filter(kind="recording"), "published", None)
        body = [
            ("meetings", {"layout": "cards", "show": ["summary", "host", "image"]}),
            ("meetings", {"period": "past", "limit": 1}),
            ("recordings", {"years": True, "show": ["cover", "host"], "search": True}),
            ("next_meeting", {}),
            ("calendar", {}),
            ("meeting", {"item": item}),
            ("registration", {"item": item}),
        ]
        self.page = DatesPage(title="All", slug="all", body=body)
        site.root_page.add_child(instance=self.page)
        self.event = EventPage(title="Event", slug="event", zoom_item=SiteItem.objects.get(key="2"))
        site.root_page.add_child(instance=self.event)
        self.image = get_image_model().objects.create(title="One", file=get_test_image_file())

    def now(self):
        return NOW.__class__.now(UTC)

    def scope(self):
        return fetch_scope(ZoomAccount.objects.get(pk=self.account.pk))

    def store(self, number, *, hours=24, topic="", webinar=False, approval=2, host="h1", **extra):
        start = self.now() + hours * HOUR
        settings = {"approval_type": approval, "registrants_restrict_number": 20}
        payload = {
            "id": number, "host_id": host, "type": 5 if webinar else 2,
            "topic": topic or f"Evening {number}", "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "duration": 60, "timezone": "Europe/Berlin", "agenda": "About it", "settings": settings,
            "join_url": f"https://zoom.us/j/{number}", **extra,
        }  # fmt: skip
        meetings = [map_meeting(payload)]
        store_meetings(self.account, self.scope(), meetings, WriteContext(self.now()))

    def recording(self, uuid, *, topic="", days=3, host="h1"):
        start = self.now() - timedelta(days=days)
        payload = {
            "uuid": uuid, "id": "3", "host_id": host, "type": 2, "topic": topic or f"Film {uuid}",
            "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}", "duration": 50,
            "share_url": f"https://zoom.us/rec/share/{uuid}",
            "recording_files": [{"id": "f", "file_type": "MP4", "status": "completed"}],
        }  # fmt: skip
        store_recordings(
            self.account, self.scope(), [map_recording(payload)], WriteContext(self.now())
        )

    def html(self, query="", **request):
        page = Page.objects.get(pk=self.page.pk).specific
        http_request = self.rf.get(f"/all/{query}", **request)
        context = {"page": page, "request": http_request}
        return "\n".join(child.block.render(child.value, context) for child in page.body)

    def fresh(self, query=""):
        with block_cache(""):
            return self.html(query)

    def later(self, span):
        self.clock.shift(span)


@pytest.fixture
def site_data(site, host, rf, clock):
    return SiteData(site, host, rf, clock)


def item_of(site_data, kind="meeting"):
    return SiteItem.objects.filter(kind=kind).order_by("pk").first()


def edit_item(site_data, **values):
    item = item_of(site_data)
    for name, value in values.items():
        setattr(item, name, value)
    item.save()


def change_settings(site_data, **values):
    site_settings = ZoomSettings.objects.get()
    for name, value in values.items():
        setattr(site_settings, name, value)
    site_settings.save()


def count_registration(site_data, what):
    Meeting.objects.filter(zoom_id="1", registrant_count=None).update(registrant_count=3)
    ZoomAccount.objects.get().save()  # update() sends no signal
    site_data.html()
    events._update_count(site_data.account, "1", what)


def refuse_registration(site_data):
    capacity.set_refusal(Meeting.objects.get(zoom_id="1"), "refused")


def create_detail_page(site_data):
    recording_date = SiteItem.objects.get(key="3")
    page = ZoomPage(title="Told", slug="told", body=[("meeting", {"item": recording_date})])
    site_data.site.root_page.add_child(instance=page)


def restrict_page(site_data):
    PageViewRestriction.objects.create(page=site_data.event, restriction_type="login")


def move_page(site_data):
    box = site_data.site.root_page.add_child(instance=ZoomPage(title="Box", slug="box"))
    site_data.html()
    Page.objects.get(pk=site_data.event.pk).move(box, pos="last-child")


def rename_page(site_data):
    page = EventPage.objects.get(pk=site_data.event.pk)
    page.slug = "renamed"
    page.save_revision().publish()


def add_image(site_data):
    edit_item(site_data, image=site_data.image)


def replace_image(site_data):
    add_image(site_data)
    site_data.html()
    file = ImageFile(get_test_image_file(filename="other.png", colour="red").file, name="other.png")
    site_data.image.file = file
    site_data.image.save()


def delete_image(site_data):
    add_image(site_data)
    with_picture = site_data.html()
    get_image_model().objects.get(pk=site_data.image.pk).delete()
    assert site_data.html() == site_data.fresh() != with_picture
    edit_item(site_data, title="Without")


def restore_recording(site_data):
    event_effects.hide_recordings(site_data.account, ["a"], site_data.now(), deleted=False)
    site_data.html()
    site_data.later(timedelta(seconds=5))
    site_data.recording("a")


def remove_meeting(site_data):
    removals.remove(site_data.account, site_data.scope(), [Meeting.objects.get(zoom_id="2")])


def unselect_host(site_data):
    ExposedHost.objects.all().delete()


def select_other_host(site_data):
    site_data.store(9, host="h2")
    ZoomSettings.objects.get().hosts.add(site_data.other)
    site_data.html()
    site_data.store(9, host="h2")


def switch_off_webinars(site_data):
    change_settings(site_data, show_webinars=False)
    site_data.html()
    retention.purge_outside_scope(site_data.account)


CHANGES = {
    "new date": lambda w: w.store(4, hours=2),
    "other topic": lambda w: w.store(2, hours=3, topic="Renamed", webinar=True),
    "moved": lambda w: w.store(2, hours=5, webinar=True),
    "live": lambda w: event_effects.mark_live(w.account, "2", w.now() + 3 * HOUR),
    "cancelled": lambda w: event_effects.hide_deleted(w.account, "2", None, w.now()),
    "removed": remove_meeting,
    "other recording": lambda w: w.recording("a", topic="New cut"),
    "recording gone": lambda w: event_effects.hide_recordings(
        w.account, ["a"], w.now(), deleted=True
    ),
    "recording back": restore_recording,
    "host's name": lambda w: users.store_hosts(
        w.account, [("h1", {"display_name": "Ines"})], w.now()
    ),
    "hidden": lambda w: curation.set_visibility([item_of(w)], "hidden", None),
    "own title": lambda w: edit_item(w, title="Ours"),
    "own summary": lambda w: edit_item(w, summary="By us"),
    "expires": lambda w: edit_item(w, expires_on=w.now().date() - timedelta(days=1)),
    "picture": add_image,
    "other picture": replace_image,
    "no picture": delete_image,
    "item gone": lambda w: item_of(w, "recording").delete(),
    "registration": lambda w: count_registration(w, "registration_created"),
    "questions": lambda w: questions.store(
        Meeting.objects.get(zoom_id="1"), {"questions": [{"field_name": "city"}]}
    ),
    "refused": refuse_registration,
    "host unselected": unselect_host,
    "host selected": select_other_host,
    "kind off": switch_off_webinars,
    "rule": lambda w: change_settings(w, item_rule="picked"),
    "join policy": lambda w: change_settings(w, show_registration=False, join_policy="public"),
    "names off": lambda w: change_settings(w, show_host_names=False),
    "organiser": lambda w: change_settings(w, organiser="The choir"),
    "privacy notice": lambda w: change_settings(w, privacy_notice="Read this"),
    "paused": lambda w: change_settings(w, paused_at=w.now()),
    "archived": lambda w: disconnect.disconnect(ZoomSettings.objects.get(), keep=True),
    "disconnected": lambda w: disconnect.disconnect(ZoomSettings.objects.get(), keep=False),
    "grant of one user": lambda w: Grant.objects.update(account_level=False, zoom_user_id="h9"),
    "grant broken": lambda w: (
        ZoomAccount.objects.update(last_event_at=w.now()),
        Grant.objects.update(state="needs_reconnect"),
    ),
    "scope lost": lambda w: Grant.objects.update(missing_kinds=["registration"]),
    "quarantined": lambda w: ZoomAccount.objects.update(fingerprint="elsewhere"),
    "page with a form": create_detail_page,
    "page unpublished": lambda w: EventPage.objects.get(pk=w.event.pk).unpublish(),
    "page deleted": lambda w: EventPage.objects.get(pk=w.event.pk).delete(),
    "page renamed": rename_page,
    "page moved": move_page,
    "page for some": restrict_page,
    "site renamed": lambda w: w.site.__class__.objects.update(site_name="Renamed"),
    "starts": lambda w: w.later(3 * HOUR + timedelta(seconds=1)),
    "join page opens": lambda w: w.later(2 * HOUR + timedelta(minutes=46)),
    "ends": lambda w: w.later(4 * HOUR + timedelta(seconds=1)),
    "tomorrow": lambda w: w.later(timedelta(hours=14)),
    "stale": lambda w: (
        ZoomAccount.objects.update(reconciled_at=NOW), w.later(timedelta(hours=13))
    ),
}  # fmt: skip


EXPECTED_ERRORS = (ObjectDoesNotExist, AttributeError, ValidationError)
"""Raised by a change that an earlier change has made impossible."""


class Rollback(Exception):
    pass


QUICK_CHANGES = ("new date", "host's name", "hidden", "names off", "page with a form", "starts")


def test_changes_invalidate_cached_html(site_data, clock):
    """Cached HTML is never older than newly rendered HTML."""
    assert failed_changes(site_data, clock, QUICK_CHANGES) == []


@pytest.mark.slow
def test_every_change_invalidates_cached_html(site_data, clock):
    """All types of changes."""
    assert failed_changes(site_data, clock, CHANGES) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_invalidates_cached_html(site_data, clock, seed):
    """The same for consecutive changes, with or without visits in between."""
    dice = random.Random(seed)
    names = [name for name in CHANGES if name not in ("disconnected", "page deleted")]
    clock.move_to(LATER)
    with block_cache():
        for name in dice.choices(names, k=30):
            # An earlier change may have deleted the row.
            with contextlib.suppress(*EXPECTED_ERRORS), transaction.atomic():
                CHANGES[name](site_data)
            if dice.random() < 0.7:
                assert site_data.html() == site_data.fresh(), name
        assert site_data.html() == site_data.fresh()


def failed_changes(site_data, clock, names):
    """Those changes that do not invalidate cached HTML, or that change nothing.

    Each is rolled back: the version that it made does not come back with the next one.
    """
    failed = []
    clock.move_to(LATER)
    with block_cache():
        before = site_data.html()
        assert site_data.html() == before == site_data.fresh()
        for name in names:
            with contextlib.suppress(Rollback), transaction.atomic():
                CHANGES[name](site_data)
                after = site_data.html()
                if not (after == site_data.html() == site_data.fresh()) or after == before:
                    failed.append(name)
                raise Rollback
            clock.move_to(LATER)
            if site_data.html() != before:
                failed.append(f"{name}, rolled back")
    return failed


def cached_html():
    """The HTML in the cache."""
    keys = [key for key in cache._cache if "wagtail_zoom:html:" in key]
    return [pickle.loads(cache._cache[key])[2] for key in keys]  # noqa: S301


def test_html_of_any_length_does_not_fill_the_cache(site_data, monkeypatch):
    """Editors choose how much a block shows; it is rendered for each visitor then."""
    with block_cache():
        site_data.html()
        longest = max(map(len, cached_html()))
        count = len(cached_html())
        cache.clear()
        monkeypatch.setattr(html_cache, "MAX_HTML_LENGTH", longest - 1)
        assert site_data.html() == site_data.fresh()
        assert len(cached_html()) == count - 1


def test_a_cached_page_queries_only_versions(site_data, django_assert_max_num_queries):
    """One query for all blocks of a page, however many."""
    with block_cache():
        site_data.html()
        with django_assert_max_num_queries(6):  # page, type's row, its Site, chosen items, settings
            site_data.html()
        assert len(cached_html()) == 7


def test_fifty_lists_need_two_queries_more_than_none(client, site, host):
    """At most four with an empty cache: the expiry time needs no query of its own."""
    rows.item(site, rows.occurrence(host).meeting)
    counts, cold = [], []
    with block_cache():
        for slug, times in (("none", 0), ("fifty", 50)):
            body = [("dates", {"limit": number + 1}) for number in range(times)]
            site.root_page.add_child(instance=ZoomPage(title=slug, slug=slug, body=body))
            for query_counts in (cold, counts):
                client.get(f"/{slug}/")
                if query_counts is cold:
                    bump_data_version(host.account_id)
                with CaptureQueriesContext(connection) as captured:
                    assert client.get(f"/{slug}/").content.count(b"wz-meetings") == times
                query_counts.append(len(captured))
    assert counts[1] - counts[0] <= 2
    assert cold[1] - cold[0] <= 4


def test_a_template_can_switch_the_language(site_data, rf):
    """The same block twice on a page, once within {% language "de" %}."""
    page, request = Page.objects.get(pk=site_data.page.pk).specific, rf.get("/all/")
    block = page.body[0]

    def both():
        english = block.block.render(block.value, {"page": page, "request": request})
        with translation.override("de"):
            return english, block.block.render(block.value, {"page": page, "request": request})

    with block_cache():
        first = both()
        request = rf.get("/all/")
        assert both() == first
    assert "Add to calendar" in first[0] and "Add to calendar" not in first[1]


def test_previews_and_posts_bypass_the_cache(site_data, rf):
    page = Page.objects.get(pk=site_data.page.pk).specific
    with block_cache():
        for request in (rf.get("/all/"), rf.post("/all/"), rf.get("/all/elsewhere/")):
            request.is_preview = request.path == "/all/" and request.method == "GET"
            for child in page.body:
                child.block.render(child.value, {"page": page, "request": request})
        assert cached_html() == []


class BrokenCache:
    """A cache whose server is down."""

    calls: ClassVar[list[str]] = []

    def __init__(self, *args):
        pass

    def __getattr__(self, name):
        def fail(*args, **kwargs):
            if not name.startswith("close"):
                self.calls.append(name)
                raise ConnectionError("away")

        return fail


def test_a_failing_cache_does_not_break_a_page(site_data, settings, caplog):
    """One log line, and the cache is not used for a while."""
    dead = {"BACKEND": "tests.blocks.test_block_cache.BrokenCache"}
    settings.CACHES = {**settings.CACHES, "dead": dead}
    BrokenCache.calls.clear()
    plain = site_data.fresh()
    with block_cache("dead"):
        assert site_data.html() == plain == site_data.html()
    assert len(BrokenCache.calls) == 1
    assert [record.message for record in caplog.records if "dead" in record.message] == [
        "The cache 'dead' failed (ConnectionError). Blocks are rendered without it for 30 seconds, "
        "then it is tried again."
    ]
    html_cache._retry_at.clear()
    with block_cache("nowhere"):
        assert site_data.html() == plain
    assert "is not in CACHES" in caplog.text


def test_stylesheet_and_script_are_included_once_and_not_cached(site_data):
    """X17: with any block as the first one."""
    with block_cache():
        for _visit in range(2):
            html = site_data.html()
            assert html.count("blocks.css") == html.count("zoom.js") == 1
            assert html.index("blocks.css") < html.index("<section")
        assert cached_html() and not [html for html in cached_html() if "blocks.css" in html]


def test_no_secret_is_cached(site_data):
    """X26: cached HTML is public."""
    for meeting in Meeting.objects.all():
        meeting.join_url, meeting.passcode = "https://zoom.example/j/1?pwd=hush", "hush"
        meeting.save()
    with block_cache():
        site_data.html()
        assert cached_html() and not [html for html in cached_html() if "hush" in html]


def test_unknown_parameters_do_not_fill_the_cache(site_data):
    """X27: only parameters from our own links create cache entries."""
    with block_cache():
        names = re.findall(r'id="(wz-[0-9a-f]{6})"', site_data.html())
        count = len(cached_html())
        assert len(names) == count
        for parameter in ("page=999", "year=1999", "q=anything", "x=1", "month=9999-12"):
            site_data.html("?" + "&".join(f"{name}-{parameter}" for name in names))
        # Only the last linked month is one of our own links.
        assert len(cached_html()) == count + 1


def test_each_language_has_its_own_cache_entry(site_data):
    with block_cache():
        english = site_data.html()
        with translation.override("de"):
            german = site_data.html()
            assert german == site_data.fresh() != english
        assert site_data.html() == english


class ProjectList(MeetingListBlock):
    """A project's subclass: it may show anything."""


class CacheableProjectList(MeetingListBlock):
    """A subclass that declares that its HTML is the same for all visitors."""

    zoom_cacheable = True
    contexts: ClassVar[list[set[str]]] = []

    def should_cache(self, context):
        self.contexts.append(set(context))
        return super().should_cache(context)


def test_a_projects_block_is_cached_only_on_request():
    assert not ProjectList().is_cacheable
    assert CacheableProjectList().is_cacheable and MeetingListBlock().is_cacheable


def test_template_contexts_contain_no_visitor_data(site_data, rf):
    """X27: even a project's template cannot put a visitor's name into the cache."""
    block = CacheableProjectList()
    context = {
        "page": site_data.page,
        "request": rf.get("/all/"),
        "user": "me",
        "messages": ["hello"],
    }
    with block_cache():
        block.render(block.to_python({}), context)
    assert CacheableProjectList.contexts and not CacheableProjectList.contexts[0] & {
        "user",
        "messages",
    }


def test_a_projects_template_changes_the_cache_key(site_data, settings, tmp_path):
    """A new template is used after a restart."""
    with block_cache():
        site_data.html()
        folder = tmp_path / "wagtail_zoom/blocks"
        folder.mkdir(parents=True)
        (folder / "_leaf.html").write_text("changed")
        templates = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
        # Not by the fixture, which ends after ``block_cache()`` and would restore its setting.
        with override_settings(TEMPLATES=templates):
            assert "changed" in site_data.html()


def test_changed_settings_change_the_fingerprint_after_a_restart(site_data, settings):
    """A deployment with other hostnames for links, and with another media URL."""
    with block_cache():
        site_data.html()
        key = fingerprint.fingerprint()
    for name, value in (("LINK_HOSTS", ["zoom.example"]), ("BASE_URL", "https://new.example")):
        with override_settings(WAGTAIL_ZOOM={**settings.WAGTAIL_ZOOM, name: value}), block_cache():
            before = len(cached_html())
            site_data.html()
            assert fingerprint.fingerprint() != key and len(cached_html()) > before
    with override_settings(MEDIA_URL="https://media.example/"), block_cache():
        assert fingerprint.fingerprint() != key


def test_no_secret_is_part_of_a_fingerprint(settings):
    keys = {"CLIENT_SECRET": "other", "ENCRYPTION_KEYS": ["other"], "HEALTH_TOKEN": "other"}
    before = fingerprint.fingerprint()
    with override_settings(WAGTAIL_ZOOM={**settings.WAGTAIL_ZOOM, **keys}):
        assert fingerprint.fingerprint() == before


def write_catalogue(folder, text):
    """Write a project's own German catalogue for ``LOCALE_PATHS``."""
    messages = {"": "Content-Type: text/plain; charset=UTF-8\n", "Live now": text}
    names = sorted(messages)
    offset, keys, values, pool = 7 * 4 + 16 * len(names), [], [], b""
    for parts, texts in ((keys, names), (values, [messages[name] for name in names])):
        for entry in texts:
            parts += [len(entry.encode()), offset + len(pool)]
            pool += entry.encode() + b"\0"
    head = [0x950412DE, 0, len(names), 28, 28 + 8 * len(names), 0, offset]
    target = folder / "de/LC_MESSAGES"
    target.mkdir(parents=True, exist_ok=True)
    table = struct.pack(f"<{len(head + keys + values)}I", *head, *keys, *values)
    (target / "django.mo").write_bytes(table + pool)


def test_changed_translations_are_used_after_a_restart(site_data, tmp_path):
    site_data.store(90, hours=-0.5)
    Occurrence.objects.filter(meeting__zoom_id="90").update(state="live")
    results = []
    with block_cache(), translation.override("de"):
        for text in ("Eben jetzt", "Gerade jetzt"):
            write_catalogue(tmp_path, text)
            gettext._translations.clear()
            with override_settings(LOCALE_PATHS=[str(tmp_path)]):
                trans_real._translations = {}
                translation.activate("de")
                results.append([text in site_data.html(), len(cached_html())])
    assert [shown for shown, _count in results] == [True, True]
    assert results[1][1] > results[0][1]


def test_a_later_reference_index_update_invalidates_cached_html(site_data):
    """Wagtail can update the reference index in the background."""
    version = ZoomAccount.objects.get().data_version
    result = SimpleNamespace(
        task=SimpleNamespace(module_path="wagtail.tasks.update_reference_index_task"),
        args=["testapp", "eventpage", str(site_data.event.pk)],
    )
    invalidation._on_task_finished(task_result=result)
    assert ZoomAccount.objects.get().data_version != version


def test_saving_a_stale_row_does_not_restore_an_old_version(site_data):
    early = ZoomAccount.objects.get()
    bump_data_version(early.pk)
    version = ZoomAccount.objects.get().data_version
    early.name = "Renamed"
    early.save()
    assert ZoomAccount.objects.get().data_version != version
