"""Natural keys, migrations and the one schedule."""

import pytest
from django.core.management import call_command
from django.db import connection
from django_q.models import Schedule

from wagtail_zoom.models import Host, ZoomAccount
from wagtail_zoom.utils.queue import SCHEDULE_NAME, ensure_schedule

pytestmark = pytest.mark.django_db


def test_ids_differ_by_case():
    """S10: base64 ids are compared byte for byte, also on MariaDB."""
    account = ZoomAccount.objects.create(zoom_id="abc=")
    ZoomAccount.objects.create(zoom_id="ABC=")
    Host.objects.create(account=account, zoom_id="/x//y")
    Host.objects.create(account=account, zoom_id="/X//y")
    assert ZoomAccount.objects.get(zoom_id="ABC=").zoom_id == "ABC="
    assert Host.objects.filter(zoom_id="/x//y").count() == 1


def test_models_and_migrations_agree():
    call_command("makemigrations", "wagtail_zoom", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_migrations_are_reversible():
    call_command("migrate", "testapp", "zero", verbosity=0)
    call_command("migrate", "wagtail_zoom", "zero", verbosity=0)
    tables = connection.introspection.table_names()
    own = [name for name in tables if name.startswith("wagtail_zoom_")]
    assert not [name for name in own if not name.startswith("wagtail_zoom_hub_")]
    call_command("migrate", "wagtail_zoom", verbosity=0)
    call_command("migrate", "testapp", verbosity=0)


def test_schedule_exists_once_and_is_repaired():
    """Q7: created by the app itself, idempotent, whatever existed before."""
    ensure_schedule()
    Schedule.objects.filter(name=SCHEDULE_NAME).update(minutes=60)
    Schedule.objects.create(name=SCHEDULE_NAME, func="other.path", schedule_type=Schedule.MINUTES)
    ensure_schedule()
    rows = Schedule.objects.filter(name=SCHEDULE_NAME)
    assert [(row.func, row.minutes, row.repeats) for row in rows] == [
        ("wagtail_zoom.tasks.tick", 1, -1)
    ]
