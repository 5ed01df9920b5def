"""One matrix: three Sites, two accounts, every channel, every type of object (X5-X8).

URLs come from the URLconf and blocks from the block list: new ones are tested automatically, or
the test fails until it knows their arguments.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core import serializers
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from wagtail.admin.views.bulk_action.registry import bulk_action_registry
from wagtail.contrib.settings.views import get_setting_edit_handler
from wagtail.models import Page

from tests.security.tenant_data import all_blocks, make_tenants, mentions_of
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom import urls as zoom_urls
from wagtail_zoom.blocks import ZoomStreamBlock
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.frontend.visibility import SiteVisibility
from wagtail_zoom.models import SiteItem, ZoomSettings
from wagtail_zoom.registration import tokens

pytestmark = pytest.mark.django_db
ADMIN_SPACES = (
    "wagtail_zoom_admin",
    "wagtail_zoom_meetings",
    "wagtail_zoom_recordings",
    "wagtail_zoom_summaries",
    "wagtail_zoom_registrations",
    "wagtail_zoom_activity",
    "wagtail_zoom_items",
)
SECRET_LINKS = {"wagtail_zoom:invite"}
"""A secret link names its Site, on any of our hostnames."""


@pytest.fixture
def tenants(db, settings):
    """The canonical host belongs to none of the three Sites."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://cms.example.org"}
    return make_tenants()


def dump_models() -> dict[str, str]:
    """All rows of the app."""
    models = apps.get_app_config("wagtail_zoom").get_models()
    return {
        model.__name__: serializers.serialize("json", model.objects.order_by("pk"))
        for model in models
        if model.__name__ != "Heartbeat"
    }


@pytest.mark.parametrize("name", ["zoomsettings", "ZoomSettings", "zoomSettings", "ZOOMSETTINGS"])
def test_only_the_panel_changes_the_settings_of_a_site(tenants, name):
    """Wagtail's own form would offer the grants and accounts of all Sites.

    It finds a model whatever the case of its name in the URL.
    """
    attacker, victim = tenants.east, tenants.north
    client = Client()
    client.force_login(attacker.owner)
    fields = ("grant", "account", "configured_at", "linked_at", "needs_confirmation", "archived_at")
    before = ZoomSettings.objects.filter(pk=attacker.site_settings.pk).values(*fields).get()
    grant = victim.site_settings.grant
    url = f"/admin/settings/wagtail_zoom/{name}/{attacker.site.pk}/"
    page = client.get(url)
    assert page.status_code == 200
    assert page.template_name[0] == "wagtail_zoom/admin/panel.html"
    assert not mentions_of(page.content, victim)
    client.post(url, {"grant": grant.pk, "account": grant.account_id, "show_meetings": "on"})
    assert ZoomSettings.objects.filter(pk=attacker.site_settings.pk).values(*fields).get() == before
    foreign = f"/admin/settings/wagtail_zoom/{name}/{victim.site.pk}/"
    assert client.get(foreign).status_code == 404
    assert client.post(foreign, {"grant": ""}).status_code == 404


def test_wagtails_own_form_for_settings_has_no_field():
    """Should it ever answer at another address, or in another version of Wagtail."""
    edit_handler = get_setting_edit_handler(ZoomSettings)
    assert list(edit_handler.get_form_class().base_fields) == []


def public_urls(tenant) -> dict[str, str]:
    """All public URLs of the app for data of this tenant."""
    form_token = FormLink(tenant.site.pk, tenant.page.pk, tenant.meeting.pk).sign()
    registration_token = tokens.token_of(tenant.registration)
    site = tenant.site.pk
    url_kwargs = {
        "webhook": {}, "oauth_callback": {}, "oauth_finish": {}, "start": {}, "calendar_site": {},
        "health": {},
        "oauth_connect": {"site_pk": site}, "oauth_switch": {"site_pk": site},
        "invite": {"token": tenant.token},
        "join": {"token": links.sign_id(site, tenant.meeting_date.public_id)},
        "watch": {"token": links.sign_id(site, tenant.recording_item.public_id)},
        "transcript": {"token": links.sign_id(site, tenant.recording_item.public_id)},
        "summary": {"token": links.sign_id(site, tenant.summary_item.public_id)},
        "calendar_date": {"token": links.sign_id(site, tenant.webinar_date.public_id)},
        "calendar_series": {"token": links.sign_id(site, tenant.meeting_item.public_id)},
        "register": {"signed_link": form_token}, "register_received": {"signed_link": form_token},
        **{name: {"token": registration_token} for name in (
            "registration", "registration_confirm", "registration_cancel", "registration_resend",
            "registration_calendar",
        )},
    }  # fmt: skip
    names = {pattern.name for pattern in zoom_urls.urlpatterns if pattern.name}
    assert names == set(url_kwargs), f"Add the arguments of {names ^ set(url_kwargs)} to this test"
    urls = {
        f"wagtail_zoom:{name}": reverse(f"wagtail_zoom:{name}", kwargs=values)
        for name, values in url_kwargs.items()
    }
    urls["personal join"] = reverse("wagtail_zoom:join", args=[registration_token])
    path = DatesPage.objects.get(pk=tenant.page.pk).zoom_date_path(site, tenant.meeting_date)
    urls["date page"] = f"/all/{path}"
    urls["filtered calendar"] = f"/zoom/calendar/all.ics?tag={tenant.name}-tag"
    return urls


