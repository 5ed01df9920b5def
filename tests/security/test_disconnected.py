"""What a Site that left, or narrowed, may still read: every way of leaving × every URL and block.

Two Sites share an account. The second one stays, and after the first has left it imports a new
topic, another time, new objects and a renamed host. All of that holds canary words. URLs come from
the URLconf and blocks from the block list, as in ``test_tenants``.
"""

from __future__ import annotations

import ast
import contextlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone

import wagtail_zoom
from tests.admin.test_panel import form as panel_form
from tests.api import test_v2
from tests.security.tenant_data import all_blocks, make_tenants
from tests.security.test_tenants import (
    BULK_ROWS,
    admin_page_urls,
    admin_patterns,
    body_of,
    bulk_actions,
    primary_keys_for,
    public_urls,
)
from wagtail_zoom.admin.forms import available_hosts
from wagtail_zoom.blocks import ZoomStreamBlock
from wagtail_zoom.frontend import disconnected, links
from wagtail_zoom.frontend.search import search
from wagtail_zoom.frontend.visibility import Audience, Channel, SiteVisibility
from wagtail_zoom.mapping.meetings import map_meeting
from wagtail_zoom.mapping.recordings import map_recording
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    FormerHost,
    Grant,
    GrantReason,
    GrantState,
    Host,
    Invitation,
    Meeting,
    Occurrence,
    Recording,
    Registration,
    RegistrationDate,
    SiteItem,
    Transcript,
    WebhookEvent,
    ZoomSettings,
    bump_data_version,
    fetch_scope,
)
from wagtail_zoom.oauth import connect, disconnect, grant_state
from wagtail_zoom.registration import outbox
from wagtail_zoom.sync import items, persist, retention
from wagtail_zoom.sync.settings_changes import SettingsSnapshot, apply_settings_changes
from wagtail_zoom.sync.upsert import upsert

pytestmark = pytest.mark.django_db
urlpatterns = test_v2.urlpatterns
V3_PATHS = {}
with contextlib.suppress(ImportError):  # Wagtail 8 and later
    from wagtail.api.v3.api import api

    from tests.api import test_v3  # noqa: F401

    urlpatterns = [path("api/v3/", api.urls), *urlpatterns]
    V3_PATHS = {f"api v3 {name}": f"/api/v3/zoom/{name}/" for name in ("dates", "recordings")}

MEETING_WORD, RECORDING_WORD, HOST_WORD = "zanzibar", "carthage", "xanadu"
NEW_YEAR_TEXT = r"2031-03|20310303|Mar\w* 2031|3/3/2031"
"""A day in the year to which the meeting moves, as any of our formats write it."""
PATTERNS = {
    "meeting": re.compile(f"{MEETING_WORD}|{NEW_YEAR_TEXT}", re.IGNORECASE),
    "recording": re.compile(RECORDING_WORD, re.IGNORECASE),
    "host": re.compile(HOST_WORD, re.IGNORECASE),
}
EVERYTHING = frozenset(PATTERNS)
STEADY, NEW_MEETING, NEW_RECORDING = "86665554441", "86665554442", "5555BBBBiBBBBBiBiBiiBB=="
NEW_START = datetime(2031, 3, 3, 10, tzinfo=timezone.get_fixed_timezone(0))


def meeting_payload(row_or_id, host_id, topic, start, *, agenda="", kind="meeting"):
    return {
        "id": row_or_id,
        "host_id": host_id,
        "type": 5 if kind == "webinar" else 2,
        "topic": topic,
        "agenda": agenda,
        "start_time": start.astimezone(timezone.get_fixed_timezone(0)).isoformat(),
        "duration": 60,
        "timezone": "Europe/Berlin",
        "join_url": f"https://zoom.us/j/{row_or_id}?pwd=pw-{topic.split()[-1]}",
        "password": f"pw-{topic.split()[-1]}",
        "settings": {"approval_type": 0},
    }


def recording_payload(uuid, meeting_id, host_id, topic):
    return {
        "uuid": uuid,
        "id": meeting_id,
        "host_id": host_id,
        "type": 2,
        "topic": topic,
        "start_time": "2026-11-20T10:00:00Z",
        "duration": 60,
        "timezone": "Europe/Berlin",
        "share_url": f"https://zoom.us/rec/share/{topic.split()[-1]}",
        "recording_play_passcode": f"pw-{topic.split()[-1]}",
        "recording_files": [
            {"id": "1", "file_type": "MP4", "status": "completed", "recording_type": "x",
             "play_url": "https://zoom.us/rec/play/1"},
        ],
    }  # fmt: skip


