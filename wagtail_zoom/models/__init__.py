"""Models: accounts, grants, local copy, site settings, curation, webhook events, registrations."""

from ..utils.fields import Secret, SecretField, ZoomIdField
from .accounts import Grant, GrantReason, GrantState, Plan, RateBudget, ZoomAccount
from .curation import BlockUsage, ItemTag, SiteItem
from .fetch_scopes import TRANSCRIPT, FetchScope, fetch_scope, scope_fingerprint
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
from .versions import bump_data_version, bump_data_version_of_sites
from .webhook_events import ObjectLock, WebhookEvent

__all__ = [
    "TRANSCRIPT",
    "Activity",
    "BlockUsage",
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
    "Meeting",
    "OAuthState",
    "ObjectLock",
    "Occurrence",
    "PasscodePolicy",
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
    "bump_data_version",
    "bump_data_version_of_sites",
    "fetch_scope",
    "scope_fingerprint",
]
