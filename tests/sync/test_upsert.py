"""Bulk upserts: newest data wins, a second time nothing happens."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from wagtail_zoom.models import Meeting, ZoomAccount
from wagtail_zoom.sync.upsert import UpsertBatch, UpsertResult, content_hash, upsert

pytestmark = pytest.mark.django_db
T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def account():
    return ZoomAccount.objects.create(zoom_id="acc")


def upsert_page(account, *rows_data, fetched_at=T0, run=1):
    rows = [
        (number, {"host_zoom_id": "h", "kind": "meeting", "topic": topic, "join_url": link})
        for number, topic, link in rows_data
    ]
    return upsert(Meeting, account, "zoom_id", rows, fetched_at=fetched_at, run=run)


def test_created_then_unchanged_then_changed(account):
    """S7, S8."""
    assert upsert_page(account, ("1", "Old", "https://zoom.us/j/1")).created == ["1"]
    again = upsert_page(
        account, ("1", "Old", "https://zoom.us/j/1"), fetched_at=T0 + timedelta(1), run=2
    )
    assert (again.unchanged, again.written) == (["1"], [])
    assert Meeting.objects.get().seen_run == 2
    third = upsert_page(account, ("1", "New", "https://zoom.us/j/1"), fetched_at=T0 + timedelta(2))
    assert third.changed == ["1"] and third.before["1"]["topic"] == "Old"
    meeting = Meeting.objects.get()
    assert meeting.topic == "New" and meeting.join_url.reveal() == "https://zoom.us/j/1"


def test_secret_change_is_seen_and_not_leaked(account):
    """S8: a new passcode is a change; the former value is not kept in plain text."""
    upsert_page(account, ("1", "T", "https://zoom.us/j/1?pwd=old"))
    result = upsert_page(
        account, ("1", "T", "https://zoom.us/j/1?pwd=new"), fetched_at=T0 + timedelta(1)
    )
    assert result.changed == ["1"] and "pwd=old" not in str(result.before)
    assert Meeting.objects.get().join_url.reveal().endswith("new")


def ciphertexts():
    with connection.cursor() as cursor:
        cursor.execute("SELECT zoom_id, join_url FROM wagtail_zoom_meeting")
        return dict(cursor.fetchall())


@pytest.mark.parametrize("new_rows", [[], [("3", "New", "https://zoom.us/j/3")]])
def test_s8_an_unchanged_secret_is_not_encrypted_again(account, new_rows):
    """Also next to a row whose secret changed, and on a page with new rows."""
    upsert_page(account, ("1", "Old", "https://zoom.us/j/1"), ("2", "Old", "https://zoom.us/j/2"))
    before = ciphertexts()
    rows = [
        ("1", "New", "https://zoom.us/j/1"),
        ("2", "Old", "https://zoom.us/j/2?pwd=x"),
        *new_rows,
    ]
    assert upsert_page(account, *rows, fetched_at=T0 + timedelta(1)).changed == ["1", "2"]
    after = ciphertexts()
    assert after["1"] == before["1"]
    assert after["2"] != before["2"]
    links = [meeting.join_url.reveal() for meeting in Meeting.objects.order_by("zoom_id")]
    assert links == [link for _number, _topic, link in rows]
    assert Meeting.objects.get(zoom_id="1").topic == "New"


def test_equal_passcodes_do_not_look_equal(account):
    first = content_hash({"passcode": "1"}, ["passcode"], "a")
    assert first[32:] != content_hash({"passcode": "1"}, ["passcode"], "b")[32:]


def test_identity_survives_a_change(account):
    """Registrations and items refer to the primary key."""
    upsert_page(account, ("1", "Old", ""))
    pk = Meeting.objects.get().pk
    upsert_page(account, ("1", "New", ""), fetched_at=T0 + timedelta(1))
    assert Meeting.objects.get().pk == pk


def test_any_order_of_reads_ends_the_same(account):
    """W23, S15: all permutations of four reads lead to the newest one's state."""
    reads = [(T0 + timedelta(minutes=n), f"Version {n}") for n in range(4)]
    for order in permutations(reads):
        Meeting.objects.all().delete()
        for fetched_at, topic in order:
            upsert_page(account, ("1", topic, ""), fetched_at=fetched_at)
        assert Meeting.objects.get().topic == "Version 3"


def upsert_with_race(account, rows, concurrent_write, *, fetched_at=T0):
    """Another worker writes between this batch's read of the stored rows and its write."""
    fields = {
        number: {"host_zoom_id": "h", "kind": "meeting", "topic": topic, "join_url": link}
        for number, topic, link in rows
    }
    batch = UpsertBatch(Meeting, account, "zoom_id", fields, UpsertResult(), fetched_at, 1, {})
    batch.read()
    batch.classify()
    concurrent_write()
    batch.write()
    batch.mark_seen()