def store(account, meetings=(), recordings=()):
    """As the import does, for the Sites in the account's scope."""
    context = persist.WriteContext(fetched_at=timezone.now())
    scope = fetch_scope(account)
    if meetings:
        persist.store_meetings(account, scope, [map_meeting(row) for row in meetings], context)
    if recordings:
        rows = [map_recording(row) for row in recordings]
        persist.store_recordings(account, scope, rows, context)


def steady_payload(tenant):
    return meeting_payload(
        STEADY, tenant.host.zoom_id, "northwind steady", timezone.now().replace(
            hour=9, minute=0, second=0, microsecond=0) + timedelta(days=9),
    )  # fmt: skip


@pytest.fixture
def tenants(db, settings):
    settings.ROOT_URLCONF = __name__
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://cms.example.org"}
    tenants = make_tenants()
    north, south = tenants.north, tenants.south
    # South has a grant of its own and shows the same host, so the rows stay and are stored fresh.
    grant = Grant.objects.create(
        client_id="simulator-client", account=south.account, zoom_user_id="south-admin",
        account_level=True, last_ok_at=timezone.now(),
    )  # fmt: skip
    ZoomSettings.objects.filter(site=south.site).update(grant=grant)
    ExposedHost.objects.create(settings=south.site_settings, host=north.host)
    north.own_host = Host.objects.create(
        account=north.account, zoom_id="north-user", display_name="northwind user", user_type=2
    )
    ExposedHost.objects.create(settings=north.site_settings, host=north.own_host)
    ExposedHost.objects.create(settings=south.site_settings, host=north.own_host)
    Host.objects.filter(content_hash="").update(content_hash="as imported")
    Meeting.objects.filter(content_hash="").update(content_hash="as imported")
    Recording.objects.filter(content_hash="").update(content_hash="as imported")
    store(north.account, [steady_payload(north)])
    north.steady = Meeting.objects.get(zoom_id=STEADY)
    north.steady_item = SiteItem.objects.get(site=north.site, key=STEADY)
    # Without own titles of the owner: pages show Zoom's topics.
    SiteItem.objects.filter(site=north.site).update(title="", summary="")
    north.meeting_item.title = north.recording_item.title = ""
    return tenants


def feed(tenants):
    """What the Site that stays imports after the other one has left."""
    north = tenants.north
    host_id = north.host.zoom_id
    with_old_time = north.webinar.start
    store(
        north.account,
        [
            meeting_payload(north.meeting.zoom_id, host_id, f"Now {MEETING_WORD}", NEW_START,
                            agenda=f"agenda of {MEETING_WORD}"),
            meeting_payload(north.webinar.zoom_id, host_id, f"Web {MEETING_WORD}", with_old_time,
                            kind="webinar"),
            meeting_payload(NEW_MEETING, host_id, f"New {MEETING_WORD}",
                            timezone.now() + timedelta(days=1)),
            steady_payload(north),
        ],
        [
            recording_payload(north.recording.uuid, north.meeting.zoom_id, host_id,
                              f"Film {RECORDING_WORD}"),
            recording_payload(NEW_RECORDING, north.meeting.zoom_id, host_id,
                              f"New film {RECORDING_WORD}"),
        ],
    )  # fmt: skip
    Transcript.objects.filter(recording=north.recording).update(text=f"said {RECORDING_WORD}")


def rename_host(tenants):
    north = tenants.north
    fields = {"display_name": f"Now {HOST_WORD}", "user_type": 2, "status": "active"}
    upsert(
        Host, north.account, "zoom_id", [(north.host.zoom_id, fields)], fetched_at=timezone.now()
    )
    bump_data_version(north.account.pk)


def change_settings(tenant, user, *, hosts=None, **values):
    """Save *What to show*."""
    site_settings = ZoomSettings.objects.get(site=tenant.site)
    before = SettingsSnapshot.of(site_settings)
    for name, value in values.items():
        setattr(site_settings, name, value)
    site_settings.save()
    if hosts is not None:
        site_settings.hosts.set(hosts)
    apply_settings_changes(site_settings, user, before)


def pause(tenants):
    ZoomSettings.objects.filter(site=tenants.north.site).update(paused_at=timezone.now())


def meetings_off(tenants):
    change_settings(tenants.north, tenants.north.owner, show_meetings=False, show_webinars=False)


def recordings_off(tenants):
    change_settings(tenants.north, tenants.north.owner, show_recordings=False)


def untick_host(tenants):
    change_settings(tenants.north, tenants.north.owner, hosts=[tenants.north.own_host])


