"""Schedules, changes and cancels meetings and webinars at Zoom from the CMS."""

from .recurrence import Frequency, RecurrenceRule
from .service import (
    NotMadeHere,
    cancel,
    change,
    edit,
    give_up,
    host_templates,
    is_editable,
    is_made_here,
    present_values,
    requested_values,
    retry,
    schedule,
)
from .values import MeetingValues

__all__ = [
    "Frequency",
    "MeetingValues",
    "NotMadeHere",
    "RecurrenceRule",
    "cancel",
    "change",
    "edit",
    "give_up",
    "host_templates",
    "is_editable",
    "is_made_here",
    "present_values",
    "requested_values",
    "retry",
    "schedule",
]
