"""Blocks in templates that pass them no context, as half of all projects write them."""

import asyncio
import logging
from contextlib import suppress
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import AsyncClient
from django.urls import path, reverse
from django.utils import timezone, translation
from wagtail.models import ReferenceIndex, Site
from wagtail.test.utils.form_data import nested_form_data, streamfield

from tests import urls as project
from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.blocks import MeetingListBlock
from wagtail_zoom.frontend import served_page
from wagtail_zoom.models import ZoomSettings

pytestmark = pytest.mark.django_db
HEAD = "{% load wagtailcore_tags %}"
TEMPLATES = {
    "body": "{{ page.body }}",
    "self": "{{ self.body }}",
    "child": "{% for b in page.body %}{{ b }}{% endfor %}",
    "value": "{% for b in page.body %}{{ b.value }}{% endfor %}",
    "only": "{% for b in page.body %}{% include_block b only %}{% endfor %}",
    "with only": "{% for b in page.body %}{% include_block b with a=1 only %}{% endfor %}",
    "another page": "{% with page=paginator %}{% include_block self.body %}{% endwith %}",
    "include_block": "{% include_block page.body %}",
}
DATES_FORM = {
    "heading_level": "2",
    "layout": "list",
    "period": "upcoming",
    "repeat": "all",
    "limit": "10",
    "items-count": "0",
}
"""What the editor posts for a list of dates."""


@pytest.fixture
def use_template(settings):
    """Gives ``ZoomPage`` another template."""

    def use(text):
        names = ("django.template.loaders.app_directories.Loader",)
        loaders = [("django.template.loaders.locmem.Loader", {ZoomPage.template: text}), *names]
        first = settings.TEMPLATES[0]
        options = {**first["OPTIONS"], "loaders": loaders}
        settings.TEMPLATES = [{**first, "APP_DIRS": False, "OPTIONS": options}]

    return use


@pytest.fixture
def dates_page(site, host):
    item = rows.item(site, rows.occurrence(host, topic="Sourdough", approval_type=0).meeting)
    body = [
        ("dates", {"heading": "Soon"}),
        ("register", {"item": item}),
        ("columns", {"left": [("dates", {"heading": "In a column"})], "right": []}),
    ]
    return site.root_page.add_child(instance=ZoomPage(title="Dates", slug="dates", body=body))


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES)
def test_blocks_know_the_page_that_is_served(client, dates_page, use_template, text):
    use_template(HEAD + text)
    html = client.get("/dates/").content.decode()
    # Django prints the value of a block of the project's as text.
    assert html.count('class="wz wz-meetings') == (1 if "b.value" in text else 2)
    assert "Sourdough" in html and 'action="/zoom/register/' in html
    # Once for the page, not once for each block.
    assert html.count("wagtail_zoom/zoom.js") == 1
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_blocks_know_the_page_in_jinja2(client, dates_page, settings):
    pytest.importorskip("jinja2")
    from tests.projects.bakery.settings import JINJA2, TEMPLATES

    settings.TEMPLATES = [JINJA2, *TEMPLATES]
    html = client.get("/dates/").content.decode()
    assert html.count('class="wz wz-meetings') == 6 and "Sourdough" in html


def test_bakery(client, dates_page, bakery):
    html = client.get("/dates/").content.decode()
    assert '<main id="main">' in html and html.count('class="wz wz-meetings') == 2


def test_a_page_shows_what_its_own_site_may_show(client, site, dates_page, use_template):
    """The page decides, and not the hostname; the block's options come from its URL."""
    use_template("{{ page.body }}")
    root = site.root_page.add_sibling(instance=ZoomPage(title="Other", slug="other-root"))
    Site.objects.create(hostname="other.example", root_page=root)
    body = dates_page.body.get_prep_value()
    root.add_child(instance=ZoomPage(title="Copy", slug="copy", body=body))
    other = client.get("/copy/", headers={"host": "other.example"})
    assert other.status_code == 200 and b"Sourdough" not in other.content
    assert "Sourdough" in client.get("/dates/").content.decode()


def test_another_requests_page_is_never_used(client, rf, dates_page, use_template, settings):
    """A thread that has served a page renders something else afterwards."""
    use_template("{{ page.body }}")
    assert "Sourdough" in client.get("/dates/").content.decode()
    assert "Sourdough" not in str(dates_page.body)
    settings.ROOT_URLCONF = "tests.projects.test_blocks"
    Stored.page = dates_page
    client.get("/dates/")
    assert "Sourdough" not in client.get("/elsewhere/").content.decode()
    # Also where a server does not end the response of the page.
    served_page.remember(lambda *args: None)(dates_page, rf.get("/dates/"), [], {})
    assert "Sourdough" in str(dates_page.body)
    assert "Sourdough" not in client.get("/elsewhere/").content.decode()


class Stored:
    page = None


def elsewhere(request):
    """A view of the project that prints a stream of blocks."""
    return HttpResponse(str(Stored.page.body))


urlpatterns = [path("elsewhere/", elsewhere), *project.urlpatterns]