def leave(tenants, *, keep):
    site_settings = ZoomSettings.objects.get(site=tenants.north.site)
    disconnect.disconnect(site_settings, keep=keep, user=tenants.north.owner)


def keep_archive(tenants):
    leave(tenants, keep=True)


def remove(tenants):
    leave(tenants, keep=False)


def switch_account(tenants):
    grant = Grant.objects.create(
        client_id="simulator-client", account=tenants.east.account, zoom_user_id="new-admin",
        account_level=True,
    )  # fmt: skip
    connect.connect_site(tenants.north.site, grant, tenants.north.owner)


def remove_app(tenants):
    account = tenants.north.account
    disconnect.deauthorize(account.zoom_id, "admin", timezone.now())


def keep_then_remove_app(tenants):
    leave(tenants, keep=True)
    remove_app(tenants)


def grant_ends(tenants):
    grant = Grant.objects.get(account=tenants.north.account, zoom_user_id="admin")
    grant_state.transition(grant, GrantState.REVOKED, GrantReason.DEAUTHORIZED)


def narrow_to_one_user(tenants):
    """The owner connects again, with a permission for one user only."""
    north = tenants.north
    grant = Grant.objects.create(
        client_id="simulator-client", account=north.account, account_level=False,
        zoom_user_id=north.own_host.zoom_id,
    )  # fmt: skip
    connect.connect_site(north.site, grant, north.owner)


WAYS = {
    "pause": (pause, EVERYTHING),
    "meetings off": (meetings_off, {"recording", "host"}),
    "recordings off": (recordings_off, {"meeting", "host"}),
    "host unticked": (untick_host, set()),
    "keep": (keep_archive, set()),
    "remove": (remove, set()),
    "switch of account": (switch_account, set()),
    "app removed": (remove_app, set()),
    "app removed after keep": (keep_then_remove_app, set()),
    "grant ended": (grant_ends, set()),
    "narrowed to one user": (narrow_to_one_user, set()),
}
"""How the first Site leaves, and which of the new words it may still read."""
ADMIN_WITH_ALL_HOSTS = {
    "panel", "wagtail_zoom_admin:hosts", "wagtail_zoom_admin:live", "wagtail_zoom_admin:preview",
}  # fmt: skip
"""A connected Site with an account-level grant may choose among all hosts of the account."""


def readable(tenants):
    """``(name, body)`` of everything that an owner, an editor and a visitor can read."""
    north = tenants.north
    client, visitor = Client(raise_request_exception=False), Client()
    client.force_login(north.owner)
    seen = set()
    for name, arguments in admin_patterns():
        for pk in [*primary_keys_for(name, north), *steady_keys(name, north)]:
            values = {"site_pk": north.site.pk, "pk": pk}
            if not set(arguments) <= set(values):
                raise AssertionError(f"Add the arguments of {name} to this test: {arguments}")
            url = reverse(name, kwargs={key: values[key] for key in arguments})
            queries = [""] if arguments else list_queries(name, north, pk)
            for query in queries:
                if url + query in seen:
                    continue
                seen.add(url + query)
                yield name, body_of(client.get(url + query))
    for app, model, action in bulk_actions():
        pk = getattr(north, BULK_ROWS[model]).pk
        url = reverse("wagtail_bulk_action", args=[app, model, action])
        yield f"bulk {action}", body_of(client.get(f"{url}?id={pk}"))
    place = ["wagtail_zoom", "zoomsettings", north.site.pk]
    yield "panel", body_of(client.get(reverse("wagtailsettings:edit", args=place)))
    preview = reverse("wagtail_zoom_admin:preview", args=[north.site.pk])
    hosts = Host.objects.filter(account=north.account).values_list("pk", flat=True)
    posted = {"show_meetings": "on", "show_recordings": "on", "hosts": list(hosts)}
    yield "preview of everything", body_of(client.post(preview, posted))
    for page in (north.page, north.event_page):
        url = reverse("wagtailadmin_pages:edit", args=[page.pk])
        yield "page editor", body_of(client.get(url))
        choose = reverse("wagtail_zoom_items:choose")
        for query in ("", "?kind=recording"):
            yield (
                "chooser in the editor",
                body_of(client.get(choose + query, headers={"referer": f"http://testserver{url}"})),
            )
    for url in admin_page_urls():
        is_ours = "/zoom/" in url and not any(path.startswith(url) for path in seen)
        if is_ours or "/site-history" in url or url == reverse("wagtailadmin_home"):
            yield url, body_of(client.get(url))
    host = {"host": north.hostname}
    public = public_urls(north)
    new = Occurrence.objects.filter(meeting__zoom_id=NEW_MEETING).first()
    if new is not None:
        token = links.sign_id(north.site.pk, new.public_id)
        public["new join"] = reverse("wagtail_zoom:join", args=[token])
        public["new calendar"] = reverse("wagtail_zoom:calendar_date", args=[token])
    for item in SiteItem.objects.filter(site=north.site, kind__in=["recording", "summary"]):
        token = links.sign_id(north.site.pk, item.public_id)
        names = ("watch", "transcript") if item.kind == "recording" else ("summary",)
        for name in names:
            public[f"{name} {item.pk}"] = reverse(f"wagtail_zoom:{name}", args=[token])
    paths = {"filtered": "/zoom/calendar/all.ics?host=now", "all": "/all/", "event": "/event/"}
    paths |= {"api dates": "/api/zoom_dates/", "api recordings": "/api/zoom_recordings/"}
    paths |= {"api filtered": f"/api/zoom_dates/?host={HOST_WORD[:-1]}", **V3_PATHS}
    for name, url in {**public, **paths}.items():
        # The query is not an answer.
        yield name, body_of(visitor.get(url, headers=host)).replace(url.encode(), b"")
    for word in (MEETING_WORD, RECORDING_WORD, "northwind"):
        hits = [(hit.title, hit.url) for hit in search(north.site, word)]
        yield f"search {word}", repr(hits).encode()


