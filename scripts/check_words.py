"""Check the documentation for private or old-fashioned words, with the usual one beside each.

``python scripts/check_words.py`` lists file, line, word and replacement. Code, generated parts,
decisions of the past (``docs/adr``) and the texts of before in ``docs/wording.md`` are left out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORDS = {
    r"sign-?ups?": "registration",
    r"sign(s|ed|ing)? (people |anybody |somebody )?up": "register",
    r"simulated Zoom": "Zoom simulator",
    r"log-in": "login",
    r"anew": "again",
    r"films?": "recording, video",
    r"papers": "documents",
    r"(stand|stands) in": "is in",
    r"(page|option|email|address|test|release|drawing)s? of ours": "our",
    r"e-mail": "email",
    r"whoever may": "users who may",
    r"broke off": "was interrupted",
    r"worked off": "processed",
    r"sign of life": "heartbeat",
    r"by (itself|themselves)": "automatically",
    r"the ink": "text colour",
    r"minutely": "every minute",
    r"messages (come|arrive|are lost|about \d+|cause)": "webhook events",
    r"Zoom's messages": "webhook events",
    r"hears? of": "receive, learn of",
    r"whoever": "the person who",
    r"(is|are) told": "is notified",
    r"breaks? off": "fail, stop",
    r"of (ours|yours)": "our, your",
    r"(the|one|a) comparison (finds|repairs|runs)": "reconciliation",
    r"rows? of the mirror": "local copy",
    r"once more": "again",
    r"all the same": "anyway",
    r"meanwhile": "in the meantime",
    r"for (himself|herself)": "name the person",
    r"host names?": "hostname",
    r"time-outs?": "timeout",
    r"robot checks?": "bot check",
    r"(takes|took) the one": "use",
    r"unasked": "without a confirmation",
    r"(his|her) own": "their own",
}
"""Pattern of a word and what to write instead."""
SKIPPED = re.compile(
    r"<!-- from the code: [\w-]+ -->.*?<!-- end -->|^ *```.*?^ *```|`[^`\n]*`|\]\([^)]*\)",
    re.DOTALL | re.MULTILINE,
)


def problems(text: str) -> list[tuple[int, str, str]]:
    """Line, word and replacement."""
    # Blanks keep the numbers of the lines.
    plain = SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return [
        (plain.count("\n", 0, match.start()) + 1, match[0], usual)
        for pattern, usual in WORDS.items()
        for match in re.finditer(rf"\b{pattern}\b", plain, re.IGNORECASE)
    ]


def main() -> int:
    """Return 1 if a word was there."""
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    lines = [
        f"{page.relative_to(ROOT)}:{line}: {word!r}: write {usual!r}"
        for page in sorted(pages)
        if "adr" not in page.parts and page.name != "wording.md"
        for line, word, usual in problems(page.read_text())
    ]
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
