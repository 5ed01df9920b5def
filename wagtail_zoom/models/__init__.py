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
from .authorising import Invitation, OAuthState
from .curation import ItemTag, Placement, SiteItem
from .inbox import Lane, WebhookEvent
from .mirror import Host, Kind, Meeting, Occurrence
from .outbox import Registration, RegistrationDate
from .recordings import Recording
from .runs import Activity, Heartbeat, SyncRun
from .scope import TRANSCRIPT, FetchScope, demand_mark, fetch_scope
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
