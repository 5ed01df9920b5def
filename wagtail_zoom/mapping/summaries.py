"""Maps Zoom's payload of a meeting summary to fields.

Only text is read: not the URL of Zoom's document, which opens it, and not the email addresses of
host and editor. Source: Zoom's API reference, "Get a meeting summary".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.utils import translation
from django.utils.translation import gettext as _

from ..utils.markdown import MAX_LENGTH, clean_markdown, without_escapes
from ..utils.secret_text import KnownValues
from ..utils.text import without_secrets
from .parsing import InvalidItem, get_dict, get_list, parse_datetime, parse_id, single_line, text


@dataclass(frozen=True)
class MappedSummary:
    """One summary; ``fields`` holds column values by name, with what opens the meeting."""

    uuid: str
    host_zoom_id: str
    fields: dict[str, Any] = field(repr=False)

    def without(self, known_values: KnownValues) -> dict[str, Any]:
        """The fields as they are stored: without what opens the meeting or its recording."""
        topic = without_secrets(self.fields["topic"], known_values).strip()
        content = without_escapes(self.fields["text"])  # guard: escaped-secrets-cut
        content = without_secrets(content, known_values)  # guard: known-values-cut-from-summary
        return {**self.fields, "topic": topic, "text": clean_markdown(content)}


def map_summary(payload: dict[str, Any], *, host_zoom_id: str, read_at: datetime) -> MappedSummary:
    """Map the answer of a single read.

    Args:
        host_zoom_id: from the event or the meeting, where Zoom omits it.
        read_at: the start, where Zoom gives none and no time of writing.

    Raises:
        InvalidItem: the UUID or the host is missing.
    """
    uuid = parse_id(payload.get("meeting_uuid"))
    start = parse_datetime(payload.get("meeting_start_time"))
    start = start or parse_datetime(payload.get("summary_created_time")) or read_at
    host_zoom_id = parse_id(payload.get("meeting_host_id") or host_zoom_id)
    if not host_zoom_id:
        raise InvalidItem("The host is missing.")
    fields = {
        "host_zoom_id": host_zoom_id,
        "meeting_zoom_id": single_line(payload.get("meeting_id"), 100),
        "topic": single_line(payload.get("meeting_topic") or payload.get("summary_title")),
        "start": start,
        "text": _content(payload),
    }
    return MappedSummary(uuid, host_zoom_id, fields)


def _content(payload: dict[str, Any]) -> str:
    """The Markdown: what a person has edited in Zoom first, then Zoom's own, then its parts."""
    edited = get_dict(payload, "edited_summary")
    for source in (edited, payload):
        if markdown := text(source.get("summary_content"), MAX_LENGTH).strip():
            return markdown
        if assembled := _assembled(source):
            return assembled
    return ""


def _assembled(source: dict[str, Any]) -> str:
    parts = [text(source.get("summary_overview"), MAX_LENGTH).strip()]
    details = source.get("summary_details")
    if isinstance(details, str):
        parts.append(text(details, MAX_LENGTH).strip())
    for detail in get_list(source, "summary_details"):
        label, words = single_line(detail.get("label")), text(detail.get("summary"), MAX_LENGTH)
        parts.append(f"## {label}\n\n{words.strip()}" if label else words.strip())
    steps = source.get("next_steps")
    lines = [single_line(step, 2000) for step in steps] if isinstance(steps, list) else []
    if any(lines):
        with translation.override(django_settings.LANGUAGE_CODE):
            heading = _("Next steps")
        parts.append(f"## {heading}\n\n" + "\n".join(f"- {line}" for line in lines if line))
    return "\n\n".join(part for part in parts if part)
