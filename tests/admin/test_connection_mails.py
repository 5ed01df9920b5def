"""Whom emails about a connection reach, and what they say."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone
from wagtail.users.models import UserProfile

from wagtail_zoom.admin import overview
from wagtail_zoom.frontend import datetimes
from wagtail_zoom.models import (
    ExposedHost,
    FormerHost,
    Grant,
    GrantState,
    Host,
    Invitation,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.oauth import connect, disconnect, invitations, notifications

pytestmark = pytest.mark.django_db


def settings_of(tenant) -> ZoomSettings:
    return ZoomSettings.objects.select_related("site", "grant", "linked_by").get(site=tenant.site)


def connect_as(tenant, grant: Grant, user, **options) -> ZoomSettings:
    """Connect as the view does: the grant belongs to whoever authorised last."""
    Grant.objects.filter(pk=grant.pk).update(connected_by=None if options else user)
    grant.refresh_from_db()
    return connect.connect_site(tenant.site, grant, user, **options)


def invitation_of(tenant) -> Invitation:
    return invitations.create(tenant.site, tenant.owner)[0]


def test_another_site_of_the_same_zoom_user_moves_no_address(aurora, borealis):
    connect_as(aurora, aurora.grant, aurora.owner)
    assert notifications.owner_email(settings_of(aurora)) == aurora.owner.email
    connect_as(borealis, aurora.grant, borealis.owner)
    assert notifications.owner_email(settings_of(aurora)) == aurora.owner.email
    assert notifications.owner_email(settings_of(borealis)) == borealis.owner.email


def test_an_invited_connection_mails_the_inviter(aurora):
    aurora.grant.user_email = "zoom-admin@elsewhere.example"
    aurora.grant.save()
    connect_as(aurora, aurora.grant, aurora.owner, invitation=invitation_of(aurora))
    assert notifications.owner_email(settings_of(aurora)) == aurora.owner.email


def test_the_zoom_user_is_mailed_when_the_inviter_may_not_change_the_site_any_more(aurora):
    grant = aurora.grant
    grant.user_email = "zoom-admin@elsewhere.example"
    grant.save()
    connect_as(aurora, grant, aurora.owner, invitation=invitation_of(aurora))
    aurora.owner.groups.clear()
    assert notifications.owner_email(settings_of(aurora)) == "zoom-admin@elsewhere.example"


def test_the_inviter_reads_that_the_invitation_was_used(aurora):
    ZoomSettings.objects.filter(site=aurora.site).update(needs_confirmation=True)
    Grant.objects.filter(pk=aurora.grant.pk).update(user_name="Lena Brandt")
    other = User.objects.create_user("colleague", "colleague@aurora.example")
    row = Invitation(
        site=aurora.site, created_by=other, expires_at=timezone.now(), token_hash="x" * 64
    )
    notifications.send_invited_connected(settings_of(aurora), row)
    (email,) = mail.outbox
    assert email.to == [other.email]
    assert "Lena Brandt has used your invitation" in email.body
    assert "until you confirm" in email.body
    assert f"https://testserver{aurora.panel}" in email.body


@pytest.mark.parametrize("archive", [False, True], ids=["connected", "archive"])
def test_a_removed_app_is_reported_immediately(
    aurora, borealis, archive, django_capture_on_commit_callbacks
):
    grant = aurora.grant
    Grant.objects.filter(pk=grant.pk).update(connected_at=timezone.now() - timedelta(days=1))
    ZoomSettings.objects.filter(site=aurora.site).update(linked_by=aurora.owner)
    UserProfile.objects.create(user=aurora.owner, current_time_zone="Asia/Tokyo")
    if archive:
        disconnect.disconnect(settings_of(aurora), keep=True, user=aurora.owner)
    removed_at = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        disconnect.deauthorize(grant.account.zoom_id, grant.zoom_user_id, removed_at)
        disconnect.deauthorize(grant.account.zoom_id, grant.zoom_user_id, removed_at)
    (email,) = mail.outbox
    assert email.to == [aurora.owner.email]
    assert "Zoom is disconnected" in email.subject
    assert "Tokyo time (JST)" in email.body
    assert f"https://testserver{aurora.panel}" in email.body


def test_the_operator_reads_that_the_owner_was_emailed(aurora, django_capture_on_commit_callbacks):
    Grant.objects.filter(pk=aurora.grant.pk).update(connected_at=timezone.now() - timedelta(days=1))
    ZoomSettings.objects.filter(site=aurora.site).update(linked_by=aurora.owner)
    with django_capture_on_commit_callbacks(execute=True):
        disconnect.deauthorize(aurora.account.zoom_id, aurora.grant.zoom_user_id, timezone.now())
    (row,) = overview.site_rows([aurora.site])
    assert row.mailed.startswith("emailed")
    assert overview.SiteSummary.from_row(row).was_mailed


def test_a_copy_reports_no_removed_app(aurora, django_capture_on_commit_callbacks):
    """The original installation does."""
    grant = aurora.grant
    Grant.objects.filter(pk=grant.pk).update(connected_at=timezone.now() - timedelta(days=1))
    ZoomSettings.objects.filter(site=aurora.site).update(linked_by=aurora.owner)
    ZoomAccount.objects.filter(pk=grant.account_id).update(fingerprint="of another installation")
    with django_capture_on_commit_callbacks(execute=True):
        disconnect.deauthorize(grant.account.zoom_id, grant.zoom_user_id, timezone.now())
    assert ZoomSettings.objects.get(site=aurora.site).grant is None
    assert mail.outbox == []


def test_a_removed_app_reaches_the_zoom_user_when_no_user_is_known(
    aurora, django_capture_on_commit_callbacks
):
    grant = aurora.grant
    grant.user_email = "zoom-admin@elsewhere.example"
    grant.connected_by, grant.connected_at = None, timezone.now() - timedelta(days=1)
    grant.save()
    with django_capture_on_commit_callbacks(execute=True):
        disconnect.deauthorize(grant.account.zoom_id, grant.zoom_user_id, timezone.now())
    assert [email.to for email in mail.outbox] == [["zoom-admin@elsewhere.example"]]


def test_emails_name_day_and_zone_of_each_time(aurora):
    """The panel says "09:40" of today; whoever reads an email does not know which day."""
    since = timezone.now() - timedelta(seconds=30)
    Grant.objects.filter(pk=aurora.grant.pk).update(
        state=GrantState.NEEDS_RECONNECT, reason="invalid_grant", state_since=since
    )
    ZoomSettings.objects.filter(site=aurora.site).update(
        contact_email="office@aurora.example", linked_by=aurora.owner
    )
    UserProfile.objects.create(user=aurora.owner, current_time_zone="Asia/Tokyo")
    (row,) = overview.site_rows([aurora.site])
    assert overview.mail_owner(row, User.objects.create_superuser("operator"))
    assert notifications.send_due_notifications(timezone.now()) == 1
    time_text = datetimes.day_and_time(timezone.localtime(since, ZoneInfo("Asia/Tokyo")))
    assert f"{since:%Y}" not in time_text and "Tokyo time (JST)" in time_text
    for email in mail.outbox:
        assert time_text in email.body
    assert len(mail.outbox) == 2


def test_hosts_stay_ticked_over_a_removal_whatever_is_saved_before_they_are_read(as_aurora, aurora):
    """Until the directory has been read the form cannot know them: it says so and waits."""
    colleague = Host.objects.create(
        account=aurora.account, zoom_id="colleague", display_name="Colleague", user_type=2
    )
    ExposedHost.objects.create(settings=settings_of(aurora), host=colleague)
    Grant.objects.filter(pk=aurora.grant.pk).update(connected_at=timezone.now() - timedelta(days=1))
    aurora.grant.refresh_from_db()
    zoom_user = aurora.grant.zoom_user_id
    disconnect.deauthorize(aurora.account.zoom_id, zoom_user, timezone.now())
    Host.objects.all().delete()  # as Zoom requires; the user who connects is stored again
    ZoomAccount.objects.update(directory_at=None)
    Host.objects.create(account=aurora.account, zoom_id=zoom_user, display_name="Ines", user_type=2)
    Grant.objects.filter(pk=aurora.grant.pk).update(
        state=GrantState.CONNECTED, connected_at=timezone.now()
    )
    aurora.grant.refresh_from_db()
    connect.connect_site(aurora.site, aurora.grant, aurora.owner)
    former = FormerHost.objects.filter(settings__site=aurora.site)
    assert former.values_list("zoom_id", flat=True).get() == "colleague"
    page = as_aurora.get(aurora.panel)
    assert "1 host that was ticked before is still being read from Zoom." in page.content.decode()
    response = as_aurora.post(
        aurora.panel, {"show_meetings": "on", "hosts": Host.objects.get().pk, "item_rule": "all"}
    )
    assert "Save again in a moment." in response.content.decode()
    assert former.exists()
