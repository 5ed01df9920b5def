"""Kept HTML is the HTML that would be rendered now: after every kind of change, at any time."""

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
    fetch_scope,
    touch,
)
from wagtail_zoom.oauth import disconnect
from wagtail_zoom.registration import capacity, events
from wagtail_zoom.sync import event_effects, questions, removals, retention, users
from wagtail_zoom.sync.persist import Occasion, store_meetings, store_recordings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
THEN = NOW + timedelta(minutes=2)
"""When the world has been made and changes begin."""
HOUR = timedelta(hours=1)


def kept(alias="default"):
    return override_settings(WAGTAIL_ZOOM={**django_settings.WAGTAIL_ZOOM, "BLOCK_CACHE": alias})


@pytest.fixture(autouse=True)
def fresh_cache():
    html_cache._resting.clear()
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def clock():
    with time_machine.travel(NOW) as traveller:
        yield traveller


class World:
    """A Site with something of everything, its pages, and changes to all of it."""

    def __init__(self, site, host, rf, clock):
        self.site, self.host, self.rf, self.clock = site, host, rf, clock
        self.account = host.account
        self.other = rows.host(self.account, "h2")
        ZoomSettings.objects.update(show_registration=True)
        self.number = 700
        self.store(1, hours=30, approval=0)
        self.store(2, hours=3, webinar=True)
        self.store(3, hours=-50)
        self.film("a")
        self.film("b", days=400)
        item = SiteItem.objects.get(key="1")
        curation.decide(SiteItem.objects.filter(kind="recording"), "published", None)
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

    def store(self, number, *, hours=24, topic="", webinar=False, approval=2, host="h1", **more):
        start = self.now() + hours * HOUR
        settings = {"approval_type": approval, "registrants_restrict_number": 20}
        payload = {
            "id": number, "host_id": host, "type": 5 if webinar else 2,
            "topic": topic or f"Evening {number}", "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "duration": 60, "timezone": "Europe/Berlin", "agenda": "About it", "settings": settings,
            **more,
        }  # fmt: skip
        found = [map_meeting(payload)]
        store_meetings(self.account, self.scope(), found, Occasion(self.now()))

    def film(self, uuid, *, topic="", days=3, host="h1"):
        start = self.now() - timedelta(days=days)
        payload = {
            "uuid": uuid, "id": "3", "host_id": host, "type": 2, "topic": topic or f"Film {uuid}",
            "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}", "duration": 50,
            "recording_files": [{"id": "f", "file_type": "MP4", "status": "completed"}],
        }  # fmt: skip
        store_recordings(self.account, self.scope(), [map_recording(payload)], Occasion(self.now()))

    def html(self, query="", **request):
        page = Page.objects.get(pk=self.page.pk).specific
        asked = self.rf.get(f"/all/{query}", **request)
        context = {"page": page, "request": asked}
        return "\n".join(child.block.render(child.value, context) for child in page.body)

    def fresh(self, query=""):
        with kept(""):
            return self.html(query)

    def later(self, span):
        self.clock.shift(span)


@pytest.fixture
def world(site, host, rf, clock):
    return World(site, host, rf, clock)


def item_of(world, kind="meeting"):
    return SiteItem.objects.filter(kind=kind).order_by("pk").first()


def edit_item(world, **values):
    item = item_of(world)
    for name, value in values.items():
        setattr(item, name, value)
    item.save()


def choose(world, **values):
    choice = ZoomSettings.objects.get()
    for name, value in values.items():
        setattr(choice, name, value)
    choice.save()


def message(world, what):
    Meeting.objects.filter(zoom_id="1", registrant_count=None).update(registrant_count=3)
    ZoomAccount.objects.get().save()  # the line above went past everything
    world.html()
    events._count(world.account, "1", what)


def refuse(world):
    capacity.set_block(Meeting.objects.get(zoom_id="1"), "refused")


def form_page(world):
    film_date = SiteItem.objects.get(key="3")
    page = ZoomPage(title="Told", slug="told", body=[("meeting", {"item": film_date})])
    world.site.root_page.add_child(instance=page)


def restrict(world):
    PageViewRestriction.objects.create(page=world.event, restriction_type="login")


