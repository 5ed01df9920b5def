"""Transcripts: WebVTT with cue numbers, times and speakers, as Zoom writes it."""

from __future__ import annotations

from .storage import Doc

DEFAULT_LINES = (
    "{host}: Good evening, and welcome. Today it is about {topic}.",
    "{host}: We begin with a short look back, then everybody can ask.",
    "Mika Lind: Thank you. I have read the handout twice and I am still curious.",
    "{host}: That is the best way to begin. Page two first, please.",
    "Samir Haddad: Could you say again how the second example works?",
    "{host}: Gladly. You change one thing at a time, and you write down what happens.",
    "{host}: That is all for today. The handout is on our page, see you next time.",
)
SECONDS = 6


def to_vtt(doc: Doc) -> str:
    """The transcript of one recording: its ``transcript_lines``, otherwise a few sentences."""
    lines = doc.get("transcript_lines") or [
        text.format(host="Host", topic=doc["topic"].replace("\n", " ")) for text in DEFAULT_LINES
    ]
    cues = [
        f"{index + 1}\n{_clock(index * SECONDS)} --> {_clock((index + 1) * SECONDS)}\n{text}\n"
        for index, text in enumerate(lines)
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000"
