"""Converts Zoom's WebVTT to plain paragraphs without times, markup and names of speakers."""

from __future__ import annotations

import html
import re

from ..mapping.parsing import single_line, text

MAX_LENGTH = 200_000
"""Characters: about three hours of speech; a longer text ends with an ellipsis."""
PARAGRAPH_LENGTH = 700
"""Characters after which a new paragraph begins at the next end of a sentence."""
_TIMES = re.compile(r"^\s*(?:\d+:)?\d{2}:\d{2}[.,]\d{3}\s+-->\s")
_TAGS = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d[\d:.]{0,20}>")
_SPEAKER = re.compile(r"^(?P<name>[^:<>\n]{1,80}): +(?=\S)")
_BRACKETS = str.maketrans("<>", "‹›")
"""Speech has no markup: what looks like it, after entities are decoded, stays text."""
_SKIPPED = ("NOTE", "STYLE", "REGION")


def to_text(vtt: str) -> str:
    """The speech in paragraphs; empty if it is not WebVTT, so that no other file is stored.

    Participants did not agree to be named on a web page: speakers are left out, and a change of
    speaker only starts a new paragraph.
    """
    if not vtt.lstrip("\ufeff \r\n\t").startswith("WEBVTT"):
        return ""
    cues = _cues(vtt[: MAX_LENGTH * 4])
    named = [bool(_SPEAKER.match(cue)) for cue in cues]
    with_names = sum(named) * 2 >= len(cues)
    return _paragraphs([_split_speaker(cue) if with_names else ("", cue) for cue in cues])


def _cues(vtt: str) -> list[str]:
    """The text of each cue on one line."""
    cues = []
    for block in re.split(r"\n[ \t]*\n", vtt.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        time_line = next((index for index, line in enumerate(lines) if _TIMES.match(line)), None)
        if time_line is None or lines[0].startswith(_SKIPPED):
            continue
        cue = _TAGS.sub(_replace_tag, " ".join(lines[time_line + 1 :]))
        cue = single_line(text(html.unescape(cue)), 2000).translate(_BRACKETS)  # guard: cue-is-text
        if cue:
            cues.append(cue)
    return cues


def _replace_tag(match: re.Match[str]) -> str:
    """``<v Name>`` also names a speaker; every other tag is only markup."""
    tag = match.group()
    name = re.match(r"<v(?:\.[\w.]+)?\s+([^>]+)>", tag)
    return f"{name[1].replace(':', '')}: " if name else ""


def _split_speaker(cue: str) -> tuple[str, str]:
    match = _SPEAKER.match(cue)
    return (match["name"], cue[match.end() :]) if match else ("", cue)


def _paragraphs(cues: list[tuple[str, str]]) -> str:
    """A new paragraph when the speaker changes, or when one has become long."""
    paragraphs: list[list[str]] = []
    speaker, size, total = "", 0, 0
    for name, words in cues:
        ended = bool(paragraphs) and paragraphs[-1][-1].endswith(
            (".", "?", "!", "。", "？", "！", "…")
        )
        if not paragraphs or (name and name != speaker) or (size > PARAGRAPH_LENGTH and ended):
            paragraphs.append([])
            size = 0
        speaker = name or speaker
        paragraphs[-1].append(words)
        size += len(words) + 1
        total += len(words) + 2
        if total >= MAX_LENGTH:
            paragraphs[-1].append("…")
            break
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)[: MAX_LENGTH + 2]
