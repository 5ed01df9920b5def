"""The documentation as HTML: no warning, no broken internal link, no external resource."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.search.en import SearchEnglish

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


class Page(HTMLParser):
    """Anchors, links and loaded resources of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.ids.update(attributes[name] for name in ("id", "name") if name in attributes)
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "link" and attributes.get("rel") != "canonical" and "href" in attributes:
            self.loads.append(attributes["href"])
        if "src" in attributes:
            self.loads.append(attributes["src"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the HTML, as in ``make docs``."""
    folder = tmp_path_factory.mktemp("html")
    result = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", DOCS, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return folder


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in built.rglob("*.html")}


def test_every_page_is_built(built: Path) -> None:
    for source in DOCS.rglob("*.md"):
        assert (built / source.relative_to(DOCS)).with_suffix(".html").exists()


def test_internal_links_are_valid(built: Path, pages: dict[Path, Page]) -> None:
    seen = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.relative_to(built)} → {link}"
            if parts.fragment and target in pages:
                seen += 1
                assert unquote(parts.fragment) in pages[target].ids, (
                    f"{path.relative_to(built)} → {link}"
                )
    assert seen > 50


def test_links_into_the_repository_are_valid(pages: dict[Path, Page]) -> None:
    prefix = "/wagtail-zoom/wagtail-zoom/blob/main/"
    links = [link for page in pages.values() for link in page.links if prefix in link]
    assert links
    for link in links:
        assert (ROOT / urlsplit(link).path.removeprefix(prefix)).exists(), link


WORDS = Path(__file__).with_name("search_words.txt").read_text().split()
"""What people type into a search box. All of it is in the documentation."""


def test_ordinary_words_are_answered_by_the_search(built: Path) -> None:
    """Each word, as the search of the site looks for it."""
    script = (built / "searchindex.js").read_text()
    index = json.loads(script.removeprefix("Search.setIndex(").removesuffix(")"))
    english = SearchEnglish({})
    present = {*index["terms"], *index["titleterms"]}
    # The search splits a word at hyphens and looks for each part.
    stems = {word: english.split(word) for word in WORDS}
    missing = [
        word
        for word, parts in stems.items()
        if not all(english.stem(part.lower()) in present or len(part) < 3 for part in parts)
    ]
    assert missing == []


def test_nothing_is_loaded_from_another_host(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert not [load for load in page.loads if urlsplit(load).netloc], path