def steady_keys(name, tenant):
    return [tenant.steady_item.pk] if "meetings:edit" in name else []


def list_queries(name, tenant, pk):
    """Queries of a list; a list's results alone are the same rows."""
    site = tenant.site.pk
    if "activity" in name or "results" in name or "registrations" in name:
        return [f"?site={site}&when="]
    if "items:" in name:
        return [f"?id={pk}", "?kind=recording", f"?q={MEETING_WORD[:-1]}"]
    if name.endswith(":index"):
        return [
            f"?site={site}&when=", f"?site={site}&export=csv&when=",
            f"?site={site}&q={MEETING_WORD[:-1]}&when=",
        ]  # fmt: skip
    return [""]


def readable_blocks(tenants, rf):
    """Every block as HTML, in the API and in the search."""
    north, stream, names = tenants.north, ZoomStreamBlock(), set()
    request = rf.get("/", headers={"host": north.hostname})
    context = {"page": north.site.root_page.specific, "request": request}
    chosen = [
        SiteItem.objects.get(pk=row.pk)
        for row in (north.meeting_item, north.webinar_item, north.steady_item)
    ]
    recording = SiteItem.objects.get(pk=north.recording_item.pk)
    for item in chosen:
        for name, options in all_blocks(item, recording):
            block = stream.child_blocks[name]
            value = block.normalize({**block.get_default(), **options})
            yield f"block {name}", block.render(value, context).encode()
            data = block.get_api_representation(value, context={"request": request})
            yield f"block {name} in the API", repr(data).encode()
            yield (
                f"block {name} in the search",
                " ".join(block.get_searchable_content(value)).encode(),
            )
            names.add(name)
    assert names == set(stream.child_blocks)


def new_words_in(parts):
    """Which new words are in which parts."""
    places_by_kind = {}
    for name, body in parts:
        text = body.decode(errors="replace")
        for kind, pattern in PATTERNS.items():
            match = pattern.search(text)
            if match:
                excerpt = text[max(0, match.start() - 60) : match.end() + 40]
                places_by_kind.setdefault(kind, {}).setdefault(name, excerpt)
    return places_by_kind


MUST_SHOW = {
    "meeting": {
        "wagtail_zoom_meetings:index", "wagtail_zoom_meetings:edit", "wagtail_zoom_items:choose",
        "chooser in the editor", "wagtail_zoom_activity:index", "wagtail_zoom_admin:visitors",
        "wagtail_zoom:calendar_site", "wagtail_zoom:join", "wagtail_zoom:register", "all", "event",
        "date page", "api dates", "block meeting", "block registration", "block meetings",
        "block meeting in the API", f"search {MEETING_WORD}", "new join",
    },
    "recording": {
        "wagtail_zoom_recordings:index", "wagtail_zoom_recordings:edit", "all",
        "wagtail_zoom_recordings:watch", "wagtail_zoom:watch", "wagtail_zoom:transcript",
        "block recordings", f"search {RECORDING_WORD}", "api recordings",
    },
    "host": {"wagtail_zoom_meetings:index", "wagtail_zoom_meetings:edit", "all", "block meeting"},
}  # fmt: skip
"""Where the new words are when the Site is connected: else their absence proves nothing."""