def body_of(response) -> bytes:
    body = b"".join(response) if response.streaming else response.content
    return body + response.get("Location", "").encode()


VISIBLE_URLS = (
    "wagtail_zoom:calendar_site", "wagtail_zoom:join", "wagtail_zoom:watch",
    "wagtail_zoom:transcript",
    "wagtail_zoom:calendar_date", "wagtail_zoom:calendar_series", "wagtail_zoom:register",
    "wagtail_zoom:registration", "wagtail_zoom:registration_calendar", "personal join",
    "date page", "filtered calendar",
)  # fmt: skip


def test_x5_each_url_shows_its_tenant_on_its_own_hostname(tenants, client):
    """Without this, the absence of leaks would prove nothing."""
    for tenant in tenants.all:
        urls = public_urls(tenant)
        for name in VISIBLE_URLS:
            response = client.get(urls[name], headers={"host": tenant.hostname})
            assert mentions_of(body_of(response), tenant), (tenant.name, name, response.status_code)


@pytest.mark.parametrize("method", ["get", "post"])
def test_x5_no_public_url_shows_another_site(tenants, method):
    """X8 as well: the Host header of one Site gives no access to data of another one."""
    client, before = Client(), dump_models()
    for tenant, other in tenants.pairs:
        for name, url in public_urls(other).items():
            if name in SECRET_LINKS:
                continue
            data = {"email": "a@example.org", "last_name": "B", "first_name": "C", "consent": "on"}
            headers = {"host": tenant.hostname, "Sec-Fetch-Site": "same-origin"}
            response = getattr(client, method)(url, data, headers=headers)
            assert not mentions_of(body_of(response), other), (tenant.name, other.name, name)
            # The health check returns 503 without a worker.
            assert response.status_code < 500 or name == "wagtail_zoom:health"
    assert dump_models() == before


def test_x5_pages_show_their_own_site_only(tenants, client):
    for tenant in tenants.all:
        for url in ("/all/", "/event/"):
            response = client.get(url, headers={"host": tenant.hostname})
            assert mentions_of(response.content, tenant)
            for other in tenants.all:
                assert other is tenant or not mentions_of(response.content, other)


def test_x7_pages_copied_moved_aliased_and_translated(tenants, client):
    """X7: items of another Site are not shown, however the page was created."""
    from wagtail.models import Locale

    Locale.objects.create(language_code="de")
    for tenant, other in tenants.pairs:
        for kind, page in (("all", other.page), ("event", other.event_page)):
            slug = f"{kind}-{other.name}"
            page.copy(to=tenant.site.root_page, update_attrs={"slug": f"copy-{slug}"})
            page.create_alias(parent=tenant.site.root_page, update_slug=f"alias-{slug}")
            moved = page.copy(update_attrs={"slug": f"moved-{slug}-{tenant.name}"})
            Page.objects.get(pk=moved.pk).move(
                Page.objects.get(pk=tenant.site.root_page_id), pos="last-child"
            )
    for tenant, other in tenants.pairs:
        for kind in ("all", "event"):
            slug = f"{kind}-{other.name}"
            for name in (f"copy-{slug}", f"alias-{slug}", f"moved-{slug}-{tenant.name}"):
                response = client.get(f"/{name}/", headers={"host": tenant.hostname})
                assert response.status_code == 200, name
                # The URL of the page contains the name of its origin.
                text = response.content.decode().replace(name, "")
                assert not mentions_of(text, other), name
                assert kind == "event" or mentions_of(text, tenant)
    german = tenants.north.page.copy_for_translation(Locale.objects.get(language_code="de"), True)
    assert DatesPage.objects.get(pk=german.pk).body


