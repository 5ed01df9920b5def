"""The preview of unsaved settings; the stated plan; who may activate a copy."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.utils import timezone
from wagtail.models import GroupSitePermission
from wagtail.models.audit_log import ModelLogEntry

from tests.admin.test_panel import form
from tests.blocks import rows
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    GrantState,
    Host,
    ZoomAccount,
    ZoomSettings,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued_tasks(monkeypatch):
    """The tasks that the preview has queued."""
    cache.clear()
    tasks = []
    monkeypatch.setattr("wagtail_zoom.admin.preview.enqueue", lambda *task: tasks.append(task))
    return tasks


@pytest.fixture
def imported(aurora):
    """All enabled data of Aurora is imported."""
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(reconciled_at=timezone.now())
    totals = {"meeting": 38, "webinar": 2, "recording": 61}
    Host.objects.filter(pk=aurora.host.pk).update(totals=totals)
    return aurora


def preview(client, tenant, **changes):
    response = client.post(f"/admin/zoom/{tenant.site.pk}/outlook/", form(tenant, **changes))
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    return response.json()


def test_counts_follow_unsaved_settings(as_aurora, imported, queued_tasks):
    rows.occurrence(imported.host, topic="Open #public")
    assert preview(as_aurora, imported)["sentence"] == "Visitors would see 2 dates."
    marked = preview(as_aurora, imported, item_rule="marked", mark_word="#public")
    assert marked["sentence"] == "Visitors would see 1 date."
    assert marked["sides"]["meeting"] == "38 in Zoom, 1 date would show"
    nothing = preview(as_aurora, imported, item_rule="picked")
    assert nothing["sentence"] == "Visitors would see nothing."
    assert ZoomSettings.objects.get(pk=imported.site_settings.pk).item_rule == "all"


def test_kinds_that_are_not_imported_show_only_the_total_in_zoom(as_aurora, imported, queued_tasks):
    data = preview(as_aurora, imported, show_webinars="on")
    assert data["sides"]["webinar"] == "2 in Zoom, not fetched yet"
    assert "counted when it has been fetched" in data["sentence"]
    assert data["sides"]["recording"] == "1 in Zoom, 0 recordings would show"
    off = preview(as_aurora, imported, show_meetings=None)
    assert off["sides"]["meeting"] == "38 in Zoom"


def test_without_host_or_kind_nothing_is_shown(as_aurora, imported, queued_tasks):
    assert "No host is ticked" in preview(as_aurora, imported, hosts=[])["sentence"]
    none = preview(as_aurora, imported, show_meetings=None, show_recordings=None)
    assert "Meetings, webinars and recordings are all switched off" in none["sentence"]


def test_the_number_of_ticked_hosts_follows_the_form(as_aurora, imported, queued_tasks):
    other = rows.host(imported.account, "Mika")
    hosts = preview(as_aurora, imported)["hosts"]
    assert hosts["summary"].startswith("1 of 2 hosts are ticked.") and hosts["count"] == 2
    ticked = preview(as_aurora, imported, hosts=[imported.host.pk, other.pk])["hosts"]
    assert ticked["summary"].startswith("2 of 2 hosts are ticked.")
    assert preview(as_aurora, imported, hosts=[])["hosts"]["summary"].startswith("0 of 2 hosts")


def test_the_screen_waits_until_the_hosts_are_read(as_aurora, imported, queued_tasks):
    """With a slow worker the first screen knows only the host who connected."""
    assert preview(as_aurora, imported)["hosts"]["waiting"] is True
    ZoomAccount.objects.filter(pk=imported.account.pk).update(directory_at=timezone.now())
    assert preview(as_aurora, imported)["hosts"]["waiting"] is False
    ZoomAccount.objects.filter(pk=imported.account.pk).update(directory_at=None)
    Grant.objects.update(state=GrantState.NEEDS_RECONNECT)
    assert preview(as_aurora, imported)["hosts"]["waiting"] is False


def test_an_uncounted_host_is_counted_by_the_worker_once(as_aurora, imported, queued_tasks):
    other = rows.host(imported.account, "Mika")
    data = preview(as_aurora, imported, hosts=[imported.host.pk, other.pk])
    assert data["counting"] and queued_tasks == [("count_hosts", imported.account.pk, other.pk)]
    assert preview(as_aurora, imported, hosts=[imported.host.pk, other.pk])["counting"]
    assert len(queued_tasks) == 1
    totals = {"meeting": 4, "webinar": 0, "recording": 0}
    Host.objects.filter(pk=other.pk).update(totals=totals)
    data = preview(as_aurora, imported, hosts=[imported.host.pk, other.pk])
    assert not data["counting"] and data["sides"]["meeting"].startswith("42 in Zoom")
    assert not ExposedHost.objects.filter(host=other).exists()


def test_hosts_of_other_sites_are_ignored(as_aurora, imported, borealis, queued_tasks):
    data = preview(as_aurora, imported, hosts=[borealis.host.pk])
    assert "borealis" not in str(data).lower() and not queued_tasks
    assert data["sides"]["meeting"].startswith("38 in Zoom")


def test_a_quarantined_copy_counts_nothing(as_aurora, imported, queued_tasks):
    other = rows.host(imported.account, "Mika")
    ZoomAccount.objects.filter(pk=imported.account.pk).update(fingerprint="another")
    assert not preview(as_aurora, imported, hosts=[other.pk])["counting"] and not queued_tasks


def test_the_panel_shows_the_preview_next_to_the_button(as_aurora, imported):
    body = as_aurora.get(imported.panel).content.decode()
    assert "Visitors would see 1 date." in body and 'role="status"' in body
    assert f"/admin/zoom/{imported.site.pk}/outlook/" in body


# The plan


def test_the_owner_may_state_the_plan(as_aurora, aurora):
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


def test_saving_other_settings_does_not_change_the_plan(as_aurora, aurora):
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(plan="pro")
    as_aurora.post(aurora.panel, form(aurora, mark_word="#open", plan=""))
    account = ZoomAccount.objects.get(pk=aurora.account.pk)
    assert (account.plan, account.plan_stated) == ("pro", False)
    assert not Activity.objects.filter(code="plan_stated").exists()


def test_a_stated_plan_sets_the_polling_interval(as_aurora, aurora):
    as_aurora.post(aurora.panel, form(aurora, plan="free"))
    account = ZoomAccount.objects.get(pk=aurora.account.pk)
    assert (account.next_reconcile_at - timezone.now()).total_seconds() < 20 * 60


# A copied installation


def share_account(tenant, other):
    """Let the other Site use the same account."""
    ZoomAccount.objects.filter(pk=tenant.account.pk).update(fingerprint="another")
    ZoomSettings.objects.filter(pk=other.site_settings.pk).update(
        account=tenant.account, grant=tenant.grant
    )


def test_only_owners_of_all_sites_of_an_account_activate_a_copy(as_aurora, aurora, borealis):
    share_account(aurora, borealis)
    url = f"/admin/zoom/{aurora.site.pk}/adopt/"
    body = as_aurora.get(url).content.decode()
    assert "Other sites use the same Zoom account." in body and "borealis" not in body
    assert "start Zoom here" not in body
    as_aurora.post(url)
    assert ZoomAccount.objects.get(pk=aurora.account.pk).is_quarantined
    group = Group.objects.get(name="owners of aurora.example")
    permission = group.site_permissions.get().permission
    GroupSitePermission.objects.create(group=group, site=borealis.site, permission=permission)
    as_aurora.post(url)
    assert not ZoomAccount.objects.get(pk=aurora.account.pk).is_quarantined
    assert Activity.objects.filter(code="adopted").count() == 2