QUICK_WAYS = ("connected", "recordings off", "remove", "narrowed to one user")
"""One of each sort. All of them take two minutes."""


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, marks=[] if way in QUICK_WAYS else [pytest.mark.slow])
        for way in ("connected", *WAYS)
    ],
)
def test_no_user_reads_what_came_after_disconnecting(tenants, rf, way):
    function, allowed = WAYS.get(way, (lambda tenants: None, EVERYTHING))
    function(tenants)
    feed(tenants)
    if way != "keep":
        rename_host(tenants)
    places_by_kind = new_words_in([*readable(tenants), *readable_blocks(tenants, rf)])
    for kind in PATTERNS:
        places = places_by_kind.get(kind, {})
        if kind == "host" and ZoomSettings.objects.filter(
            site=tenants.north.site, grant__account=tenants.north.account,
            grant__account_level=True, grant__state="connected",
        ).exists():  # fmt: skip
            places = {name: text for name, text in places.items() if name not in
                      ADMIN_WITH_ALL_HOSTS and "/hosts/" not in name}  # fmt: skip
        if kind in allowed:
            expected = MUST_SHOW[kind]
            if kind == "host" and "meeting" not in allowed:
                expected = {"wagtail_zoom_recordings:index"}
            assert expected <= set(places), (kind, expected - set(places))
        else:
            assert not places, (way, kind, places)
    titles = Q(last_title__icontains=MEETING_WORD) | Q(last_title__icontains=RECORDING_WORD)
    if not allowed:
        assert not SiteItem.objects.filter(titles, site=tenants.north.site).exists()
        activity = Activity.objects.filter(site=tenants.north.site)
        assert not activity.filter(data__icontains=MEETING_WORD).exists()


def shown(tenant):
    """Keys of what visitors of the Site see."""
    visibility = SiteVisibility.for_site(tenant.site)
    return {
        *visibility.meetings(Audience.VISITOR, Channel.PAGE).values_list("zoom_id", flat=True),
        *visibility.recordings(Audience.VISITOR, Channel.PAGE).values_list("uuid", flat=True),
        *(
            f"summary {uuid}"
            for uuid in visibility.summaries(Audience.VISITOR, Channel.PAGE).values_list(
                "uuid", flat=True
            )
        ),
    }


def own_keys(tenant):
    return {tenant.meeting.zoom_id, tenant.webinar.zoom_id, tenant.recording.uuid, STEADY}


def test_an_archive_shows_what_was_shown_and_is_never_widened(tenants):
    """Not by settings saved afterwards, not by publishing, not by what another Site imports."""
    north = tenants.north
    SiteItem.objects.filter(pk=north.webinar_item.pk).update(visibility="hidden")
    before = own_keys(north) - {north.webinar.zoom_id} | {f"summary {north.summary.uuid}"}
    assert shown(north) == before
    keep_archive(tenants)
    assert shown(north) == before
    hosts = Host.objects.filter(account=north.account)
    change_settings(north, north.owner, item_rule="all", recording_days=None, hosts=hosts)
    SiteItem.objects.filter(site=north.site).update(
        visibility="published", decided_at=timezone.now()
    )
    assert shown(north) == before
    feed(tenants)
    # Of the summary nothing is new: Zoom has told nothing of it.
    assert shown(north) == {STEADY, f"summary {north.summary.uuid}"}
    rename_host(tenants)
    assert shown(north) == set()


def test_the_settings_of_an_archive_are_closed(tenants, client):
    north = tenants.north
    keep_archive(tenants)
    client.force_login(north.owner)
    url = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", north.site.pk])
    page = client.get(url).content.decode()
    assert "Nothing can be added to it." in page and 'name="show_meetings"' not in page
    before = ZoomSettings.objects.values().get(site=north.site)
    form = panel_form(north, show_recordings="on", organiser="northwind again")
    client.post(url, {**form, "confirmed": "1"})
    assert ZoomSettings.objects.values().get(site=north.site) == before
    # Pressed again, "keep" does not accept what has changed in between.
    leave(tenants, keep=True)
    assert ZoomSettings.objects.values().get(site=north.site) == before


def test_an_archive_lets_no_user_join(tenants):
    keep_archive(tenants)
    visibility = SiteVisibility.for_site(tenants.north.site)
    assert visibility.occurrences(Audience.VISITOR, Channel.PAGE).exists()
    for audience in Audience:
        assert not visibility.occurrences(audience, Channel.JOIN).exists()
        assert not visibility.meetings(audience, Channel.JOIN).exists()

    undated = Meeting.objects.filter(zoom_id=STEADY)
    undated.update(zoom_type=3)
    assert visibility.meetings(Audience.VISITOR, Channel.PAGE).filter(zoom_id=STEADY).exists()
    assert not visibility.meetings(Audience.REGISTRANT, Channel.JOIN).exists()


