"""The block: Zoom's form in the page's HTML, the same for all visitors."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from wagtail.blocks import StreamBlock
from wagtail.models import Page, Site

from tests.testapp.models import ZoomPage
from wagtail_zoom.blocks import RegistrationFormBlock, ZoomStreamBlock
from wagtail_zoom.frontend import links
from wagtail_zoom.models import BlockUsage, Registration, SiteItem, ZoomSettings

from .conftest import PERSON, SAME_ORIGIN, form_url, make_meeting

pytestmark = pytest.mark.django_db


class Forms(StreamBlock):
    form = RegistrationFormBlock()


def item_of(site, meeting):
    return SiteItem.objects.create(
        site=site, account=meeting.account, kind=meeting.kind, key=meeting.zoom_id
    )


def html_of(tenant, rf, *items, preview=False):
    value = Forms().to_python(
        [{"type": "form", "value": {"item": item.pk}, "id": f"b{item.pk}"} for item in items]
    )
    request = rf.get("/")
    request.is_preview = preview
    page = Page.objects.get(pk=tenant.site.root_page_id)
    context = {"page": page, "request": request}
    return "".join(str(child.render(context)) for child in value)


def test_form_in_the_page(tenant, meeting, rf, client):
    html = html_of(tenant, rf, item_of(tenant.site, meeting))
    assert 'method="post"' in html and "csrf" not in html
    action = html.split('action="')[1].split('"')[0]
    assert client.post(action, PERSON, headers=SAME_ORIGIN).status_code == 303


def test_html_is_the_same_for_all_visitors(tenant, meeting, rf):
    """X27: two renderings are identical."""
    item = item_of(tenant.site, meeting)
    assert html_of(tenant, rf, item) == html_of(tenant, rf, item)


def test_several_forms_on_one_page(tenant, meeting, rf):
    other = make_meeting(tenant, zoom_id="77", topic="Compost")
    html = html_of(tenant, rf, item_of(tenant.site, meeting), item_of(tenant.site, other))
    ids = [part.split('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids)) > 8


def test_form_in_a_preview_is_disabled(tenant, meeting, rf):
    html = html_of(tenant, rf, item_of(tenant.site, meeting), preview=True)
    assert "action=" not in html and "disabled" in html


def test_item_of_another_site_shows_no_form(tenant, meeting, rf):
    """A copied page shows nothing of another Site."""
    other = Site.objects.create(hostname="other", root_page_id=tenant.site.root_page_id)
    html = html_of(tenant, rf, item_of(other, meeting))
    assert "<form" not in html and "Heat pumps" not in html


def test_message_instead_of_the_form(tenant, rf):
    meeting = make_meeting(tenant, capacity=60, registrant_count=60)
    html = html_of(tenant, rf, item_of(tenant.site, meeting))
    assert "All 60 places are taken." in html and "<form" not in html


def test_picker_preview_uses_sample_data(tenant, meeting):
    block = RegistrationFormBlock()
    value = block.get_preview_value()
    html = block.render(value, block.get_preview_context(value))
    assert "Sample: heat pumps" in html and "disabled" in html and "Heat pumps" not in html


def form_as_data(client, tenant, meeting):
    """The form of a page in Wagtail's API, as a separate front end reads it."""
    page = ZoomPage(
        title="Event", slug="event", body=[("register", {"item": item_of(tenant.site, meeting)})]
    )
    tenant.site.root_page.add_child(instance=page)
    response = client.get(f"/api/v2/pages/{page.pk}/?site={tenant.site.hostname}")
    return response.json()["body"][0]["value"]["zoom"]


def test_api_representation(client, tenant, meeting, settings):
    settings.ROOT_URLCONF = "tests.projects.bakery.urls"
    data = form_as_data(client, tenant, meeting)
    assert (data["state"], data["mode"]) == ("open", "single")
    fields = [(field["name"], field["type"]) for field in data["fields"]]
    assert fields == [("first_name", "text"), ("last_name", "text"), ("email", "email")]
    assert data["fields"][1]["help"] == "Only one name? Enter – here."
    assert data["dates"][0]["start"] == meeting.occurrences.get().start.astimezone(
        ZoneInfo("Europe/Berlin")
    ).isoformat()  # fmt: skip