def test_x7_no_block_shows_items_of_another_site(tenants, rf):
    """All blocks, with all types of items and filters, as HTML, in the API and in the search."""
    stream = ZoomStreamBlock()
    names = set()
    for tenant, other in tenants.pairs:
        request = rf.get("/", headers={"host": tenant.hostname})
        context = {"page": tenant.site.root_page.specific, "request": request}
        chosen = all_blocks(other.meeting_item, other.recording_item)
        chosen += all_blocks(other.webinar_item, other.recording_item)
        for name, options in chosen:
            block = stream.child_blocks[name]
            filters = {"hosts": f"{other.name} host", "tags": f"{other.name}-tag"}
            for extra in ({}, {key: filters[key] for key in filters if key in block.child_blocks}):
                value = block.normalize({**block.get_default(), **options})
                for key, text in extra.items():
                    value[key] = text
                html = block.render(value, context)
                mentions = mentions_of(html, other)
                assert not mentions, (tenant.name, other.name, name, mentions)
                data = str(block.get_api_representation(value, context={"request": request}))
                data = data.replace(str(extra.get("hosts")), "").replace(str(extra.get("tags")), "")
                assert not mentions_of(data.replace(str(options), ""), other), name
                assert (
                    not mentions_of(" ".join(block.get_searchable_content(value)), other) or extra
                )
            names.add(name)
    assert names == set(stream.child_blocks)


def test_x5_visibility_returns_rows_of_its_site_only(tenants):
    """The querysets of each Site return its own rows only, in every channel."""
    from wagtail_zoom.frontend.visibility import Audience, Channel

    for tenant in tenants.all:
        visibility = SiteVisibility.for_site(tenant.site)
        for channel in Channel:
            for audience in Audience:
                assert set(visibility.meetings(audience, channel)) == {
                    tenant.meeting,
                    tenant.webinar,
                }
                assert set(visibility.recordings(audience, channel)) == {tenant.recording}
                assert set(visibility.summaries(audience, channel)) == {tenant.summary}
                texts = visibility.reviews(audience, channel).values_list("text", flat=True)
                assert list(texts) == [f"{tenant.name} reviewed words."]
                dates = {tenant.meeting_date, tenant.webinar_date}
                assert set(visibility.occurrences(audience, channel)) == dates


def admin_patterns():
    """``(namespace:name, arguments)`` of all our admin URLs."""
    names = []

    def walk(patterns, space):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, pattern.namespace or space)
            elif isinstance(pattern, URLPattern) and space in ADMIN_SPACES:
                names.append((f"{space}:{pattern.name}", tuple(sorted(pattern.pattern.converters))))

    walk(get_resolver().url_patterns, "")
    assert len(names) > 20
    return sorted(set(names))


def primary_keys_for(name, tenant):
    """Primary keys of the tenant's rows for such a URL."""
    if "registrations" in name:
        return [tenant.registration.pk]
    if "activity" in name:
        return [tenant.activity.pk]
    if "recordings" in name:
        return [tenant.recording_item.pk]
    if "summaries" in name:
        return [tenant.summary_item.pk]
    return [tenant.meeting_item.pk, tenant.webinar_item.pk, tenant.recording_item.pk]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", ["north", "east"])
def test_x5_x6_no_admin_url_shows_or_changes_another_site(tenants, who, method):
    """Against the Site with the same account, and against the Site with another account."""
    tenant = getattr(tenants, who)
    client = Client()
    client.force_login(tenant.owner)
    data = {
        "answer": "switch", "pages": "remove", "title": "stolen", "action-hide": "1",
        "rule": "publish", "show_meetings": "", "tags": "stolen", "confirm": "1",
    }  # fmt: skip
    before = dump_models()
    for other in tenants.all:
        if other is tenant:
            continue
        for name, arguments in admin_patterns():
            for pk in primary_keys_for(name, other):
                values = {"site_pk": other.site.pk, "pk": pk}
                if not set(arguments) <= set(values):
                    raise AssertionError(f"Add the arguments of {name} to this test: {arguments}")
                url = reverse(name, kwargs={key: values[key] for key in arguments})
                query = f"?site={other.site.pk}&id={pk}&pk={pk}" if not arguments else ""
                response = getattr(client, method)(url + query, data if method == "post" else {})
                mentions = mentions_of(body_of(response), other)
                assert not mentions, (name, other.name, mentions)
                assert not arguments or response.status_code in (302, 403, 404, 405), name
        panel = reverse(
            "wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", other.site.pk]
        )
        assert getattr(client, method)(panel, data).status_code == 404
    assert dump_models() == before


def bulk_actions():
    """``(app, model, action)`` of all our bulk actions."""
    bulk_action_registry._scan_for_bulk_actions()
    actions_of_ours = [
        (app, model, name)
        for app, models in bulk_action_registry.actions.items()
        for model, actions in models.items()
        for name, action in actions.items()
        if action.__module__.startswith("wagtail_zoom.")
    ]
    assert len({model for _app, model, _name in actions_of_ours}) >= 3
    return sorted(actions_of_ours)


