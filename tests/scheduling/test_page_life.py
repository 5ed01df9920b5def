"""What happens to pages never changes anything at Zoom: the meeting stays until it is cancelled."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from wagtail.models import Page, Site

from tests.testapp.models import EventPage, ZoomPage
from wagtail_zoom.models import MeetingChange
from wagtail_zoom.scheduling import service

from .conftest import process_due, stored_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def meeting(connected):
    connected.schedule(show=True)
    process_due()
    return stored_meeting(MeetingChange.objects.get())


@pytest.fixture
def editor(client):
    client.force_login(User.objects.create_superuser("editor", "editor@example.org", "pw"))
    return client


@pytest.fixture
def other_site():
    root = Page.objects.get(depth=1).add_child(instance=Page(title="Other", slug="other"))
    return Site.objects.create(hostname="other.localhost", root_page=root)


def with_block(item):
    return ZoomPage(title="Evening", slug="evening", body=[("meeting", {"item": item})])


def with_field(item):
    return EventPage(title="Evening", slug="evening", zoom_item=item)


@pytest.fixture(params=[with_block, with_field])
def page(request, connected, meeting):
    item = meeting.site_items.get()
    return connected.site.root_page.add_child(instance=request.param(item))


@pytest.fixture
def changes_at_zoom(connected, meeting, zoom_worker, django_capture_on_commit_callbacks):
    """Calls of an action and of all tasks that it queues, and the changes that it has stored."""
    former_pks = list(MeetingChange.objects.values_list("pk", flat=True))

    def run(action):
        connected.zoom.clear_calls()
        with django_capture_on_commit_callbacks(execute=True):
            action()
        zoom_worker.run()
        process_due()
        return connected.zoom.calls(), list(MeetingChange.objects.exclude(pk__in=former_pks))

    return run


def post(editor, name, *arguments, **data):
    response = editor.post(reverse(f"wagtailadmin_pages:{name}", args=arguments), data)
    assert response.status_code == 302, response.content.decode()[:2000]


def test_no_step_of_a_pages_life_changes_anything_at_zoom(
    page, meeting, connected, changes_at_zoom, editor, languages, other_site
):
    root = connected.site.root_page
    german = root.copy_for_translation(languages)
    steps = {
        "unpublish": lambda: post(editor, "unpublish", page.pk),
        "publish": lambda: page.specific.save_revision().publish(),
        "edit": lambda: page.specific.save_revision(),
        "copy": lambda: post(
            editor, "copy", page.pk, new_title="Copy", new_slug="copy", publish_copies="on",
            new_parent_page=root.pk,
        ),
        "translate": lambda: page.specific.copy_for_translation(languages),
        "copy to another site": lambda: page.specific.copy(to=other_site.root_page),
        "move to another site": lambda: post(
            editor, "move_confirm", page.pk, other_site.root_page.pk
        ),
        "move back": lambda: post(editor, "move_confirm", page.pk, root.pk),
        "delete": lambda: post(editor, "delete", page.pk),
        "delete the copy": lambda: Page.objects.get(slug="copy").specific.delete(),
        "delete the translation": lambda: german.specific.delete(),
    }  # fmt: skip
    for name, step in steps.items():
        assert changes_at_zoom(step) == ([], []), name
    assert not Page.objects.filter(pk=page.pk).exists()
    [doc] = connected.at_zoom()
    assert doc["state"] == "active"
    meeting.refresh_from_db()
    assert meeting.removed_at is None


def test_the_observation_sees_what_changes_a_meeting(meeting, connected, changes_at_zoom):
    """The control of the test above."""
    calls, rows = changes_at_zoom(
        lambda: service.cancel(site=connected.site, meeting=meeting, key="cancel")
    )
    assert "DELETE" in {call["method"] for call in calls}
    assert [row.action for row in rows] == ["cancel_series"]


def messages_after(editor, name, page):
    response = editor.post(reverse(f"wagtailadmin_pages:{name}", args=[page.pk]), follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("name", ["unpublish", "delete"])
def test_editors_read_that_the_meeting_stays(page, meeting, editor, name):
    """Only of a meeting that the CMS has created, and that is still to come."""
    sentence = "“Open evening” stays in Zoom. Its owner can cancel it under Zoom → Meetings."
    question = editor.get(reverse(f"wagtailadmin_pages:{name}", args=[page.pk]))
    assert "stays in Zoom" not in question.content.decode()
    assert sentence in messages_after(editor, name, page)


@pytest.mark.parametrize("name", ["unpublish", "delete"])
def test_a_meeting_of_zoom_is_not_mentioned(page, meeting, editor, name):
    MeetingChange.objects.all().delete()
    assert "stays in Zoom" not in " ".join(messages_after(editor, name, page))
