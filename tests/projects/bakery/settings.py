"""A project shaped like Wagtail's bakerydemo: one API with pages, images, documents and our
endpoints; page templates that print ``{{ page.body }}``; a base template with other block names."""

from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import TEMPLATES

ROOT_URLCONF = "tests.projects.bakery.urls"
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]
JINJA2 = {
    "BACKEND": "django.template.backends.jinja2.Jinja2",
    "DIRS": [Path(__file__).parent / "jinja2"],
    "OPTIONS": {"extensions": ["wagtail.jinja2tags.core"]},
}
"""For page templates in Jinja2, before ``TEMPLATES``."""
