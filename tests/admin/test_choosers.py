"""The chooser of items: users see only rows that they may choose, and titles of those."""

import html
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.log_actions import LogContext
from wagtail.models import GroupPagePermission, GroupSitePermission, Page, Site

from tests.blocks import rows
from tests.testapp.models import EventPage, ZoomPage
from wagtail_zoom.admin import formatting
from wagtail_zoom.admin.chooser_views import ItemChooser
from wagtail_zoom.admin.item_access import end_request
from wagtail_zoom.models import Meeting, Occurrence, SiteItem

pytestmark = pytest.mark.django_db
NOT_HERE = "(not available on your site)"
HIDDEN = "(not shown to visitors)"


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def other(site):
    root = Page.objects.get(depth=1).add_child(instance=Page(title="Other", slug="other"))
    return Site.objects.create(hostname="other.example", root_page=root)


@pytest.fixture
def items(site, other):
    host = rows.host(rows.account())
    for tenant in (site, other):
        rows.site_settings(tenant, host.account, host)
    recording = rows.recording(host)

    def meeting(item_site, **values):
        zoom_meeting = rows.occurrence(host).meeting
        return rows.item(item_site, zoom_meeting, meeting=zoom_meeting, **values)

    return {
        "here": meeting(site, title="Shown here"),
        "hidden": meeting(site, visibility="hidden", title="Hidden here"),
        "there": meeting(other, title="Shown there"),
        "recording": rows.item(site, recording, recording=recording, title="Film here"),
    }


def make_user(name):
    new_user = User.objects.create_user(name, password="x")
    group = Group.objects.create(name=name)
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    new_user.groups.add(group)
    return new_user, group


@pytest.fixture
def owner(site):
    new_user, group = make_user("owner")
    permission = Permission.objects.get(codename="change_zoomsettings")
    GroupSitePermission.objects.create(group=group, site=site, permission=permission)
    permission = Permission.objects.get(codename="change_page")
    GroupPagePermission.objects.create(group=group, page=site.root_page, permission=permission)
    return new_user


@pytest.fixture
def editor(site):
    new_user, group = make_user("editor")
    permission = Permission.objects.get(codename="change_page")
    GroupPagePermission.objects.create(group=group, page=site.root_page, permission=permission)
    return new_user


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss", password="x")


def titles_seen(client, login_user, kind="meeting"):
    client.force_login(login_user)
    response = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": kind})
    assert response.status_code == 200
    names = ("Shown here", "Hidden here", "Shown there", "Film here")
    return {name for name in names if name in response.content.decode()}


def test_owners_see_all_items_and_editors_published_ones(client, items, owner, editor):
    assert titles_seen(client, owner) == {"Shown here", "Hidden here"}
    assert titles_seen(client, owner, "recording") == {"Film here"}
    assert titles_seen(client, editor) == {"Shown here"}


def test_the_page_editor_lists_items_of_its_site_only(client, items, site, other):
    """Also for a user who may edit several Sites; the Site comes from the referrer."""
    superuser = User.objects.create_superuser("boss", password="x")
    assert titles_seen(client, superuser) == {"Shown here", "Hidden here", "Shown there"}
    url = reverse("wagtail_zoom_items:choose_results")
    add = ["testapp", "zoompage", other.root_page.pk]
    for edited_site, editor_url in (
        (site, reverse("wagtailadmin_pages:edit", args=[site.root_page.pk])),
        (other, reverse("wagtailadmin_pages:add", args=add)),
    ):
        referer = {"referer": f"https://testserver{editor_url}?next=/"}
        text = client.get(url, headers=referer).content.decode()
        assert ("Shown here" in text) is (edited_site == site)
        assert ("Shown there" in text) is (edited_site == other)
        assert "other.example" not in text  # no column for the Site
        foreign = items["there"] if edited_site == site else items["here"]
        chosen = reverse("wagtail_zoom_items:chosen", args=[foreign.pk])
        assert client.get(chosen, headers=referer).status_code == 404


@pytest.mark.parametrize(
    "referer", ["", "https://elsewhere.example/", "/admin/pages/999/edit/", "::"]
)
def test_without_a_referrer_the_site_of_each_row_is_shown(client, items, referer):
    client.force_login(User.objects.create_superuser("boss", password="x"))
    url = reverse("wagtail_zoom_items:choose_results")
    text = client.get(url, headers={"referer": referer}).content.decode()
    assert "Shown here" in text and "Shown there" in text and "other.example" in text


