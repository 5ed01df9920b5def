"""The owner's panel: settings, sync, pause, invitations, disconnecting."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models.audit_log import ModelLogEntry

from tests.blocks import rows
from tests.query_parameters import parameters_of_queries
from wagtail_zoom.admin.panels import edit_handler
from wagtail_zoom.models import (
    Activity,
    ExposedHost,
    Grant,
    Invitation,
    Meeting,
    Recording,
    SyncRun,
    ZoomAccount,
    ZoomSettings,
)

pytestmark = pytest.mark.django_db


def form(tenant, **changes):
    """The settings form as a browser posts it, with changes; None removes a field."""
    data = {
        "show_meetings": "on",
        "show_recordings": "on",
        "show_registration": "on",
        "hosts": [tenant.host.pk],
        "item_rule": "all",
        "mark_word": "#public",
        "join_policy": "window",
        "join_minutes": "15",
        "passcode_policy": "in_link",
        "review_recordings": "True",
        "registration_days": "30",
    }
    return {name: value for name, value in {**data, **changes}.items() if value is not None}


def site_settings(tenant):
    return ZoomSettings.objects.get(pk=tenant.site_settings.pk)


def test_save_the_settings(as_aurora, aurora):
    response = as_aurora.post(
        aurora.panel, form(aurora, show_webinars="on", item_rule="marked", mark_word="#open")
    )
    assert response.status_code == 302
    saved = site_settings(aurora)
    assert saved.show_webinars and saved.mark_word == "#open"
    assert saved.grant_id == aurora.grant.pk and saved.account_id == aurora.account.pk
    assert Activity.objects.filter(site=aurora.site, code="exposure_changed").exists()
    assert SyncRun.objects.filter(account=aurora.account, mode="backfill").exists()


def test_saving_keeps_a_pause_made_since_the_form_was_loaded(aurora):
    form_class = edit_handler(opens_settings=False).get_form_class()
    bound_form = form_class(
        form(aurora, mark_word="show"), instance=site_settings(aurora), for_user=aurora.owner
    )
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(
        paused_at=timezone.now(), grant=None
    )
    assert bound_form.is_valid(), bound_form.errors
    bound_form.save()
    saved = site_settings(aurora)
    assert (saved.mark_word, saved.grant, saved.paused_at is None) == ("show", None, False)
    assert ExposedHost.objects.filter(settings=saved, host=aurora.host).exists()


def test_first_save_starts_the_import(as_aurora, aurora):
    aurora.registration.delete()
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(configured_at=None)
    body = as_aurora.get(aurora.panel).content.decode()
    assert "Save and start the import" in body and "Now choose what to show" in body
    as_aurora.post(aurora.panel, form(aurora))
    assert site_settings(aurora).configured_at is not None


def test_the_tabs_keep_their_order_after_the_first_save(as_aurora, aurora):
    """Before it the settings are open, since there is something to choose first."""
    orders, is_open = [], []
    for configured_at in (None, timezone.now()):
        ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(configured_at=configured_at)
        body = as_aurora.get(aurora.panel).content.decode()
        orders.append(re.findall(r'id="tab-label-(\w+)"', body))
        is_open.append('data-w-tabs-active-panel-id-value="tab-choices"' in body)
    assert orders == [["connection", "choices"]] * 2
    assert is_open == [True, False]


def test_the_host_who_connected_is_selected_at_first(as_aurora, aurora):
    ExposedHost.objects.all().delete()
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(configured_at=None)
    body = as_aurora.get(aurora.panel).content.decode()
    assert f'value="{aurora.host.pk}" id="id_hosts_{aurora.host.pk}" checked' in body


def test_data_loss_is_confirmed_first(as_aurora, aurora):
    Recording.objects.filter(pk=aurora.recording.pk).update(expired_at=timezone.now())
    response = as_aurora.post(aurora.panel, form(aurora, show_recordings=None))
    assert response.status_code == 200
    assert b"deleted here: 1 recording." in response.content
    assert b"no longer exists in Zoom and cannot come back" in response.content
    assert site_settings(aurora).show_recordings
    again = dict(form(aurora, show_recordings=None), confirmed="1")
    assert as_aurora.post(aurora.panel, again).status_code == 302
    assert not site_settings(aurora).show_recordings


def test_deselecting_a_host_is_confirmed(as_aurora, aurora):
    response = as_aurora.post(aurora.panel, form(aurora, hosts=[]))
    assert b"One host is no longer ticked." in response.content
    assert ExposedHost.objects.filter(settings=aurora.site_settings).exists()


def test_hosts_of_another_account_are_refused(as_aurora, aurora, borealis):
    response = as_aurora.post(aurora.panel, form(aurora, hosts=[borealis.host.pk]))
    assert response.status_code == 200
    assert not ExposedHost.objects.filter(
        settings=aurora.site_settings, host=borealis.host
    ).exists()


def test_a_personal_grant_allows_one_host_only(as_aurora, aurora):
    other = rows.host(aurora.account, "other")
    Grant.objects.filter(pk=aurora.grant.pk).update(account_level=False)
    as_aurora.post(aurora.panel, form(aurora, hosts=[aurora.host.pk, other.pk]))
    assert not ExposedHost.objects.filter(settings=aurora.site_settings, host=other).exists()


def test_other_fields_cannot_be_posted(as_aurora, aurora, borealis):
    as_aurora.post(
        aurora.panel,
        form(aurora, site=borealis.site.pk, grant=borealis.grant.pk, account=borealis.account.pk),
    )
    saved = site_settings(aurora)
    assert (saved.site_id, saved.grant_id) == (aurora.site.pk, aurora.grant.pk)


def test_not_connected_has_no_form(as_aurora, aurora):
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(grant=None, account=None)
    body = as_aurora.get(aurora.panel).content.decode()
    assert "Show your Zoom meetings on your pages" in body and 'name="item_rule"' not in body
    assert f"/zoom/oauth/connect/{aurora.site.pk}/" in body
    as_aurora.post(aurora.panel, form(aurora, join_policy="public"))
    assert site_settings(aurora).join_policy == "window"


def test_search_hosts(as_aurora, aurora):
    for name in ("Ines", "Mika"):
        rows.host(aurora.account, name)
    url = f"/admin/zoom/{aurora.site.pk}/hosts/"
    body = as_aurora.get(url, {"q": "ines", "without": aurora.host.pk}).content.decode()
    assert "Host Ines" in body and "Host Mika" not in body
    assert "No host with that name." in as_aurora.get(url, {"q": "xyz"}).content.decode()


def test_no_inline_script_or_style(as_aurora, aurora):
    """In our part of the page; Wagtail's own markup is not checked."""
    body = as_aurora.get(aurora.panel).content.decode()
    ours = body[body.index('id="wza-actions"') : body.rindex('class="footer')]
    for forbidden in ("<script>", "<style", " style=", "onclick=", "onchange="):
        assert forbidden not in ours


