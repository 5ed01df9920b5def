"""``manage.py zoom_hub``: the deployments of the hub."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from ....utils.key_rotation import (
    BATCH,
    not_rotated_text,
    older_keys_text,
    rotate_models,
    secret_models,
)
from ... import checks, delivery, deployments, own_sites, status
from ...models import Delivery, Deployment

LOOP_SECONDS = 3600.0


class Command(BaseCommand):
    """Exit status 0: all is well; 1: a deployment needs somebody; 2: the call is wrong."""

    help = "Adds, lists, rotates and removes the deployments of the hub, and sends their events."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="add a deployment and print its settings")
        add.add_argument("name", help="the name that people see before they allow access")
        add.add_argument("url", help="its address, such as https://harbour.example")
        add.add_argument("--email", required=True, help="email address of its operator")
        add.add_argument(
            "--redirect-uri", default="", help="default: /zoom/oauth/callback/ of that address"
        )
        add.add_argument(
            "--webhook-url", default="", help="default: /zoom/webhook/ of that address"
        )
        actions.add_parser("list", help="list the deployments")
        rotate = actions.add_parser("rotate", help="print new secrets; the old ones last a week")
        remove = actions.add_parser("remove", help="refuse its calls and send it nothing more")
        deliver = actions.add_parser("deliver", help="send the events that are due")
        deliver.add_argument("--loop", action="store_true", help="do not end: a worker of its own")
        deliver.add_argument("--again", action="store_true", help="first those that were given up")
        keys = actions.add_parser(
            "rotate-keys", help="re-encrypt what is stored with the first of the ENCRYPTION_KEYS"
        )
        keys.add_argument("--batch", type=int, default=BATCH, help=f"rows at a time ({BATCH})")
        doctor = actions.add_parser("doctor", help="check webhook URLs and secrets")
        doctor.add_argument("client_id", nargs="*", help="only these")
        for action in (rotate, remove):
            action.add_argument("client_id", help="as printed by list")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action'].replace('-', '_')}")(**options)

    def _add(self, **options: Any) -> None:
        try:
            credentials = deployments.add(
                options["name"],
                options["url"],
                options["email"],
                redirect_uri=options["redirect_uri"],
                webhook_url=options["webhook_url"],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        self._print_settings(credentials)

    def _print_settings(self, credentials: deployments.Credentials) -> None:
        path = reverse("wagtail_zoom_hub:callback").removesuffix("/callback/")
        self.stdout.write(
            f"Settings of {credentials.deployment.name}; the secrets are not shown again:\n\n"
            f"{credentials.settings_text(deployments.hub_url(path))}\n"
        )

    def _list(self, **options: Any) -> None:
        for row in status.deployments_with_counts():
            deployment = row.deployment
            since = deployment.failing_since
            state = f"failing since {since:%Y-%m-%d %H:%M}" if since else "ok"
            self.stdout.write(
                f"{deployment.client_id}  {deployment.name} <{deployment.url}>  "
                f"accounts: {row.account_count}  "
                f"waiting: {row.backlog}  given up: {row.dead_count}  {state}"
            )

    def _deployment(self, client_id: str) -> Deployment:
        deployment = deployments.by_client_id(client_id)
        if deployment is None:
            raise CommandError(f"No deployment has the client ID {client_id}.", returncode=2)
        return deployment

    def _rotate(self, **options: Any) -> None:
        credentials = deployments.rotate(self._deployment(options["client_id"]))
        self._print_settings(credentials)
        self.stdout.write(
            f"The secrets from before stay valid for {deployments.ROTATION_DAYS} days."
        )

    def _remove(self, **options: Any) -> None:
        deployment = self._deployment(options["client_id"])
        deployments.remove(deployment)
        self.stdout.write(
            f"{deployment.name} is removed. Access tokens that it has end within an hour."
        )

    def _deliver(self, **options: Any) -> None:
        if options["again"]:
            count = delivery.send_again(Delivery.objects.all())
            self.stdout.write(f"{count} deliveries that were given up are tried again.")
        sender = delivery.EventSender()
        while True:
            sender.run(LOOP_SECONDS, idle_seconds=LOOP_SECONDS if options["loop"] else 0)
            if not options["loop"]:
                break
        self.stdout.write(f"{sender.sent} deliveries tried.")

    def _rotate_keys(self, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.", returncode=2)
        remaining = rotate_models(
            secret_models(Deployment._meta.app_label), self.stdout.write, batch=options["batch"]
        )
        if remaining:
            raise CommandError(not_rotated_text(remaining), returncode=1)
        if problem := status.older_keys_problem():
            raise CommandError(problem, returncode=1)
        if text := older_keys_text():
            self.stdout.write(text)

    def _doctor(self, **options: Any) -> None:
        numbers = status.metrics()
        for name, value in numbers.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {value}")
        own_problems = self._own_problems(numbers)
        for problem in own_problems:
            self.stdout.write(problem)
        if own_sites.is_installed():
            self.stdout.write("The Sites of this installation receive their events as well.")
        rows = Deployment.objects.filter(removed_at=None)
        if options["client_id"]:
            for client_id in options["client_id"]:
                self._deployment(client_id)
            rows = rows.filter(client_id__in=options["client_id"])
        problems = 0
        for row in rows:
            problem = status.validate_webhook(row)
            problems += bool(problem)
            self.stdout.write(f"{row.name}: {problem or 'ok'}")
        summary = [f"{problems} deployments need somebody."] if problems else []
        if own_problems:
            summary.insert(0, "The hub itself needs somebody.")
        if summary:
            raise CommandError(" ".join(summary), returncode=1)

    def _own_problems(self, numbers: dict[str, Any]) -> list[str]:
        """What is wrong with the hub itself: settings, Zoom, worker."""
        problems = [f"{message.msg} {message.hint}" for message in checks.check_hub()]
        if problem := status.zoom_problem():
            problems.append(problem)
        results = status.checks(numbers)
        if not results["worker"]:
            problems.append("The worker does not run: start manage.py qcluster.")
        elif not results["deliveries"]:
            problems.append("Events have been waiting for more than 5 minutes.")
        return problems
