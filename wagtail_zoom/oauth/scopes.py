"""Registry of the Zoom scopes that the package needs, with feature and reason.

Used by the consent hints, the panel, ``zoom_doctor``, ``zoom_app_config`` and the docs. Zoom's
current names are granular; apps made before 2024 have classic names, which are accepted too (Zoom:
"OAuth scopes overview"). Account-level apps have the suffix ``:admin``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REGISTRATION = "registration"
DIRECTORY = "directory"
FEATURES = ("directory", "meeting", "webinar", "recording", "registration")


@dataclass(frozen=True)
class Scope:
    """One scope: its granular name without suffix, its classic name, its feature and reason."""

    name: str
    classic: str
    feature: str
    reason: str | Promise
    admin_only: bool = False
    optional: bool = False
    """The feature also works without it, with limitations."""


SCOPES: tuple[Scope, ...] = (
    Scope(
        "user:read:user",
        "user:read",
        DIRECTORY,
        _("to know who connected, and whose account it is"),
    ),
    Scope(
        "user:read:list_users",
        "user:read",
        DIRECTORY,
        _("to offer the hosts of the account for choice"),
        admin_only=True,
    ),
    Scope(
        "meeting:read:list_meetings",
        "meeting:read",
        "meeting",
        _("to find the meetings of the chosen hosts"),
    ),
    Scope(
        "meeting:read:meeting",
        "meeting:read",
        "meeting",
        _("to read topic, times and settings of a meeting, and to receive events about changes"),
    ),
    Scope(
        "webinar:read:list_webinars",
        "webinar:read",
        "webinar",
        _("to find the webinars of the chosen hosts"),
    ),
    Scope(
        "webinar:read:webinar",
        "webinar:read",
        "webinar",
        _("to read topic, times and settings of a webinar, and to receive events about changes"),
    ),
    Scope(
        "cloud_recording:read:list_user_recordings",
        "recording:read",
        "recording",
        _("to find the cloud recordings of the chosen hosts"),
    ),
    Scope(
        "cloud_recording:read:list_recording_files",
        "recording:read",
        "recording",
        _("to read one recording when Zoom says that it is ready"),
    ),
    Scope(
        "cloud_recording:read:recording",
        "recording:read",
        "recording",
        _("to receive an event when a recording is ready, renamed or deleted"),
        optional=True,
    ),
    Scope(
        "meeting:read:list_registration_questions",
        "meeting:read",
        REGISTRATION,
        _("to show the questions of a meeting's registration"),
    ),
    Scope(
        "meeting:write:registrant",
        "meeting:write",
        REGISTRATION,
        _("to register visitors for a meeting"),
    ),
    Scope(
        "meeting:read:list_registrants",
        "meeting:read",
        REGISTRATION,
        _("to see whether a registration has arrived, and how many places are left"),
    ),
    Scope(
        "meeting:read:registrant",
        "meeting:read",
        REGISTRATION,
        _("to receive an event when a registration is approved or cancelled"),
        optional=True,
    ),
    Scope(
        "meeting:update:registrant_status",
        "meeting:write",
        REGISTRATION,
        _("to approve, deny and cancel registrations"),
    ),
    Scope(
        "webinar:read:list_registration_questions",
        "webinar:read",
        REGISTRATION,
        _("to show the questions of a webinar's registration"),
        optional=True,
    ),
    Scope(
        "webinar:write:registrant",
        "webinar:write",
        REGISTRATION,
        _("to register visitors for a webinar"),
        optional=True,
    ),
    Scope(
        "webinar:read:list_registrants",
        "webinar:read",
        REGISTRATION,
        _("to see whether a registration for a webinar has arrived, and how many places are left"),
        optional=True,
    ),
    Scope(
        "webinar:read:registrant",
        "webinar:read",
        REGISTRATION,
        _("to receive an event when a webinar registration is approved or cancelled"),
        optional=True,
    ),
    Scope(
        "webinar:update:registrant_status",
        "webinar:write",
        REGISTRATION,
        _("to approve, deny and cancel webinar registrations"),
        optional=True,
    ),
)


SCHEDULING = "scheduling"
SCHEDULING_SCOPES: tuple[Scope, ...] = (
    Scope(
        "meeting:write:meeting",
        "meeting:write",
        SCHEDULING,
        _("to create the meetings that are scheduled in the CMS"),
        optional=True,
    ),
    Scope(
        "meeting:update:meeting",
        "meeting:write",
        SCHEDULING,
        _("to change topic, times and settings of a meeting from the CMS"),
        optional=True,
    ),
    Scope(
        "meeting:delete:meeting",
        "meeting:write",
        SCHEDULING,
        _("to cancel a meeting, or one of its dates, from the CMS"),
        optional=True,
    ),
    Scope(
        "meeting:read:list_templates",
        "meeting:read",
        SCHEDULING,
        _("to offer the templates of the host when a meeting is scheduled"),
        optional=True,
    ),
    Scope(
        "webinar:write:webinar",
        "webinar:write",
        SCHEDULING,
        _("to create the webinars that are scheduled in the CMS"),
        optional=True,
    ),
    Scope(
        "webinar:update:webinar",
        "webinar:write",
        SCHEDULING,
        _("to change topic, times and settings of a webinar from the CMS"),
        optional=True,
    ),
    Scope(
        "webinar:delete:webinar",
        "webinar:write",
        SCHEDULING,
        _("to cancel a webinar, or one of its dates, from the CMS"),
        optional=True,
    ),
)
"""For scheduling only; an app without them does everything else."""


ATTENDANCE = "attendance"
ATTENDANCE_SCOPES: tuple[Scope, ...] = (
    Scope(
        "meeting:read:list_past_participants",
        "meeting:read",
        ATTENDANCE,
        _("to read, after a meeting, who of the people registered came"),
        optional=True,
    ),
    Scope(
        "meeting:read:list_past_instances",
        "meeting:read",
        ATTENDANCE,
        _("to find every part of a meeting that was interrupted"),
        optional=True,
    ),
    Scope(
        "webinar:read:list_past_participants",
        "webinar:read",
        ATTENDANCE,
        _("to read, after a webinar, who of the people registered came"),
        optional=True,
    ),
    Scope(
        "webinar:read:list_past_instances",
        "webinar:read",
        ATTENDANCE,
        _("to find every part of a webinar that was interrupted"),
        optional=True,
    ),
)
"""For attendance only; an app without them does everything else."""


def attendance_scope(kind: str, *, instances: bool = False) -> Scope:
    """The scope to read who took part in a meeting or webinar, or to list its ``instances``."""
    name = f"{kind}:read:list_past_{'instances' if instances else 'participants'}"
    return next(scope for scope in ATTENDANCE_SCOPES if scope.name == name)


def scheduling_scope(kind: str, verb: str) -> Scope:
    """The scope to ``write`` (create), ``update`` or ``delete`` a meeting or webinar."""
    name = f"{kind}:{verb}:{kind}"
    return next(scope for scope in SCHEDULING_SCOPES if scope.name == name)


LIST_TEMPLATES = next(
    scope for scope in SCHEDULING_SCOPES if scope.name == "meeting:read:list_templates"
)

SUMMARIES = "summary"
SUMMARY_SCOPES: tuple[Scope, ...] = (
    Scope(
        "meeting:read:summary",
        "meeting_summary:read",
        SUMMARIES,
        _("to read the summaries that AI Companion writes, and to learn when one changes"),
    ),
    Scope(
        "meeting:read:list_past_instances",
        "meeting:read",
        SUMMARIES,
        _("to find a summary of the last month that no event has announced"),
        optional=True,
    ),
)
"""For summaries of meetings only; an app without them does everything else."""


LIST_PAST_INSTANCES = SUMMARY_SCOPES[1]

LIST_USERS = next(scope for scope in SCOPES if scope.name == "user:read:list_users")
"""Allows to read the names of the account's users."""