@pytest.mark.parametrize("action", ["register", "join"])
def test_an_archive_has_no_registration_and_no_join_link(tenants, client, action):
    """The form and the join link would be closed: its pages do not lead there."""
    north = tenants.north
    policy = "registrants" if action == "register" else "public"
    ZoomSettings.objects.filter(site=north.site).update(
        show_registration=action == "register", join_policy=policy, join_minutes=10_000
    )
    Meeting.objects.filter(account=north.account).update(approval_type=0, has_join_link=True)
    for is_archive in (False, True):
        if is_archive:
            keep_archive(tenants)
        page = client.get("/all/", headers={"host": north.hostname}).content.decode()
        assert north.meeting.topic in page
        assert (f"/zoom/{action}/" in page) is not is_archive


def test_an_archive_shows_no_new_date_and_no_new_transcript(tenants):
    """Another Site imports them without a change of the meeting or of the recording itself."""
    north = tenants.north
    keep_archive(tenants)
    visibility = SiteVisibility.for_site(north.site)
    dates = visibility.occurrences(Audience.VISITOR, Channel.PAGE)
    transcripts = visibility.transcripts(Audience.VISITOR, Channel.PAGE)
    before = set(dates)
    assert north.meeting_date in before and transcripts.count() == 1
    start = timezone.now() + timedelta(days=3)
    Occurrence.objects.create(
        meeting=north.meeting, account=north.account, zoom_id="1", start=start, duration=60,
        end=start + timedelta(hours=1),
    )  # fmt: skip
    Occurrence.objects.filter(pk=north.meeting_date.pk).update(
        start=start, updated_at=timezone.now()
    )
    Transcript.objects.update(text="another", read_at=timezone.now())
    assert set(dates.all()) == before - {north.meeting_date}
    assert not transcripts.exists()


@pytest.mark.parametrize("way", ["keep", "narrowed to one user", "grant ended"])
def test_lists_name_only_hosts_that_the_site_may_read(tenants, way):
    north = tenants.north
    visibility = SiteVisibility.for_site(north.site)
    assert {row.pk for row in visibility.usable_hosts()} == {north.host.pk, north.own_host.pk}
    WAYS[way][0](tenants)
    rename_host(tenants)
    names = {str(row) for row in SiteVisibility.for_site(north.site).usable_hosts()}
    offered = {str(row) for row in available_hosts(ZoomSettings.objects.get(site=north.site))}
    own = {str(north.own_host)} if way == "narrowed to one user" else set()
    assert names == own
    assert offered == own


def test_lists_hold_only_items_whose_row_may_be_used(tenants):
    """Also where a link was left behind."""
    north = tenants.north
    items_of_site = SiteVisibility.for_site(north.site).items()
    assert items_of_site.count() == 5
    untick_host(tenants)
    SiteItem.objects.filter(pk=north.meeting_item.pk).update(meeting=north.meeting)
    SiteItem.objects.filter(pk=north.recording_item.pk).update(recording=north.recording)
    SiteItem.objects.filter(pk=north.summary_item.pk).update(meeting_summary=north.summary)
    assert not SiteVisibility.for_site(north.site).items().exists()


def test_our_own_revocation_does_not_end_the_archive(tenants):
    """Zoom may report it as a removal of the app. A removal by the user, later, ends it."""
    north = tenants.north
    keep_archive(tenants)
    now = timezone.now()
    Grant.objects.filter(zoom_user_id="admin").update(revoked_at=now)
    disconnect.deauthorize(north.account.zoom_id, "admin", now + timedelta(seconds=20))
    assert shown(north)
    disconnect.deauthorize(north.account.zoom_id, "admin", now + timedelta(hours=1))
    assert not shown(north)
    assert ZoomSettings.objects.get(site=north.site).account is None


RETURNS = ("keep", "remove", "switch of account", "app removed", "app removed after keep")


