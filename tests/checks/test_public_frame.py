"""``manage.py check`` names a project's frame in which our public pages would be empty."""

import pytest

from wagtail_zoom.checks import PUBLIC_FRAME, check_public_frame

SITE = "<html>{% block head %}{% endblock %}<main>{% block content %}{% endblock %}</main></html>"
GOOD = [
    '{% extends "base.html" %}{% block content %}<p>{% block zoom_content %}{% endblock %}</p>'
    "{% endblock %}",
    '{% extends "own.html" %}',
    f'{{% extends "{PUBLIC_FRAME}" %}}{{% block title %}}x{{% endblock %}}',
    "<main>{% block zoom_content %}{% endblock %}</main>",
    '{% extends "missing.html" %}',
    "{% extends frame %}{% block zoom_content %}{% endblock %}",
]
BAD = [
    '{% extends "base.html" %}{% block head %}{{ page_title }}{% endblock %}',
    "<main>{% block content %}{% endblock %}</main>",
]


@pytest.fixture
def frame(settings, tmp_path):
    """Replaces the frame by this text."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    (tmp_path / "base.html").write_text(SITE)
    (tmp_path / "own.html").write_text("{% block zoom_content %}{% endblock %}")
    path = tmp_path / PUBLIC_FRAME
    path.parent.mkdir(parents=True)
    return path.write_text


def test_ours_has_the_block():
    assert check_public_frame() == []


@pytest.mark.parametrize("text", GOOD)
def test_a_frame_with_the_block(frame, text):
    frame(text)
    assert check_public_frame() == []


@pytest.mark.parametrize("text", BAD)
def test_a_frame_without_the_block(frame, text):
    frame(text)
    (message,) = check_public_frame()
    assert message.id == "wagtail_zoom.W034" and "zoom_content" in message.hint


def test_the_parent_comes_from_the_same_backend_as_the_frame(frame, settings, tmp_path):
    frame(GOOD[0])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "base.html").write_text("A template of another backend.")
    other_backend = {
        "BACKEND": "django.template.backends.dummy.TemplateStrings",
        "DIRS": [tmp_path / "other"],
    }
    settings.TEMPLATES = [other_backend, *settings.TEMPLATES]
    assert check_public_frame() == []
