"""What editors are warned about: in the form, before publishing and afterwards."""

import json
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupSitePermission, Page
from wagtail.users.models import UserProfile

from tests.blocks import rows
from tests.testapp.models import EventPage, ZoomPage
from wagtail_zoom.admin.block_check import BlockCheck
from wagtail_zoom.admin.item_access import ItemAccess
from wagtail_zoom.admin.views.editor import placed_options
from wagtail_zoom.models import Host, ItemTag

from .conftest import make_owner, make_site

pytestmark = pytest.mark.django_db
GONE = "Visitors read “This meeting is no longer available.”"


@pytest.fixture
def site():
    return make_site("studio.example")


@pytest.fixture
def owner(site):
    return make_owner("owner", site)


@pytest.fixture
def editor(site, owner):
    """Edits pages of the Site, without the permission to change its Zoom settings."""
    user = make_owner("editor", site_named("elsewhere.example"))
    for permission in owner.groups.get().page_permissions.all():
        permission.pk, permission.group = None, user.groups.get()
        permission.save()
    GroupSitePermission.objects.filter(group=user.groups.get()).delete()
    return user


def site_named(hostname):
    return make_site(hostname)


@pytest.fixture
def host(site):
    host = rows.host(rows.account())
    host.user_type = 2
    host.display_name = "Ines Krüger"
    host.save()
    rows.site_settings(site, host.account, host, show_registration=True)
    return host


@pytest.fixture
def add(site, host):
    def add_meeting(title, days=1.0, *, visibility="published", tags=(), on=site, **values):
        start = timezone.now() + timedelta(days=days)
        meeting = rows.occurrence(host, start=start, topic=title, **values).meeting
        item = rows.item(on, meeting, visibility, meeting=meeting, title=title)
        ItemTag.objects.bulk_create(ItemTag(item=item, name=name) for name in tags)
        return item

    return add_meeting


def ask(client, user, site, *blocks, page=None, **extra):
    """The answer to the editor's script."""
    client.force_login(user)
    editor_url = reverse("wagtailadmin_pages:edit", args=[(page or site.root_page).pk])
    response = client.post(
        reverse("wagtail_zoom_items:check"),
        {"blocks": json.dumps(blocks), **extra},
        headers={"referer": f"http://testserver{editor_url}"},
    )
    assert response.status_code == 200
    return response.json()


def block(usage="meeting", *items, **options):
    return {
        "key": "body-0-value",
        "usage": usage,
        "label": "Zoom block",
        "items": [str(item.pk) for item in items],
        **options,
    }


def html_of(client, user, site, *args, **options):
    """What stands below one block."""
    answer = ask(client, user, site, block(*args, **options))
    return answer["blocks"]["body-0-value"]["html"]


def test_nothing_is_said_about_what_visitors_see(client, owner, editor, site, add):
    item = add("Yoga", approval_type=0, tags=["Beginners"])
    for user in (owner, editor):
        for usage in ("meeting", "registration", "meeting-list", "calendar"):
            options = {"hosts": "ines krüger", "tags": "beginners"}
            html = html_of(client, user, site, usage, item, **options)
            assert "help-warning" not in html
    assert "Ines Krüger" in html_of(client, owner, site, "meeting", item)


@pytest.mark.parametrize("usage", ["meeting", "registration"])
def test_a_hidden_meeting(client, owner, editor, site, add, usage):
    """The owner reads why and gets a link; the editor whom to ask."""
    item = add("Yoga", visibility="hidden")
    item.decided_by, item.decided_at = owner, timezone.now()
    item.save()
    html = html_of(client, owner, site, usage, item)
    assert "Visitors do not see it." in html and "It was hidden by you, " in html and GONE in html
    assert reverse("wagtail_zoom_meetings:edit", args=[item.pk]) in html
    assert "Choose another one" in html
    html = html_of(client, editor, site, usage, item)
    assert "Visitors do not see it." in html and "Ask the person who manages Zoom" in html
    assert "/zoom/meetings/" not in html and "hidden by" not in html
    assert "Yoga" not in html


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"is_private": True}, "It is marked as private in Zoom."),
        ({"uses_personal_room": True}, "Meetings in a personal room are never shown."),
    ],
)
def test_a_meeting_that_rules_hide(client, owner, site, add, values, reason):
    html = html_of(client, owner, site, "meeting", add("Yoga", **values))
    assert "Visitors do not see it." in html and reason in html