def test_disabled_items_are_not_listed(client, items, owner):
    """Its item is kept, but cannot be chosen."""
    items["recording"].recording.delete()
    assert titles_seen(client, owner, "recording") == set()


def test_a_foreign_item_cannot_be_chosen(client, items, owner, editor):
    """X6: the chosen view discloses no title."""
    for login_user, bad in ((owner, "there"), (editor, "there"), (editor, "hidden")):
        client.force_login(login_user)
        url = reverse("wagtail_zoom_items:chosen", args=[items[bad].pk])
        assert client.get(url).status_code == 404
        several = reverse("wagtail_zoom_items:chosen_multiple")
        text = client.get(several, {"id": items[bad].pk}).content.decode()
        assert items[bad].title not in text
    assert (
        client.get(reverse("wagtail_zoom_items:chosen", args=[items["here"].pk])).status_code == 200
    )


def test_without_any_permission_the_chooser_is_refused(client, items):
    stranger, _group = make_user("nobody")
    client.force_login(stranger)
    response = client.get(reverse("wagtail_zoom_items:choose"))
    assert response.status_code in (302, 403)


def page_with(parent, *chosen, slug="zoom"):
    body = [("meeting", {"item": item}) for item in chosen]
    return parent.add_child(instance=ZoomPage(title="Zoom", slug=slug, body=body))


def titles_in_editor(client, user, page):
    """The titles beside the choosers, as the editor's script receives them."""
    client.force_login(user)
    response = client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    assert response.status_code == 200
    attribute = re.search(r'data-w-block-arguments-value="(\[.*?\])"', response.content.decode())
    stream = json.loads(html.unescape(attribute[1]))[0]
    return [block["value"]["item"]["title"] for block in stream]


@pytest.mark.parametrize("person", ["owner", "editor", "boss"])
def test_the_title_is_readable_when_the_page_is_opened_again(client, items, site, person, request):
    user = request.getfixturevalue(person)
    page = page_with(site.root_page, items["here"], items["here"])
    assert titles_in_editor(client, user, page) == ["Shown here", "Shown here"]


def test_the_owner_reads_what_is_hidden_and_the_editor_that_it_is(
    client, items, site, owner, editor
):
    """Choosers offer editors published items only, so a stored id discloses no other title."""
    page = page_with(site.root_page, items["here"], items["hidden"])
    assert titles_in_editor(client, owner, page) == ["Shown here", "Hidden here"]
    assert titles_in_editor(client, editor, page) == ["Shown here", HIDDEN]


def test_a_meeting_that_was_deleted_in_zoom_keeps_its_title(
    client, items, site, owner, editor, boss
):
    """For editors as long as visitors read that it is cancelled; never of another Site."""
    meeting = items["here"].meeting
    Meeting.objects.filter(pk=meeting.pk).update(removed_at=timezone.now())
    Occurrence.objects.filter(meeting=meeting).update(state="cancelled")
    page = page_with(site.root_page, items["here"], items["hidden"])
    title = "Shown here · deleted in Zoom"
    for user in (owner, boss):
        assert titles_in_editor(client, user, page) == [title, "Hidden here"]
    assert titles_in_editor(client, editor, page) == [title, HIDDEN]
    over = timezone.now() - timedelta(days=1)
    Occurrence.objects.filter(meeting=meeting).update(start=over, end=over)
    assert titles_in_editor(client, owner, page) == [title, "Hidden here"]
    assert titles_in_editor(client, editor, page) == [HIDDEN, HIDDEN]


@pytest.mark.parametrize("reason", ["hidden", "private", "host", "foreign"])
def test_a_deleted_meeting_that_visitors_do_not_read_has_no_title(
    client, items, site, editor, reason
):
    item = items["there" if reason == "foreign" else "here"]
    Meeting.objects.filter(pk=item.meeting.pk).update(
        removed_at=timezone.now(), is_private=reason == "private"
    )
    Occurrence.objects.filter(meeting=item.meeting).update(state="cancelled")
    if reason == "hidden":
        SiteItem.objects.filter(pk=item.pk).update(visibility="hidden")
    if reason == "host":
        site.zoomsettings.hosts.clear()
    page = page_with(site.root_page, item)
    expected = NOT_HERE if reason == "foreign" else HIDDEN
    assert titles_in_editor(client, editor, page) == [expected]


