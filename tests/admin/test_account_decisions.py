"""What concerns a whole Zoom account is decided by a Site whose permission covers the account."""

import pytest
from django.utils import timezone

from tests.admin.test_panel import form, post_action
from wagtail_zoom.models import Grant, SyncRun, ZoomAccount, ZoomSettings

pytestmark = pytest.mark.django_db
SENTENCE = "Other sites use this Zoom account, too"


def share_account(aurora, borealis, **grant):
    """Borealis uses the account of aurora, too, by a permission of its own."""
    own = Grant.objects.create(
        client_id=aurora.grant.client_id, account=aurora.account, zoom_user_id="other", **grant
    )
    ZoomSettings.objects.filter(pk=borealis.site_settings.pk).update(
        account=aurora.account, grant=own
    )


def make_personal(aurora):
    Grant.objects.filter(pk=aurora.grant.pk).update(account_level=False)


@pytest.fixture
def runs(aurora):
    """One run under way, and one that withheld removals."""
    rows = SyncRun.objects
    counts = {"meeting": {"withheld": 12}}
    withheld = rows.create(account=aurora.account, mode="reconcile", state="done", counts=counts)
    return withheld, rows.create(
        account=aurora.account, mode="backfill", state="running", started_at=timezone.now()
    )


def decide(client, aurora):
    """Try everything; returns what worked, and the panel that is shown after it."""
    ZoomAccount.objects.filter(pk=aurora.account.pk).update(reconciled_at=timezone.now())
    page = client.get(aurora.panel).content.decode()
    # While something is withheld, the panel asks about that first.
    finished_run = SyncRun.objects.filter(account=aurora.account, state="done")
    counts = finished_run.get().counts
    finished_run.update(counts={})
    live = client.get(f"/admin/zoom/{aurora.site.pk}/live/").content.decode()
    finished_run.update(counts=counts)
    messages = client.post(
        f"/admin/zoom/{aurora.site.pk}/approve-removals/", follow=True
    ).content.decode()
    post_action(client, aurora, "stop")
    client.post(aurora.panel, form(aurora, plan="business"))
    worked = {
        "approve": SyncRun.objects.filter(allow_removals=True).exists(),
        "stop": SyncRun.objects.filter(cancel_requested=True).exists(),
        "plan": ZoomAccount.objects.get(pk=aurora.account.pk).plan_stated,
    }
    buttons = {
        "approve": "/approve-removals/" in page,
        "stop": 'id="wza-stop"' in live,
        "plan": 'name="plan"' in page and 'disabled id="id_plan' not in page,
    }
    return {name for name in worked if worked[name]}, buttons, messages


def test_a_personal_permission_decides_nothing_for_other_sites(as_aurora, aurora, borealis, runs):
    make_personal(aurora)
    share_account(aurora, borealis, account_level=True)
    worked, buttons, messages = decide(as_aurora, aurora)
    assert worked == set() and not any(buttons.values()), (worked, buttons)
    assert SENTENCE in messages
    # Its own settings are saved, and it may look again.
    assert ZoomSettings.objects.get(pk=aurora.site_settings.pk).item_rule
    post_action(as_aurora, aurora, "sync")
    assert (
        SyncRun.objects.filter(requested_by=aurora.owner).exists()
        or SyncRun.objects.filter(run_again=True).exists()
    )


@pytest.mark.parametrize("state", ["needs_reconnect", "revoked"])
def test_a_permission_that_has_ended_decides_nothing(as_aurora, aurora, borealis, runs, state):
    share_account(aurora, borealis, account_level=True)
    Grant.objects.filter(pk=aurora.grant.pk).update(state=state)
    assert decide(as_aurora, aurora)[0] == set()


@pytest.mark.parametrize("alone", [True, False])
def test_a_permission_for_the_account_or_for_the_only_site_decides(
    as_aurora, aurora, borealis, runs, alone
):
    if alone:
        make_personal(aurora)
    else:
        share_account(aurora, borealis)
    worked, buttons, messages = decide(as_aurora, aurora)
    assert worked == {"approve", "stop", "plan"} and all(buttons.values()), (worked, buttons)
    assert SENTENCE not in messages


def test_a_superuser_decides_for_every_account(as_root, aurora, borealis, runs):
    make_personal(aurora)
    share_account(aurora, borealis)
    worked, buttons, _messages = decide(as_root, aurora)
    assert worked == {"approve", "stop", "plan"} and all(buttons.values()), (worked, buttons)
