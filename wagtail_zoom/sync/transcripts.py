"""Texts of recordings: read where a Site shows them, cleaned, bounded, and dropped in time."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..client import Priority, client_for
from ..client.files import text_file
from ..exceptions import ZoomAuthError, ZoomError, ZoomRateLimited, ZoomTransient
from ..mapping.parsing import line, members, whole
from ..models import TRANSCRIPT, FetchScope, Recording, Transcript, ZoomAccount, touch
from ..utils.text import sanitize_text
from . import vtt
from .persist import Stored, announce

AGAIN = timedelta(hours=24)
"""How long a text that Zoom would not hand out is left alone."""
BATCH = 100


def refresh_due(account: ZoomAccount, scope: FetchScope, *, until: float) -> bool:
    """Read the texts that are wanted and not there yet; drop those that nobody wants.

    Returns whether all are done before ``until`` (monotonic clock).

    Raises:
        ZoomError: what concerns the whole account.
    """
    drop_unwanted(account, scope)
    hosts = scope.hosts(TRANSCRIPT)
    if not hosts:
        return True
    late = Q(transcript=None) | Q(
        transcript__text="", transcript__read_at__lt=timezone.now() - AGAIN
    )
    rows = _alive(account).filter(late, host__in=hosts, has_transcript=True).order_by("-start")
    while True:
        batch = list(rows[:BATCH])
        for recording in batch:
            _refresh(account, recording, Priority.RECONCILE)
            if time.monotonic() > until:
                return False
        if not batch:
            return True


def refresh_quietly(account: ZoomAccount, scope: FetchScope, payload: dict[str, Any]) -> None:
    """After a message about a recording: its text too, where it is wanted; trouble waits."""
    found = _alive(account).filter(uuid=line(payload.get("uuid"), 100)).first()
    if found is None or not scope.wants(TRANSCRIPT, found.host_id):
        return
    with contextlib.suppress(ZoomError):
        _read(account, found, payload, Priority.EVENT)


def drop_unwanted(account: ZoomAccount, scope: FetchScope) -> int:
    """Delete texts that no Site shows any more, and those of recordings that are gone."""
    kept = scope.kept_hosts(TRANSCRIPT)
    rows = Transcript.objects.filter(recording__account=account).filter(
        Q(recording__host=None)
        | ~Q(recording__host__in=kept)
        | Q(recording__removed_at__isnull=False)
    )
    pks = dict(rows.values_list("pk", "recording"))
    if pks:
        with transaction.atomic():
            Transcript.objects.filter(pk__in=list(pks)).delete()
            touch(account.pk)
        announce(account, [Stored(recordings=set(pks.values()))])
    return len(pks)


def _alive(account: ZoomAccount) -> QuerySet[Recording]:
    return Recording.objects.filter(
        account=account, removed_at=None, trashed_at=None, is_ready=True
    ).select_related("transcript")


def _refresh(account: ZoomAccount, recording: Recording, priority: Priority) -> None:
    """One recording. A refusal is noted, so that the next run leaves it alone for a while.

    Raises:
        ZoomTransient, ZoomAuthError: what concerns the whole account.
    """
    try:
        client = client_for(account, recording.host_zoom_id, priority)
        _read(account, recording, client.recording(recording.uuid), priority)
    except (ZoomTransient, ZoomRateLimited, ZoomAuthError):
        raise
    except ZoomError:
        _save(recording, "", "")


def _read(
    account: ZoomAccount, recording: Recording, payload: dict[str, Any], priority: Priority
) -> None:
    file = _file(payload)
    if file is None:
        _save(recording, "", "")
        return
    mark = f"{line(file.get('id'), 100)}:{whole(file.get('file_size')) or 0}"
    known = Transcript.objects.filter(recording=recording).first()
    if known is not None and known.mark == mark and known.text:
        return
    client = client_for(account, recording.host_zoom_id, priority)
    said = vtt.plain(text_file(client, line(file.get("download_url"), 2000)))
    # Cleaned before it is stored: what is cut out where it is shown must not be found either.
    text = sanitize_text(said)
    if _save(recording, mark, text):
        announce(account, [Stored(recordings={recording.pk})])


def _file(payload: dict[str, Any]) -> dict[str, Any] | None:
    """The finished transcript among the files; captions where there is no transcript."""
    ready = [
        file
        for file in members(payload, "recording_files")
        if line(file.get("status"), 20) in ("", "completed") and file.get("download_url")
    ]
    for wanted in ("TRANSCRIPT", "CC"):
        for file in ready:
            if file.get("file_type") == wanted:
                return file
    return None


def _save(recording: Recording, mark: str, text: str) -> bool:
    """Whether the stored text is another one now. An owner may have let go in the meantime."""
    if not Recording.objects.filter(pk=recording.pk, removed_at=None).exists():
        return False
    before = Transcript.objects.filter(recording=recording).first()
    if before is not None and before.text and not text:
        Transcript.objects.filter(pk=before.pk).update(read_at=timezone.now())
        return False
    with transaction.atomic():
        Transcript.objects.update_or_create(
            recording=recording, defaults={"mark": mark, "text": text, "read_at": timezone.now()}
        )
        touch(recording.account_id)
    return before is None or before.text != text
