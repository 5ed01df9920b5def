"""The chooser of items: only rows that the user may choose exist for them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupPagePermission, GroupSitePermission, Page, Site

from tests.blocks import rows
from wagtail_zoom.admin import formatting
from wagtail_zoom.admin.chooser_views import ItemChooser
from wagtail_zoom.models import Meeting, Occurrence

pytestmark = pytest.mark.django_db


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
    for each in (site, other):
        rows.choice(each, host.account, host)
    film = rows.recording(host)

    def meeting(place, **values):
        found = rows.date(host).meeting
        return rows.item(place, found, meeting=found, **values)

    return {
        "here": meeting(site, title="Shown here"),
        "hidden": meeting(site, visibility="hidden", title="Hidden here"),
        "there": meeting(other, title="Shown there"),
        "film": rows.item(site, film, recording=film, title="Film here"),
    }


def user(name):
    made = User.objects.create_user(name, password="x")
    group = Group.objects.create(name=name)
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    made.groups.add(group)
    return made, group


@pytest.fixture
def owner(site):
    made, group = user("owner")
    right = Permission.objects.get(codename="change_zoomsettings")
    GroupSitePermission.objects.create(group=group, site=site, permission=right)
    return made


@pytest.fixture
def editor(site):
    made, group = user("editor")
    right = Permission.objects.get(codename="change_page")
    GroupPagePermission.objects.create(group=group, page=site.root_page, permission=right)
    return made


def seen(client, who, kind="meeting"):
    client.force_login(who)
    html = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": kind})
    assert html.status_code == 200
    names = ("Shown here", "Hidden here", "Shown there", "Film here")
    return {name for name in names if name in html.content.decode()}


def test_owner_sees_all_of_the_own_site_and_editor_what_is_shown(client, items, owner, editor):
    assert seen(client, owner) == {"Shown here", "Hidden here"}
    assert seen(client, owner, "recording") == {"Film here"}
    assert seen(client, editor) == {"Shown here"}


def test_in_a_pages_editor_only_its_site_is_offered(client, items, site, other):
    """Issue 3: also for somebody who may edit several Sites; the editor's address goes along."""
    boss = User.objects.create_superuser("boss", password="x")
    assert seen(client, boss) == {"Shown here", "Hidden here", "Shown there"}
    url = reverse("wagtail_zoom_items:choose_results")
    add = ["testapp", "zoompage", other.root_page.pk]
    for place, address in (
        (site, reverse("wagtailadmin_pages:edit", args=[site.root_page.pk])),
        (other, reverse("wagtailadmin_pages:add", args=add)),
    ):
        referer = {"referer": f"https://testserver{address}?next=/"}
        html = client.get(url, headers=referer).content.decode()
        assert ("Shown here" in html) is (place == site)
        assert ("Shown there" in html) is (place == other)
        assert "other.example" not in html  # no column for what is always the same
        foreign = items["there"] if place == site else items["here"]
        chosen = reverse("wagtail_zoom_items:chosen", args=[foreign.pk])
        assert client.get(chosen, headers=referer).status_code == 404


@pytest.mark.parametrize(
    "address", ["", "https://elsewhere.example/", "/admin/pages/999/edit/", "::"]
)
def test_without_the_editors_address_the_site_of_each_row_is_named(client, items, address):
    client.force_login(User.objects.create_superuser("boss", password="x"))
    url = reverse("wagtail_zoom_items:choose_results")
    html = client.get(url, headers={"referer": address}).content.decode()
    assert "Shown here" in html and "Shown there" in html and "other.example" in html


def test_what_is_switched_off_is_not_offered(client, items, owner):
    """Its item is kept for the day it comes back, but there is nothing to choose."""
    items["film"].recording.delete()
    assert seen(client, owner, "recording") == set()


def test_a_foreign_row_is_not_handed_out(client, items, owner, editor):
    """X6: the chosen view gives no title away."""
    for who, bad in ((owner, "there"), (editor, "there"), (editor, "hidden")):
        client.force_login(who)
        url = reverse("wagtail_zoom_items:chosen", args=[items[bad].pk])
        assert client.get(url).status_code == 404
        several = reverse("wagtail_zoom_items:chosen_multiple")
        html = client.get(several, {"id": items[bad].pk}).content.decode()
        assert items[bad].title not in html
    assert (
        client.get(reverse("wagtail_zoom_items:chosen", args=[items["here"].pk])).status_code == 200
    )


def test_without_any_right_there_is_no_chooser(client, items):
    nobody, _group = user("nobody")
    client.force_login(nobody)
    response = client.get(reverse("wagtail_zoom_items:choose"))
    assert response.status_code in (302, 403)


def test_a_stored_foreign_id_shows_no_title(items):
    """X7: the widget names only what its viewer may choose."""
    data = ItemChooser().get_value_data_from_instance(items["there"])
    assert data["title"] == "(not available on your site)"


def test_two_of_the_same_name_are_told_apart_by_their_dates(client, items, owner):
    """A series by its next date, whatever is over or called off; what has no date says so."""
    now, meeting = timezone.now(), items["here"].meeting
    day = timedelta(days=1)
    Occurrence.objects.filter(meeting=meeting).update(start=now - 9 * day, end=now - 9 * day)
    for ahead, state in ((3, "cancelled"), (4, "scheduled"), (5, "scheduled")):
        start = now + ahead * day
        Occurrence.objects.create(
            meeting=meeting, account=meeting.account, zoom_id=str(ahead), state=state,
            start=start, end=start + day, duration=60,
        )  # fmt: skip
    undated = items["hidden"].meeting
    undated.occurrences.all().delete()
    Meeting.objects.filter(pk=undated.pk).update(start=None, zoom_type=3)
    client.force_login(owner)
    html = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": "meeting"})
    text = html.content.decode()
    assert formatting.stamp(now + 4 * day) in text and "No fixed date" in text
    assert (
        formatting.stamp(now + 3 * day) not in text and formatting.stamp(now - 9 * day) not in text
    )
