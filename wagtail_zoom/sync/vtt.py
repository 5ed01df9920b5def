"""WebVTT as Zoom writes it → plain paragraphs without times, markup and names of speakers."""

from __future__ import annotations

import html
import re

from ..mapping.parsing import line, prose

MOST_LETTERS = 200_000
"""About three hours of speech; what is longer ends with an ellipsis."""
PARAGRAPH = 700
"""Letters after which a new paragraph begins at the next end of a sentence."""
_TIMES = re.compile(r"^\s*(?:\d+:)?\d{2}:\d{2}[.,]\d{3}\s+-->\s")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d[\d:.]{0,20}>")
_SPEAKER = re.compile(r"^(?P<name>[^:<>\n]{1,80}): +(?=\S)")
_SKIPPED = ("NOTE", "STYLE", "REGION")


def plain(vtt: str) -> str:
    """The speech in paragraphs; empty when it is no WebVTT, so that no other file is stored.

    Participants did not agree to be named on a web page: who speaks is left out, and only shows
    as a new paragraph.
    """
    if not vtt.lstrip("\ufeff \r\n\t").startswith("WEBVTT"):
        return ""
    cues = _cues(vtt[: MOST_LETTERS * 4])
    named = [bool(_SPEAKER.match(cue)) for cue in cues]
    with_names = sum(named) * 2 >= len(cues)
    return _paragraphs([_split(cue) if with_names else ("", cue) for cue in cues])


def _cues(vtt: str) -> list[str]:
    """The text of each cue on one line."""
    found = []
    for block in re.split(r"\n[ \t]*\n", vtt.replace("\r\n", "\n").replace("\r", "\n")):
        rows = block.strip("\n").split("\n")
        times = next((at for at, row in enumerate(rows) if _TIMES.match(row)), None)
        if times is None or rows[0].startswith(_SKIPPED):
            continue
        text = _TAGS.sub(_voice, " ".join(rows[times + 1 :]))
        text = line(prose(html.unescape(text)), 2000)
        if text:
            found.append(text)
    return found


def _voice(match: re.Match[str]) -> str:
    """``<v Name>`` names a speaker in another way; every other tag is only markup."""
    tag = match.group()
    name = re.match(r"<v(?:\.[\w.]+)?\s+([^>]+)>", tag)
    return f"{name[1].replace(':', '')}: " if name else ""


def _split(cue: str) -> tuple[str, str]:
    found = _SPEAKER.match(cue)
    return (found["name"], cue[found.end() :]) if found else ("", cue)


def _paragraphs(cues: list[tuple[str, str]]) -> str:
    """A new paragraph when somebody else speaks, or when one has become long."""
    made: list[list[str]] = []
    speaker, size, total = "", 0, 0
    for name, text in cues:
        ended = bool(made) and made[-1][-1].endswith((".", "?", "!", "。", "？", "！", "…"))
        if not made or (name and name != speaker) or (size > PARAGRAPH and ended):
            made.append([])
            size = 0
        speaker = name or speaker
        made[-1].append(text)
        size += len(text) + 1
        total += len(text) + 2
        if total >= MOST_LETTERS:
            made[-1].append("…")
            break
    return "\n\n".join(" ".join(rows) for rows in made)[: MOST_LETTERS + 2]