# The buttons


def post_action(client, tenant, name, **data):
    return client.post(f"/admin/zoom/{tenant.site.pk}/{name}/", data)


def test_sync_now_and_stop(as_aurora, aurora):
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(reconciled_at=timezone.now())
    assert post_action(as_aurora, aurora, "sync").status_code == 302
    run = SyncRun.objects.get(account=aurora.account)
    assert run.mode == "reconcile" and run.requested_by == aurora.owner
    post_action(as_aurora, aurora, "stop")
    run.refresh_from_db()
    assert run.cancel_requested


def test_progress_is_live_and_ends_with_the_run(as_aurora, aurora):
    run = SyncRun.objects.create(
        account=aurora.account,
        mode="backfill",
        state="running",
        started_at=timezone.now(),
        progress={"meeting": [14, 14], "webinar": [3, 12], "recording": [0, 8]},
    )
    url = f"/admin/zoom/{aurora.site.pk}/live/"
    body = as_aurora.get(url).content.decode()
    assert "data-wza-running" in body and 'value="17" max="34"' in body
    assert "14 of 14" in body and "3 of 12" in body and "8, next" in body
    run.state = "done"
    run.save()
    response = as_aurora.get(url)
    assert "data-wza-running" not in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_health_checks_are_reloaded_with_the_progress(as_aurora, aurora):
    url = f"/admin/zoom/{aurora.site.pk}/live/"
    reconciled_text = "Everything was synced with Zoom"
    SyncRun.objects.all().delete()
    assert reconciled_text not in as_aurora.get(url).content.decode()
    assert reconciled_text not in as_aurora.get(aurora.panel).content.decode()
    now = timezone.now()
    SyncRun.objects.create(account=aurora.account, mode="backfill", state="done", finished_at=now)
    parts = as_aurora.get(url).content.decode().partition('<template data-wza-now="health">')
    assert reconciled_text in parts[2]
    panel = as_aurora.get(aurora.panel).content.decode()
    for name in ("numbers", "inbox", "health"):
        assert f'data-wza-part="{name}"' in panel


def test_pause_and_resume(as_aurora, aurora):
    post_action(as_aurora, aurora, "pause")
    assert site_settings(aurora).paused_at is not None
    assert b"Paused since" in as_aurora.get(aurora.panel).content
    post_action(as_aurora, aurora, "resume")
    assert site_settings(aurora).paused_at is None


def test_actions_give_404_where_they_do_not_apply(as_aurora, aurora):
    assert post_action(as_aurora, aurora, "confirm").status_code == 404
    assert post_action(as_aurora, aurora, "adopt").status_code == 404
    assert post_action(as_aurora, aurora, "approve-removals").status_code == 404
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(grant=None, account=None)
    for name in ("sync", "stop", "pause", "resume", "disconnect"):
        assert post_action(as_aurora, aurora, name).status_code == 404