def is_account_level(granted: Iterable[str]) -> bool:
    """Whether the granted scopes cover the whole account, not only the connecting user."""
    return any(name.endswith((":admin", ":master")) for name in granted)


def has_scope(granted: Iterable[str], scope: Scope) -> bool:
    """Whether this scope was granted under any of its names, with or without the suffix."""
    names = set(granted)
    accepted_names = (scope.name, scope.classic)
    return any(name in names or f"{name}:admin" in names for name in accepted_names)


def missing_scopes(granted: Iterable[str]) -> list[Scope]:
    """Scopes that were not granted; admin scopes count for account-level apps only."""
    names = frozenset(granted)
    account_level = is_account_level(names)
    return [
        scope
        for scope in SCOPES
        if (account_level or not scope.admin_only) and not has_scope(names, scope)
    ]


def lacks_summaries(granted: Iterable[str]) -> bool:
    """Whether the granted scopes do not allow to read summaries."""
    names = frozenset(granted)
    return any(not scope.optional and not has_scope(names, scope) for scope in SUMMARY_SCOPES)


def missing_kinds(granted: Iterable[str]) -> list[str]:
    """Content types, ``registration`` and ``summary``, if the granted scopes do not cover them."""
    names = frozenset(granted)
    missing_features = {scope.feature for scope in missing_scopes(names) if not scope.optional}
    missing = [name for name in FEATURES if name in missing_features and name != DIRECTORY]
    if lacks_summaries(names):
        missing.append(SUMMARIES)
    return missing