def test_a_meeting_that_was_deleted_in_zoom(client, owner, editor, site, add):
    item = add("Yoga", removed_at=timezone.now())
    for user in (owner, editor):
        html = html_of(client, user, site, "meeting", item)
        assert "It is no longer in Zoom." in html and "cancelled until its planned end" in html


def test_a_meeting_that_is_over(client, owner, site, add):
    item = add("Yoga", -3, approval_type=0)
    html = html_of(client, owner, site, "registration", item)
    assert "It is over." in html and "No form appears." in html and "Choose another one" in html
    assert "It is over." in html_of(client, owner, site, "meeting", item)
    for period, warned in (("upcoming", True), ("live", True), ("past", False), ("range", False)):
        html = html_of(client, owner, site, "meeting-list", item, period=period)
        assert ("Yoga: It is over." in html) == warned
    assert "over" not in html_of(client, owner, site, "calendar", item)


def test_a_cancelled_meeting(client, owner, site, add):
    item = add("Yoga", state="cancelled", approval_type=0)
    for usage in ("meeting", "registration"):
        assert "It is cancelled." in html_of(client, owner, site, usage, item)


def test_a_form_for_a_meeting_without_registration(client, owner, site, add):
    item = add("Yoga", approval_type=2)
    html = html_of(client, owner, site, "registration", item)
    assert "It takes no registrations." in html
    assert "Visitors read “You do not need to register for this meeting.”" in html
    assert "help-warning" not in html_of(client, owner, site, "meeting", item)


def test_a_form_on_a_site_without_registration(client, owner, editor, site, add):
    site.zoomsettings.show_registration = False
    site.zoomsettings.save()
    item = add("Yoga", approval_type=0)
    html = html_of(client, owner, site, "registration", item)
    assert "This site takes no registrations." in html and "#tab-choices" in html
    assert "#tab-choices" not in html_of(client, editor, site, "registration", item)


def test_a_form_that_is_full(client, owner, site, add):
    item = add("Yoga", approval_type=0, capacity=5, registrant_count=5)
    html = html_of(client, owner, site, "registration", item)
    assert "No form appears at present." in html and "places are taken" in html


def test_a_meeting_of_another_site(client, owner, editor, site, host, add):
    """As after a page was moved; no title for those who may not choose it."""
    other = make_site("other.example")
    rows.site_settings(other, host.account, host)
    item = add("Yoga there", on=other)
    boss = User.objects.create_superuser("boss", password="x")
    for user in (owner, editor, boss):
        html = html_of(client, user, site, "meeting", item)
        assert "This one belongs to another site." in html and GONE in html
        listed = html_of(client, user, site, "meeting-list", item)
        assert "It is left out of the list." in listed
        assert ("Yoga there" in listed) == (user is boss)


def test_a_meeting_whose_host_is_no_longer_ticked(client, owner, site, host, add):
    item = add("Yoga")
    site.zoomsettings.hosts.clear()
    html = html_of(client, owner, site, "meeting", item)
    assert "This site has no data of it at present." in html and "#tab-choices" in html


def test_a_host_that_does_not_exist(client, owner, site, host, add):
    html = html_of(client, owner, site, "meeting-list", hosts="Ines Krüger, Nobody Special")
    assert "No host is called “Nobody Special”." in html
    assert "The list shows the items that match the other names." in html
    assert "Hosts of this site: Ines Krüger." in html
    assert 'data-wza-field="hosts" data-wza-value="Ines Krüger"' in html
    html = html_of(client, owner, site, "recording-list", hosts="Ines Kruger")
    assert "The list is empty." in html and "Use “Ines Krüger”" in html
    assert "No host" not in html_of(client, owner, site, "meeting-list", hosts="ines")


def test_names_of_hosts_are_not_listed_where_visitors_do_not_read_them(
    client, owner, editor, site, host
):
    site.zoomsettings.show_host_names = False
    site.zoomsettings.save()
    assert "Ines Krüger" in html_of(client, owner, site, "meeting-list", hosts="Ines Kruger")
    html = html_of(client, editor, site, "meeting-list", hosts="Ines Kruger")
    assert "No host is called" in html and "Krüger" not in html


def test_a_tag_that_does_not_exist(client, owner, site, host, add):
    add("Yoga", tags=["beginners"])
    other = make_site("other.example")
    add("Yoga there", on=other, tags=["elsewhere"])
    html = html_of(client, owner, site, "meeting-list", tags="begginers")
    assert "Nothing has the tag “begginers”." in html and "The list is empty." in html
    assert "Use “beginners”" in html and 'data-wza-value="beginners"' in html
    assert "elsewhere" not in html
    assert "Nothing has" in html_of(client, owner, site, "meeting-list", tags="elsewhere")
    assert "Nothing has" not in html_of(client, owner, site, "meeting-list", tags="BEGINNERS")
    assert "Nothing has" in html_of(client, owner, site, "recording-list", tags="beginners")