def test_a_login_that_leads_to_the_url_of_a_button_changes_nothing_and_leads_back(
    as_aurora, aurora
):
    """Wagtail's login goes to the URL that was posted to."""
    response = as_aurora.get(f"/admin/zoom/{aurora.site.pk}/pause/")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    page = response.content.decode()
    assert "nothing was changed" in page and f'href="{aurora.panel}"' in page
    assert site_settings(aurora).paused_at is None


def test_a_site_without_a_grant_starts_nothing_for_its_account(as_aurora, aurora):
    """An archive keeps the account, which other Sites may be connected with."""
    counts = {"meeting": {"withheld": 12}}
    run = SyncRun.objects.create(
        account=aurora.account, mode="reconcile", state="done", counts=counts
    )
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(
        grant=None, archived_at=timezone.now()
    )
    for name in ("sync", "stop", "pause", "resume", "approve-removals"):
        assert post_action(as_aurora, aurora, name).status_code == 404, name
    assert list(SyncRun.objects.values_list("pk", "allow_removals")) == [(run.pk, False)]


@pytest.mark.parametrize("value", ["\0", "a\0b"])
def test_no_nul_in_the_search_for_hosts_reaches_a_query(as_aurora, aurora, value):
    """PostgreSQL refuses it with an error."""
    url = f"/admin/zoom/{aurora.site.pk}/hosts/"
    with parameters_of_queries() as parameters:
        assert as_aurora.get(url, {"q": value}).status_code == 200
    assert parameters and not [text for text in parameters if "\0" in text]


def test_approve_withheld_removals(as_aurora, aurora):
    SyncRun.objects.create(
        account=aurora.account,
        mode="reconcile",
        state="done",
        counts={"meeting": {"withheld": 12}},
    )
    post_action(as_aurora, aurora, "approve-removals")
    assert SyncRun.objects.get(account=aurora.account, state="queued").allow_removals


def test_invite_and_revoke(as_aurora, aurora):
    response = post_action(as_aurora, aurora, "invite")
    assert b"https://testserver/zoom/invite/" in response.content
    assert "no-store" in response["Cache-Control"]
    assert Invitation.objects.get(site=aurora.site).is_open
    post_action(as_aurora, aurora, "uninvite")
    assert not Invitation.objects.get(site=aurora.site).is_open


def test_confirm_a_connection_by_invitation(as_aurora, aurora):
    ZoomSettings.objects.filter(pk=aurora.site_settings.pk).update(needs_confirmation=True)
    body = as_aurora.get(aurora.panel).content.decode()
    assert "Is this right?" in body and 'name="item_rule"' not in body
    post_action(as_aurora, aurora, "confirm")
    assert not site_settings(aurora).needs_confirmation


def test_activate_a_copy(as_aurora, aurora):
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(fingerprint="another")
    post_action(as_aurora, aurora, "adopt")
    assert not ZoomAccount.objects.get(pk=aurora.account.pk).is_quarantined
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.adopt").exists()


@pytest.mark.parametrize(("pages", "is_archived"), [("keep", True), ("remove", False)])
def test_disconnect(as_aurora, aurora, pages, is_archived):
    url = f"/admin/zoom/{aurora.site.pk}/disconnect/"
    body = as_aurora.get(url).content.decode()
    assert "deleted here: 1 meeting and 1 recording." in body
    assert b"Choose what should happen" in as_aurora.post(url, {}).content
    assert site_settings(aurora).grant_id
    assert as_aurora.post(url, {"pages": pages}).status_code == 302
    saved = site_settings(aurora)
    assert saved.grant_id is None and (saved.archived_at is not None) is is_archived
    assert ModelLogEntry.objects.filter(action="wagtail_zoom.disconnect").exists()


def test_visitors_view_shows_what_is_visible(as_aurora, aurora):
    url = f"/admin/zoom/{aurora.site.pk}/visitors/"
    body = as_aurora.get(url).content.decode()
    assert "Meeting of aurora" in body and "Film of aurora" not in body
    Meeting.objects.update(is_private=True)
    assert "Meeting of aurora" not in as_aurora.get(url).content.decode()


def test_the_panel_takes_few_queries_for_any_amount_of_data(as_aurora, aurora):
    """Including Wagtail's sessions, permissions and menu."""

    def queries():
        as_aurora.get(aurora.panel)
        with CaptureQueriesContext(connection) as captured:
            assert as_aurora.get(aurora.panel).status_code == 200
        return len(captured)

    few = queries()
    for number in range(20):
        host = rows.host(aurora.account, f"more-{number}")
        ExposedHost.objects.create(settings=aurora.site_settings, host=host)
        rows.occurrence(host)
        rows.recording(host)
    # One of them for the page that the checklist proposes, two for the menu entry of summaries.
    assert queries() == few <= 43


def test_the_menu_has_one_entry_called_zoom(as_aurora):
    """The panel is "Zoom connection" under "Settings", the lists are in the menu "Zoom"."""
    text = as_aurora.get("/admin/").content.decode()
    assert text.count('"label": "Zoom"') == 1 and text.count('"label": "Zoom connection"') == 1
