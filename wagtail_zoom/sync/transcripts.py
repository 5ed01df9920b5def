"""Transcripts of recordings: read where a Site shows them, sanitised, and deleted when unused."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..client import Priority, client_for_reading
from ..client.files import fetch_text_file
from ..exceptions import ZoomAuthError, ZoomError, ZoomTransient
from ..mapping.parsing import get_list, parse_int, single_line
from ..mapping.recordings import read_known_values
from ..models import (
    TRANSCRIPT,
    FetchScope,
    Kind,
    Meeting,
    Recording,
    Transcript,
    ZoomAccount,
    bump_rows,
)
from ..models.versions import publish_changes
from ..utils.secret_text import KnownValues
from ..utils.text import sanitize_text, without_secrets
from . import vtt

RETRY_AFTER = timedelta(hours=24)
"""How long to wait before a refused transcript is requested again."""
BATCH = 100


def refresh_due(account: ZoomAccount, scope: FetchScope, *, until: float) -> bool:
    """Read the transcripts that are needed and not stored yet; delete those that no Site needs.

    Returns whether all are done before ``until`` (monotonic clock).

    Raises:
        ZoomError: the error concerns the whole account.
    """
    delete_unused(account, scope)
    hosts = scope.hosts(TRANSCRIPT)
    if not hosts:
        return True
    is_due = Q(transcript=None) | Q(
        transcript__text="", transcript__read_at__lt=timezone.now() - RETRY_AFTER
    )
    rows = (
        _available_recordings(account)
        .filter(is_due, host__in=hosts, has_transcript=True)
        .order_by("-start")
    )
    while True:
        batch = list(rows[:BATCH])
        for recording in batch:
            _refresh(account, recording, Priority.RECONCILE)
            if time.monotonic() > until:
                return False
        if not batch:
            return True


def refresh_quietly(account: ZoomAccount, scope: FetchScope, payload: dict[str, Any]) -> None:
    """After an event about a recording: read its transcript too, if needed; ignore errors."""
    recording = (
        _available_recordings(account).filter(uuid=single_line(payload.get("uuid"), 100)).first()
    )
    if recording is None or not scope.includes(TRANSCRIPT, recording.host_id):
        return
    with contextlib.suppress(ZoomError):
        _read(account, recording, payload, Priority.EVENT)


def delete_unused(account: ZoomAccount, scope: FetchScope) -> int:
    """Delete transcripts that no Site shows any more, and those of deleted recordings."""
    retained = scope.retained_hosts(TRANSCRIPT)
    rows = Transcript.objects.filter(recording__account=account).filter(
        Q(recording__host=None)
        | ~Q(recording__host__in=retained)
        | Q(recording__removed_at__isnull=False)
    )
    recording_by_pk = dict(rows.values_list("pk", "recording"))
    if recording_by_pk:
        with transaction.atomic():
            Transcript.objects.filter(pk__in=list(recording_by_pk)).delete()
            publish_changes(account, recordings=set(recording_by_pk.values()))
    return len(recording_by_pk)


def _available_recordings(account: ZoomAccount) -> QuerySet[Recording]:
    return Recording.objects.filter(
        account=account, removed_at=None, trashed_at=None, is_ready=True
    ).select_related("transcript")


def _refresh(account: ZoomAccount, recording: Recording, priority: Priority) -> None:
    """Read one transcript. A refusal is stored, so that the next runs skip it for a day.

    Raises:
        ZoomTransient, ZoomAuthError: the error concerns the whole account.
    """
    try:
        client = client_for_reading(account, recording.host_zoom_id, priority, kind=Kind.RECORDING)
        _read(account, recording, client.recording(recording.uuid), priority)
    except (ZoomTransient, ZoomAuthError):
        raise
    except ZoomError:
        _save(recording, "", "")


def _read(
    account: ZoomAccount, recording: Recording, payload: dict[str, Any], priority: Priority
) -> None:
    file = _transcript_file(payload)
    if file is None:
        _save(recording, "", "")
        return
    source_version = f"{single_line(file.get('id'), 100)}:{parse_int(file.get('file_size')) or 0}"
    stored = Transcript.objects.filter(recording=recording).first()
    if stored is not None and stored.source_version == source_version and stored.text:
        return
    client = client_for_reading(account, recording.host_zoom_id, priority, kind=Kind.RECORDING)
    plain_text = vtt.to_text(fetch_text_file(client, single_line(file.get("download_url"), 2000)))
    # Cut and sanitised before it is stored: search must not find what is removed on display.
    known_values = _known_values(recording, payload)
    spoken = without_secrets(plain_text, known_values)  # guard: known-values-cut-from-transcript
    text = sanitize_text(spoken)
    if _save(recording, source_version, text):
        publish_changes(account, recordings={recording.pk})


def _known_values(recording: Recording, payload: dict[str, Any]) -> KnownValues:
    """What opens the recording, its meeting and the host's room: people read it out."""
    known_values = read_known_values(payload) | recording.known_values
    meeting = Meeting.objects.filter(
        account=recording.account_id, zoom_id=recording.meeting_zoom_id
    ).select_related("host")
    for row in meeting:
        known_values |= row.known_values
    return known_values


def _transcript_file(payload: dict[str, Any]) -> dict[str, Any] | None:
    """The completed transcript among the files; captions if there is no transcript."""
    ready = [
        file
        for file in get_list(payload, "recording_files")
        if single_line(file.get("status"), 20) in ("", "completed") and file.get("download_url")
    ]
    for file_type in ("TRANSCRIPT", "CC"):
        for file in ready:
            if file.get("file_type") == file_type:
                return file
    return None


def _save(recording: Recording, source_version: str, text: str) -> bool:
    """Store the text; whether it changed. The recording may have been deleted in the meantime."""
    if not Recording.objects.filter(pk=recording.pk, removed_at=None).exists():
        return False
    before = Transcript.objects.filter(recording=recording).first()
    if before is not None and before.text and not text:
        Transcript.objects.filter(pk=before.pk).update(read_at=timezone.now())
        return False
    with transaction.atomic():
        Transcript.objects.update_or_create(
            recording=recording,
            defaults={"source_version": source_version, "text": text, "read_at": timezone.now()},
        )
        bump_rows(recording.account_id, recordings=[recording.pk])
    return before is None or before.text != text