def test_kinds_that_are_switched_off(client, owner, editor, site, host):
    html = html_of(client, owner, site, "meeting-list", kind="webinar")
    assert "This site shows no webinars." in html and "#tab-choices" in html
    assert "no webinars" not in html_of(client, owner, site, "meeting-list")
    site.zoomsettings.show_recordings = site.zoomsettings.show_meetings = False
    site.zoomsettings.save()
    assert "no recordings" in html_of(client, editor, site, "recording-list")
    assert "no meetings and no webinars" in html_of(client, editor, site, "calendar")


def test_a_site_that_is_not_connected(client, owner, site):
    for usage in ("meeting", "meeting-list"):
        html = html_of(client, owner, site, usage)
        assert "This site shows nothing from Zoom." in html


def iso_day(days):
    return (timezone.now() + timedelta(days=days)).date().isoformat()


@pytest.mark.parametrize("period", ["upcoming", "live", "past"])
@pytest.mark.parametrize("field", ["first", "last"])
def test_days_that_are_not_used(client, owner, site, add, period, field):
    add("Yoga")
    unused = "“From” and “Until” are not used."
    days = {field: iso_day(30 if field == "last" else -30)}
    html = html_of(client, owner, site, "meeting-list", period=period, **days)
    assert unused in html and "“Between two days”" in html
    for empty in ("", None):
        html = html_of(client, owner, site, "meeting-list", period=period, **{field: empty})
        assert unused not in html
    assert "help-warning" not in html_of(
        client, owner, site, "meeting-list", period="range", **days
    )


def test_days_on_which_nothing_is(client, owner, site, host, add):
    """With the other options of the block. Other Sites' and hidden dates do not count."""
    item = add("Yoga", 10)
    add("Hidden", 40, visibility="hidden")
    other = make_site("other.example")
    rows.site_settings(other, host.account, host, show_meetings=True)
    empty = "Nothing is on these days."

    def warns(*items, usage="meeting-list", period="range", **options):
        html = html_of(client, owner, site, usage, *items, period=period, **options)
        return empty in html

    around = {"first": iso_day(8), "last": iso_day(12)}
    assert not warns(**around) and not warns(item, **around)
    assert warns(first=iso_day(12)) and warns(last=iso_day(8))
    assert warns(first=iso_day(38), last=iso_day(42))
    assert not warns(kind="webinar", **around)  # webinars are switched off: said instead
    assert not warns(period="upcoming", first=iso_day(12))
    assert not warns()  # no day yet: refused when it is saved
    assert not warns(usage="recording-list", first=iso_day(12))
    html = html_of(
        client, owner, site, "meeting-list", period="range", first=iso_day(12), hosts="Nobody"
    )
    assert "No host is called" in html and empty not in html


def test_days_are_checked_when_the_page_is_published(client, owner, site, add):
    add("Yoga", 10)
    page = ZoomPage(
        title="Classes",
        slug="classes",
        body=[("dates", {"period": "range", "first": date(2020, 1, 1), "last": date(2020, 1, 2)})],
    )
    site.root_page.add_child(instance=page)
    notes = BlockCheck(site, ItemAccess(owner)).check(placed_options(page))
    titles = [warning.title for note in notes for warning in note.warnings]
    assert titles == ["Nothing is on these days."]


def test_the_time_of_a_chosen_meeting_names_its_zone(client, owner, site, add):
    """The admin's clock need not be that of the meeting. An undated or past one has no time."""
    soon, over = add("Yoga", 10), add("Past", -3)
    UserProfile.get_for_user(owner)
    UserProfile.objects.filter(user=owner).update(current_time_zone="America/New_York")
    assert "(New York time)" in html_of(client, owner, site, "meeting", soon)
    UserProfile.objects.filter(user=owner).update(current_time_zone="Europe/Berlin")
    assert "(Berlin time)" in html_of(client, owner, site, "meeting", soon)
    html = html_of(client, owner, site, "meeting", over)
    assert "Over since" in html and "time)" not in html


def test_hostile_names_are_escaped(client, owner, site, host):
    html = html_of(client, owner, site, "meeting-list", hosts='<script>"alert(1)"', tags="<b>")
    assert "<script>" not in html and "<b>" not in html and "&lt;script&gt;" in html


