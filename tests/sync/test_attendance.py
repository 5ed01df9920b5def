"""Attendance: who of the people registered here came, over the simulator."""

import csv
import io
import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from tests.attendance_helpers import NAMES, STRANGERS, evening, ten_registered_seven_came
from tests.default_site import default_site
from wagtail_zoom.client import ApiPage
from wagtail_zoom.models import (
    Activity,
    Attendance,
    AttendanceInstance,
    AttendanceReading,
    Occurrence,
    Registration,
    ZoomSettings,
)
from wagtail_zoom.oauth.scopes import ATTENDANCE_SCOPES
from wagtail_zoom.signals import attendance_recorded
from wagtail_zoom.sync import attendance, settings_changes
from wagtail_zoom.testing.connect import connect_site
from wagtail_zoom.testing.factories import make_site
from wagtail_zoom.testing.simulator.scopes import default_scopes

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(request, zoom_app, zoom_worker, zoom_deliver, connect):
    """A meeting of the connected Site that begins in a minute; attendance is recorded."""
    options = getattr(request, "param", {})
    person = options.get("person", "borealis-0")
    fields = {"topic": "Heat pumps", "registration": "auto", "start_time": "+1m", "duration": 60}

    if options.get("without_scopes"):
        names = {scope.name for scope in ATTENDANCE_SCOPES}
        scopes = [name for name in default_scopes("admin") if name[:-6] not in names]
        zoom_app.options(scopes=scopes)

    def connect_meeting(**values):
        meeting = zoom_app.create_meeting(person, **{**fields, **options.get("fields", {})})
        site_settings = connect(person, **{"record_attendance": True, **options.get("site", {})})
        return site_settings, meeting["id"]

    with evening(zoom_app, zoom_worker, zoom_deliver, connect_meeting) as running:
        yield running