def move(world):
    box = world.site.root_page.add_child(instance=ZoomPage(title="Box", slug="box"))
    world.html()
    Page.objects.get(pk=world.event.pk).move(box, pos="last-child")


def rename(world):
    page = EventPage.objects.get(pk=world.event.pk)
    page.slug = "renamed"
    page.save_revision().publish()


def picture(world):
    edit_item(world, image=world.image)


def other_picture(world):
    picture(world)
    world.html()
    file = ImageFile(get_test_image_file(filename="other.png", colour="red").file, name="other.png")
    world.image.file = file
    world.image.save()


def no_picture(world):
    picture(world)
    with_picture = world.html()
    get_image_model().objects.get(pk=world.image.pk).delete()
    assert world.html() == world.fresh() != with_picture
    edit_item(world, title="Without")


def untrash(world):
    event_effects.hide_recordings(world.account, ["a"], world.now(), gone=False)
    world.html()
    world.later(timedelta(seconds=5))
    world.film("a")


def remove(world):
    removals.remove(world.account, world.scope(), [Meeting.objects.get(zoom_id="2")])


def untick(world):
    ExposedHost.objects.all().delete()


def tick_other(world):
    world.store(9, host="h2")
    ZoomSettings.objects.get().hosts.add(world.other)
    world.html()
    world.store(9, host="h2")


def switch_off(world):
    choose(world, show_webinars=False)
    world.html()
    retention.purge_outside_scope(world.account)


CHANGES = {
    "new date": lambda w: w.store(4, hours=2),
    "other topic": lambda w: w.store(2, hours=3, topic="Renamed", webinar=True),
    "moved": lambda w: w.store(2, hours=5, webinar=True),
    "live": lambda w: event_effects.mark_live(w.account, "2", w.now() + 3 * HOUR),
    "cancelled": lambda w: event_effects.hide_deleted(w.account, "2", None, w.now()),
    "removed": remove,
    "other film": lambda w: w.film("a", topic="Cut anew"),
    "film gone": lambda w: event_effects.hide_recordings(w.account, ["a"], w.now(), gone=True),
    "film back": untrash,
    "host's name": lambda w: users._store(
        w.account, [("h1", {"display_name": "Ines"})], w.now()
    ),
    "hidden": lambda w: curation.decide([item_of(w)], "hidden", None),
    "own title": lambda w: edit_item(w, title="Ours"),
    "own summary": lambda w: edit_item(w, summary="By us"),
    "expires": lambda w: edit_item(w, expires_on=w.now().date() - timedelta(days=1)),
    "picture": picture,
    "other picture": other_picture,
    "no picture": no_picture,
    "item gone": lambda w: item_of(w, "recording").delete(),
    "sign-up": lambda w: message(w, "registration_created"),
    "questions": lambda w: questions.keep(
        Meeting.objects.get(zoom_id="1"), {"questions": [{"field_name": "city"}]}
    ),
    "refused": refuse,
    "host unticked": untick,
    "host ticked": tick_other,
    "kind off": switch_off,
    "rule": lambda w: choose(w, item_rule="picked"),
    "join policy": lambda w: choose(w, show_registration=False, join_policy="public"),
    "names off": lambda w: choose(w, show_host_names=False),
    "organiser": lambda w: choose(w, organiser="The choir"),
    "privacy notice": lambda w: choose(w, privacy_notice="Read this"),
    "paused": lambda w: choose(w, paused_at=w.now()),
    "archived": lambda w: disconnect.disconnect(ZoomSettings.objects.get(), keep=True),
    "disconnected": lambda w: disconnect.disconnect(ZoomSettings.objects.get(), keep=False),
    "grant of one user": lambda w: Grant.objects.update(account_level=False, zoom_user_id="h9"),
    "grant broken": lambda w: (
        ZoomAccount.objects.update(last_event_at=w.now()),
        Grant.objects.update(state="needs_reconnect"),
    ),
    "scope lost": lambda w: Grant.objects.update(missing_kinds=["registration"]),
    "quarantined": lambda w: ZoomAccount.objects.update(fingerprint="elsewhere"),
    "page with a form": form_page,
    "page unpublished": lambda w: EventPage.objects.get(pk=w.event.pk).unpublish(),
    "page deleted": lambda w: EventPage.objects.get(pk=w.event.pk).delete(),
    "page renamed": rename,
    "page moved": move,
    "page for some": restrict,
    "site renamed": lambda w: w.site.__class__.objects.update(site_name="Renamed"),
    "starts": lambda w: w.later(3 * HOUR + timedelta(seconds=1)),
    "door opens": lambda w: w.later(2 * HOUR + timedelta(minutes=46)),
    "ends": lambda w: w.later(4 * HOUR + timedelta(seconds=1)),
    "tomorrow": lambda w: w.later(timedelta(hours=14)),
    "stale": lambda w: (
        ZoomAccount.objects.update(reconciled_at=NOW), w.later(timedelta(hours=13))
    ),
}  # fmt: skip


