"""``manage.py zoom_sync``: requests a reconcile run, and waits for it with ``--wait``."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ...exceptions import ZoomError
from ...models import SyncRun, ZoomAccount, ZoomSettings, fetch_scope
from ...sync import dry_run, runner, runs
from ..base import DatabaseCommand

POLL_SECONDS = 0.5


class Command(DatabaseCommand):
    """Exit status 1 when a run that was waited for failed."""

    help = "Compares what is stored with Zoom: all accounts, or those named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", action="append", default=[], help="Zoom's account id")
        parser.add_argument("--site", action="append", default=[], help="hostname of a site")
        parser.add_argument(
            "--full", action="store_true", help="read everything, as a first import does"
        )
        parser.add_argument(
            "--wait", action="store_true", help="work here until it is done, without the worker"
        )

        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="report what a reconciliation would change, without changes; -v 2 lists each item",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mode = SyncRun.Mode.BACKFILL if options["full"] else SyncRun.Mode.RECONCILE
        requested = []
        for account in self._accounts(options["account"], options["site"]):
            if account.is_quarantined:
                self.stderr.write(f"{account}: this installation is a copy; nothing is sent.")
            elif fetch_scope(account).is_empty:
                self.stdout.write(f"{account}: no site wants anything.")
            elif options["dry_run"]:
                self._dry_run(account, verbose=options["verbosity"] > 1)
            else:
                requested.append(runs.request_run(account, mode))
                self.stdout.write(f"{account}: asked for ({mode.label}).")
        if options["wait"]:
            failed = [run for run in requested if not self._wait(run)]
            if failed:
                runs_text = "1 run" if len(failed) == 1 else f"{len(failed)} runs"
                raise CommandError(f"{runs_text} did not end well.", returncode=1)

    def _accounts(self, ids: list[str], hostnames: list[str]) -> list[ZoomAccount]:
        if not ids and not hostnames:
            return list(ZoomAccount.objects.order_by("pk"))
        accounts = {row.zoom_id: row for row in ZoomAccount.objects.filter(zoom_id__in=ids)}
        unknown = set(ids) - set(accounts)
        for name in hostnames:
            site_settings = ZoomSettings.objects.filter(site__hostname=name).first()
            if site_settings is None or site_settings.account is None:
                unknown.add(name)
            else:
                accounts[site_settings.account.zoom_id] = site_settings.account
        if unknown:
            raise CommandError(f"Not known or not connected: {', '.join(sorted(unknown))}.")
        return list(accounts.values())

    def _dry_run(self, account: ZoomAccount, *, verbose: bool) -> None:
        try:
            differences = list(dry_run.find_differences(account))
        except ZoomError as error:
            raise CommandError(f"{account}: {type(error).__name__}.", returncode=1) from error
        for kind, counts in dry_run.count_differences(differences).items():
            summary = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
            self.stdout.write(f"{account}: {kind}: {summary}")
            for difference in differences:
                if verbose and difference.kind == kind and difference.change != dry_run.UNCHANGED:
                    self.stdout.write(f"  {difference.change}: {difference.key} {difference.title}")
        self.stdout.write(f"{account}: nothing was changed.")

    def _wait(self, run: SyncRun) -> bool:
        """Work on the run's slices until it ends; a worker may do some of them."""
        while run.is_open:
            runner.run_slice(run.pk)
            run.refresh_from_db()
            if run.next_try_at and run.next_try_at > timezone.now():
                self.stderr.write(
                    f"{run.account}: waits until {run.next_try_at:%Y-%m-%d %H:%M:%S} UTC "
                    f"({run.error_class or 'rate limit'}); the worker goes on."
                )
                return False
            if run.is_open:
                time.sleep(POLL_SECONDS if run.account.lease_until else 0)
        for kind, counts in run.counts.items():
            summary = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
            self.stdout.write(f"{run.account}: {kind}: {summary or 'nothing'}")
        self.stdout.write(f"{run.account}: {run.get_state_display()}")
        return run.state == SyncRun.State.DONE
