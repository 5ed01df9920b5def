"""An outbox saves what changed in a row, and delivers each due row once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wagtail_zoom.models import Registration
from wagtail_zoom.models.outbox import Outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def outbox():
    return Outbox(Registration, task="deliver_registrations")


@pytest.fixture
def row(zoom_rows):
    meeting = zoom_rows.meeting(registration="auto")
    return Registration.objects.create(
        site=zoom_rows.site,
        account=meeting.account,
        meeting=meeting,
        meeting_zoom_id=meeting.zoom_id,
        idempotency_key="key",
        email="vera@example.org",
        next_try_at=timezone.now(),
    )


def test_the_end_of_the_block_saves_what_changed(outbox, row):
    with outbox.edit_row(row.pk) as edited:
        edited.answers, edited.mails = "{}", {"approved": "today"}
        edited.error_class = "busy"
        # Another process that does not need the lock.
        Registration.objects.filter(pk=row.pk).update(locale="de")
    row.refresh_from_db()
    assert (row.answers.reveal(), row.mails, row.error_class) == (
        "{}",
        {"approved": "today"},
        "busy",
    )
    assert row.locale == "de" and row.email.reveal() == "vera@example.org"


def test_a_list_that_is_changed_in_place_is_saved(outbox, row):
    with outbox.edit_row(row.pk) as edited:
        edited.mails["approved"] = "today"
    row.refresh_from_db()
    assert row.mails == {"approved": "today"}


def test_nothing_is_written_without_a_change(outbox, row, django_assert_num_queries):
    with django_assert_num_queries(3), outbox.edit_row(row.pk):  # savepoint, SELECT, release
        pass


def test_an_error_saves_nothing(outbox, row):
    with pytest.raises(ValueError), outbox.edit_row(row.pk) as edited:
        edited.error_class = "busy"
        raise ValueError
    row.refresh_from_db()
    assert row.error_class == ""


def test_a_deleted_row_is_not_saved_again(outbox, row):
    with outbox.edit_row(row.pk) as edited:
        edited.delete()
    assert not Registration.objects.exists()


def test_only_the_own_lease_is_released(outbox, row):
    lease = outbox.claim(row.pk)
    with outbox.edit_row(row.pk, "another"):
        pass
    assert Registration.objects.get().lease_owner == lease
    with outbox.edit_row(row.pk, lease):
        pass
    assert Registration.objects.get().lease_owner == ""


def test_each_due_row_is_processed_once(outbox, row):
    """One that fails keeps its lease until it expires, so that it does not delay the others."""
    other = Registration.objects.get(pk=row.pk)
    other.pk, other.public_id, other.idempotency_key = None, None, "other"
    other.public_id = Registration._meta.get_field("public_id").get_default()
    other.save(force_insert=True)
    processed = []

    def process(pk, lease):
        processed.append(pk)
        if pk == row.pk:
            raise ValueError
        with outbox.edit_row(pk, lease) as edited:
            edited.next_try_at = None

    assert outbox.run(process, seconds=0.3) == 2
    assert processed == [row.pk, other.pk]
    assert outbox.claim(row.pk) == outbox.claim(other.pk) == ""
    assert outbox.sweep(timezone.now()) == 0
    assert outbox.sweep(timezone.now() + 2 * outbox.lease) == 1


def test_what_is_not_due_is_not_claimed(outbox, row):
    Registration.objects.update(next_try_at=timezone.now() + timedelta(hours=1))
    assert outbox.claim(row.pk) == ""
    assert outbox.run(lambda pk, lease: None, seconds=0.3) == 0