IMPOSSIBLE = (ObjectDoesNotExist, AttributeError, ValidationError)
"""What a change meets when an earlier one has been there already."""


class Undo(Exception):
    pass


SOME = ("new date", "host's name", "hidden", "names off", "page with a form", "starts")


def test_changes_are_seen_at_once(world, clock):
    """Issue 7: what is kept is never older than what would be rendered."""
    assert _wrong(world, clock, SOME) == []


@pytest.mark.slow
def test_every_change_is_seen_at_once(world, clock):
    """Issue 7: all kinds of changes there are."""
    assert _wrong(world, clock, CHANGES) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_is_seen_at_once(world, clock, seed):
    """Issue 7: the same, one change on top of the other, with visits in between or without."""
    dice = random.Random(seed)
    names = [name for name in CHANGES if name not in ("disconnected", "page deleted")]
    clock.move_to(THEN)
    with kept():
        for name in dice.choices(names, k=30):
            # What another change has taken away cannot be changed any more.
            with contextlib.suppress(*IMPOSSIBLE), transaction.atomic():
                CHANGES[name](world)
            if dice.random() < 0.7:
                assert world.html() == world.fresh(), name
        assert world.html() == world.fresh()


def _wrong(world, clock, names):
    """Of these changes those that are not seen, or that change nothing.

    Each is rolled back: the version that it made does not come back with the next one.
    """
    wrong = []
    clock.move_to(THEN)
    with kept():
        before = world.html()
        assert world.html() == before == world.fresh()
        for name in names:
            with contextlib.suppress(Undo), transaction.atomic():
                CHANGES[name](world)
                after = world.html()
                if not (after == world.html() == world.fresh()) or after == before:
                    wrong.append(name)
                raise Undo
            clock.move_to(THEN)
            if world.html() != before:
                wrong.append(f"{name}, taken back")
    return wrong


def entries():
    """What stands in the cache, as HTML."""
    known = [key for key in cache._cache if "wagtail_zoom:html:" in key]
    return [pickle.loads(cache._cache[key])[2] for key in known]  # noqa: S301


def test_a_visit_reads_versions_and_nothing_else(world, django_assert_max_num_queries):
    """Issue 7: one query for all blocks of a page, however many."""
    with kept():
        world.html()
        with django_assert_max_num_queries(6):  # page, type's row, its Site, chosen items, gate
            world.html()
        assert len(entries()) == 7


