"""Forms of meetings that are sent with odd values, again, or by somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.views.debug import ExceptionReporter

from wagtail_zoom import scheduling
from wagtail_zoom.models import MeetingChange, SiteItem, ZoomSettings

from .conftest import START
from .test_admin import (  # noqa: F401 - fixtures
    client_of,
    editor,
    form_of,
    hidden_of,
    messages_of,
    owner,
    page_permission,
    schedule,
    scheduled,
    url,
    user_with,
    values_of,
)

pytestmark = pytest.mark.django_db
CHOICES = ("weekdays", "month_by", "month_week", "month_weekday", "ends", "repeats")


def odd_values():
    """A field with a value that no browser would send."""
    odd = [(name, "bogus") for name in (*CHOICES, "kind", "zone", "registration", "security")]
    days = ("0001-01-01", "3000-01-01", "9999-12-31")
    odd += [(name, day) for name in ("day", "until") for day in days]
    odd += [(name, "9" * 30) for name in ("host", "duration", "interval")]
    return [*odd, ("topic", "\0"), ("key", "\0"), ("recording", "bogus"), ("time", "bogus")]


@pytest.mark.parametrize(("name", "value"), odd_values())
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_odd_values_are_errors_of_the_form(owner, connected, name, value, zone):  # noqa: F811
    values = {
        "repeats": "monthly", "interval": "1", "weekdays": ["2"], "month_by": "weekday",
        "month_day": "3", "month_week": "1", "month_weekday": "2", "ends": "until", "count": "3",
        "until": f"{START + timedelta(days=90):%Y-%m-%d}", "zone": zone,
        "time": "00:00" if value.startswith("0001") else "23:30",
    }  # fmt: skip
    values |= {name: value}
    sent = values_of(connected, **values)
    for response in (
        schedule(owner, connected, **values),
        owner.get(url("rule_text", connected.site), sent),
    ):
        assert response.status_code == 200
    assert not MeetingChange.objects.exists()


def test_a_form_that_is_sent_again_with_other_values_is_another_meeting(owner, connected):  # noqa: F811
    """The browser's Back shows the form as it was, with its key."""
    schedule(owner, connected)
    response = schedule(owner, connected, topic="Morning")
    assert "“Morning” is scheduled." in messages_of(owner.get(response["Location"]))[-1]
    assert len(connected.at_zoom("Morning")) == len(connected.at_zoom()) == 1


def test_a_change_that_is_sent_again_with_other_values(owner, connected, scheduled):  # noqa: F811
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address))
    owner.post(address, form | {"topic": "One"})
    page = owner.post(address, form | {"topic": "Two"})
    [conflict] = [row for row in page.context["rows"] if row["is_conflict"]]
    assert (conflict["zoom"], conflict["own"]) == ("One", "Two")


def test_the_key_of_a_cancellation_is_one_for_each_meeting(owner, connected, scheduled):  # noqa: F811
    schedule(owner, connected, key="k2", topic="Morning")
    for item in (scheduled, SiteItem.objects.get(last_title="Morning")):
        address = url("cancel_meeting", connected.site, item.pk)
        owner.post(address, {"seen": owner.get(address).context["seen"], "key": "c"})
    docs = [*connected.at_zoom(), *connected.at_zoom("Morning")]
    assert not [doc for doc in docs if doc["state"] == "active"]


def test_line_ends_and_spaces_are_no_change(owner, connected, scheduled):  # noqa: F811
    """Browsers send other line ends, and the form cuts spaces."""
    [doc] = connected.at_zoom()
    connected.zoom.change_meeting(doc["id"], topic="Open evening ", agenda="A mat\nA towel\n")
    address = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(address))
    page = owner.post(address, form | {"agenda": "A mat\r\nA towel\r\n"}, follow=True)
    assert messages_of(page)[-1:] == ["Nothing is different. Nothing was sent to Zoom."]
    assert not connected.calls("PATCH")