BULK_ROWS = {"siteitem": "meeting_item", "registration": "registration", "site": "site"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_x6_no_bulk_action_changes_another_site(tenants, method):
    """With a foreign id only, with one's own and a foreign id, and for all rows."""
    client = Client()
    client.force_login(tenants.north.owner)
    own_keys = {key: getattr(tenants.north, name).pk for key, name in BULK_ROWS.items()}
    for other in (tenants.south, tenants.east):
        for app, model, action in bulk_actions():
            if model not in BULK_ROWS:
                raise AssertionError(f"Add the model of {action} to this test: {model}")
            pk = getattr(other, BULK_ROWS[model]).pk
            url = reverse("wagtail_bulk_action", args=[app, model, action])
            before = dump_models()
            for query in (f"?id={pk}", "?id=all"):
                response = getattr(client, method)(f"{url}{query}", {"tags": "stolen"})
                assert response.status_code in (302, 403, 404), (action, query)
                assert not mentions_of(body_of(response), other)
            assert dump_models() == before, action
            response = client.get(f"{url}?id={own_keys[model]}&id={pk}")
            assert not mentions_of(body_of(response), other), action


def admin_page_urls():
    """URLs of all admin pages without arguments, including those of Wagtail."""
    urls = set()

    def walk(patterns, prefix, space):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{space}:{pattern.namespace}" if space and pattern.namespace else ""
                walk(pattern.url_patterns, prefix + str(pattern.pattern),
                     inner or pattern.namespace or space)  # fmt: skip
            elif prefix.startswith("admin/") and pattern.name and "logout" not in pattern.name:
                try:
                    urls.add(reverse(f"{space}:{pattern.name}" if space else pattern.name))
                except NoReverseMatch:
                    continue

    walk(get_resolver().url_patterns, "", "")
    assert len(urls) > 60
    return sorted(urls)


def test_x5_no_wagtail_admin_page_mentions_another_site(tenants):
    """Lists, reports, choosers, the homepage: all pages without arguments."""
    client = Client(raise_request_exception=False)
    client.force_login(tenants.north.owner)
    seen = 0
    for url in admin_page_urls():
        response = client.get(url)
        body = body_of(response)
        seen += bool(mentions_of(body, tenants.north))
        for other in (tenants.south, tenants.east):
            # Wagtail itself shows the hostnames of all Sites in the filter of its page list.
            mentions = mentions_of(body, other, host="/zoom/" in url)
            assert not mentions, (url, mentions)
    assert seen > 5


def test_x6_pages_cannot_be_saved_with_an_item_of_another_site(tenants, rf):
    """Posting the id of another Site's item reveals nothing about it."""
    client = Client()
    client.force_login(tenants.north.owner)
    page = EventPage.objects.get(pk=tenants.north.event_page.pk)
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    for other in (tenants.south, tenants.east):
        data = {
            "title": page.title, "slug": page.slug, "zoom_item": other.meeting_item.pk,
            "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0, "comments-MIN_NUM_FORMS": 0,
            "comments-MAX_NUM_FORMS": 0, "action-publish": "1",
        }  # fmt: skip
        response = client.post(url, data, follow=True)
        assert not mentions_of(response.content, other, host=False)
        assert not mentions_of(client.get(url).content, other, host=False)


def test_x5_emails_mention_only_their_own_site(tenants, mailoutbox):
    """Two Sites with one grant: each owner gets an email about their own Site only."""
    from django.utils import timezone

    from wagtail_zoom.models import Grant, ZoomSettings
    from wagtail_zoom.oauth.notifications import send_due_notifications

    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    # Without a contact email: the user who connected one Site does not own the other one.
    ZoomSettings.objects.filter(pk=tenants.south.site_settings.pk).update(contact_email="")
    Grant.objects.filter(pk=tenants.south.grant.pk).update(connected_by=tenants.north.owner)
    send_due_notifications(timezone.now())
    assert {email.to[0] for email in mailoutbox} == {
        "northwind@northwind.example",
        "eastwind@eastwind.example",
    }
    for email in mailoutbox:
        text = f"{email.subject}{email.body}"
        name = email.to[0].partition("@")[0]
        for tenant in tenants.all:
            assert bool(mentions_of(text, tenant)) == (tenant.name == name)


def test_x5_items_of_the_chooser(tenants):
    """The chooser lists items of the user's own Site only, for any parameters."""
    client = Client()
    client.force_login(tenants.north.owner)
    for url in ("wagtail_zoom_items:choose", "wagtail_zoom_items:choose_results"):
        for query in ("", "?kind=recording", "?q=own", "?q=wind"):
            response = client.get(reverse(url) + query)
            text = response.content.decode()
            for other in (tenants.south, tenants.east):
                titles = SiteItem.objects.filter(site=other.site).values_list("title", flat=True)
                assert not [title for title in titles if title in text]
