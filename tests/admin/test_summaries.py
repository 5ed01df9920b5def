"""Summaries in the admin: the queue, the page on which one is reviewed, and the whole way."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.testapp.models import ZoomPage
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.search import search
from wagtail_zoom.models import (
    SUMMARY,
    Activity,
    SiteItem,
    Summary,
    SummaryReview,
    ZoomAccount,
    ZoomSettings,
)
from wagtail_zoom.testing import factories

pytestmark = pytest.mark.django_db
INDEX = "wagtail_zoom_summaries:index"


@pytest.fixture
def item(aurora):
    """A summary of Aurora's that waits for review."""
    ZoomSettings.objects.filter(site=aurora.site).update(show_summaries=True)
    host = aurora.date.meeting.host
    summary = factories.make_summary(host, topic="Autumn circle", text="# Recap\n\nAna agreed.")
    return factories.make_item(aurora.site, summary)


def edit_url(item):
    return reverse("wagtail_zoom_summaries:edit", args=[item.pk])


def form_of(page):
    """The values of the form as the page shows them."""
    text = page.content.decode()
    seen = html.unescape(re.search(r'name="seen_values" value="([^"]*)"', text)[1])
    version = re.search(r'name="zoom_version" value="([^"]*)"', text)[1]
    entered = re.search(r'<textarea name="text"[^>]*>\s*(.*?)</textarea>', text, re.S)[1]
    values = {"seen_values": seen, "zoom_version": version, "text": html.unescape(entered)}
    return {**values, "title": "", "tags": ""}


def save(client, item, action, **changes):
    values = form_of(client.get(edit_url(item)))
    return client.post(edit_url(item), {**values, **changes, f"action-{action}": "1"})


def test_the_list_shows_those_to_review_first(as_aurora, aurora, item):
    published = factories.make_summary(item.meeting_summary.host, topic="Reviewed before")
    factories.make_review(factories.make_item(aurora.site, published, visibility="published"))
    url = f"{reverse(INDEX)}?site={aurora.site.pk}"
    page = as_aurora.get(url).content.decode()
    assert page.index("Autumn circle") < page.index("Reviewed before")
    assert "1 new summary" in page and "Needs review" in page
    page = as_aurora.get(f"{url}&state=new").content.decode()
    assert "Autumn circle" in page and "Reviewed before" not in page
    for state in ("published", "hidden", "changed"):
        assert "Autumn circle" not in as_aurora.get(f"{url}&state={state}").content.decode()


def test_the_menu_shows_it_where_it_is_switched_on(as_aurora, aurora, item):
    home = reverse("wagtailadmin_home")
    assert reverse(INDEX) in as_aurora.get(home).content.decode()
    ZoomSettings.objects.update(show_summaries=False)
    assert reverse(INDEX) not in as_aurora.get(home).content.decode()


def test_home_and_panel_count_what_waits(as_aurora, aurora, item):
    assert (
        "1 new summary waits for your review"
        in as_aurora.get(reverse("wagtailadmin_home")).content.decode()
    )
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", aurora.site.pk])
    assert "1 new summary waits for your review" in as_aurora.get(panel).content.decode()


def test_edited_and_published(as_aurora, aurora, item):
    save(as_aurora, item, "publish", text="Ana *agreed* to come.")
    item.refresh_from_db()
    review = item.review
    assert item.visibility == "published" and item.decided_by == aurora.owner
    assert (review.text, review.plain_text) == ("Ana *agreed* to come.", "Ana agreed to come.")
    assert review.is_edited and review.zoom_version == item.meeting_summary.version
    assert Activity.objects.filter(code="item_published", item=item).exists()


def test_what_was_read_is_published_not_what_zoom_has_by_then(as_aurora, item):
    values = form_of(as_aurora.get(edit_url(item)))
    Summary.objects.update(text="Something else.")
    as_aurora.post(edit_url(item), {**values, "action-publish": "1"})
    review = SummaryReview.objects.get()
    assert review.text == "# Recap\n\nAna agreed."
    assert review.differs_from(Summary.objects.get())


def test_a_draft_is_saved_without_publishing(as_aurora, item):
    save(as_aurora, item, "save", text="A draft.")
    item.refresh_from_db()
    assert item.visibility == "auto" and item.review.text == "A draft."
    assert "A draft." in as_aurora.get(edit_url(item)).content.decode()


def test_a_preview_saves_nothing_and_is_safe(as_aurora, item):
    response = save(as_aurora, item, "preview", text="# New\n\n<script>alert(1)</script> *soft*")
    page = response.content.decode()
    assert "<h3>New</h3>" in page and "<em>soft</em>" in page and "<script>alert" not in page
    assert not SummaryReview.objects.exists()


