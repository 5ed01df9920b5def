"""A meeting with registrations that takes place, by the clocks of the simulator and of the site."""

from contextlib import contextmanager
from datetime import timedelta

import time_machine
from django.utils import timezone

from tests.default_site import default_site
from wagtail_zoom import tasks
from wagtail_zoom.models import Attendance, AttendanceReading, Meeting
from wagtail_zoom.testing.factories import make_registration

MINUTE = 60
NAMES = ("Mika", "Ines", "Tom", "Amara", "Lena", "Josef", "Nora", "Otto", "Pia", "Rosa")
STRANGERS = (
    {"name": "Zacharias Fremdling", "email": "zacharias@stranger.example"},
    {"name": "Quirina Unbekannt", "email": "Quirina@Stranger.Example"},
    {"name": "Xerxes Ohnename"},
)


class Clocks:
    """Lets the clocks of this process and of the simulator go on together."""

    def __init__(self, zoom):
        self.zoom = zoom
        self.traveller = None

    def later(self, **span):
        delta = timedelta(**span)
        self.zoom.advance(delta.total_seconds())
        if self.traveller is None:
            self.traveller = time_machine.travel(timezone.now() + delta, tick=True)
            self.traveller.start()
        else:
            now = timezone.now()
            self.traveller.stop()
            self.traveller = time_machine.travel(now + delta, tick=True)
            self.traveller.start()

    def stop(self):
        if self.traveller is not None:
            self.traveller.stop()


class Evening:
    """One meeting of the default Site. ``begin``, ``people``, ``end``, then ``read``."""

    def __init__(self, zoom, worker, deliver, clocks, site_settings, number):
        self.zoom, self.worker, self.deliver, self.clocks = zoom, worker, deliver, clocks
        self.site_settings, self.number = site_settings, number
        self.registrations = {}

    @property
    def meeting(self):
        return Meeting.objects.get(account=self.site_settings.account_id, zoom_id=str(self.number))

    @property
    def reading(self):
        return AttendanceReading.objects.filter(meeting_zoom_id=str(self.number)).first()

    def register(self, *names, site=None, **values):
        """People who registered on the Site, known to Zoom by their ids."""
        for name in names:
            email = f"{name.lower()}@visitor.example"
            registrant = self.zoom.register(
                self.number, email=email, first_name=name, last_name="Visitor"
            )
            self.registrations[name] = make_registration(
                site or default_site(),
                self.meeting,
                email,
                first_name=name,
                **{"zoom_registrant_id": registrant["id"], **values},
            )

    def begin(self):
        self.zoom.start_meeting(self.number)

    def end(self, *, is_reported=True):
        self.zoom.end_meeting(self.number)
        if is_reported:
            self.deliver()

    def people(self, *rows, **fields):
        return self.zoom.add_participants(self.number, *rows, **fields)

    def tick(self):
        """What the worker does every minute."""
        tasks.tick()
        self.worker.run()

    def later(self, **span):
        self.clocks.later(**span)
        self.tick()

    def result(self):
        """``{name: (came, minutes)}``."""
        rows = Attendance.objects.filter(registration__in=self.registrations.values())
        values = {row.registration_id: (row.came, row.minutes) for row in rows}
        return {name: values.get(row.pk, (None, None)) for name, row in self.registrations.items()}


@contextmanager
def evening(zoom, worker, deliver, connect, **fields):
    """``connect(**fields)`` returns ``(site_settings, number)`` of a meeting that begins soon."""
    clocks = Clocks(zoom)
    try:
        site_settings, number = connect(**fields)
        yield Evening(zoom, worker, deliver, clocks, site_settings, number)
    finally:
        clocks.stop()


def ten_registered_seven_came(scene, *, is_reported=True):
    """Ten registered here. Seven came, one twice; one only waited. Three strangers came."""
    scene.register(*NAMES)
    scene.begin()
    scene.clocks.later(minutes=60)
    rows = [{"registrant": f"{name.lower()}@visitor.example"} for name in NAMES[:6]]
    rows += [
        {"registrant": "nora@visitor.example", "join": "5m", "leave": "15m"},
        {"registrant": "nora@visitor.example", "join": "40m", "leave": "50m"},
        {"registrant": "otto@visitor.example", "status": "in_waiting_room"},
        *STRANGERS,
    ]
    scene.people(*rows)
    scene.end(is_reported=is_reported)
