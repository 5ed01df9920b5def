"""A Site in several languages: Wagtail creates a page tree for each, next to the Site's root page.

Forms, purges, links between pages and choosers must cover all trees.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.models import GroupPagePermission, ReferenceIndex, Site

from tests.blocks import rows
from tests.testapp.models import ZoomPage
from wagtail_zoom.admin import usage
from wagtail_zoom.frontend.block_index import detail_pages
from wagtail_zoom.frontend.cache import purge
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import BlockUsage, ZoomAccount

pytestmark = pytest.mark.django_db
PERSON = {"first_name": "Mika", "last_name": "Tanaka", "email": "mika@example.org"}


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


@pytest.fixture
def meeting(site):
    account = rows.account()
    ZoomAccount.objects.filter(pk=account.pk).update(
        throttled_until=timezone.now() + timedelta(hours=9)
    )
    host = rows.host(account)
    rows.site_settings(site, account, host, show_registration=True)
    return rows.occurrence(host, approval_type=0, questions_at=timezone.now()).meeting


@pytest.fixture
def item(site, meeting):
    return rows.item(site, meeting)


@pytest.fixture
def german(site, languages):
    """The start page of the German tree."""
    return site.root_page.copy_for_translation(languages)


def page(parent, slug, *blocks):
    instance = ZoomPage(title=slug, slug=slug, locale=parent.locale, body=list(blocks))
    parent.add_child(instance=instance)
    ReferenceIndex.create_or_update_for_object(instance)
    return instance


@pytest.fixture
def form(german, item):
    """A German page with the form."""
    return page(german, "anmelden", ("register", {"item": item}))


def test_the_form_of_a_page_in_another_language_accepts_registrations(site, meeting, form, client):
    url = FormLink(site.pk, form.pk, meeting.pk, "de").url
    response = client.post(url, PERSON, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 303


def test_a_page_of_another_sites_tree_has_no_form(site, meeting, form, client):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page.get_parent())
    home = site.root_page.get_parent().add_child(
        instance=ZoomPage(title="Other", slug="other", locale=site.root_page.locale)
    )
    Site.objects.filter(pk=other.pk).update(root_page=home)
    url = FormLink(other.pk, form.pk, meeting.pk, "de").url
    headers = {"Sec-Fetch-Site": "same-origin", "host": "other.example"}
    assert client.post(url, PERSON, headers=headers).status_code == 404


def test_purges_reach_every_language(settings, site, meeting, form):
    urls = purge.urls_for(meeting.account, {meeting.pk}, ())
    assert any(url.endswith("/anmelden/") for url in urls)
    assert any(url.endswith("/anmelden/") for url in purge.site_urls(site))


def test_a_list_links_to_the_page_in_its_own_language(site, item, form):
    english = page(site.root_page, "register", ("register", {"item": item}))
    for language, expected in (("de", form), ("en", english), ("fr", english)):
        with translation.override(language):
            url, has_form = detail_pages(site, [item])[item.pk]
        assert has_form and url.partition("#")[0] == expected.get_url(current_site=site), language


def test_a_page_in_another_language_changes_the_data_version(site, meeting, form):
    """Lists link to such pages, so a change of them must invalidate the cached HTML."""
    before = ZoomAccount.objects.get(pk=meeting.account_id).data_version
    form.unpublish()
    assert ZoomAccount.objects.get(pk=meeting.account_id).data_version > before


def test_usage_lists_pages_in_every_language(site, item, form):
    assert form.pk in set(usage.pages_using_zoom(site).values_list("pk", flat=True))
    assert form.pk in set(usage.pages_using_item(item).values_list("pk", flat=True))
    assert usage.pages_with_blocks(site, BlockUsage.REGISTRATION).exists()


def test_editors_of_another_language_may_choose(site, meeting, item, german, client):
    user = User.objects.create_user("editor", password="x")
    group = Group.objects.create(name="Redaktion")
    user.groups.add(group)
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    permission = Permission.objects.get(codename="change_page")
    GroupPagePermission.objects.create(group=group, page=german, permission=permission)
    client.force_login(user)
    type(item).objects.filter(pk=item.pk).update(last_title="Shown here", meeting=meeting)
    response = client.get(reverse("wagtail_zoom_items:choose_results"), {"kind": "meeting"})
    assert response.status_code == 200 and "Shown here" in response.content.decode()


def test_without_i18n_only_the_sites_own_tree_counts(site, meeting, form, settings):
    settings.WAGTAIL_I18N_ENABLED = False
    assert SiteVisibility.for_site(site).site_settings is not None
    assert not any("anmelden" in url for url in purge.site_urls(site))
