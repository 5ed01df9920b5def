"""X16: markup in titles and agendas is escaped on every page for scheduling."""

from __future__ import annotations

from django.test.signals import template_rendered
from django.urls import reverse

from tests.security.test_scripts import LINK, MARKUP, WITH_SIMULATOR, check_escaped
from wagtail_zoom.models import MeetingChange, SiteItem

from .conftest import START
from .test_admin import form_of, hidden_of, owner, schedule, url  # noqa: F401 - a fixture


def test_x16_every_page_for_scheduling_escapes_text(owner, connected):  # noqa: F811
    rendered = set()

    def note(template, **kwargs):
        rendered.add(template.name)

    def shown(response, where):
        assert response.status_code == 200, where
        check_escaped(response, where)
        return response

    template_rendered.connect(note)
    try:
        day = {"zone": "UTC", "time": "17:00", "day": f"{START:%Y-%m-%d}"}
        weekly = {"repeats": "weekly", "weekdays": [str(START.isoweekday() % 7 + 1)]}
        words = {"topic": MARKUP, "agenda": LINK}
        shown(schedule(owner, connected, **words, time="x"), "schedule")
        assert schedule(owner, connected, **words).status_code == 302
        item = SiteItem.objects.get(last_title=MARKUP)
        address = url("change_meeting", connected.site, item.pk)
        form = form_of(shown(owner.get(address), "change"))
        [doc] = connected.at_zoom(MARKUP)
        connected.zoom.change_meeting(doc["id"], topic=f"{MARKUP} theirs")
        shown(owner.post(address, form | {"topic": f"{MARKUP} mine"}), "compare")
        shown(owner.get(url("cancel_meeting", connected.site, item.pk)), "cancel")
        ends = {"ends": "count", "count": "3"}
        schedule(owner, connected, key="k2", topic=f"{MARKUP} 2", **weekly, **ends, **day)
        series = SiteItem.objects.get(last_title=f"{MARKUP} 2")
        address = url("change_meeting", connected.site, series.pk)
        form = form_of(shown(owner.get(address), "series"))
        page = shown(owner.post(address, form | {"time": "18:15"}), "new dates")
        assert hidden_of(page)
        connected.zoom.fault(
            "status", method="POST", path="/users/", status=400, code=300, count=1, message=MARKUP
        )
        shown(owner.get(schedule(owner, connected, key="k3", **words)["Location"]), "refused")
        change = MeetingChange.objects.get(state="failed")
        shown(owner.get(url("discard_change", connected.site, change.pk)), "discard")
        shown(owner.get(url("edit_change", connected.site, change.pk)), "edit")
        shown(owner.get(url("rule_text", connected.site), weekly | ends | day), "in words")
        page = reverse("wagtailadmin_pages:edit", args=[connected.site.root_page_id])
        headers = {"referer": f"http://localhost{page}"}
        query = {"kind": "meeting", "zoom-new-topic": MARKUP}
        shown(owner.get(reverse("wagtail_zoom_items:choose"), query, headers=headers), "chooser")
    finally:
        template_rendered.disconnect(note)
    assert WITH_SIMULATOR - rendered == set()