def test_only_editors_of_the_site_get_an_answer(client, owner, site, host, add):
    item = add("Yoga", visibility="hidden")
    stranger = make_owner("stranger", make_site("other.example"))
    assert ask(client, stranger, site, block("meeting", item)) == {"blocks": {}, "dialog": ""}
    outsider = User.objects.create_user("outsider", password="x")
    outsider.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(outsider)
    response = client.post(reverse("wagtail_zoom_items:check"), {"blocks": "[]"})
    assert response.status_code in (302, 403)


@pytest.mark.parametrize(
    "blocks",
    ["", "{", "null", "7", '"text"', "[1]", "[{}]", '[{"key": "a"}]', "[" * 5000],
)
def test_what_is_no_list_of_blocks_is_refused(client, owner, blocks):
    client.force_login(owner)
    response = client.post(reverse("wagtail_zoom_items:check"), {"blocks": blocks})
    assert response.status_code == 400


def test_odd_values_are_ignored(client, owner, site, host):
    odd = block("meeting-list", hosts=7, tags=["a"], kind={}, period="range")
    odd |= {"first": ["x"], "last": "9999-12-31"}
    odd["items"] = ["x", "9" * 40, -1, None, {}, [], "5\0"]
    ask(client, owner, site, odd, {**odd, "key": "b", "hosts": "\0, %, _", "items": "12"})


def test_the_dialog_lists_what_visitors_would_not_see(client, owner, site, add):
    fine, hidden = add("Fine", approval_type=0), add("Team", visibility="hidden")
    blocks = [block("meeting", fine), {**block("meeting", hidden), "key": "b"}]
    assert ask(client, owner, site, *blocks)["dialog"] == ""
    assert ask(client, owner, site, blocks[0], publish="1")["dialog"] == ""
    dialog = ask(client, owner, site, *blocks, publish="1")["dialog"]
    assert "Publish with 1 warning?" in dialog and "Zoom block: Team" in dialog
    assert "Publish anyway" in dialog and 'data-wza-back="b"' in dialog


def publish(client, user, page):
    """Publish a page in the editor; the messages that follow."""
    client.force_login(user)
    data = {
        "title": page.title, "slug": page.slug, "action-publish": "1", "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0",
    }  # fmt: skip
    if isinstance(page, EventPage):
        data["zoom_item"] = page.zoom_item_id
    else:
        data |= {
            "body-count": "1",
            "body-0-deleted": "",
            "body-0-order": "0",
            "body-0-type": "meeting",
        }
        for name, value in page.body[0].value.items():
            data[f"body-0-value-{name}"] = getattr(value, "pk", value) or ""
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    response = client.post(url, data, follow=True)
    assert Page.objects.get(pk=page.pk).live
    return " ".join(str(message) for message in response.context["messages"])


@pytest.mark.parametrize("person", ["owner", "editor"])
def test_publishing_is_never_refused_and_says_what_is_not_seen(
    client, owner, editor, site, add, person
):
    user = {"owner": owner, "editor": editor}[person]
    item = add("Team", visibility="hidden")
    stream = ZoomPage(
        title="Classes", slug="classes", live=False, body=[("meeting", {"item": item})]
    )
    site.root_page.add_child(instance=stream)
    assert "published with 1 warning" in publish(client, user, stream)
    event = EventPage(title="Event", slug="event", live=False, zoom_item=item)
    site.root_page.add_child(instance=event)
    text = publish(client, user, event)
    assert "published with 1 warning" in text and "Visitors do not see it." in text
    assert ("Team" in text) == (person == "owner")


def test_publishing_what_visitors_see_says_nothing(client, owner, site, add):
    event = EventPage(title="Event", slug="event", live=False, zoom_item=add("Yoga"))
    site.root_page.add_child(instance=event)
    assert "warning" not in publish(client, owner, event)


def test_many_blocks_take_no_more_queries(client, owner, site, host, add):
    fine = [add(f"Yoga {number}", approval_type=0, tags=["a"]) for number in range(20)]
    over = [add(f"Past {number}", -3) for number in range(10)]
    usages = ("meeting", "registration", "meeting-list", "recording-list")
    counts = []
    for items in ([fine[0], over[0]], [*fine, *over]):
        blocks = [
            {**block(usage, item, hosts=f"n{index}", tags=f"t{index}"), "key": f"{usage}-{index}"}
            for index, item in enumerate(items)
            for usage in usages
        ]
        ask(client, owner, site, *blocks)
        with CaptureQueriesContext(connection) as queries:
            ask(client, owner, site, *blocks)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Host.objects.count() == 1