def test_fifty_lists_cost_two_queries_more_than_none(client, site, host, settings):
    """Issue 7: at most four, and that when nothing is kept: the clock's next turn costs none."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    rows.item(site, rows.date(host).meeting)
    counts, cold = [], []
    with kept():
        for slug, times in (("none", 0), ("fifty", 50)):
            body = [("dates", {"limit": number + 1}) for number in range(times)]
            site.root_page.add_child(instance=ZoomPage(title=slug, slug=slug, body=body))
            for found in (cold, counts):
                client.get(f"/{slug}/")
                if found is cold:
                    touch(host.account_id)
                with CaptureQueriesContext(connection) as seen:
                    assert client.get(f"/{slug}/").content.count(b"wz-meetings") == times
                found.append(len(seen))
    assert counts[1] - counts[0] <= 2
    assert cold[1] - cold[0] <= 4


def test_a_template_may_speak_another_language_in_one_place(world, rf):
    """The same block twice on a page, once within {% language "de" %}."""
    page, request = Page.objects.get(pk=world.page.pk).specific, rf.get("/all/")
    block = page.body[0]

    def both():
        english = block.block.render(block.value, {"page": page, "request": request})
        with translation.override("de"):
            return english, block.block.render(block.value, {"page": page, "request": request})

    with kept():
        first = both()
        request = rf.get("/all/")
        assert both() == first
    assert "Add to calendar" in first[0] and "Add to calendar" not in first[1]


def test_previews_and_posts_are_rendered_anew(world, rf):
    page = Page.objects.get(pk=world.page.pk).specific
    with kept():
        for request in (rf.get("/all/"), rf.post("/all/"), rf.get("/all/elsewhere/")):
            request.is_preview = request.path == "/all/" and request.method == "GET"
            for child in page.body:
                child.block.render(child.value, {"page": page, "request": request})
        assert entries() == []


class Broken:
    """A cache whose server is away."""

    asked: ClassVar[list[str]] = []

    def __init__(self, *args):
        pass

    def __getattr__(self, name):
        def fail(*args, **kwargs):
            if not name.startswith("close"):
                self.asked.append(name)
                raise ConnectionError("away")

        return fail


def test_a_dead_cache_does_not_break_a_page(world, settings, caplog):
    """Issue 7: one line in the log, and the cache is left alone for a while."""
    dead = {"BACKEND": "tests.frontend.test_block_cache.Broken"}
    settings.CACHES = {**settings.CACHES, "dead": dead}
    Broken.asked.clear()
    plain = world.fresh()
    with kept("dead"):
        assert world.html() == plain == world.html()
    assert len(Broken.asked) == 1
    assert [one.message for one in caplog.records if "dead" in one.message] == [
        "The cache 'dead' failed (ConnectionError). Blocks are rendered anew for 30 seconds, then "
        "it is tried again."
    ]
    html_cache._resting.clear()
    with kept("nowhere"):
        assert world.html() == plain
    assert "is not in CACHES" in caplog.text


def test_stylesheet_and_script_come_once_and_are_not_kept(world):
    """X17: wherever the first kept block stands."""
    with kept():
        for _visit in range(2):
            html = world.html()
            assert html.count("blocks.css") == html.count("zoom.js") == 1
            assert html.index("blocks.css") < html.index("<section")
        assert entries() and not [html for html in entries() if "blocks.css" in html]


def test_no_secret_is_kept(world):
    """X26: what is kept is what everybody may read."""
    for meeting in Meeting.objects.all():
        meeting.join_url, meeting.passcode = "https://zoom.example/j/1?pwd=hush", "hush"
        meeting.save()
    with kept():
        world.html()
        assert entries() and not [html for html in entries() if "hush" in html]


def test_strangers_cannot_fill_the_cache(world):
    """X27: parameters that no link of ours has make no entry."""
    with kept():
        names = re.findall(r'id="(wz-[0-9a-f]{6})"', world.html())
        count = len(entries())
        assert len(names) == count
        for asked in ("page=999", "year=1999", "q=anything", "x=1", "month=9999-12"):
            world.html("?" + "&".join(f"{name}-{asked}" for name in names))
        # The last month that can be reached is one of our own links.
        assert len(entries()) == count + 1


def test_languages_are_kept_apart(world):
    with kept():
        english = world.html()
        with translation.override("de"):
            german = world.html()
            assert german == world.fresh() != english
        assert world.html() == english


class OwnList(MeetingListBlock):
    """A project's subclass: it may show anything."""


class KeptList(MeetingListBlock):
    """One that says that its HTML is the same for everybody."""

    zoom_kept = True
    seen: ClassVar[list[set[str]]] = []

    def is_worth_keeping(self, context):
        self.seen.append(set(context))
        return super().is_worth_keeping(context)


def test_a_projects_block_is_kept_when_it_says_so():
    assert not OwnList().is_kept
    assert KeptList().is_kept and MeetingListBlock().is_kept