def test_an_empty_text_is_not_published(as_aurora, item):
    response = save(as_aurora, item, "publish", text="  ")
    assert "the text is empty" in response.content.decode()
    item.refresh_from_db()
    assert item.visibility == "auto"


def test_own_words_hold_no_secret(as_aurora, aurora, item):
    summary = item.meeting_summary
    meeting = aurora.date.meeting
    meeting.passcode = "garden42x"
    meeting.save()
    Summary.objects.filter(pk=summary.pk).update(meeting=meeting)
    for text in ("The word is garden42x.", "https://zoom.us/j/123456789"):
        response = save(as_aurora, item, "publish", text=text)
        assert "Please take it out" in response.content.decode()
    assert not SummaryReview.objects.exists()


@pytest.mark.parametrize("action", ["take", "keep"])
def test_a_difference_is_decided(as_aurora, item, action):
    save(as_aurora, item, "publish", text="My own words.")
    Summary.objects.update(text="The newer words.")
    page = as_aurora.get(edit_url(item)).content.decode()
    assert "My own words." in page and "The newer words." in page
    list_url = f"{reverse(INDEX)}?site={item.site_id}&state=changed"
    assert "Autumn circle" in as_aurora.get(list_url).content.decode()
    version = Summary.objects.get().version
    as_aurora.post(edit_url(item), {"zoom_version": version, f"action-{action}": "1"})
    review = SummaryReview.objects.get()
    assert review.text == ("The newer words." if action == "take" else "My own words.")
    assert not review.differs_from(Summary.objects.get())
    assert Activity.objects.filter(code__in=["summary_taken", "summary_kept"]).count() == 1
    item.refresh_from_db()
    assert item.visibility == "published"


def test_a_difference_that_was_not_read_is_not_taken(as_aurora, item):
    save(as_aurora, item, "publish", text="My own words.")
    Summary.objects.update(text="The newer words.")
    version = Summary.objects.get().version
    Summary.objects.update(text="The newest words.")
    as_aurora.post(edit_url(item), {"zoom_version": version, "action-take": "1"})
    assert SummaryReview.objects.get().text == "My own words."


def test_nothing_is_saved_of_a_withdrawn_summary(as_aurora, item):
    values = form_of(as_aurora.get(edit_url(item)))
    Summary.objects.update(trashed_at=timezone.now())
    as_aurora.post(edit_url(item), {**values, "action-publish": "1"})
    item.refresh_from_db()
    assert item.visibility == "auto" and not SummaryReview.objects.exists()
    page = as_aurora.get(edit_url(item)).content.decode()
    assert "Zoom no longer has this summary" in page and "Ana agreed" not in page


def test_bulk_publishing_reviews_the_present_text(as_aurora, aurora, item):
    gone = factories.make_summary(item.meeting_summary.host, trashed_at=timezone.now())
    gone_item = factories.make_item(aurora.site, gone)
    url = reverse("wagtail_bulk_action", args=["wagtail_zoom", "siteitem", "zoom_publish"])
    as_aurora.post(f"{url}?id={item.pk}&id={gone_item.pk}&next=/admin/")
    item.refresh_from_db()
    gone_item.refresh_from_db()
    assert item.visibility == "published" and item.review.text == "# Recap\n\nAna agreed."
    assert gone_item.visibility == "auto"


def test_choosers_and_lists_of_meetings_leave_summaries_out(as_aurora, aurora, item):
    chooser = reverse("wagtail_zoom_items:choose")
    for query in ("", "?kind=recording"):
        assert "Autumn circle" not in as_aurora.get(chooser + query).content.decode()
    for name in ("wagtail_zoom_meetings:index", "wagtail_zoom_recordings:index"):
        page = as_aurora.get(f"{reverse(name)}?site={aurora.site.pk}&when=")
        assert "Autumn circle" not in page.content.decode()


def test_why_there_are_none(as_aurora, aurora, item):
    Summary.objects.all().delete()
    url = f"{reverse(INDEX)}?site={aurora.site.pk}"
    assert "No summaries yet" in as_aurora.get(url).content.decode()
    ZoomAccount.objects.update(summaries_refused_at=timezone.now())
    assert "have no AI Companion" in as_aurora.get(url).content.decode()
    ZoomSettings.objects.get(site=aurora.site).grant.__class__.objects.update(
        missing_kinds=["summary"]
    )
    assert "Zoom has not allowed this site" in as_aurora.get(url).content.decode()
    ZoomSettings.objects.update(show_summaries=False)
    assert "Summaries are switched off" in as_aurora.get(url).content.decode()


