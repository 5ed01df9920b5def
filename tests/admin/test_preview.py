"""What the panel says about choices before they are saved; the plan; who may wake a copy."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.utils import timezone
from wagtail.models import GroupSitePermission
from wagtail.models.audit_log import ModelLogEntry

from tests.admin.test_panel import form
from tests.blocks import rows
from wagtail_zoom.models import Activity, ExposedHost, Host, ZoomAccount, ZoomSettings

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch):
    """What was put into the queue by the outlook."""
    cache.clear()
    found = []
    monkeypatch.setattr("wagtail_zoom.admin.preview.enqueue", lambda *job: found.append(job))
    return found


@pytest.fixture
def compared(aurora):
    """Everything that Aurora has chosen was fetched."""
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(reconciled_at=timezone.now())
    totals = {"meeting": 38, "webinar": 2, "recording": 61}
    Host.objects.filter(pk=aurora.host.pk).update(totals=totals)
    return aurora


def look(client, world, **changes):
    answer = client.post(f"/admin/zoom/{world.site.pk}/outlook/", form(world, **changes))
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    return answer.json()


def test_counts_follow_choices_that_are_not_saved(as_aurora, compared, asked):
    rows.date(compared.host, topic="Open #public")
    assert look(as_aurora, compared)["sentence"] == "Visitors would see 2 dates."
    marked = look(as_aurora, compared, item_rule="marked", mark_word="#public")
    assert marked["sentence"] == "Visitors would see 1 date."
    assert marked["sides"]["meeting"] == "38 in Zoom, 1 date would show"
    nothing = look(as_aurora, compared, item_rule="picked")
    assert nothing["sentence"] == "Visitors would see nothing."
    assert ZoomSettings.objects.get(pk=compared.choice.pk).item_rule == "all"


def test_kinds_that_are_not_fetched_have_zooms_number_only(as_aurora, compared, asked):
    found = look(as_aurora, compared, show_webinars="on")
    assert found["sides"]["webinar"] == "2 in Zoom, not fetched yet"
    assert "counted when it has been fetched" in found["sentence"]
    assert found["sides"]["recording"] == "1 in Zoom, 0 recordings would show"
    off = look(as_aurora, compared, show_meetings=None)
    assert off["sides"]["meeting"] == "38 in Zoom"


def test_without_host_or_kind_there_is_nothing(as_aurora, compared, asked):
    assert "No host is ticked" in look(as_aurora, compared, hosts=[])["sentence"]
    none = look(as_aurora, compared, show_meetings=None, show_recordings=None)
    assert "No kind is switched on" in none["sentence"]


def test_a_host_that_nobody_counted_is_counted_by_the_worker_once(as_aurora, compared, asked):
    other = rows.host(compared.account, "Mika")
    found = look(as_aurora, compared, hosts=[compared.host.pk, other.pk])
    assert found["counting"] and asked == [("count_hosts", compared.account.pk, other.pk)]
    assert look(as_aurora, compared, hosts=[compared.host.pk, other.pk])["counting"]
    assert len(asked) == 1
    totals = {"meeting": 4, "webinar": 0, "recording": 0}
    Host.objects.filter(pk=other.pk).update(totals=totals)
    found = look(as_aurora, compared, hosts=[compared.host.pk, other.pk])
    assert not found["counting"] and found["sides"]["meeting"].startswith("42 in Zoom")
    assert not ExposedHost.objects.filter(host=other).exists()


def test_hosts_of_others_count_for_nothing(as_aurora, compared, borealis, asked):
    found = look(as_aurora, compared, hosts=[borealis.host.pk])
    assert "borealis" not in str(found).lower() and not asked
    assert found["sides"]["meeting"].startswith("38 in Zoom")


def test_a_copy_counts_nothing(as_aurora, compared, asked):
    other = rows.host(compared.account, "Mika")
    ZoomAccount.objects.filter(pk=compared.account.pk).update(fingerprint="another")
    assert not look(as_aurora, compared, hosts=[other.pk])["counting"] and not asked


def test_the_panel_says_it_beside_the_button(as_aurora, compared):
    body = as_aurora.get(compared.panel).content.decode()
    assert "Visitors would see 1 date." in body and 'role="status"' in body
    assert f"/admin/zoom/{compared.site.pk}/outlook/" in body


# The plan


def test_the_owner_may_say_which_plan_it_is(as_aurora, aurora):
    Host.objects.filter(pk=aurora.host.pk).update(user_type=2)
    as_aurora.post(aurora.panel, form(aurora, plan="business"))
    account = ZoomAccount.objects.get(pk=aurora.account.pk)
    assert (account.plan, account.plan_stated) == ("business", True)
    body = as_aurora.get(aurora.panel).content.decode()
    assert "Zoom plan: Business or above, as you said" in body
    as_aurora.post(aurora.panel, form(aurora, plan=""))
    account.refresh_from_db()
    assert (account.plan, account.plan_stated) == ("pro", False)
    assert Activity.objects.filter(code="plan_stated").count() == 2
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.plan").count() == 2


def test_saving_other_choices_leaves_the_plan_alone(as_aurora, aurora):
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(plan="pro")
    as_aurora.post(aurora.panel, form(aurora, mark_word="#open", plan=""))
    account = ZoomAccount.objects.get(pk=aurora.account.pk)
    assert (account.plan, account.plan_stated) == ("pro", False)
    assert not Activity.objects.filter(code="plan_stated").exists()


def test_a_stated_plan_sets_how_often_we_look(as_aurora, aurora):
    as_aurora.post(aurora.panel, form(aurora, plan="free"))
    account = ZoomAccount.objects.get(pk=aurora.account.pk)
    assert (account.next_reconcile_at - timezone.now()).total_seconds() < 20 * 60


# A copied installation


def share(world, other):
    """The other Site is fed by the same account."""
    ZoomAccount.objects.filter(pk=world.account.pk).update(fingerprint="another")
    ZoomSettings.objects.filter(pk=other.choice.pk).update(account=world.account, grant=world.grant)


def test_only_who_looks_after_all_sites_of_an_account_wakes_a_copy(as_aurora, aurora, borealis):
    share(aurora, borealis)
    url = f"/admin/zoom/{aurora.site.pk}/adopt/"
    body = as_aurora.get(url).content.decode()
    assert "Other sites use the same Zoom account." in body and "borealis" not in body
    assert "start Zoom here" not in body
    as_aurora.post(url)
    assert ZoomAccount.objects.get(pk=aurora.account.pk).is_quarantined
    group = Group.objects.get(name="owners of aurora.example")
    right = group.site_permissions.get().permission
    GroupSitePermission.objects.create(group=group, site=borealis.site, permission=right)
    as_aurora.post(url)
    assert not ZoomAccount.objects.get(pk=aurora.account.pk).is_quarantined
    assert Activity.objects.filter(code="adopted").count() == 2
