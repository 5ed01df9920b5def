"""Zoom's granular scopes and the events that they allow."""

from __future__ import annotations

_READ_AND_REGISTER = ("read:list_registrants", "read:registrant", "write:registrant")
_COMMON = (
    *_READ_AND_REGISTER,
    "update:registrant_status",
    "read:list_registration_questions",
    "write:batch_registrants",
    "delete:registrant",
    "read:list_past_instances",
)

BASE: tuple[str, ...] = (
    "user:read:user",
    "user:update:status",
    "meeting:read:list_meetings",
    "meeting:read:list_upcoming_meetings",
    "meeting:read:meeting",
    "meeting:read:past_meeting",
    *(f"meeting:{name}" for name in _COMMON),
    "webinar:read:list_webinars",
    "webinar:read:webinar",
    "webinar:read:list_tracking_sources",
    *(f"webinar:{name}" for name in _COMMON),
    "cloud_recording:read:list_user_recordings",
    "cloud_recording:read:list_recording_files",
    "cloud_recording:read:recording_settings",
    "cloud_recording:update:recording_settings",
    "cloud_recording:read:list_recording_registrants",
    "cloud_recording:write:recording_registrant",
    "cloud_recording:update:registrant_status",
    "cloud_recording:read:registration_questions",
    "cloud_recording:read:recording",
    "cloud_recording:read:registrant",
)
SCHEDULING: tuple[str, ...] = (
    "meeting:write:meeting",
    "meeting:update:meeting",
    "meeting:delete:meeting",
    "meeting:update:registration_question",
    "meeting:read:list_templates",
    "webinar:write:webinar",
    "webinar:update:webinar",
    "webinar:delete:webinar",
)
"""What an app needs to schedule; option ``scopes`` makes an app without them."""
ATTENDANCE: tuple[str, ...] = (
    "meeting:read:list_past_participants",
    "webinar:read:list_past_participants",
)
"""What an app needs to read who took part."""
SUMMARIES: tuple[str, ...] = ("meeting:read:summary",)
"""What an app needs to read the summaries of AI Companion."""
OPTIONAL = SCHEDULING + ATTENDANCE + SUMMARIES
ADMIN_ONLY: tuple[str, ...] = (
    "user:read:list_users",
    "cloud_recording:read:list_account_recordings",
    "account:read:sub_account",
)


def default_scopes(app_kind: str) -> list[str]:
    """Return every scope of an app of this type (``:admin`` scopes and others do not mix)."""
    if app_kind == "user":
        return sorted(BASE + OPTIONAL)
    return sorted(f"{name}:admin" for name in BASE + OPTIONAL + ADMIN_ONLY)


def scheduling_scopes(app_kind: str) -> list[str]:
    """Return what an app of this type needs to schedule."""
    return [f"{name}:admin" if app_kind == "admin" else name for name in SCHEDULING]


def event_scope(event: str) -> str | None:
    """Return the scope (without suffix) that an event requires, None if it requires none."""
    if event in ("app_deauthorized", "endpoint.url_validation"):
        return None
    family, _, what = event.partition(".")
    if family == "user":
        return "user:read:user"
    if family == "account":
        return "account:read:sub_account"
    if what.startswith("summary_"):
        return "meeting:read:summary"
    registration = what.startswith("registration_")
    if family == "recording":
        return "cloud_recording:read:" + ("registrant" if registration else "recording")
    return f"{family}:read:" + ("registrant" if registration else family)


_ANY_PLAN = {
    "meeting.created",
    "meeting.recovered",
    "meeting.started",
    "meeting.ended",
    "meeting.converted_to_webinar",
    "app_deauthorized",
    "endpoint.url_validation",
}


def plan_allows(event: str, plan: str, webinar_addon: bool) -> bool:
    """Whether accounts on this plan get the event."""
    if event in _ANY_PLAN:
        return True
    if event.startswith("webinar."):
        return webinar_addon
    if event == "recording.transcript_completed":
        return plan == "business"
    return plan != "free"
