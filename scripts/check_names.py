"""Lists identifiers that use a private word where a standard one exists; ``make lint`` runs it.

Reads the syntax trees of the package, its tests, benchmarks, scripts and the demo site. An
identifier is a module, class, function, argument, variable, attribute or keyword. It is split at
underscores and capitals: ``WORDS`` and ``PHRASES`` are refused as parts of a name, ``NAMES`` as
whole names. In the package, a class at the top of a module has a name of its own. ``ALLOWED``
holds the exceptions, each with its reason.

``python scripts/check_names.py [PATH ...]`` looks at some files or folders only.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("wagtail_zoom", "tests", "benchmarks", "demo_site", "scripts")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

WORDS = {
    "addresses": "urls (for e-mail: emails)",
    "alarm": "sigalrm, alert",
    "appconfig": "marketplace",
    "asked": "params, requested",
    "carry": "execute, run",
    "choice": "site_settings",
    "choosing": "chooser",
    "crowd": "concurrency, processes",
    "deadly": "poison",
    "door": "join page, endpoint",
    "doors": "join pages, endpoints",
    "engine": "runner",
    "facts": "status, values, fields",
    "fate": "outcome",
    "fates": "outcomes",
    "film": "recording",
    "films": "recordings",
    "fleet": "overview, all sites",
    "found": "name the thing: rows, result, missing_ids",
    "gate": "visibility",
    "gather": "fetch, combine",
    "gathering": "bulk_queries",
    "hears": "receives",
    "hiding": "visibility_reasons",
    "hurry": "deadline",
    "judge": "classify",
    "judged": "classified, recorded",
    "keeper": "block_cache",
    "keeping": "cache, caching",
    "kept": "cached, stored, archived",
    "lane": "lock",
    "lanes": "locks",
    "leaving": "disconnect",
    "linger": "poll",
    "linking": "connect",
    "lips": "private_response",
    "losses": "data_loss",
    "mend": "repair",
    "moment": "time, parse_datetime",
    "monitor": "health",
    "news": "capacity, changes",
    "nobody": "none, no user",
    "notices": "notifications",
    "occasion": "write_context",
    "offer": "form_context",
    "offers": "form_contexts",
    "opaque": "sign_id",
    "outlook": "preview",
    "pace": "rate",
    "passes": "batch",
    "patience": "max_wait",
    "placement": "block_usage",
    "placements": "block_index",
    "planting": "default_site",
    "prose": "text",
    "prospect": "preview",
    "purging": "purge",
    "reel": "recording",
    "reels": "recordings",
    "ref": "form_link",
    "rehearsal": "dry_run",
    "reread": "refetch",
    "rereads": "refetch",
    "selecting": "queries",
    "settle": "record, finish",
    "showing": "frontend",
    "signup": "registration",
    "signups": "registrations",
    "somebody": "a user, a person",
    "spare": "defer",
    "speech": "vtt",
    "storm": "burst",
    "storms": "bursts",
    "straighten": "repair_schedule",
    "takeback": "purge",
    "tally": "counts",
    "telling": "detail",
    "tells": "detail, shows",
    "tired": "rate_limited",
    "touch": "bump_data_version",
    "touches": "matches",
    "trees": "page_tree",
    "turns": "expiry",
    "verdict": "outcome, policy",
    "verdicts": "outcomes, error_policy",
    "whoever": "anyone",
    "wording": "text, formatting",
    "world": "data, tenant",
}
"""Private word → what a Django, Wagtail, OAuth, webhook, cache or queue engineer expects."""

PHRASES = {
    "at_once": "inline, immediately",
    "at_work": "log_context",
    "sign_up": "registration",
    "sign_ups": "registrations",
}
"""Private phrases, as parts of a name."""

NAMES = {
    "at", "call_on", "done", "each", "everything", "here", "known", "made", "mine", "more", "most",
    "look", "one", "renew", "said", "seen_ones", "there", "thing", "things", "told", "wanted",
    "within",
}  # fmt: skip
"""Whole names that do not say what they hold."""

ALLOWED: dict[str, str] = {
    "ModelChoiceField": "Django",
    "ModelChoiceFilter": "django-filter",
    "ModelMultipleChoiceField": "Django",
    "MultipleChoiceField": "Django",
    "MultipleChoiceFilter": "django-filter",
    "MultipleChoiceBlock": "Wagtail",
    "ChoiceField": "Django",
    "ChoiceFilter": "django-filter",
    "ChoiceBlock": "Wagtail",
    "TypedChoiceField": "Django",
    "Engine": "Django",
    "FileNotFoundError": "Python",
    "OuterRef": "Django",
    "PackageNotFoundError": "Python",
    "ZoomNotFound": "HTTP's own word for 404",
    "outlook": "Microsoft's calendar",
}
"""Identifier → why it stays."""


METHODS = {"choice": "random.Random.choice", "engine": "django.template.Template.engine"}
"""Attribute of another library → what it is."""

ALLOWED_IN: dict[str, dict[str, str]] = {
    "wagtail_zoom/testing/simulator": {
        "World": "all data of the simulated Zoom, as in other test suites",
        "world": "all data of the simulated Zoom, as in other test suites",
        "control_world": "controls the simulator's world",
    },
    "tests/simulator": {"World": "the simulator's own class"},
}
"""Folder → identifier → why it stays there."""


def main() -> int:
    """Print each private name with its place; 1 when there is one."""
    places = [Path(path).resolve() for path in sys.argv[1:]] or [ROOT / name for name in FOLDERS]
    count = 0
    for text in doubled_classes():
        count += 1
        print(text)
    for path in files_below(places):
        for line, name, reason in private_names(path):
            count += 1
            print(f"{path.relative_to(ROOT)}:{line}: {name} → {reason}")
    if count:
        print(f"{count} private names. Rename them, or say in ALLOWED why one stays.")
    return 1 if count else 0


def files_below(places: list[Path]) -> Iterator[Path]:
    """Python files, without migrations and what the demo writes."""
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if not {"migrations", "var", "__pycache__"} & set(path.parts):
                yield path


def private_names(path: Path) -> Iterator[tuple[int, str, str]]:
    """``(line, identifier, standard word)``, each identifier once a file."""
    seen: set[str] = set()
    for line, name in [(1, path.stem), *identifiers(ast.parse(path.read_text()))]:
        reason = "" if is_allowed(path, name) else standard_for(name)
        if reason and name not in seen:
            seen.add(name)
            yield line, name, reason


def is_allowed(path: Path, name: str) -> bool:
    """Whether ``ALLOWED`` or ``ALLOWED_IN`` lists this identifier."""
    folders = (names for folder, names in ALLOWED_IN.items() if (ROOT / folder) in path.parents)
    return name in ALLOWED or any(name in names for names in folders)


def doubled_classes() -> Iterator[str]:
    """Names that two modules of the package give to a class of theirs."""
    places: dict[str, list[str]] = {}
    for path in files_below([ROOT / "wagtail_zoom"]):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not is_allowed(path, node.name):
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                places.setdefault(node.name.lstrip("_"), []).append(place)
    for name, paths in sorted(places.items()):
        if len(paths) > 1 and name != "Command":
            yield f"{', '.join(paths)}: class {name} → one name for each"


def standard_for(name: str) -> str:
    """What to say instead of this identifier; empty when nothing is wrong with it."""
    if name in NAMES:
        return "name what it holds"
    for phrase, standard in PHRASES.items():
        if re.search(rf"(?:^|_){phrase}(?:_|$)", name.lower()):
            return standard
    parts = [part.lower() for part in PART.findall(name)]
    return next((WORDS[part] for part in parts if part in WORDS), "")


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that the code of this file gives or uses, with its line."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield line, node.name
        elif isinstance(node, ast.Name):
            yield line, node.id
        elif isinstance(node, ast.Attribute) and node.attr not in METHODS:
            yield line, node.attr
        elif isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
            yield line, str(node.arg)
        elif isinstance(node, ast.alias):
            yield line, node.asname or node.name
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield line, node.name


if __name__ == "__main__":
    sys.exit(main())
