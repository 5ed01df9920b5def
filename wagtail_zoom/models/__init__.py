"""The data of wagtail-zoom: accounts and grants, mirror, choices, curation, inbox, outbox, runs."""

from ..utils.fields import Secret, SecretField, ZoomIdField
from .accounts import (
    Grant,
    GrantReason,
    GrantState,
    Plan,
    RateBudget,
    ZoomAccount,
)
from .curation import ItemTag, Placement, SiteItem
from .fetch_scopes import TRANSCRIPT, FetchScope, demand_mark, fetch_scope
from .mirror import Host, Kind, Meeting, Occurrence
from .oauth import Invitation, OAuthState
from .recordings import Recording
from .registrations import Registration, RegistrationDate
from .runs import Activity, Heartbeat, SyncRun
from .settings import (
    ExposedHost,
    ItemRule,
    JoinPolicy,
    PasscodePolicy,
    RecordingRule,
    ZoomSettings,
)
from .transcripts import Transcript
from .versions import touch, touch_sites
from .webhook_events import Lane, WebhookEvent

__all__ = [
    "TRANSCRIPT",
    "Activity",
    "ExposedHost",
    "FetchScope",
    "Grant",
    "GrantReason",
    "GrantState",
    "Heartbeat",
    "Host",
    "Invitation",
    "ItemRule",
    "ItemTag",
    "JoinPolicy",
    "Kind",
    "Lane",
    "Meeting",
    "OAuthState",
    "Occurrence",
    "PasscodePolicy",
    "Placement",
    "Plan",
    "RateBudget",
    "Recording",
    "RecordingRule",
    "Registration",
    "RegistrationDate",
    "Secret",
    "SecretField",
    "SiteItem",
    "SyncRun",
    "Transcript",
    "WebhookEvent",
    "ZoomAccount",
    "ZoomIdField",
    "ZoomSettings",
    "demand_mark",
    "fetch_scope",
    "touch",
    "touch_sites",
]