@pytest.mark.parametrize("new_rows", [[], [("2", "New", "")]])
@pytest.mark.parametrize("stored", [[], [("1", "Stored", "")], [("1", "Own", "")]])
def test_s15_an_older_read_never_overwrites_concurrent_newer_data(account, stored, new_rows):
    """Whether the older read sees the row as new, changed or unchanged; on every database."""
    if stored:
        upsert_page(account, *stored, fetched_at=T0 - timedelta(1))
    newer, later = ("1", "Newer", "https://zoom.us/j/1"), T0 + timedelta(minutes=1)
    upsert_with_race(
        account,
        [("1", "Own", ""), *new_rows],
        lambda: upsert_page(account, newer, fetched_at=later),
    )
    meeting = Meeting.objects.get(zoom_id="1")
    assert (meeting.topic, meeting.fetched_at) == ("Newer", later)
    assert meeting.join_url.reveal() == "https://zoom.us/j/1"
    assert Meeting.objects.filter(topic="New").count() == len(new_rows)


def test_s15_a_newer_read_overwrites_concurrent_older_data(account):
    upsert_with_race(
        account,
        [("1", "Newer", "")],
        lambda: upsert_page(account, ("1", "Older", ""), fetched_at=T0),
        fetched_at=T0 + timedelta(1),
    )
    assert Meeting.objects.get().topic == "Newer"


def test_s15_a_concurrent_event_wins(account):
    upsert_page(account, ("1", "Listed", ""), fetched_at=T0 - timedelta(1))
    values = {"topic": "From the event", "provider_ts": T0 + timedelta(minutes=1)}
    upsert_with_race(account, [("1", "Old page", "")], lambda: Meeting.objects.update(**values))
    assert Meeting.objects.get().topic == "From the event"


def test_event_newer_than_the_read_wins(account):
    """S15: a page fetched before a newer event was applied does not overwrite it."""
    upsert_page(account, ("1", "Listed", ""))
    Meeting.objects.update(topic="From the event", provider_ts=T0 + timedelta(hours=1))
    assert upsert_page(
        account, ("1", "Old page", ""), fetched_at=T0 + timedelta(minutes=5)
    ).stale == ["1"]
    assert Meeting.objects.get().topic == "From the event"


def test_removed_and_missing_rows_are_revived(account):
    """S12: rows seen again are restored."""
    upsert_page(account, ("1", "T", ""))
    Meeting.objects.update(removed_at=T0, missing_since=T0)
    upsert_page(account, ("1", "T", ""), fetched_at=T0 + timedelta(1))
    meeting = Meeting.objects.get()
    assert meeting.removed_at is None and meeting.missing_since is None


def test_twice_in_one_page_is_one_row(account):
    upsert_page(account, ("1", "First", ""), ("1", "Second", ""))
    assert Meeting.objects.get().topic == "Second"


def test_accounts_do_not_share_numbers(account):
    """Two accounts with the same number are two rows."""
    other = ZoomAccount.objects.create(zoom_id="other")
    upsert_page(account, ("1", "A", ""))
    upsert_page(other, ("1", "B", ""))
    assert sorted(Meeting.objects.values_list("topic", flat=True)) == ["A", "B"]


def test_a_page_of_300_costs_few_statements(account):
    """S7: two reads, one write (in batches of the backend), one update."""
    rows = [(str(n), f"Topic {n}", "") for n in range(300)]
    upsert_page(account, *rows)
    changed = [(str(n), "Changed" if n % 2 else f"Topic {n}", "") for n in range(300)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        upsert_page(account, *changed, fetched_at=T0 + timedelta(1))
    statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    allowed = 4 if connection.vendor != "sqlite" else 12  # SQLite: at most 999 values a statement
    assert len(statements) <= allowed
    assert Meeting.objects.filter(topic="Changed").count() == 150


def test_hash_is_keyed(settings):
    """A passcode of six digits cannot be guessed from the stored digest without the key."""
    first = content_hash({"passcode": "123456"})
    from cryptography.fernet import Fernet

    fresh = Fernet.generate_key().decode()
    old = settings.WAGTAIL_ZOOM["ENCRYPTION_KEYS"]
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [fresh, *old]}
    assert content_hash({"passcode": "123456"}) == first
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "ENCRYPTION_KEYS": [fresh]}
    assert content_hash({"passcode": "123456"}) != first


def test_an_unchanged_page_costs_one_read_and_one_update(account):
    """S8: contents are not even loaded; the digest shows that nothing changed."""
    rows = [(str(n), f"Topic {n}", "") for n in range(300)]
    upsert_page(account, *rows)
    with CaptureQueriesContext(connection) as queries:
        upsert_page(account, *rows, fetched_at=T0 + timedelta(1))
    statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(statements) == 2
    assert not any("topic" in sql or "join_url" in sql for sql in statements)
    assert Meeting.objects.filter(fetched_at=T0 + timedelta(1)).count() == 300