def test_the_panel_has_the_switch_and_says_what_is_missing(as_aurora, aurora):
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", aurora.site.pk])
    page = as_aurora.get(panel).content.decode()
    assert 'name="show_summaries"' in page and "each one needs your review" in page
    grant = ZoomSettings.objects.get(site=aurora.site).grant
    grant.missing_kinds = ["summary"]
    grant.save()
    assert "Zoom has not allowed it yet" in as_aurora.get(panel).content.decode()
    assert "one more permission is needed" not in as_aurora.get(panel).content.decode()
    ZoomSettings.objects.update(show_summaries=True)
    page = as_aurora.get(panel).content.decode()
    assert "Summaries: one more permission is needed" in html.unescape(page)


def test_the_whole_way(zoom_app, zoom_connect, zoom_deliver, client, admin_client):
    """Written, waiting, edited, published, in search and API, then trashed at Zoom and gone."""
    site_settings = zoom_connect(
        "aurora-0", show=("meetings",), plan="business", show_summaries=True
    )
    site = site_settings.site
    page = ZoomPage(title="Past", slug="past", body=[("dates", {"period": "past"})])
    site.root_page.add_child(instance=page)
    meeting = next(row for row in zoom_app.meetings("aurora") if row["topic"] == "Past evening")
    summary = zoom_app.create_summary(
        meeting=meeting["id"], uuid="/slash//12QmuoKj48548==",
        summary_content="Ana keeps the **lighthouse** key.",
    )  # fmt: skip
    assert zoom_deliver() == ["meeting.summary_completed"]
    item = SiteItem.objects.get(kind=SUMMARY, key=summary["id"])
    url = links.summary_url(item)

    def seen():
        return (
            "Read the summary" in client.get("/past/").content.decode(),
            client.get(url).status_code == 200,
            any(hit.kind == "summary" for hit in search(site, "lighthouse")),
        )

    assert seen() == (False, False, False)
    save(admin_client, item, "publish", text="Ana keeps the *lighthouse* open.")
    assert seen() == (True, True, True)
    html_of_page = client.get(url).content.decode()
    assert "<em>lighthouse</em> open" in html_of_page and "key" not in html_of_page
    zoom_app.change_summary(summary["id"], summary_content="The machine has second thoughts.")
    zoom_deliver()
    assert "second thoughts" not in client.get(url).content.decode()
    zoom_app.delete_summary(summary["id"])
    assert zoom_deliver() == ["meeting.summary_trashed"]
    assert seen() == (False, False, False)
    zoom_app.recover_summary(summary["id"])
    zoom_deliver()
    assert seen() == (False, False, False)
    item.refresh_from_db()
    assert item.visibility == "auto"


def test_switching_off_asks_before_reviewed_texts_are_deleted(as_aurora, aurora, item):
    factories.make_review(item, "My own words.")
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", aurora.site.pk])
    site_settings = ZoomSettings.objects.get(site=aurora.site)
    hosts = list(site_settings.hosts.values_list("pk", flat=True))
    values = {
        "show_meetings": "on", "show_recordings": "on", "hosts": hosts, "item_rule": "all",
        "join_policy": "window", "join_minutes": 15, "passcode_policy": "in_link",
        "review_recordings": "True", "registration_days": 30, "mark_word": "#public",
        "show_registration": "on", "attendance_days": 30,
    }  # fmt: skip
    response = as_aurora.post(panel, values)
    assert "1 reviewed summary" in response.content.decode()
    assert ZoomSettings.objects.get(site=aurora.site).show_summaries
    as_aurora.post(panel, {**values, "confirmed": "1"})
    assert not ZoomSettings.objects.get(site=aurora.site).show_summaries


def test_what_is_over_has_a_filter_of_its_own(as_aurora, item):
    """As in the list of recordings: what was published until yesterday is not published."""
    yesterday = timezone.now() - timedelta(days=2)
    SiteItem.objects.filter(pk=item.pk).update(visibility="published", expires_on=yesterday.date())
    url = reverse("wagtail_zoom_summaries:index")
    title = item.display_title
    shown = {
        state: title in as_aurora.get(url, {"state": state}).content.decode()
        for state in ("new", "published", "hidden", "over")
    }
    assert shown == {"new": False, "published": False, "hidden": False, "over": True}


def test_one_summary_waits(as_aurora, item):
    page = as_aurora.get(reverse("wagtail_zoom_summaries:index")).content.decode()
    assert "1 new summary" in page
    assert "waits for you. Visitors do not see it until you publish it." in page