@pytest.mark.parametrize("registration_type", [2, 3])
def test_headless_clients_can_choose_the_dates_of_a_series(
    client, tenant, settings, registration_type
):
    """It needs no more than the API: an absolute URL, and dates that a visitor can read."""
    settings.ROOT_URLCONF = "tests.projects.bakery.urls"
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "FORM_ORIGINS": ["https://front.example"]}
    meeting = make_meeting(tenant, dates=(1, 2, 3), registration_type=registration_type)
    data = form_as_data(client, tenant, meeting)
    occurrences = list(meeting.occurrences.order_by("start"))
    ids = [str(occurrence.public_id) for occurrence in occurrences]
    assert data["mode"] == {2: "one", 3: "several"}[registration_type]
    assert [date["id"] for date in data["dates"]] == ids
    (field,) = [field for field in data["fields"] if field["name"] == "dates"]
    choices = dict(field["choices"])
    if registration_type == 3:
        assert choices.pop("all") == "All remaining dates"
    assert list(choices) == ids
    for occurrence, date in zip(occurrences, data["dates"], strict=True):
        local = occurrence.start.astimezone(ZoneInfo("Europe/Berlin"))
        assert date["label"] == choices[date["id"]]
        assert f"{local:%-I:%M %p}" in date["label"] and "Berlin time" in date["label"]
        assert datetime.fromisoformat(date["start"]) == occurrence.start
    origin, path = data["action"].split("/zoom/")
    assert origin == "https://localhost" == links.site_origin(tenant.site_settings)
    answer = client.post(
        f"/zoom/{path}",
        {**PERSON, "dates": ids[1]},
        headers={"Origin": "https://front.example", "Host": "localhost"},
    )
    assert answer.status_code == 303
    registration = Registration.objects.get()
    assert [date.occurrence for date in registration.dates.all()] == [occurrences[1]]


def test_block_usage_is_indexed():
    block = RegistrationFormBlock()
    references = list(block.extract_references(block.get_preview_value()))
    assert (BlockUsage, BlockUsage.REGISTRATION, "", "") in references
    assert "registration" in ZoomStreamBlock().child_blocks


def without_registration(tenant, **settings_values):
    """A meeting for which nobody has to register, in a registration block."""
    ZoomSettings.objects.filter(site=tenant.site).update(**settings_values)
    return make_meeting(tenant, zoom_id="78", topic="Open evening", approval_type=2)


@pytest.mark.parametrize(
    ("policy", "text"),
    [("window", "You can join here from 15 minutes before"), ("never", "The organiser gives out")],
)
def test_without_registration_visitors_read_when_it_is_and_how_to_join(
    tenant, meeting, rf, policy, text
):
    other = without_registration(tenant, join_policy=policy, join_minutes=15)
    html = html_of(tenant, rf, item_of(tenant.site, other))
    date = other.occurrences.get()
    assert "You do not need to register for this meeting." in html
    local = date.start.astimezone(ZoneInfo(other.timezone))
    assert f'datetime="{local.isoformat(timespec="minutes")[:16]}' in html
    assert text in html and "Add to calendar" in html and "<form" not in html


def test_without_registration_visitors_join_in_time(tenant, meeting, rf):
    other = without_registration(tenant, join_policy="public", join_minutes=15)
    other.occurrences.update(
        start=timezone.now() + timedelta(minutes=5), end=timezone.now() + timedelta(minutes=65)
    )
    html = html_of(tenant, rf, item_of(tenant.site, other))
    assert "Join" in html and "You can join now." in html


def test_without_registration_and_date_visitors_read_that(tenant, meeting, rf):
    other = without_registration(tenant)
    other.occurrences.all().delete()
    type(other).objects.filter(pk=other.pk).update(zoom_type=3)
    html = html_of(tenant, rf, item_of(tenant.site, other))
    assert "No fixed date. The organiser gives out the link." in html


def test_the_form_says_that_attendance_is_recorded(client, tenant, meeting):
    """Only where the owner has switched it on; the next page view after saving has it."""
    url = form_url(tenant, meeting)
    sentence = "also reads in Zoom whether you came, when you arrived and how long you stayed"
    assert sentence not in client.get(url).content.decode()
    tenant.site_settings.record_attendance = True
    tenant.site_settings.save()
    text = client.get(url).content.decode()
    assert text.count(f"Harbour House {sentence}") == 1