@pytest.mark.parametrize("way", RETURNS)
@pytest.mark.parametrize("alone", [False, True], ids=["shared", "alone"])
def test_back_to_the_same_account(tenants, way, alone):
    """Curation is intact, the hosts are ticked as before, and new rows are the Site's again."""
    north, south = tenants.north, tenants.south
    ticked = {north.host.zoom_id, north.own_host.zoom_id}
    SiteItem.objects.filter(pk=north.meeting_item.pk).update(title="northwind own title")
    stored = {row.pk: row.visibility for row in SiteItem.objects.filter(site=north.site)}
    if way != "keep":
        stored[north.summary_item.pk] = "auto"  # what was said is reviewed again
    if alone:
        disconnect.disconnect(ZoomSettings.objects.get(site=south.site), keep=False)
    WAYS[way][0](tenants)
    retention.purge_outside_scope(north.account)
    if alone and way != "keep":
        assert not Host.objects.filter(account=north.account).exists()
    grant, _created = Grant.objects.update_or_create(
        client_id="simulator-client", account=north.account, zoom_user_id="admin",
        defaults={"account_level": True, "state": "connected", "connected_at": timezone.now()},
    )  # fmt: skip
    connect.connect_site(north.site, grant, north.owner)
    # What the directory of users brings.
    for zoom_id in (*ticked, "new-colleague"):
        fields = {"display_name": "northwind host", "user_type": 2, "status": "active"}
        upsert(Host, north.account, "zoom_id", [(zoom_id, fields)], fetched_at=timezone.now())
    disconnected.restore_hosts(north.account)
    site_settings = ZoomSettings.objects.get(site=north.site)
    exposed = ExposedHost.objects.filter(settings=site_settings)
    assert set(exposed.values_list("host__zoom_id", flat=True)) == ticked
    assert (site_settings.configured_at is None) is (way != "keep")
    if way != "keep":
        assert not shown(north)  # the owner says again what to show
    apply_settings_changes(site_settings, north.owner)
    items.link_stored_rows(ZoomSettings.objects.get(site=north.site))
    feed(tenants)
    assert own_keys(north) | {NEW_MEETING} <= shown(north)
    rows = {row.pk: row.visibility for row in SiteItem.objects.filter(site=north.site)}
    assert {pk: rows[pk] for pk in stored} == stored
    visibility = SiteVisibility.for_site(north.site)
    item = SiteItem.objects.get(pk=north.meeting_item.pk)
    assert (item.display_title, visibility.row_of(item).topic) == (
        "northwind own title",
        f"Now {MEETING_WORD}",
    )
    assert visibility.items().filter(pk=item.pk).exists()


def test_another_account_never_gets_the_old_hosts_or_items(tenants):
    north = tenants.north
    switch_account(tenants)
    disconnected.restore_hosts(tenants.east.account)
    site_settings = ZoomSettings.objects.get(site=north.site)
    ExposedHost.objects.create(settings=site_settings, host=tenants.east.host)
    apply_settings_changes(site_settings, north.owner)
    hosts = ExposedHost.objects.filter(settings=site_settings)
    assert not hosts.filter(host__account=north.account).exists()
    # What is ticked for the new account is no answer about the old one, should north return.
    former = FormerHost.objects.filter(settings=site_settings, account=north.account)
    assert {row.zoom_id for row in former} == {north.host.zoom_id, north.own_host.zoom_id}
    # East's meetings have the same numbers: the item of the old account stands for none of them.
    item = SiteItem.objects.get(pk=north.meeting_item.pk)
    assert tenants.east.meeting.zoom_id == item.key
    visibility = SiteVisibility.for_site(north.site)
    assert tenants.east.meeting in visibility.usable_meetings()
    assert visibility.row_of(item) is None


def test_an_item_without_a_row_shows_its_own_title(tenants, client):
    north = tenants.north
    SiteItem.objects.filter(pk=north.webinar_item.pk).update(title="northwind own webinar")
    remove(tenants)
    feed(tenants)
    client.force_login(north.owner)
    for item, title in (
        (north.meeting_item, "northwind meeting"),
        (north.webinar_item, "northwind own webinar"),
    ):
        page = client.get(reverse("wagtail_zoom_meetings:edit", args=[item.pk])).content.decode()
        assert title in page and "not available" in page


def registration_of(site):
    """Meeting and dates to which the Site's only registration is linked."""
    row = Registration.objects.get(site=site)
    return row.meeting_id, set(row.dates.values_list("occurrence", flat=True))


@pytest.mark.parametrize("keep", [True, False])
def test_disconnecting_leaves_the_registrations_of_other_sites_linked(tenants, keep):
    """Also of those that show other meetings of the same account."""
    north, south = tenants.north, tenants.south
    linked = registration_of(south.site)
    assert linked[0] == south.meeting.pk
    disconnect.disconnect(ZoomSettings.objects.get(site=north.site), keep=keep)
    assert registration_of(south.site) == linked


def test_a_permission_that_has_ended_unlinks_registrations(tenants):
    north = tenants.north
    assert registration_of(north.site)[0] == north.meeting.pk
    grant = ZoomSettings.objects.get(site=north.site).grant
    grant_state.transition(grant, GrantState.REVOKED)
    assert registration_of(north.site) == (None, {None})


