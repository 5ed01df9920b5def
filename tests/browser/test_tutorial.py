"""The tutorial from its first command to the last page, in the order of its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.packaging.conftest import built, project, python  # noqa: F401 - fixtures

from .tutorial_walk import Terminals, Walk


@pytest.fixture
def terminals(project: Path, python: Path) -> Iterator[Terminals]:  # noqa: F811 - the fixtures
    running = Terminals(project, python)
    running.prepare()
    try:
        running.start()
        yield running
    finally:
        running.stop_all()


def test_the_tutorial_leads_to_a_live_page(terminals: Terminals, page: Page) -> None:
    """Each label that the text names is on the screen, in the order of the text."""
    pictures: list[str] = []
    Walk(terminals, page, pictures.append).follow()
    assert len(pictures) == 7