def test_an_editor_decides_on_own_changes_only(owner, editor, connected):  # noqa: F811
    """Others may be about meetings that visitors do not see, and hold a passcode."""
    ZoomSettings.objects.update(editors_may_schedule=True)
    connected.zoom.fault("status", method="POST", path="/users/", status=400, code=300, count=2)
    schedule(owner, connected, topic="Board", show="", security="own", passcode="Sesame77")
    schedule(editor, connected, key="e", topic="Mine")
    boards, own = MeetingChange.objects.order_by("pk")
    for name in ("edit_change", "retry_change", "discard_change"):
        assert editor.post(url(name, connected.site, boards.pk)).status_code == 404
        assert editor.get(url(name, connected.site, boards.pk)).status_code in (404, 405)
    page = editor.get(url("schedule", connected.site))
    assert "Board" not in page.content.decode()
    [line] = page.context["changes"]
    assert "Mine" in line.title
    assert editor.get(url("edit_change", connected.site, own.pk)).status_code == 200
    assert owner.get(url("edit_change", connected.site, own.pk)).status_code == 200
    boards.refresh_from_db()
    assert boards.state == "failed" and not connected.at_zoom("Board")


def test_no_passcode_is_in_an_error_report(owner, connected, scheduled, monkeypatch):  # noqa: F811
    def fail(**values):
        raise RuntimeError

    for name in ("schedule", "change"):
        monkeypatch.setattr(scheduling, name, fail)
    owner.raise_request_exception = False
    change = url("change_meeting", connected.site, scheduled.pk)
    form = form_of(owner.get(change))
    chooser = reverse("wagtail_zoom_items:create")
    page = reverse("wagtailadmin_pages:edit", args=[connected.site.root_page_id])
    passcode = "-".join(("Se", "same7"))
    new = values_of(connected, key="n", security="own", passcode=passcode)
    prefixed = {f"zoom-new-{name}": value for name, value in new.items()}
    for address, values in (
        (change, form | {"passcode": passcode}),
        (url("schedule", connected.site), new),
        (chooser, prefixed),
    ):
        response = owner.post(address, values, headers={"referer": f"http://localhost{page}"})
        assert response.status_code == 500, address
        report = ExceptionReporter(response.wsgi_request, *response.exc_info)
        assert passcode not in report.get_traceback_text(), address


def test_a_new_webinar_is_not_edited_while_webinars_are_hidden(owner, connected):  # noqa: F811
    connected.zoom.fault("status", method="POST", path="/users/", status=400, code=300, count=1)
    schedule(owner, connected, kind="webinar")
    ZoomSettings.objects.update(show_webinars=False)
    editing = url("edit_change", connected.site, MeetingChange.objects.get().pk)
    for page in (
        owner.get(editing, follow=True),
        owner.post(editing, values_of(connected), follow=True),
    ):
        assert messages_of(page)[-1] == "This change can no longer be edited."
    assert MeetingChange.objects.get().state == "failed"


def test_new_dates_are_confirmed_again_after_a_change_in_zoom(owner, connected):  # noqa: F811
    """What was confirmed was about other dates."""
    schedule(owner, connected, repeats="daily", ends="count", count="5", zone="UTC", time="17:00")
    item = SiteItem.objects.get(last_title="Open evening")
    address = url("change_meeting", connected.site, item.pk)
    question = owner.post(address, form_of(owner.get(address)) | {"time": "18:15"})
    connected.zoom.change_meeting(connected.at_zoom()[0]["id"], topic="Theirs")
    comparison = owner.post(address, hidden_of(question) | {"confirmed": "1"})
    assert "Both versions" in comparison.content.decode()
    page = owner.post(address, hidden_of(comparison))
    assert "Zoom will create all dates of this series again." in page.content.decode()
    owner.post(address, hidden_of(page) | {"confirmed": "1"})
    [doc] = connected.at_zoom("Theirs")
    assert {date["start_time"][11:16] for date in doc["occurrences"]} == {"18:15"}
