"""One pass over some lanes of one account: facts of each message, then one read for each object."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from django.utils import timezone

from ..exceptions import ZoomError
from ..mapping.parsing import BadItem
from ..models import WebhookEvent, ZoomAccount
from ..utils.logging import get_logger, log_context
from . import handlers, locks, outcomes, refetch, refetch_meetings
from .handlers import Read
from .locks import Claim

logger = get_logger("inbox")

State = WebhookEvent.State
STORM = 3
"""Messages of one lane at once from which on its reads are spaced by ``DEBOUNCE_SECONDS``."""
Name = tuple[str, str]
"""What is read: ``meeting`` (also a webinar: a number is one of the two), ``recording``, ``user``;
and its id."""


@dataclass
class Plan:
    """What the messages of a pass ask for."""

    reads: dict[Name, tuple[Read, WebhookEvent]] = field(default_factory=dict)
    asked: dict[str, set[Name]] = field(default_factory=lambda: defaultdict(set))
    """Reads by lane."""
    known: dict[str, list[WebhookEvent]] = field(default_factory=lambda: defaultdict(list))
    """Messages that were understood, by lane."""
    unknown: list[WebhookEvent] = field(default_factory=list)

    def add(self, event: WebhookEvent, route: handlers.Route) -> None:
        """Note a message; of several about one object the last one counts."""
        for read in route.reads:
            family = "meeting" if read.family == "webinar" else read.family
            earlier = self.reads.get((family, read.key))
            host = read.host_zoom_id or (earlier[0].host_zoom_id if earlier else "")
            self.reads[family, read.key] = (replace(read, host_zoom_id=host), event)
            self.asked[event.lane].add((family, read.key))
        if route.known:
            self.known[event.lane].append(event)
        else:
            self.unknown.append(event)


def handle(account: ZoomAccount, claimed: Claim, events: list[WebhookEvent]) -> None:
    """Facts first, then what is to be read, then the fate of every message."""
    outcomes.begin(events)
    plan = Plan()
    for event in events:
        try:
            with log_context(event=event.pk):
                plan.add(event, handlers.apply_facts(account, event))
        except Exception as error:
            # A poisoned message must not hold up the others of its lane.
            logger.exception("Message %s cannot be handled.", event.pk)
            outcomes.fail([event], error)
    counts: dict[str, int] = defaultdict(int)
    for event in events:
        counts[event.lane] += 1
    try:
        found = _read(account, plan)
    finally:
        touched = [lane for key, lane in claimed.lanes.items() if key in counts]
        locks.space(touched, [key for key, count in counts.items() if count >= STORM])
    _decide(account, claimed, plan, found)
    ZoomAccount.objects.filter(pk=account.pk).update(last_event_at=timezone.now())


def _read(account: ZoomAccount, plan: Plan) -> dict[Name, bool | Exception]:
    """Read everything once; for each thing whether a Site wanted it, or what went wrong."""
    found: dict[Name, bool | Exception] = {}
    targets = []
    for name, (read, event) in plan.reads.items():
        kind = handlers.kind_of(read)
        target = refetch.Target(account, kind, read.key, read.host_zoom_id, event)
        if name[0] == "meeting":
            targets.append(target)
            continue
        try:
            if name[0] == "user":
                refetch.reread_host(account, read.key)
                found[name] = True
            else:
                found[name] = refetch.reread_recording(target)
        except Exception as error:
            found[name] = error
    for key, verdict in refetch_meetings.meetings(account, targets).items():
        found["meeting", key] = verdict
    return found


def _decide(
    account: ZoomAccount, claimed: Claim, plan: Plan, found: dict[Name, bool | Exception]
) -> None:
    """The fate of each lane's messages: a lane that fails takes no other with it."""
    done: list[WebhookEvent] = []
    ignored = list(plan.unknown)
    for key, events in plan.known.items():
        verdicts = [found[name] for name in plan.asked[key]]
        error = next((one for one in verdicts if isinstance(one, Exception)), None)
        if error is None and verdicts:
            error = _again(account, events)
        if error is not None:
            # Whatever it is: it concerns this object, and the other lanes go on.
            if not isinstance(error, ZoomError | BadItem):
                logger.error("Lane %s cannot be read.", claimed.lanes[key].pk, exc_info=error)
            outcomes.fail(events, error)
        elif verdicts and not any(verdicts):
            # Nobody shows it: the message was understood, and there was nothing to do.
            ignored += events
        else:
            done += events
    outcomes.settle(done, State.DONE)
    outcomes.settle(ignored, State.IGNORED)


def _again(account: ZoomAccount, events: list[WebhookEvent]) -> Exception | None:
    """Created and begun in one breath: what was unknown a moment ago is known now."""
    try:
        for event in events:
            if event.event.endswith((".started", ".ended")):
                handlers.apply_facts(account, event)
    except Exception as error:
        return error
    return None
