"""Screenshots of the owner's screens for the documentation, taken from a separate demo.

``python scripts/screenshots_admin.py [--folder docs/images/admin] [--parts NAME …] [--dark]
[--width 1280] [--axe] [--rtl]``. Needs the extra ``testing`` and a Chromium. Each state is made by
changing database rows, and undone afterwards; no screen is drawn by anything but the app itself.
With ``--axe`` each screen is also examined by axe-core, and one finding is a failure. ``--rtl``
takes them from right to left, in a pseudo-language.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from demo_site.run import Demo

CHROMIUM = Path("/usr/bin/chromium")
PANEL = "/admin/settings/wagtail_zoom/zoomsettings/"


def shrink(file: Path) -> None:
    """Reduce the picture to 128 colours: a third of the bytes, without visible difference."""
    small = Image.open(file).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(file, optimize=True)


class Studio:
    """Takes screenshots of the demo in a browser, with one logged-in context for each user."""

    def __init__(
        self, demo: Demo, browser: Browser, folder: Path, width: int, dark: bool, axe: bool = False,
        rtl_port: int = 0,
    ) -> None:  # fmt: skip
        self.demo, self.browser, self.folder = demo, browser, folder
        self.rtl_port = rtl_port
        self.width, self.dark, self.axe = width, dark, axe
        self.pages: dict[str, Page] = {}
        self.findings: list[str] = []

    def page(self, person: str, site: str) -> Page:
        """A page in which this user is logged in on the Site's domain."""
        from demo_site.sites import PASSWORD

        if person not in self.pages:
            scheme = "dark" if self.dark else "light"
            context = self.browser.new_context(
                viewport={"width": self.width, "height": 900}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(self.url(site, "/admin/login/"))
            page.locator("input[name=username]").fill(person)
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("button[type=submit]").click()
            page.wait_for_url("**/admin/")
            self.pages[person] = page
        return self.pages[person]

    def url(self, site: str, path: str) -> str:
        url = f"{self.demo.config.site_url(f'{site}.localhost')}{path}"
        port = f":{self.demo.config.port}/"
        return url.replace(port, f":{self.rtl_port}/") if self.rtl_port else url

    def text(self, english: str) -> str:
        """A text of ours, in the language of the screens."""
        from tests.browser.pseudo_language import pseudo

        return pseudo(english) if self.rtl_port else english

    def take(self, name: str, path: str, *, person: str = "aurora", click: str = "") -> None:
        """One screenshot of the whole screen in full height."""
        from django.db import connection

        from wagtail_zoom.models import Heartbeat

        if name != "worker":
            Heartbeat.beat("tick")  # the worker is stopped, so that no data changes meanwhile
        connection.close()
        page = self.page(person, person if person != "admin" else "aurora")
        page.goto(self.url(person if person != "admin" else "aurora", path))
        page.wait_for_load_state("networkidle")
        if click:
            page.locator(click).first.click()
            page.wait_for_timeout(400)
        self.snap(page, name)

    def snap(self, page: Page, name: str) -> None:
        """The current page in the height of its content: the admin scrolls inside the window."""
        page.evaluate("document.activeElement && document.activeElement.blur()")
        inside = "Math.max(...['main', '#wagtail', 'html'].map(q => document.querySelector(q)"
        height = int(page.evaluate(f"{inside}?.scrollHeight || 0))"))
        page.set_viewport_size({"width": self.width, "height": min(max(height, 700), 2600)})
        page.wait_for_timeout(200)
        file = self.folder / f"{name}.png"
        page.screenshot(path=file)
        shrink(file)
        page.set_viewport_size({"width": self.width, "height": 900})
        print(name, flush=True)
        if self.axe:
            self.examine(page, name)

    def examine(self, page: Page, name: str) -> None:
        """Run axe-core on the current page, after all animations."""
        from axe_playwright_python.sync_playwright import Axe

        page.evaluate(
            """() => document.getAnimations()
                .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime))
                .forEach(one => one.finish())"""
        )
        for violation in Axe().run(page).response["violations"]:
            self.findings.append(f"{name}: {violation['id']}: {violation['nodes'][0]['html']}")


def demo_data(key: str) -> Any:
    """Rows of one of the demo's Sites."""
    from types import SimpleNamespace

    from wagtail.models import Site

    from wagtail_zoom.models import ZoomSettings

    site = Site.objects.get(hostname=f"{key}.localhost")
    site_settings = (
        ZoomSettings.objects.select_related("grant", "account").filter(site=site).first()
    )
    site_settings = site_settings or ZoomSettings(site=site)
    return SimpleNamespace(
        site=site,
        site_settings=site_settings,
        grant=site_settings.grant,
        account=site_settings.account,
    )


@contextmanager
def changed(row: Any, **values: Any) -> Iterator[None]:
    """Change columns of a row inside the block."""
    rows = type(row)._base_manager.filter(pk=row.pk)
    before = rows.values(*values).get()
    rows.update(**values)
    try:
        yield
    finally:
        rows.update(**before)


@contextmanager
def saved(row: Any) -> Iterator[None]:
    """Save a row and delete it at the end of the block."""
    row.save()
    try:
        yield
    finally:
        row.delete()


def take_states(studio: Studio) -> None:
    """The panel in every state of a connected Site."""
    from datetime import timedelta

    from django.utils import timezone

    from wagtail_zoom.models import Heartbeat, SyncRun

    Heartbeat.beat("tick")
    now = timezone.now()
    ago = lambda **span: now - timedelta(**span)  # noqa: E731
    aurora = demo_data("aurora")
    site_settings, grant, account = aurora.site_settings, aurora.grant, aurora.account
    panel = f"{PANEL}{aurora.site.pk}/"

    def run(**values: Any) -> SyncRun:
        first = {"account": account, "mode": SyncRun.Mode.RECONCILE, "requested_at": now}
        return SyncRun(**{**first, "finished_at": now, "started_at": ago(minutes=1), **values})

    changes = {
        "reconnect": changed(
            grant, state="needs_reconnect", reason="invalid_grant", state_since=ago(days=3),
            last_ok_at=ago(days=3), reminders_sent=[ago(days=3).isoformat(), now.isoformat()],
        ),
        "revoked": changed(grant, state="revoked", state_since=ago(hours=5)),
        "permission": changed(grant, missing_kinds=["recording"]),
        "degraded": changed(
            grant, state="degraded", state_since=ago(minutes=10), last_ok_at=ago(minutes=12),
            retry_at=now + timedelta(minutes=10),
        ),
        "throttled": changed(account, throttled_until=now + timedelta(minutes=20)),
        "paused": changed(site_settings, paused_at=ago(days=12)),
        "copy": changed(account, fingerprint="another"),
        "worker": changed(Heartbeat.objects.get(name="tick"), beat_at=ago(hours=2)),
        "confirm": changed(site_settings, needs_confirmation=True),
        "archived": changed(site_settings, grant=None, archived_at=ago(days=9)),
        "late": changed(account, reconciled_at=ago(hours=20)),
        "free": changed(account, plan="free"),
        "withheld": saved(run(state="done", counts={"meeting": {"seen": 3, "withheld": 12}})),
        "no-messages": saved(run(state="done", counts={"meeting": {"seen": 40, "changed": 3}})),
        "importing": saved(
            run(
                mode="backfill", state="running", started_at=ago(seconds=50), finished_at=None,
                progress={"meeting": [42, 42], "webinar": [12, 30], "recording": [0, 18]},
            )
        ),
    }  # fmt: skip
    studio.take("healthy", panel)
    studio.take("choices", f"{panel}#tab-choices")
    with changed(site_settings, configured_at=None):
        studio.take("choose", panel)
    for name, change in changes.items():
        extra = changed(account, last_event_at=ago(days=4)) if name == "no-messages" else None
        with change:
            if extra is not None:
                with extra:
                    studio.take(name, panel)
            else:
                studio.take(name, panel)
    studio.take("disconnect", panel, click="[data-a11y-dialog-show=wza-leaving]")
    studio.take("visitors", f"/admin/zoom/{aurora.site.pk}/visitors/")


def take_lists(studio: Studio) -> None:
    """The four lists, an item, a registration, the overview and the homepage."""
    from wagtail_zoom.models import Kind, Registration, SiteItem

    aurora = demo_data("aurora")
    site = f"?site={aurora.site.pk}"
    items = SiteItem.objects.for_site(aurora.site)
    recording = items.filter(kind=Kind.RECORDING, visibility="auto").order_by("pk").first()
    recording = recording or items.filter(kind=Kind.RECORDING).order_by("pk").first()
    meeting = items.filter(kind=Kind.MEETING, meeting__isnull=False).order_by("pk").first()
    studio.take("meetings", f"/admin/zoom/meetings/{site}")
    studio.take("filters", f"/admin/zoom/meetings/{site}", click="button:has(> .icon-sliders)")
    studio.take("recordings", f"/admin/zoom/recordings/{site}", click="tbody input[type=checkbox]")
    studio.take("recording", f"/admin/zoom/recordings/edit/{recording.pk}/")
    studio.take("meeting", f"/admin/zoom/meetings/edit/{meeting.pk}/")
    studio.take("registrations", f"/admin/zoom/registrations/{site}")
    row = Registration.objects.filter(site=aurora.site, state="failed").first()
    if row is not None:
        studio.take("registration", f"/admin/zoom/registrations/view/{row.pk}/")
    studio.take("activity", f"/admin/zoom/activity/{site}")
    studio.take("home", "/admin/")
    studio.take("fleet", "/admin/zoom/sites/", person="admin")


def take_scheduling(studio: Studio) -> None:
    """Scheduling, changing and cancelling a meeting, and what Zoom does not have yet."""
    from wagtail_zoom.models import Meeting, MeetingChange, SiteItem
    from wagtail_zoom.testing.server import SimulatorControl

    aurora, borealis = demo_data("aurora"), demo_data("borealis")
    place, zoom = (
        f"/admin/zoom/{aurora.site.pk}",
        SimulatorControl(studio.demo.config.simulator_url),
    )
    page = studio.page("aurora", "aurora")
    studio.take("schedule", f"{place}/schedule/")
    for name, text in (("topic", "Evening yoga, gentle"), ("day", "2020-03-02"), ("time", "18:30")):
        page.locator(f"#id_{name}").fill(text)
        page.locator(f"#id_{name}").press("Tab")
    page.locator("#id_repeats").select_option("weekly")
    page.get_by_label(studio.text("With approval")).check()
    page.wait_for_timeout(800)
    page.get_by_role("button", name=studio.text("Schedule it")).click()
    page.get_by_text(studio.text("Nothing was sent to Zoom.")).first.wait_for()
    page.wait_for_load_state("networkidle")
    studio.snap(page, "schedule-errors")
    series = Meeting.objects.filter(account=aurora.account, topic="Morning flow").get()
    item = SiteItem.objects.for_site(aurora.site).get(meeting=series)
    studio.take("change", f"{place}/change/{item.pk}/")
    page.locator("#id_topic").fill("Morning flow for all")
    page.get_by_label(studio.text("I may change this meeting")).check()
    zoom.change_meeting(series.zoom_id, topic="Early flow", duration=75)
    page.get_by_role("button", name=studio.text("Send to Zoom")).click()
    page.get_by_text(studio.text("Your changes have not been sent.")).wait_for()
    studio.snap(page, "changed-in-zoom")
    page.goto(studio.url("aurora", f"{place}/change/{item.pk}/"))  # agreed to above
    page.locator("#id_time").fill("07:30")
    page.locator("#id_time").press("Tab")
    page.get_by_role("button", name=studio.text("Send to Zoom")).click()
    page.get_by_role("button", name=studio.text("Change the dates")).wait_for()
    studio.snap(page, "new-dates")
    zoom.change_meeting(series.zoom_id, topic="Morning flow", duration=60)
    studio.take("cancel", f"{place}/cancel/{item.pk}/")
    common = {
        "site": aurora.site, "account": aurora.account, "kind": "meeting", "action": "create",
        "host_zoom_id": series.host_zoom_id,
    }  # fmt: skip
    rows = [
        MeetingChange.objects.create(
            **common, key=f"picture-{state}", state=state, topic=topic, error_class=error,
            next_try_at=None if state == "failed" else due(),
        )
        for state, topic, error in (
            ("failed", "Full moon practice", "plan"),
            ("waiting", "New year, slow start", "host_limit"),
        )
    ]  # fmt: skip
    studio.take("changes", f"/admin/zoom/meetings/?site={aurora.site.pk}")
    studio.take("discard", f"{place}/changes/{rows[0].pk}/discard/")
    for row in rows:
        row.delete()
    studio.take("access", f"/admin/zoom/{borealis.site.pk}/schedule/", person="borealis")


def due() -> Any:
    """When the worker tries next: after midnight UTC."""
    from wagtail_zoom.client.responses import next_midnight

    return next_midnight()


def take_beginning(studio: Studio) -> None:
    """A Site that is not connected yet, and the invitation of the Zoom administrator."""
    harbour = demo_data("harbour")
    studio.take("not-connected", f"{PANEL}{harbour.site.pk}/", person="harbour")
    page = studio.page("harbour", "harbour")
    page.get_by_role("button", name=studio.text("Invite your Zoom administrator")).click()
    page.get_by_label(studio.text("The link.")).wait_for()
    studio.snap(page, "invitation")
    studio.take("invited", f"{PANEL}{harbour.site.pk}/", person="harbour")
    button = page.get_by_role("button", name=studio.text("Take the link back"))
    button.click()
    button.wait_for(state="detached")


def seed() -> None:
    """Add registrations, decisions and errors to the lists."""
    import json
    from datetime import timedelta

    from django.utils import timezone

    from wagtail_zoom.admin import curation
    from wagtail_zoom.models import (
        Activity,
        Kind,
        Occurrence,
        Registration,
        RegistrationDate,
        SiteItem,
        WebhookEvent,
    )  # fmt: skip

    now = timezone.now()
    aurora = demo_data("aurora")
    ahead = Occurrence.objects.filter(account=aurora.account, start__gt=now).order_by("start")
    date = ahead.filter(meeting__approval_type__in=(0, 1)).first() or ahead.first()
    people = [
        ("Lea", "Marten", "failed", "refused", 0.2), ("Tom", "Reuter", "pending", "", 1),
        ("Sana", "Bach", "pending", "", 2), ("Jo", "Pohl", "waiting", "busy", 3),
        ("Ada", "Wirth", "approved", "", 18), ("Noor", "Haddad", "approved", "", 20),
        ("Ben", "Falk", "denied", "", 60), ("Uma", "Dietz", "cancelled", "", 80),
    ]  # fmt: skip
    for first, last, state, error, hours in people:
        row = Registration(
            site=aurora.site, account=aurora.account, meeting=date.meeting,
            meeting_zoom_id=date.meeting.zoom_id, snapshot={"topic": date.meeting.topic},
            email_index=first, idempotency_key=f"picture-{first}", state=state, error_class=error,
            created_at=now - timedelta(hours=hours), state_since=now - timedelta(hours=hours),
        )  # fmt: skip
        if state == "waiting":
            row.next_try_at = now + timedelta(minutes=20)
        row.email = f"{first.lower()}@mail.example"
        row.answers = json.dumps({"standard": {"first_name": first, "last_name": last}})
        row.save()
        RegistrationDate.objects.create(registration=row, occurrence=date, start=date.start)
    recordings = list(
        SiteItem.objects.for_site(aurora.site).filter(kind=Kind.RECORDING).order_by("-pk")[:6]
    )
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.get(username="aurora")
    curation.set_visibility(recordings[:3], curation.AUTO, user)
    curation.set_visibility(recordings[3:4], curation.HIDDEN, user)
    meetings = SiteItem.objects.for_site(aurora.site).filter(
        kind=Kind.MEETING, meeting__occurrences__start__gt=now
    )
    curation.set_visibility(list(meetings.order_by("-pk").distinct()[:1]), curation.HIDDEN, user)
    event = WebhookEvent.objects.create(
        content_key="picture", account_zoom_id=aurora.account.zoom_id, state="dead", attempts=3,
        event="recording.completed", event_ts=int(now.timestamp() * 1000), error_class="ZoomServer",
        payload={"payload": {"object": {
            "topic": date.meeting.topic, "host_id": date.meeting.host_zoom_id, "duration": 58,
            "host_email": "host@mail.example",
        }}},
    )  # fmt: skip
    Activity.log(
        [aurora.site.pk], "event", "event_failed", outcome="failed",
        data={"topic": date.meeting.topic}, event=event,
    )  # fmt: skip
    Activity.log(
        [aurora.site.pk], "sync", "date_moved", outcome="good", event=event,
        data={
            "topic": date.meeting.topic, "start": date.start.isoformat(),
            "before": (date.start - timedelta(minutes=30)).isoformat(),
        },
    )  # fmt: skip


TAKES = {
    "states": take_states,
    "lists": take_lists,
    "scheduling": take_scheduling,
    "beginning": take_beginning,
}
PARTS = tuple(TAKES)


def take_all(demo: Demo, browser: Browser, folder: Path, *, width: int = 1280, dark: bool = False,
             parts: tuple[str, ...] = PARTS, axe: bool = False,
             rtl_port: int = 0) -> list[str]:  # fmt: skip
    """Take all screenshots of the owner's screens from a running demo; its worker is stopped.

    Returns axe-core's violations with ``axe``. ``rtl_port``: of a web server from right to left.

    Django must be set up with the demo's settings and ``DJANGO_ALLOW_ASYNC_UNSAFE``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    demo.worker.stop()
    from wagtail_zoom.models import Registration

    if not Registration.objects.filter(idempotency_key="picture-Lea").exists():
        seed()
    studio = Studio(demo, browser, folder, width, dark, axe, rtl_port)
    for name in parts:
        TAKES[name](studio)
    return studio.findings


@contextmanager
def own_demo(database: Path | None = None) -> Iterator[tuple[Demo, Browser]]:
    """A demo on free ports in a temporary folder, and a browser; Django is set up for it.

    ``database``: a migrated database to start with, which saves some seconds.
    """
    from demo_site.config import DemoConfig

    with tempfile.TemporaryDirectory() as place:
        config = DemoConfig.anywhere(Path(place))
        os.environ |= config.environment() | {
            "DJANGO_SETTINGS_MODULE": "demo_site.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
        }  # fmt: skip
        if database is not None:
            shutil.copy(database, config.folder / "demo.sqlite3")
        import django
        from playwright.sync_api import sync_playwright

        from demo_site.run import Demo

        django.setup()
        demo = Demo(config)
        try:
            demo.start()
            with sync_playwright() as playwright:
                yield (
                    demo,
                    playwright.chromium.launch(
                        executable_path=str(CHROMIUM) if CHROMIUM.exists() else None,
                        args=["--no-sandbox"],
                    ),
                )
        finally:
            demo.stop()


@contextmanager
def right_to_left(demo: Demo, enabled: bool) -> Iterator[int]:
    """A web server of the demo in the pseudo-language; yields its port, or 0."""
    from demo_site.config import free_port
    from tests.browser.web_servers import web_server

    if not enabled:
        yield 0
        return
    with web_server(demo.config, "rtl_settings", free_port()) as port:
        yield port


def main() -> int:
    """Start a separate demo and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images" / "admin")
    parser.add_argument("--parts", nargs="*", default=list(PARTS))
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--axe", action="store_true", help="examine each screen; 1 on a finding")
    parser.add_argument("--rtl", action="store_true", help="from right to left")
    options = parser.parse_args()
    with own_demo() as (demo, browser), right_to_left(demo, options.rtl) as rtl_port:
        findings = take_all(
            demo, browser, options.folder, width=options.width, dark=options.dark,
            parts=tuple(options.parts), axe=options.axe, rtl_port=rtl_port,
        )  # fmt: skip
    print(*findings, sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