def test_a_stored_foreign_id_shows_no_title(client, items, site, owner, editor, boss):
    """X7: the widget shows only titles that its user may choose."""
    page = page_with(site.root_page, items["there"])
    assert titles_in_editor(client, owner, page) == [NOT_HERE]
    assert titles_in_editor(client, editor, page) == [NOT_HERE]
    assert titles_in_editor(client, boss, page) == ["Shown there"]


def test_the_field_of_a_page_type_shows_the_title(client, items, site, owner, boss):
    for chosen in ("here", "there"):
        page = EventPage(title="Event", slug=chosen, zoom_item=items[chosen])
        site.root_page.add_child(instance=page)
        for user in (owner, boss):
            client.force_login(user)
            text = client.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).content.decode()
            readable = chosen == "here" or user == boss
            assert (f"Shown {chosen}" in text, NOT_HERE in text) == (readable, not readable)


def test_no_user_is_remembered_after_the_request(client, items, site, boss):
    page = page_with(site.root_page, items["here"])
    assert titles_in_editor(client, boss, page) == ["Shown here"]
    assert ItemChooser().get_value_data(items["here"].pk)["title"] == NOT_HERE


def test_titles_are_those_that_the_present_user_may_read(items, owner, boss):
    """Work in the name of another user reads nothing with the access of the one before."""
    titles = []
    for user in (boss, owner):
        with LogContext(user=user):
            titles.append(ItemChooser().get_value_data(items["there"].pk)["title"])
    end_request()
    assert "Shown there" in titles[0]
    assert titles[1] == NOT_HERE


@pytest.mark.parametrize("person", ["owner", "editor", "boss"])
def test_titles_of_many_blocks_take_no_more_queries(client, items, site, person, request):
    user, host = request.getfixturevalue(person), items["here"].meeting.host
    further = []
    for _number in range(30):
        meeting = rows.occurrence(host).meeting
        further.append(rows.item(site, meeting, meeting=meeting, title="More"))
    few = page_with(site.root_page, items["here"], slug="few")
    many = page_with(site.root_page, *further, slug="many")
    counts = []
    for page in (few, many, few, many):  # the first visits fill caches
        with CaptureQueriesContext(connection) as queries:
            titles_in_editor(client, user, page)
        counts.append(len(queries))
    assert counts[3] <= counts[2]


def test_items_of_the_same_name_differ_by_their_dates(client, items, owner):
    """A series shows its next occurrence, without past and cancelled ones."""
    now, meeting = timezone.now(), items["here"].meeting
    day = timedelta(days=1)
    Occurrence.objects.filter(meeting=meeting).update(start=now - 9 * day, end=now - 9 * day)
    for days, state in ((3, "cancelled"), (4, "scheduled"), (5, "scheduled")):
        start = now + days * day
        Occurrence.objects.create(
            meeting=meeting, account=meeting.account, zoom_id=str(days), state=state,
            start=start, end=start + day, duration=60,
        )  # fmt: skip
    undated = items["hidden"].meeting
    undated.occurrences.all().delete()
    Meeting.objects.filter(pk=undated.pk).update(start=None, zoom_type=3)
    client.force_login(owner)
    response = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": "meeting"})
    text = response.content.decode()
    assert formatting.relative_date_time(now + 4 * day) in text and "No fixed date" in text
    assert (
        formatting.relative_date_time(now + 3 * day) not in text
        and formatting.relative_date_time(now - 9 * day) not in text
    )


@pytest.mark.parametrize("pk", ["abc", "9" * 30, "-1", "\u00b2"])
def test_an_odd_id_is_no_server_error(as_aurora, aurora, pk):
    url = reverse("wagtail_zoom_items:chosen_multiple")
    assert as_aurora.get(url, {"id": [pk, aurora.meeting_item.pk]}).json()["result"]
    assert as_aurora.get(reverse("wagtail_zoom_items:chosen", args=[pk])).status_code == 404
