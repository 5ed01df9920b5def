"""The chooser of items: users see only rows that they may choose."""

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
    return new_user


@pytest.fixture
def editor(site):
    new_user, group = make_user("editor")
    permission = Permission.objects.get(codename="change_page")
    GroupPagePermission.objects.create(group=group, page=site.root_page, permission=permission)
    return new_user


def titles_seen(client, login_user, kind="meeting"):
    client.force_login(login_user)
    html = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": kind})
    assert html.status_code == 200
    names = ("Shown here", "Hidden here", "Shown there", "Film here")
    return {name for name in names if name in html.content.decode()}


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
        html = client.get(url, headers=referer).content.decode()
        assert ("Shown here" in html) is (edited_site == site)
        assert ("Shown there" in html) is (edited_site == other)
        assert "other.example" not in html  # no column for the Site
        foreign = items["there"] if edited_site == site else items["here"]
        chosen = reverse("wagtail_zoom_items:chosen", args=[foreign.pk])
        assert client.get(chosen, headers=referer).status_code == 404


@pytest.mark.parametrize(
    "referer", ["", "https://elsewhere.example/", "/admin/pages/999/edit/", "::"]
)
def test_without_a_referrer_the_site_of_each_row_is_shown(client, items, referer):
    client.force_login(User.objects.create_superuser("boss", password="x"))
    url = reverse("wagtail_zoom_items:choose_results")
    html = client.get(url, headers={"referer": referer}).content.decode()
    assert "Shown here" in html and "Shown there" in html and "other.example" in html


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
        html = client.get(several, {"id": items[bad].pk}).content.decode()
        assert items[bad].title not in html
    assert (
        client.get(reverse("wagtail_zoom_items:chosen", args=[items["here"].pk])).status_code == 200
    )


def test_without_any_permission_the_chooser_is_refused(client, items):
    stranger, _group = make_user("nobody")
    client.force_login(stranger)
    response = client.get(reverse("wagtail_zoom_items:choose"))
    assert response.status_code in (302, 403)


def test_a_stored_foreign_id_shows_no_title(items):
    """X7: the widget shows only titles that its user may choose."""
    data = ItemChooser().get_value_data_from_instance(items["there"])
    assert data["title"] == "(not available on your site)"


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
    html = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": "meeting"})
    text = html.content.decode()
    assert formatting.relative_date_time(now + 4 * day) in text and "No fixed date" in text
    assert (
        formatting.relative_date_time(now + 3 * day) not in text
        and formatting.relative_date_time(now - 9 * day) not in text
    )
