"""Summaries that AI Companion writes of past instances, each change with its webhook event."""

from __future__ import annotations

from typing import Any

from . import payloads
from .clock import epoch, stamp, when
from .errors import ControlError
from .ids import secret
from .outbox import emit
from .storage import Doc
from .world import World

TEXTS = ("summary_title", "summary_content", "summary_overview", "summary_details", "next_steps")
"""Members of the answer that may be given; ``edited_summary`` is what a person wrote at Zoom."""
CONTENT = (
    "# Quick recap\n\n{topic}: the group agreed on the next evening.\n\n"
    "## Next steps\n\n- Ana sends the list.\n- Tom brings *tea*.\n"
)


def create(world: World, host: Doc, fields: dict[str, Any]) -> Doc:
    """Write the summary of an instance: of ``uuid``, else of the last one of ``meeting``.

    Without an instance one is made, an hour ago. ``parts``: the older format without Markdown.
    """
    meeting = world.meeting(fields["meeting"]) if fields.get("meeting") else None
    instance = _instance(world, host, meeting, fields)
    topic = str(fields.get("topic") or instance["topic"])
    doc: Doc = {
        "id": instance["id"],
        "account_id": host["account_id"],
        "host_id": host["id"],
        "meeting_id": instance["meeting_id"],
        "state": "active",
        "started": instance["started"],
        "start_time": instance["start_time"],
        "end_time": instance["end_time"] or world.clock.stamp(),
        "topic": topic,
        "summary_title": f"Meeting summary for {topic}",
        "summary_doc_url": f"https://docs.zoom.us/doc/{secret(22)}",
        "created_time": world.clock.stamp(),
        "modified_time": world.clock.stamp(),
    }
    if fields.get("parts"):
        doc |= {
            "summary_overview": f"{topic}: the group agreed on the next evening.",
            "summary_details": [{"label": "Plans", "summary": "The next evening is planned."}],
            "next_steps": ["Ana sends the list."],
        }
    else:
        doc["summary_content"] = CONTENT.format(topic=topic)
    doc |= {name: fields[name] for name in (*TEXTS, "edited_summary") if name in fields}
    if world.store.get("summaries", doc["id"]) is not None:
        raise ControlError("that instance has a summary")
    world.store.put("summaries", doc)
    if fields.get("event", True):
        queue_event(world, doc, "completed", with_texts=True)
    return doc


def _instance(world: World, host: Doc, meeting: Doc | None, fields: dict[str, Any]) -> Doc:
    uuid = str(fields.get("uuid") or "")
    instance = world.store.get("instances", uuid) if uuid else None
    if instance is None and meeting is not None and not uuid:
        instance = world.store.first(
            "instances", "meeting_id = ?", meeting["id"], tail="ORDER BY started DESC"
        )
    if instance is not None:
        return instance
    recording = world.store.get("recordings", uuid) if uuid else None
    number = (meeting or recording or {}).get("id" if meeting else "meeting_id")
    start_time = stamp(
        when(str(fields.get("start_time", "-1h")), host.get("timezone", "UTC"), world.clock.now())
    )
    if "start_time" not in fields:
        planned = str((recording or meeting or {}).get("start_time", ""))
        start_time = planned if planned and epoch(planned) < world.clock.time() else start_time
    instance = {
        "id": uuid or world.ids.uuid(),
        "account_id": host["account_id"],
        "meeting_id": number if number is not None else world.free_number(),
        "host_id": host["id"],
        "kind": "meeting",
        "type": (meeting or {}).get("type", 2),
        "topic": (meeting or recording or {}).get("topic", "Meeting"),
        "started": epoch(start_time),
        "start_time": start_time,
        "end_time": world.clock.stamp(),
    }
    world.store.put("instances", instance)
    return instance


def change(world: World, doc: Doc, fields: dict[str, Any]) -> Doc:
    """Edit it at Zoom (the members of the answer), or share it (``share``)."""
    changes = {name: fields[name] for name in (*TEXTS, "edited_summary") if name in fields}
    if changes:
        doc |= {**changes, "modified_time": world.clock.stamp()}
        world.store.put("summaries", doc)
        queue_event(world, doc, "updated", with_texts=True)
    if fields.get("share"):
        queue_event(world, doc, "shared", with_texts=True)
    return doc


def remove(world: World, doc: Doc, *, permanent: bool = False) -> Doc:
    """Move it to the trash, or delete it for good."""
    doc["state"] = "deleted" if permanent else "trashed"
    world.store.put("summaries", doc)
    queue_event(world, doc, doc["state"])
    return doc


def recover(world: World, doc: Doc) -> Doc:
    """Take it out of the trash."""
    if doc["state"] != "trashed":
        raise ControlError("it is not in the trash")
    doc["state"] = "active"
    world.store.put("summaries", doc)
    queue_event(world, doc, "recovered")
    return doc


def queue_event(world: World, doc: Doc, what: str, *, with_texts: bool = False) -> None:
    """Queue ``meeting.summary_<what>``; trashed, deleted and recovered are without the texts."""
    answer = response(world, doc)
    names = [name for name in answer if name.startswith("meeting_")]
    if with_texts:
        names += [*TEXTS, "summary_created_time", "summary_last_modified_time"]
    payload = {
        **payloads.operator(world, doc),
        "object": {name: answer[name] for name in names if name in answer},
    }
    event = f"meeting.summary_{what}"
    emit(world, event, doc["account_id"], payload, user_id=doc["host_id"])


def response(world: World, doc: Doc) -> dict[str, Any]:
    """The answer of ``GET /meetings/{uuid}/meeting_summary``."""
    email = world.user(doc["host_id"])["email"]
    return {
        "meeting_id": doc["meeting_id"],
        "meeting_uuid": doc["id"],
        "meeting_host_id": doc["host_id"],
        "meeting_host_email": email,
        "meeting_topic": doc["topic"],
        "meeting_start_time": doc["start_time"],
        "meeting_end_time": doc["end_time"],
        **{name: doc[name] for name in (*TEXTS, "edited_summary") if name in doc},
        "summary_doc_url": doc["summary_doc_url"],
        "summary_created_time": doc["created_time"],
        "summary_last_modified_time": doc["modified_time"],
        "summary_last_modified_user_email": email,
    }