def test_a_private_page_is_not_being_served(client, dates_page, use_template, settings):
    """Its blocks stay empty in the page that asks for the password."""
    use_template("{{ page.body }}")
    settings.WAGTAIL_PASSWORD_REQUIRED_TEMPLATE = "testapp/zoom_page.html"
    dates_page.view_restrictions.create(restriction_type="password", password="pw")
    html = client.get("/dates/").content.decode()
    assert "wz-meetings" not in html and "Sourdough" not in html


def test_previews_and_drafts_show_the_blocks(
    client, dates_page, use_template, django_user_model, admin_client
):
    use_template("{{ page.body }}")
    dates_page.save_revision()
    html = admin_client.get(f"/admin/pages/{dates_page.pk}/view_draft/").content.decode()
    assert "Sourdough" in html
    # The form of a preview is inert.
    assert "disabled" in html and 'action="/zoom/register/' not in html
    response = dates_page.make_preview_request()
    assert "Sourdough" in response.content.decode()
    assert "Sourdough" not in str(dates_page.body)


def test_an_unsaved_page_is_previewed_with_its_blocks(admin_client, site, host, use_template):
    """*Preview* of a new page, which has no row yet."""
    use_template("{{ page.body }}")
    rows.occurrence(host, topic="Sourdough")
    data = nested_form_data(
        {
            "title": "New",
            "slug": "new",
            "body": streamfield([("dates", DATES_FORM)]),
        }
    )
    url = f"/admin/pages/add/testapp/zoompage/{site.root_page_id}/preview/"
    assert admin_client.post(url, data).json()["is_valid"]
    assert "Sourdough" in admin_client.get(url).content.decode()


def test_the_log_names_a_block_without_a_page_once(dates_page, caplog, monkeypatch):
    monkeypatch.setattr(served_page, "_reported", set())
    with caplog.at_level(logging.WARNING, "wagtail_zoom"):
        for _time in range(3):
            assert "wz-meetings" not in str(dates_page.body)
        block = MeetingListBlock()
        value = block.get_preview_value()
        block.render(value, block.get_preview_context(value))
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "MeetingListBlock" in line]) == 1
    assert "outside of a page" in lines[0]


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_under_asgi_know_their_own_pages(site, host, use_template):
    """All synchronous code of ASGI runs in few threads; each request has its own context."""
    use_template("{{ page.body }}")
    rows.occurrence(host, topic="Sourdough")
    for number in range(4):
        body = [("dates", {"heading": f"List {number}"})]
        site.root_page.add_child(
            instance=ZoomPage(title=f"P{number}", slug=f"p{number}", body=body)
        )

    async def get_all():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(AsyncClient().get(f"/p{n}/")) for n in range(4)]
        return [task.result() for task in tasks]

    for number, response in enumerate(asyncio.run(get_all())):
        html = response.content.decode()
        assert f"List {number}" in html and "Sourdough" in html


@pytest.fixture
def checked(admin_client, dates_page, monkeypatch):
    """What panel, *What visitors see* and ``zoom_doctor`` say of the page."""
    ReferenceIndex.create_or_update_for_object(dates_page)
    site_pk = ZoomSettings.objects.get().site_id

    def check():
        cache.clear()
        out = StringIO()
        with suppress(CommandError):
            call_command("zoom_doctor", stdout=out)
        panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", site_pk])
        return (
            "A page does not show its Zoom block" in admin_client.get(panel).content.decode(),
            "Visitors do not see it"
            in admin_client.get(f"/admin/zoom/{site_pk}/visitors/").content.decode(),
            "BAD  A page does not show its Zoom block. Dates. The page template" in out.getvalue(),
        )

    return check


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("{{ page.body }}", False),
        ("{% include_block page.body %}", False),
        ("<h1>{{ page.title }}</h1>", True),
        ("{% for b in page.body|slice:':1' %}{% include_block b %}{% endfor %}", True),
        ("{{ page.nothing_like_this.body }}", True),
        # Nothing can be said of a page that fails.
        ("{% include 'missing.html' %}", False),
    ],
)
def test_a_page_that_does_not_show_its_block_is_named(checked, use_template, text, hidden):
    """The reference index claims that it does; only the rendered page tells."""
    use_template(HEAD + text)
    assert checked() == (hidden,) * 3


def test_rendering_a_page_changes_nothing_in_the_panel(checked, use_template, settings):
    """The page's middleware sets another language and another zone."""
    use_template("{{ page.body }}")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.projects.test_blocks.other_language"]
    assert checked() == (False,) * 3


def other_language(get_response):
    """For the pages of the project, as a middleware by hostname would."""

    def middleware(request):
        if getattr(request, "is_dummy", False):
            translation.activate("de")
            timezone.activate("Pacific/Auckland")
        return get_response(request)

    return middleware


def test_a_page_that_a_cache_answers_is_not_blamed(checked, client, use_template, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.projects.test_blocks.answer_from_cache"]
    use_template("{{ page.body }}")
    assert checked() == (False,) * 3


def answer_from_cache(get_response):
    def middleware(request):
        is_page = getattr(request, "is_dummy", False)
        return HttpResponse("from a cache") if is_page else get_response(request)

    return middleware