def test_a_new_connection_revives_no_registrations_of_another_account(tenants):
    """What another owner's Site has given up stays so."""
    rows = Registration.objects.filter(site__in=[tenants.north.site, tenants.east.site])
    rows.update(state="failed", error_class=next(iter(outbox.CONNECTION_ERRORS)), task="")
    outbox.resume(tenants.east.account.pk)
    assert Registration.objects.get(site=tenants.east.site).state == "waiting"
    assert Registration.objects.get(site=tenants.north.site).state == "failed"


def test_registrations_of_a_site_that_left_stay_apart(tenants):
    """Not linked to what another Site imports anew, and linked again on return."""
    north, south = tenants.north, tenants.south
    untick_host(tenants)
    assert registration_of(north.site) == (None, {None})
    # The other Site has a registration for the same meeting, and its row is stored anew.
    Registration.objects.filter(site=south.site).update(
        meeting=None, meeting_zoom_id=north.meeting.zoom_id
    )
    RegistrationDate.objects.update(occurrence=None)
    Meeting.objects.filter(pk=north.meeting.pk).delete()
    feed(tenants)
    meeting = Meeting.objects.get(account=north.account, zoom_id=north.meeting.zoom_id)
    date = meeting.occurrences.get()
    assert registration_of(south.site) == (meeting.pk, {date.pk})
    assert registration_of(north.site) == (None, {None})
    change_settings(north, north.owner, hosts=[north.host, north.own_host])
    items.link_stored_rows(ZoomSettings.objects.get(site=north.site))
    assert registration_of(north.site) == (meeting.pk, {date.pk})


def test_the_homepage_names_a_site_whose_app_was_removed(tenants, client):
    north = tenants.north
    Invitation.objects.all().delete()
    client.force_login(north.owner)
    assert "The app was removed in Zoom." not in client.get("/admin/").content.decode()
    remove_app(tenants)
    assert "The app was removed in Zoom." in client.get("/admin/").content.decode()


ITEM_NAMES = {"item", "site_item", "instance"}
ROW_NAMES = {"meeting", "recording", "meeting_id", "recording_id", "mirrored"}
ONE_PLACE = {"frontend/visibility.py", "frontend/leaving.py", "sync/items.py", "admin/curation.py"}
"""Where items are linked, unlinked, resolved, and where caches of their rows are invalidated."""


def second_paths(source):
    """Lines that follow an item's link to a row."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute) or node.attr not in ROW_NAMES:
            continue
        base = node.value
        name = base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
        if name in ITEM_NAMES or node.attr == "mirrored":
            yield node.lineno


def test_nothing_else_follows_the_link_of_an_item():
    assert list(second_paths("x = row.item.meeting.topic")) == [1]
    assert list(second_paths("x = item.recording_id\ny = row.meeting")) == [1]
    root = Path(wagtail_zoom.__file__).parent
    places_by_kind = {
        f"{path.relative_to(root)}:{line}"
        for path in sorted(root.rglob("*.py"))
        if path.relative_to(root).as_posix() not in ONE_PLACE
        for line in second_paths(path.read_text())
    }
    assert places_by_kind == set()


@pytest.mark.parametrize(
    "leave_account", [keep_archive, remove, switch_account, remove_app, grant_ends]
)
def test_failed_events_of_a_left_account_are_not_replayed(tenants, client, leave_account):
    """Neither one nor all of them; the other Site of the account replays its own."""
    north, south = tenants.north, tenants.south
    leave_account(tenants)
    client.force_login(north.owner)
    url = reverse("wagtail_zoom_activity:replay", args=[north.activity.pk])
    index = reverse("wagtail_zoom_activity:index")
    assert url not in client.get(index, {"site": north.site.pk}).content.decode()
    assert client.post(url).status_code == 404
    client.post(reverse("wagtail_zoom_admin:replay", args=[north.site.pk]))
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"dead"}
    if leave_account not in (remove_app, grant_ends):
        client.force_login(south.owner)
        url = reverse("wagtail_zoom_activity:replay", args=[south.activity.pk])
        assert client.post(url).status_code == 302
        assert WebhookEvent.objects.get(pk=south.event.pk).state == "pending"


def test_failed_events_are_not_replayed_before_the_owner_confirms(tenants, client):
    north = tenants.north
    ZoomSettings.objects.filter(site=north.site).update(needs_confirmation=True)
    client.force_login(north.owner)
    url = reverse("wagtail_zoom_activity:replay", args=[north.activity.pk])
    assert client.post(url).status_code == 404
    assert WebhookEvent.objects.get(pk=north.event.pk).state == "dead"
