"""Files of many rows: registrations of a Site, and all Sites, against one query and the csv module.

Names and email addresses are encrypted. The baseline decrypts them, too, and its note says what it
costs without.
"""

from __future__ import annotations

import csv
import io
import json
import time

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import GroupSitePermission

from wagtail_zoom.models import Heartbeat, Registration, ZoomSettings

from . import fixtures, overview
from .measure import QUICK, Comparison, Figure, ms, report

REGISTRATIONS = 2000 if QUICK else 20_000
SITES = 200 if QUICK else 2000
ROUNDS = 1 if QUICK else 2


def run() -> None:
    """Measure."""
    overview.add_registrations(REGISTRATIONS)
    overview.add_sites(0, SITES)
    add_owners()
    Heartbeat.beat("tick")
    began = time.perf_counter()
    _write_registrations(decrypt=False)
    without = time.perf_counter() - began
    _measure(
        f"{REGISTRATIONS:,} registrations (CSV)",
        f"{reverse('wagtail_zoom_registrations:index')}?export=csv",
        lambda: _write_registrations(decrypt=True),
        f"without decrypting {without * 1000:.0f} ms",
    )
    _measure(
        f"All {SITES:,} Sites (CSV), each with an owner",
        f"{reverse('wagtail_zoom_admin:overview')}?export=csv",
        _write_sites,
        "the state of each Site is computed from nine tables",
    )


def add_owners() -> None:
    """Each connected Site was connected by a user of its own, whose group may change it."""
    users = get_user_model()
    rows = list(ZoomSettings.objects.exclude(site=fixtures.default_site()).order_by("pk"))
    owners = users.objects.bulk_create(
        users(username=f"owner{row.pk}", email=f"owner{row.pk}@example.org") for row in rows
    )
    groups = Group.objects.bulk_create(Group(name=f"owner{row.pk}") for row in rows)
    permission = Permission.objects.get(codename="change_zoomsettings")
    memberships = users.groups.through
    memberships.objects.bulk_create(
        memberships(user=owner, group=group) for owner, group in zip(owners, groups, strict=True)
    )
    GroupSitePermission.objects.bulk_create(
        GroupSitePermission(group=group, site_id=row.site_id, permission=permission)
        for group, row in zip(groups, rows, strict=True)
    )
    for row, owner in zip(rows, owners, strict=True):
        row.linked_by = owner
    ZoomSettings.objects.bulk_update(rows, ["linked_by"], batch_size=500)


def _measure(what: str, url: str, baseline: object, note: str) -> None:
    client = Client()
    client.force_login(fixtures.admin())
    firsts: list[float] = []

    def download() -> None:
        began = time.perf_counter()
        response = client.get(url)
        for _line in response:
            if len(firsts) < len(comparison.measured) + 1:
                firsts.append(time.perf_counter() - began)

    comparison = Comparison()
    for number in range(ROUNDS):
        comparison.run_round(download, baseline, measured_first=bool(number % 2))  # type: ignore[arg-type]
    with CaptureQueriesContext(connection) as queries:
        download()
    report(
        Figure(
            what,
            f"{ms(comparison.measured)}; first line after {min(firsts) * 1000:.0f} ms",
            f"one query and the csv module: {ms(comparison.baseline)}",
            comparison.text(),
            "≤ 3 ×",
            comparison.ratio <= 3,
            f"{len(queries)} queries; {note}",
        )
    )


def _write_registrations(*, decrypt: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    rows = Registration.objects.only(
        "public_id", "answers", "email", "snapshot", "created_at", "state"
    )
    for row in rows.iterator():
        name, email = str(row.answers), str(row.email)
        if decrypt:
            name, email = json.loads(row.answers.reveal()).get("first_name"), row.email.reveal()
        topic = row.snapshot.get("topic")
        writer.writerow([name, email, topic, row.created_at, row.state])
    return out.getvalue()


def _write_sites() -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in ZoomSettings.objects.select_related("site", "grant", "account", "linked_by"):
        writer.writerow(
            [
                row.site.hostname,
                row.grant.state if row.grant else "",
                row.account.reconciled_at if row.account else "",
                row.linked_by.email if row.linked_by else "",
            ]
        )
    return out.getvalue()
