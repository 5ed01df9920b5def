"""Changes of cloud recordings, each with its webhook event."""

from __future__ import annotations

from typing import Any

from . import payloads
from .content import make_recording, transcript_file
from .errors import ControlError
from .ids import secret
from .outbox import emit
from .storage import Doc
from .world import World


def queue_event(
    world: World, doc: Doc, what: str, payload: dict[str, Any], *, token: bool = False
) -> None:
    """Queue ``recording.<what>``; ``token`` adds a download token beside the payload."""
    top = {"download_token": secret(120)} if token else {}
    event = f"recording.{what}"
    emit(world, event, doc["account_id"], payload, user_id=doc["host_id"], top=top)


def create(world: World, host: Doc, fields: dict[str, Any]) -> Doc:
    """Create a recording. The transcript has its own event, as at Zoom.

    ``transcript``: True (now), "later" (with :func:`change`) or False; ``processing``: the files
    exist but are not ready, and the event is sent by :func:`change`.
    """
    transcript = fields.get("transcript", True)
    doc = make_recording(
        world, host, {**fields, "transcript": bool(transcript) and transcript != "later"}
    )
    if not fields.get("processing"):
        _completed(world, doc)
    return doc


def _completed(world: World, doc: Doc) -> None:
    files = [file for file in doc["files"] if file["file_type"] != "TRANSCRIPT"]
    payload_object = payloads.recording_files(world, doc, files, secret=True)
    queue_event(world, doc, "completed", {"object": payload_object}, token=True)
    _transcribed(world, doc)


def _transcribed(world: World, doc: Doc) -> None:
    files = [file for file in doc["files"] if file["file_type"] == "TRANSCRIPT"]
    if files:
        payload_object = payloads.recording_files(world, doc, files, secret=True)
        queue_event(world, doc, "transcript_completed", {"object": payload_object}, token=True)


def running(world: World, meeting: Doc, what: str) -> Doc:
    """Start or stop recording in a running meeting: ``recording.started``/``stopped``."""
    instance = world.store.get("instances", meeting["uuid"])
    if instance is None or meeting["status"] != "started":
        raise ControlError("the meeting is not running")
    now = world.clock.stamp()
    if what == "start":
        instance["recording_start"] = now
    elif "recording_start" not in instance:
        raise ControlError("nothing is being recorded")
    world.store.put("instances", instance)
    ended = "" if what == "start" else now
    payload_object = {
        **payloads.core(world, meeting),
        "uuid": instance["id"],
        "recording_file": {
            "recording_start": instance["recording_start"],
            "recording_end": ended,
        },
    }
    queue_event(
        world, meeting, "started" if what == "start" else "stopped", {"object": payload_object}
    )
    return instance


def change(world: World, doc: Doc, fields: dict[str, Any]) -> Doc:
    """Rename (``topic``), finish processing (``processing`` false) or add the ``transcript``."""
    if "topic" in fields and fields["topic"] != doc["topic"]:
        old = _name(doc)
        doc["topic"] = str(fields["topic"])
        world.store.put("recordings", doc)
        operator, now = payloads.operator(world, doc), int(world.clock.time() * 1000)
        queue_event(
            world, doc, "renamed",
            {**operator, "time_stamp": now, "object": _name(doc), "old_object": old},
        )  # fmt: skip
    for name in ("passcode", "settings"):
        if name in fields:
            doc[name] = {**doc[name], **fields[name]} if name == "settings" else fields[name]
    if fields.get("processing") is False:
        for file in doc["files"]:
            file["status"] = "completed"
        _completed(world, doc)
    if fields.get("transcript") and not any(f["file_type"] == "TRANSCRIPT" for f in doc["files"]):
        doc["files"].append(transcript_file(world, doc))
        _transcribed(world, doc)
    world.store.put("recordings", doc)
    return doc


def _name(doc: Doc) -> dict[str, Any]:
    return {
        "uuid": doc["id"],
        "id": doc["meeting_id"],
        **{name: doc[name] for name in ("topic", "type", "host_id")},
    }


def remove(world: World, docs: list[Doc], *, permanent: bool = False) -> None:
    """Move recordings to the trash, or delete them for good; several make one batch event."""
    what = "deleted" if permanent else "trashed"
    _set_state(world, docs, what)
    if len(docs) != 1:
        _batch(world, docs, what)
        return
    doc = docs[0]
    payload_object = payloads.recording_files(world, doc, doc["files"], secret=False)
    queue_event(world, doc, what, {**payloads.operator(world, doc), "object": payload_object})


def recover(world: World, docs: list[Doc]) -> None:
    """Recover recordings from the trash."""
    _set_state(world, docs, "active")
    if len(docs) != 1:
        _batch(world, docs, "recovered")
        return
    doc = docs[0]
    payload_object = payloads.recording_files(world, doc, doc["files"], secret=False)
    queue_event(
        world, doc, "recovered", {**payloads.operator(world, doc), "object": payload_object}
    )


def _set_state(world: World, docs: list[Doc], state: str) -> None:
    for doc in docs:
        doc["state"] = state
        for file in doc["files"]:
            file.pop("deleted_time", None)
            if state == "trashed":
                file["deleted_time"] = world.clock.stamp()
    world.store.put("recordings", *docs)


def _batch(world: World, docs: list[Doc], what: str) -> None:
    if not docs:
        return
    payload = payloads.operator(world, docs[0])
    if what == "trashed":
        payload["operation"] = "trash_user_recordings"
        payload["object"] = {"meeting_uuids": [doc["id"] for doc in docs]}
    else:
        # None means all files.
        all_files = [{"meeting_uuid": doc["id"], "recording_file_ids": None} for doc in docs]
        payload["object"] = {"meetings": all_files}
    queue_event(world, docs[0], f"batch_{what}", payload)
