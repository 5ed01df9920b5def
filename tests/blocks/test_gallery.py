"""The template of the theming gallery, in the place of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.template.loader import render_to_string

from tests.browser.gallery import samples
from wagtail_zoom.frontend import previews

TEMPLATES = [sample for sample in samples() if sample.template]


def test_every_sample_is_read() -> None:
    assert [sample.name for sample in samples() if not sample.css] == []
    assert len(samples()) == 5 and len(TEMPLATES) == 1


@pytest.mark.parametrize("sample", TEMPLATES, ids=lambda sample: sample.name)
def test_the_template_takes_the_place_of_ours(tmp_path: Path, settings, sample) -> None:
    file = tmp_path / "wagtail_zoom/blocks/_item.html"
    file.parent.mkdir(parents=True)
    file.write_text(sample.template)
    templates = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**templates, "DIRS": [tmp_path, *templates.get("DIRS", [])]}]
    rows = previews.occurrences()
    context = {
        "shown_rows": rows,
        "groups": [],
        "level": 3,
        "h_title": 3,
        "layout": "list",
        "show": {},
    }
    html = render_to_string("wagtail_zoom/blocks/_rows.html", context)
    assert html.count('<li class="event">') == len(rows) > 1
    assert rows[0].title in html and "wz-state" in html and "wz-button" in html
    assert "wz-item" not in html