def test_a_template_sees_nothing_of_the_visitor(world, rf):
    """X27: even a template that a project has changed cannot leave one visitor's name behind."""
    block = KeptList()
    context = {"page": world.page, "request": rf.get("/all/"), "user": "me", "messages": ["hello"]}
    with kept():
        block.render(block.to_python({}), context)
    assert KeptList.seen and not KeptList.seen[0] & {"user", "messages"}


def test_a_template_of_the_projects_makes_other_keys(world, settings, tmp_path):
    """Issue 7: a new template is seen when the processes start again."""
    with kept():
        world.html()
        folder = tmp_path / "wagtail_zoom/blocks"
        folder.mkdir(parents=True)
        (folder / "_leaf.html").write_text("changed")
        templates = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
        # Not by the fixture, which ends after ``kept()`` and would bring its setting back for good.
        with override_settings(TEMPLATES=templates):
            assert "changed" in world.html()


def test_a_changed_setting_is_seen_when_the_processes_start_again(world, settings):
    """A deploy with another address for links in the form, and with another way to write times."""
    with kept():
        world.html()
        key = fingerprint.fingerprint()
    for name, value in (("LINK_HOSTS", ["zoom.example"]), ("BASE_URL", "https://new.example")):
        with override_settings(WAGTAIL_ZOOM={**settings.WAGTAIL_ZOOM, name: value}), kept():
            before = len(entries())
            world.html()
            assert fingerprint.fingerprint() != key and len(entries()) > before
    with override_settings(MEDIA_URL="https://media.example/"), kept():
        assert fingerprint.fingerprint() != key


def test_no_secret_is_part_of_a_fingerprint(settings):
    keys = {"CLIENT_SECRET": "other", "ENCRYPTION_KEYS": ["other"], "HEALTH_TOKEN": "other"}
    before = fingerprint.fingerprint()
    with override_settings(WAGTAIL_ZOOM={**settings.WAGTAIL_ZOOM, **keys}):
        assert fingerprint.fingerprint() == before


def catalogue_saying(folder, text):
    """A project's own German words, as ``LOCALE_PATHS`` brings them."""
    made = {"": "Content-Type: text/plain; charset=UTF-8\n", "Live now": text}
    names = sorted(made)
    at, keys, values, pool = 7 * 4 + 16 * len(names), [], [], b""
    for parts, texts in ((keys, names), (values, [made[name] for name in names])):
        for each in texts:
            parts += [len(each.encode()), at + len(pool)]
            pool += each.encode() + b"\0"
    head = [0x950412DE, 0, len(names), 28, 28 + 8 * len(names), 0, at]
    target = folder / "de/LC_MESSAGES"
    target.mkdir(parents=True, exist_ok=True)
    table = struct.pack(f"<{len(head + keys + values)}I", *head, *keys, *values)
    (target / "django.mo").write_bytes(table + pool)


def test_changed_translations_are_seen_when_the_processes_start_again(world, tmp_path):
    world.store(90, hours=-0.5)
    Occurrence.objects.filter(meeting__zoom_id="90").update(state="live")
    said = []
    with kept(), translation.override("de"):
        for text in ("Eben jetzt", "Gerade jetzt"):
            catalogue_saying(tmp_path, text)
            gettext._translations.clear()
            with override_settings(LOCALE_PATHS=[str(tmp_path)]):
                trans_real._translations = {}
                translation.activate("de")
                said.append([text in world.html(), len(entries())])
    assert [shown for shown, _count in said] == [True, True]
    assert said[1][1] > said[0][1]


def test_pages_noted_later_are_seen(world):
    """Wagtail may note in the background which pages hold our blocks."""
    version = ZoomAccount.objects.get().data_version
    result = SimpleNamespace(
        task=SimpleNamespace(module_path="wagtail.tasks.update_reference_index_task"),
        args=["testapp", "eventpage", str(world.event.pk)],
    )
    invalidation._indexed(task_result=result)
    assert ZoomAccount.objects.get().data_version != version


def test_a_row_read_earlier_brings_no_version_back(world):
    early = ZoomAccount.objects.get()
    touch(early.pk)
    version = ZoomAccount.objects.get().data_version
    early.name = "Renamed"
    early.save()
    assert ZoomAccount.objects.get().data_version != version
