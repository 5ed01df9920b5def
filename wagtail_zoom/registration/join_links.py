"""The personal join link of a registered person: whether the owner's policy gives one."""

from __future__ import annotations

from django.urls import NoReverseMatch

from ..frontend import links
from ..frontend.visibility import Audience, Channel, SiteVisibility
from ..models import JoinPolicy, Registration, ZoomSettings
from . import tokens


def join_allowed(row: Registration, site_settings: ZoomSettings) -> bool:
    """Whether the owner's policy lets registered people join here at all (now or later)."""
    if row.meeting_id is None or site_settings.join_policy == JoinPolicy.NEVER:
        return False
    visibility = SiteVisibility(site_settings)
    return visibility.meetings(Audience.REGISTRANT, Channel.PAGE).filter(pk=row.meeting_id).exists()


def personal_join_path(row: Registration, site_settings: ZoomSettings) -> str:
    """The path of a registered person's join link; empty where the owner's policy gives none."""
    if not join_allowed(row, site_settings):
        return ""
    try:
        return tokens.join_path(row)
    except NoReverseMatch:
        return ""


def personal_join_url(row: Registration, site_settings: ZoomSettings) -> str:
    """The same as an absolute URL, for emails and calendar files."""
    path = personal_join_path(row, site_settings)
    return links.site_origin(site_settings) + path if path else ""