def stored_text():
    """Everything that the database holds, as one text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        texts = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            texts += [str(row) for row in cursor.fetchall()]
    return "\n".join(texts).lower()


def test_ten_registered_seven_came(scene, caplog):
    heard = []
    attendance_recorded.connect(heard_by(heard), weak=False, dispatch_uid="test")
    try:
        ten_registered_seven_came(scene)
        assert scene.result() == dict.fromkeys(NAMES, (None, None))
        scene.later(minutes=17)
        expected = dict.fromkeys(NAMES[:6], (True, 60)) | {"Nora": (True, 20)}
        assert scene.result() == {**dict.fromkeys(NAMES, (None, None)), **expected}
        assert (scene.reading.state, heard) == ("provisional", [])
        scene.later(minutes=46)
        assert scene.result() == {**dict.fromkeys(NAMES, (False, None)), **expected}
        assert (scene.reading.state, scene.reading.next_try_at) == ("final", None)
        # Seven registered here, three strangers and the host.
        assert scene.reading.people == 11
    finally:
        attendance_recorded.disconnect(dispatch_uid="test")
    nora = Attendance.objects.get(registration=scene.registrations["Nora"])
    instance = AttendanceInstance.objects.get()
    assert nora.first_arrival == instance.started_at + timedelta(minutes=5)
    activity = Activity.objects.get(code="attendance_recorded")
    assert (activity.data["registered"], activity.data["came"]) == (10, 7)
    text = stored_text() + caplog.text.lower()
    for stranger in STRANGERS:
        for value in stranger.values():
            assert value.lower() not in text


def heard_by(heard):
    def receive(sender, reading, site, attendances, **kwargs):
        heard.append((reading.pk, site.pk, attendances.filter(came=True).count()))

    return receive


def test_list_export_and_panel_say_seven_of_ten(scene, client, admin_user):
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    scene.later(minutes=46)
    client.force_login(admin_user)
    site = scene.site_settings.site
    url = f"{reverse('wagtail_zoom_registrations:index')}?site={site.pk}"
    for value, names in (("came", set(NAMES[:7])), ("absent", set(NAMES[7:]))):
        rows = client.get(f"{url}&attendance={value}").context["object_list"]
        assert {row.row_name.split()[0] for row in rows} == names
    response = client.get(f"{url}&export=csv")
    text = b"".join(response.streaming_content).decode()
    lines = {line["Person"].split()[0]: line for line in csv.DictReader(io.StringIO(text))}
    minutes = {name: lines[name]["Minutes"] for name in NAMES}
    assert minutes == {
        **dict.fromkeys(NAMES, ""), **dict.fromkeys(NAMES[:6], "60"), "Nora": "20",
    }  # fmt: skip
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site.pk])
    content = client.get(panel).content.decode()
    assert "10 registered here, 7 attended" in content
    assert "About 11 people attended in total." in content
    for stranger in STRANGERS:
        assert stranger["name"] not in content + text


def test_the_signal_comes_once_with_the_rows_of_the_site(scene, django_capture_on_commit_callbacks):
    heard = []
    attendance_recorded.connect(heard_by(heard), weak=False, dispatch_uid="test")
    try:
        ten_registered_seven_came(scene)
        with django_capture_on_commit_callbacks(execute=True):
            scene.later(minutes=17)
            scene.later(minutes=46)
            scene.later(hours=25)
    finally:
        attendance_recorded.disconnect(dispatch_uid="test")
    assert heard == [(scene.reading.pk, scene.site_settings.site_id, 7)]


def test_a_list_that_is_late_is_awaited(scene, zoom_app):
    """404/3001 for half an hour: nobody is absent meanwhile."""
    zoom_app.options(participants_delay=30 * 60)
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    assert scene.result() == dict.fromkeys(NAMES, (None, None))
    assert scene.reading.state == "waiting"
    scene.later(minutes=46)
    assert scene.result()["Mika"] == (True, 60) and scene.result()["Rosa"] == (None, None)
    scene.later(hours=24)
    assert scene.result()["Rosa"] == (False, None)
    assert scene.reading.state == "final"


def test_rows_that_are_late_are_read_later(scene, zoom_app):
    """An empty list first, then a part of it: what is missing in it is not known yet."""
    zoom_app.options(participants_delay=20 * 60, participants_early="empty")
    scene.register("Mika", "Ines", "Tom")
    scene.begin()
    scene.clocks.later(minutes=60)
    scene.people(
        {"registrant": "mika@visitor.example"},
        {"registrant": "ines@visitor.example", "late": "90m"},
    )
    scene.end()
    scene.later(minutes=17)
    assert scene.reading.state == "waiting"
    scene.later(minutes=46)
    assert scene.result() == {"Mika": (True, 60), "Ines": (None, None), "Tom": (None, None)}
    scene.later(hours=24)
    assert scene.result() == {"Mika": (True, 60), "Ines": (True, 60), "Tom": (False, None)}


def test_a_list_that_never_comes_says_nothing_about_anybody(scene, zoom_app):
    zoom_app.options(participants_delay=90 * 86400)
    ten_registered_seven_came(scene)
    for span in ({"minutes": 17}, {"minutes": 46}, {"hours": 24}):
        scene.later(**span)
    assert set(scene.result().values()) == {(None, None)}
    assert (scene.reading.state, scene.reading.error_class) == ("unavailable", "missing")
    assert Activity.objects.get(code="attendance_unavailable").data["reason"] == "missing"


def test_all_parts_of_a_date_are_joined(scene):
    """A pause within its time: who was there before and after it stayed for both."""
    scene.register("Mika", "Ines", "Tom")
    scene.begin()
    scene.clocks.later(minutes=20)
    scene.people({"registrant": "mika@visitor.example"}, {"registrant": "tom@visitor.example"})
    scene.end()
    scene.clocks.later(minutes=10)
    scene.begin()
    scene.clocks.later(minutes=31)
    scene.people({"registrant": "mika@visitor.example"}, {"registrant": "ines@visitor.example"})
    scene.end()
    scene.later(minutes=17)
    scene.later(minutes=46)
    assert AttendanceInstance.objects.count() == 2
    assert scene.result() == {"Mika": (True, 51), "Ines": (True, 31), "Tom": (True, 20)}


def test_a_host_who_looks_in_earlier_makes_no_one_absent(scene):
    scene.register("Mika")
    scene.begin()
    scene.clocks.later(minutes=1)
    scene.end()
    scene.later(minutes=30)
    assert scene.result() == {"Mika": (None, None)}
    scene.begin()
    scene.clocks.later(minutes=40)
    scene.people({"registrant": "mika@visitor.example"})
    scene.end()
    scene.later(minutes=17)
    assert scene.result() == {"Mika": (True, 40)}


def test_a_part_that_comes_after_the_end_is_added(scene):
    scene.register("Mika", "Ines")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people({"registrant": "mika@visitor.example"})
    scene.end()
    scene.later(minutes=17)
    scene.later(minutes=46)
    assert scene.result() == {"Mika": (True, 61), "Ines": (False, None)}
    scene.begin()
    scene.clocks.later(minutes=10)
    scene.people({"registrant": "ines@visitor.example"})
    scene.end()
    assert scene.reading.state == "provisional"
    scene.later(minutes=17)
    scene.later(minutes=46)
    assert scene.result() == {"Mika": (True, 61), "Ines": (True, 10)}
    assert scene.reading.state == "final"


def test_the_end_is_noticed_without_an_event(scene):
    """The event was lost: the date counts as over some hours later, and Zoom lists its parts."""
    scene.register("Mika", "Ines")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people({"registrant": "mika@visitor.example"})
    scene.end(is_reported=False)
    scene.later(hours=7)
    scene.later(minutes=2)
    assert scene.result()["Mika"] == (True, 61)
    scene.later(hours=24)
    assert scene.result() == {"Mika": (True, 61), "Ines": (False, None)}


def test_without_zooms_id_the_address_counts(scene):
    scene.register("Mika", zoom_registrant_id="")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people({"name": "M.", "email": "MIKA@Visitor.Example"})
    scene.end()
    scene.later(minutes=17)
    assert scene.result() == {"Mika": (True, 61)}


@pytest.mark.parametrize("scene", [{"fields": {"kind": "webinar", "topic": "W"}}], indirect=True)
def test_webinars(scene):
    scene.register("Mika", "Ines")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people({"registrant": "ines@visitor.example"})
    scene.end()
    scene.later(minutes=17)
    scene.later(minutes=46)
    assert scene.result() == {"Mika": (False, None), "Ines": (True, 61)}


@pytest.mark.parametrize("scene", [{"fields": {"uuid": "/b//cdefghijklmnopqrst=="}}], indirect=True)
def test_a_uuid_with_slashes_is_encoded_twice(scene, zoom_app):
    scene.register("Mika")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people({"registrant": "mika@visitor.example"})
    scene.end()
    scene.later(minutes=17)
    assert scene.result() == {"Mika": (True, 61)}
    [call] = zoom_app.calls("path=/participants")
    assert "%252Fb%252F%252Fc" in call["path"]


def test_several_pages(scene, zoom_app):
    scene.register("Mika", "Ines")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people(strangers=700)
    scene.people({"registrant": "ines@visitor.example"})
    scene.end()
    scene.later(minutes=17)
    assert scene.result() == {"Mika": (None, None), "Ines": (True, 61)}
    assert (scene.reading.row_count, scene.reading.people) == (702, 702)
    assert len(zoom_app.calls("path=/participants")) == 3


@pytest.mark.parametrize("kind", ["expire_page_tokens", "loop_page_tokens", "broken_json"])
def test_a_listing_that_breaks_off_is_repeated(scene, zoom_app, kind):
    scene.register("Mika", "Ines")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.people(strangers=400)
    scene.people({"registrant": "ines@visitor.example"})
    scene.end()
    zoom_app.fault(kind=kind, path="/participants$")
    scene.later(minutes=17)
    assert (scene.reading.error_class, scene.reading.state) == ("unreachable", "waiting")
    assert set(scene.result().values()) == {(None, None)}
    zoom_app.clear_faults()
    scene.later(minutes=3)
    assert scene.result()["Ines"] == (True, 61)


@pytest.mark.slow
def test_fifty_thousand_rows_need_little_memory(scene, monkeypatch):
    """Streamed page by page; strangers leave nothing but digests and a number."""
    scene.register(*NAMES)
    pages = []

    class Client:
        def participants(self, uuid, kind):
            for number in range(167):
                rows = [
                    {
                        "name": f"Stranger {number} {index}",
                        "user_email": f"s{number}-{index}@stranger.example",
                        "join_time": "2026-01-01T10:00:00Z",
                        "leave_time": "2026-01-01T11:00:00Z",
                        "duration": 3600,
                    }
                    for index in range(300)
                ]
                pages.append(number)
                yield ApiPage(rows, 50_100)

        def past_instances(self, number, kind):
            return []

    scene.begin()
    scene.clocks.later(minutes=61)
    scene.end()
    scene.clocks.later(minutes=17)
    reading = scene.reading
    lease = attendance.OUTBOX.claim(reading.pk)
    attendance._add_registrations(reading, scene.meeting.occurrences.get(), [reading_site(scene)])
    tracemalloc.start()
    result, pks = attendance._read_parts(Client(), reading, ["uuid"], [reading_site(scene)], lease)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(pages), result.row_count, result.people, len(pks)) == (167, 50_100, 50_100, 10)
    assert peak < 16 * 1024 * 1024


def reading_site(scene):
    return scene.site_settings.site_id


# Switches, permissions, plans


@pytest.mark.parametrize("scene", [{"site": {"record_attendance": False}}], indirect=True)
def test_without_the_switch_nothing_is_read(scene, zoom_app):
    ten_registered_seven_came(scene)
    scene.later(hours=7)
    assert not AttendanceReading.objects.exists()
    assert zoom_app.calls("path=/past_") == []


@pytest.mark.parametrize("scene", [{"site": {"record_attendance": False}}], indirect=True)
def test_what_ended_before_is_not_read_when_it_is_switched_on(scene, zoom_app):
    ten_registered_seven_came(scene, is_reported=False)
    scene.clocks.later(minutes=2)
    site_settings = ZoomSettings.objects.get()
    site_settings.record_attendance = True
    site_settings.save()
    assert site_settings.attendance_since
    scene.deliver()  # the event comes late
    scene.later(hours=7)
    scene.later(minutes=2)
    assert not AttendanceReading.objects.exists()


def test_switching_off_stops_reading(scene, zoom_app):
    ten_registered_seven_came(scene)
    site_settings = ZoomSettings.objects.get()
    site_settings.record_attendance = False
    site_settings.save()
    assert site_settings.attendance_since is None
    scene.later(minutes=17)
    assert zoom_app.calls("path=/past_") == []
    assert (scene.reading.error_class, scene.reading.next_try_at) == ("switched_off", None)


@pytest.mark.parametrize("scene", [{"without_scopes": True}], indirect=True)
def test_a_missing_permission_is_awaited(scene, zoom_app, client, admin_user):
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    assert scene.reading.error_class == "scope"
    assert zoom_app.calls("path=/past_") == []
    assert Activity.objects.get(code="attendance_unavailable").data["reason"] == "scope"
    zoom_app.options(scopes=[])
    client.force_login(admin_user)
    connect_site(client, default_site(), "borealis-0", host="testserver")
    scene.worker.run()
    scene.tick()
    assert scene.result()["Mika"] == (True, 60)


def test_zoom_refuses_for_a_missing_permission(scene, zoom_app):
    scope = "meeting:read:list_past_participants:admin"
    message = f"Invalid access token, does not contain scopes:[{scope}]."
    zoom_app.fault(kind="status", status=400, code=4711, path="/past_", message=message)
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    assert (scene.reading.error_class, scene.reading.state) == ("scope", "waiting")
    assert set(scene.result().values()) == {(None, None)}
    zoom_app.clear_faults()
    scene.later(minutes=16)
    assert scene.result()["Mika"] == (True, 60)


@pytest.mark.parametrize(
    ("status", "code", "error"), [(400, 200, "plan"), (400, 12702, "old"), (400, 3000, "refused")]
)
def test_what_zoom_does_not_give_is_said(scene, zoom_app, status, code, error):
    zoom_app.fault(kind="status", status=status, code=code, path="/participants$", message="No.")
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    assert scene.reading.error_class == error
    assert set(scene.result().values()) == {(None, None)}
    assert Activity.objects.get(code="attendance_unavailable").data["reason"] == error
    assert (scene.reading.next_try_at is None) == (error == "old")


def test_a_plan_that_comes_later(scene, zoom_app):
    ten_registered_seven_came(scene)
    zoom_app.change_account("borealis", plan="free")
    scene.later(minutes=17)
    assert scene.reading.error_class == "plan"
    zoom_app.change_account("borealis", plan="business")
    scene.later(hours=25)
    assert scene.result()["Mika"] == (True, 60) and scene.reading.state == "final"


def test_a_paused_site_reads_nothing_and_goes_on_later(scene, zoom_app, admin_user):
    ten_registered_seven_came(scene)
    settings_changes.pause(ZoomSettings.objects.get(), admin_user)
    scene.later(minutes=17)
    assert zoom_app.calls("path=/past_") == []
    settings_changes.resume(ZoomSettings.objects.get(), admin_user)
    scene.later(minutes=16)
    assert scene.result()["Mika"] == (True, 60)


def test_a_date_without_registrations_here_is_not_read(scene, zoom_app):
    zoom_app.register(scene.number, email="other@stranger.example", first_name="Other")
    scene.begin()
    scene.clocks.later(minutes=61)
    scene.end()
    scene.later(hours=7)
    assert not AttendanceReading.objects.exists()


def test_another_site_of_the_account_gets_nothing(scene, connect):
    """Its registrations are for the same meeting, but its owner has not switched it on."""
    other = make_site("other.example.org")
    connect("borealis-0", on=other)
    scene.register("Zoe", site=other)
    ten_registered_seven_came(scene)
    scene.people({"registrant": "zoe@visitor.example"})
    scene.later(minutes=17)
    scene.later(minutes=46)
    assert scene.result()["Mika"] == (True, 60)
    assert scene.result()["Zoe"] == (None, None)
    assert not Attendance.objects.filter(registration__site=other).exists()
    assert not Activity.objects.filter(site=other, code="attendance_recorded").exists()


def test_a_second_process_takes_the_row_over(scene):
    """Whoever has lost the lease stores nothing."""
    ten_registered_seven_came(scene)
    scene.clocks.later(minutes=17)
    reading = scene.reading
    assert attendance.OUTBOX.claim(reading.pk)
    attendance.process(reading.pk, "somebody else")
    assert set(scene.result().values()) == {(None, None)}
    assert (scene.reading.state, scene.reading.is_leased) == ("waiting", True)


# Retention


def test_attendance_goes_with_the_registration(scene):
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    scene.later(minutes=46)
    Registration.objects.all().delete()
    assert not Attendance.objects.exists()
    scene.later(days=31)
    assert not AttendanceReading.objects.exists() and not AttendanceInstance.objects.exists()


def test_attendance_survives_the_local_copy(scene, admin_user):
    ten_registered_seven_came(scene)
    scene.later(minutes=17)
    scene.later(minutes=46)
    site_settings = ZoomSettings.objects.get()
    before = settings_changes.SettingsSnapshot.of(site_settings)
    site_settings.show_meetings = False
    site_settings.save()
    settings_changes.apply_settings_changes(site_settings, admin_user, before)
    scene.worker.run()
    assert not Occurrence.objects.filter(meeting__topic="Heat pumps").exists()
    assert Attendance.objects.filter(came=True).count() == 7
