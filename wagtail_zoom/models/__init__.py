"""Models: accounts, grants, local copy, site settings, curation, webhook events, outboxes."""

from ..utils.fields import Secret, SecretField, ZoomIdField
from .accounts import Grant, GrantReason, GrantState, Plan, RateBudget, ZoomAccount
from .attendance import Attendance, AttendanceInstance, AttendanceReading
from .curation import BlockUsage, HiddenDate, ItemTag, SiteItem, public_day
from .fetch_scopes import TRANSCRIPT, FetchScope, fetch_scope, scope_fingerprint
from .meeting_changes import MeetingChange
from .mirror import MEETING_KINDS, SHOWABLE_TYPES, SUMMARY, Host, Kind, Meeting, Occurrence
from .oauth import Invitation, OAuthState
from .purged_occurrences import PurgedOccurrence
from .recordings import SCHEDULED_TYPES, Recording
from .registrations import LimitCounter, Registration, RegistrationDate
from .runs import Activity, Heartbeat, SyncRun
from .settings import (
    ArchivedRow,
    ExposedHost,
    FormerHost,
    ItemRule,
    JoinPolicy,
    PasscodePolicy,
    RecordingRule,
    ZoomSettings,
)
from .summaries import Summary, SummaryReview, reset_reviews
from .transcripts import Transcript
from .versions import (
    HostVersion,
    bump_data_version,
    bump_data_version_of_sites,
    bump_hosts,
    bump_items,
    bump_rows,
)
from .webhook_events import ObjectLock, WebhookEvent
from .write_access import Refusal, WriteAccess

__all__ = [
    "MEETING_KINDS",
    "SCHEDULED_TYPES",
    "SHOWABLE_TYPES",
    "SUMMARY",
    "TRANSCRIPT",
    "Activity",
    "ArchivedRow",
    "Attendance",
    "AttendanceInstance",
    "AttendanceReading",
    "BlockUsage",
    "ExposedHost",
    "FetchScope",
    "FormerHost",
    "Grant",
    "GrantReason",
    "GrantState",
    "Heartbeat",
    "HiddenDate",
    "Host",
    "HostVersion",
    "Invitation",
    "ItemRule",
    "ItemTag",
    "JoinPolicy",
    "PurgedOccurrence",
    "Kind",
    "LimitCounter",
    "Meeting",
    "MeetingChange",
    "OAuthState",
    "ObjectLock",
    "Occurrence",
    "PasscodePolicy",
    "Plan",
    "RateBudget",
    "Recording",
    "RecordingRule",
    "Refusal",
    "Registration",
    "RegistrationDate",
    "Secret",
    "SecretField",
    "SiteItem",
    "Summary",
    "SummaryReview",
    "SyncRun",
    "Transcript",
    "WebhookEvent",
    "WriteAccess",
    "ZoomAccount",
    "ZoomIdField",
    "ZoomSettings",
    "bump_data_version",
    "bump_data_version_of_sites",
    "bump_hosts",
    "bump_items",
    "bump_rows",
    "fetch_scope",
    "public_day",
    "reset_reviews",
    "scope_fingerprint",
]
