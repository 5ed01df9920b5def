"""One matrix: three Sites, two accounts, every surface, every kind of object (X5-X8).

Addresses come from the URLconf and blocks from the block list: what is new is tried by itself, or
the test asks to be taught what it takes.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core import serializers
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from wagtail.admin.views.bulk_action.registry import bulk_action_registry
from wagtail.models import Page

from tests.security.world import blocks_with, make_world, words_in
from tests.testapp.models import DatesPage, EventPage
from wagtail_zoom import urls as public_urls
from wagtail_zoom.blocks import ZoomStreamBlock
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import Ref
from wagtail_zoom.frontend.visibility import Exposure
from wagtail_zoom.models import SiteItem
from wagtail_zoom.registration import tokens

pytestmark = pytest.mark.django_db
ADMIN_SPACES = (
    "wagtail_zoom_admin",
    "wagtail_zoom_meetings",
    "wagtail_zoom_recordings",
    "wagtail_zoom_registrations",
    "wagtail_zoom_activity",
    "wagtail_zoom_items",
)
BEARER = {"wagtail_zoom:invite"}
"""The secret link itself says whose it is, on whatever host of ours it is opened."""


@pytest.fixture
def world(db, settings):
    """The canonical host is none of the three Sites."""
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": "https://cms.example.org"}
    return make_world()


@pytest.fixture
def public(settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]


def dump() -> dict[str, str]:
    """Everything that the app has stored."""
    models = apps.get_app_config("wagtail_zoom").get_models()
    return {
        model.__name__: serializers.serialize("json", model.objects.order_by("pk"))
        for model in models
        if model.__name__ != "Heartbeat"
    }


def public_addresses(tenant) -> dict[str, str]:
    """Every public address of the app about what this tenant has."""
    ref = Ref(tenant.site.pk, tenant.page.pk, tenant.meeting.pk).sign()
    person = tokens.token_of(tenant.registration)
    site = tenant.site.pk
    takes = {
        "webhook": {}, "oauth_callback": {}, "oauth_finish": {}, "start": {}, "calendar_site": {},
        "health": {},
        "oauth_connect": {"site_pk": site}, "oauth_switch": {"site_pk": site},
        "invite": {"token": tenant.token},
        "join": {"token": links.opaque(site, tenant.meeting_date.public_id)},
        "watch": {"token": links.opaque(site, tenant.film_item.public_id)},
        "transcript": {"token": links.opaque(site, tenant.film_item.public_id)},
        "calendar_date": {"token": links.opaque(site, tenant.webinar_date.public_id)},
        "calendar_series": {"token": links.opaque(site, tenant.meeting_item.public_id)},
        "register": {"ref": ref}, "register_received": {"ref": ref},
        **{name: {"token": person} for name in (
            "registration", "registration_confirm", "registration_cancel", "registration_resend",
            "registration_calendar",
        )},
    }  # fmt: skip
    names = {pattern.name for pattern in public_urls.urlpatterns if pattern.name}
    assert names == set(takes), f"Teach this test what {names ^ set(takes)} take"
    found = {
        f"wagtail_zoom:{name}": reverse(f"wagtail_zoom:{name}", kwargs=values)
        for name, values in takes.items()
    }
    found["personal join"] = reverse("wagtail_zoom:join", args=[person])
    date = DatesPage.objects.get(pk=tenant.page.pk).zoom_date_path(site, tenant.meeting_date)
    found["date page"] = f"/all/{date}"
    found["narrowed calendar"] = f"/zoom/calendar/all.ics?tag={tenant.name}-tag"
    return found


def body_of(response) -> bytes:
    body = b"".join(response) if response.streaming else response.content
    return body + response.get("Location", "").encode()


SHOWN = (
    "wagtail_zoom:calendar_site", "wagtail_zoom:join", "wagtail_zoom:watch",
    "wagtail_zoom:transcript",
    "wagtail_zoom:calendar_date", "wagtail_zoom:calendar_series", "wagtail_zoom:register",
    "wagtail_zoom:registration", "wagtail_zoom:registration_calendar", "personal join",
    "date page", "narrowed calendar",
)  # fmt: skip


def test_x5_each_address_shows_its_tenant_on_its_own_host(world, public, client):
    """Else nothing crossing would mean nothing."""
    for tenant in world.tenants:
        addresses = public_addresses(tenant)
        for name in SHOWN:
            answer = client.get(addresses[name], headers={"host": tenant.hostname})
            assert words_in(body_of(answer), tenant), (tenant.name, name, answer.status_code)


@pytest.mark.parametrize("method", ["get", "post"])
def test_x5_no_public_address_crosses(world, public, method):
    """X8 as well: the Host header of one Site opens nothing of another one's."""
    client, before = Client(), dump()
    for here, there in world.pairs:
        for name, address in public_addresses(there).items():
            if name in BEARER:
                continue
            data = {"email": "a@example.org", "last_name": "B", "first_name": "C", "consent": "on"}
            headers = {"host": here.hostname, "Sec-Fetch-Site": "same-origin"}
            answer = getattr(client, method)(address, data, headers=headers)
            assert not words_in(body_of(answer), there), (here.name, there.name, name)
            # A monitor is told 503 where no worker runs.
            assert answer.status_code < 500 or name == "wagtail_zoom:health"
    assert dump() == before


def test_x5_pages_show_their_own_site_only(world, public, client):
    for here in world.tenants:
        for address in ("/all/", "/event/"):
            answer = client.get(address, headers={"host": here.hostname})
            assert words_in(answer.content, here)
            for there in world.tenants:
                assert there is here or not words_in(answer.content, there)


def test_x7_pages_copied_moved_mirrored_and_translated(world, public, client):
    """X7: what was picked elsewhere is not shown here, whatever way the page came."""
    from wagtail.models import Locale

    Locale.objects.create(language_code="de")
    for here, there in world.pairs:
        for kind, page in (("all", there.page), ("event", there.event_page)):
            slug = f"{kind}-{there.name}"
            page.copy(to=here.site.root_page, update_attrs={"slug": f"copy-{slug}"})
            page.create_alias(parent=here.site.root_page, update_slug=f"alias-{slug}")
            moved = page.copy(update_attrs={"slug": f"moved-{slug}-{here.name}"})
            Page.objects.get(pk=moved.pk).move(
                Page.objects.get(pk=here.site.root_page_id), pos="last-child"
            )
    for here, there in world.pairs:
        for kind in ("all", "event"):
            slug = f"{kind}-{there.name}"
            for name in (f"copy-{slug}", f"alias-{slug}", f"moved-{slug}-{here.name}"):
                answer = client.get(f"/{name}/", headers={"host": here.hostname})
                assert answer.status_code == 200, name
                # The page's own address has the name of where it came from.
                text = answer.content.decode().replace(name, "")
                assert not words_in(text, there), name
                assert kind == "event" or words_in(text, here)
    german = world.north.page.copy_for_translation(Locale.objects.get(language_code="de"), True)
    assert DatesPage.objects.get(pk=german.pk).body


def test_x7_no_block_shows_what_was_picked_elsewhere(world, rf):
    """Every block of the list, with every kind of pick, as HTML and as data, and in the API."""
    stream = ZoomStreamBlock()
    names = set()
    for here, there in world.pairs:
        request = rf.get("/", headers={"host": here.hostname})
        context = {"page": here.site.root_page.specific, "request": request}
        chosen = blocks_with(there.meeting_item, there.film_item)
        chosen += blocks_with(there.webinar_item, there.film_item)
        for name, options in chosen:
            block = stream.child_blocks[name]
            narrow = {"hosts": f"{there.name} host", "tags": f"{there.name}-tag"}
            for extra in ({}, {one: narrow[one] for one in narrow if one in block.child_blocks}):
                value = block.normalize({**block.get_default(), **options})
                for key, text in extra.items():
                    value[key] = text
                html = block.render(value, context)
                found = words_in(html, there)
                assert not found, (here.name, there.name, name, found)
                told = str(block.get_api_representation(value, context={"request": request}))
                told = told.replace(str(extra.get("hosts")), "").replace(str(extra.get("tags")), "")
                assert not words_in(told.replace(str(options), ""), there), name
                assert not words_in(" ".join(block.get_searchable_content(value)), there) or extra
            names.add(name)
    assert names == set(stream.child_blocks)


def test_x5_the_gate_lets_nothing_of_another_through(world):
    """By the query itself: what each Site's gate returns is that Site's, on every surface."""
    from wagtail_zoom.frontend.visibility import Audience, Surface

    for here in world.tenants:
        gate = Exposure.for_site(here.site)
        for surface in Surface:
            for audience in Audience:
                assert set(gate.meetings(audience, surface)) == {here.meeting, here.webinar}
                assert set(gate.recordings(audience, surface)) == {here.film}
                dates = {here.meeting_date, here.webinar_date}
                assert set(gate.occurrences(audience, surface)) == dates


def admin_patterns():
    """``(namespace:name, arguments)`` of every address of ours in the admin."""
    found = []

    def walk(patterns, space):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, pattern.namespace or space)
            elif isinstance(pattern, URLPattern) and space in ADMIN_SPACES:
                found.append((f"{space}:{pattern.name}", tuple(sorted(pattern.pattern.converters))))

    walk(get_resolver().url_patterns, "")
    assert len(found) > 20
    return sorted(set(found))


def foreign_keys(name, tenant):
    """Every row of the tenant's that such an address may be about."""
    if "registrations" in name:
        return [tenant.registration.pk]
    if "activity" in name:
        return [tenant.activity.pk]
    if "recordings" in name:
        return [tenant.film_item.pk]
    return [tenant.meeting_item.pk, tenant.webinar_item.pk, tenant.film_item.pk]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("who", ["north", "east"])
def test_x5_x6_no_address_of_the_admin_crosses(world, who, method):
    """North against the Site with which it shares an account, and against the other account."""
    here = getattr(world, who)
    client = Client()
    client.force_login(here.owner)
    data = {
        "answer": "switch", "pages": "remove", "title": "stolen", "action-hide": "1",
        "rule": "publish", "show_meetings": "", "tags": "stolen", "confirm": "1",
    }  # fmt: skip
    before = dump()
    for there in world.tenants:
        if there is here:
            continue
        for name, arguments in admin_patterns():
            for pk in foreign_keys(name, there):
                values = {"site_pk": there.site.pk, "pk": pk}
                if not set(arguments) <= set(values):
                    raise AssertionError(f"Teach this test what {name} takes: {arguments}")
                address = reverse(name, kwargs={key: values[key] for key in arguments})
                query = f"?site={there.site.pk}&id={pk}&pk={pk}" if not arguments else ""
                answer = getattr(client, method)(address + query, data if method == "post" else {})
                found = words_in(body_of(answer), there)
                assert not found, (name, there.name, found)
                assert not arguments or answer.status_code in (302, 403, 404, 405), name
        panel = reverse(
            "wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", there.site.pk]
        )
        assert getattr(client, method)(panel, data).status_code == 404
    assert dump() == before


def bulk_actions():
    """``(app, model, action)`` of every bulk action that our code defines."""
    bulk_action_registry._scan_for_bulk_actions()
    found = [
        (app, model, name)
        for app, models in bulk_action_registry.actions.items()
        for model, actions in models.items()
        for name, action in actions.items()
        if action.__module__.startswith("wagtail_zoom.")
    ]
    assert len({model for _app, model, _name in found}) >= 3
    return sorted(found)


BULK_ROWS = {"siteitem": "meeting_item", "registration": "registration", "site": "site"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_x6_no_bulk_action_reaches_another_site(world, method):
    """By a foreign id alone, beside an own one, and for all there are."""
    client = Client()
    client.force_login(world.north.owner)
    mine = {key: getattr(world.north, name).pk for key, name in BULK_ROWS.items()}
    for there in (world.south, world.east):
        for app, model, action in bulk_actions():
            if model not in BULK_ROWS:
                raise AssertionError(f"Teach this test what {action} is about: {model}")
            pk = getattr(there, BULK_ROWS[model]).pk
            address = reverse("wagtail_bulk_action", args=[app, model, action])
            before = dump()
            for query in (f"?id={pk}", "?id=all"):
                answer = getattr(client, method)(f"{address}{query}", {"tags": "stolen"})
                assert answer.status_code in (302, 403, 404), (action, query)
                assert not words_in(body_of(answer), there)
            assert dump() == before, action
            answer = client.get(f"{address}?id={mine[model]}&id={pk}")
            assert not words_in(body_of(answer), there), action


def admin_pages():
    """The address of every page of the admin that takes no argument, Wagtail's own as well."""
    found = set()

    def walk(patterns, prefix, space):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{space}:{pattern.namespace}" if space and pattern.namespace else ""
                walk(pattern.url_patterns, prefix + str(pattern.pattern),
                     inner or pattern.namespace or space)  # fmt: skip
            elif prefix.startswith("admin/") and pattern.name and "logout" not in pattern.name:
                try:
                    found.add(reverse(f"{space}:{pattern.name}" if space else pattern.name))
                except NoReverseMatch:
                    continue

    walk(get_resolver().url_patterns, "", "")
    assert len(found) > 60
    return sorted(found)


def test_x5_no_page_of_wagtails_admin_tells_of_another_site(world):
    """Lists, reports, choosers, the homepage: all that an owner can open by name alone."""
    client = Client(raise_request_exception=False)
    client.force_login(world.north.owner)
    seen = 0
    for address in admin_pages():
        answer = client.get(address)
        body = body_of(answer)
        seen += bool(words_in(body, world.north))
        for there in (world.south, world.east):
            # Wagtail itself names the hosts of all Sites in the filter of its page list.
            found = words_in(body, there, host="/zoom/" in address)
            assert not found, (address, found)
    assert seen > 5


def test_x6_pages_cannot_be_saved_with_a_foreign_pick(world, rf):
    """An editor who posts the id of another Site's item learns nothing of it."""
    client = Client()
    client.force_login(world.north.owner)
    page = EventPage.objects.get(pk=world.north.event_page.pk)
    address = reverse("wagtailadmin_pages:edit", args=[page.pk])
    for there in (world.south, world.east):
        data = {
            "title": page.title, "slug": page.slug, "zoom_item": there.meeting_item.pk,
            "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0, "comments-MIN_NUM_FORMS": 0,
            "comments-MAX_NUM_FORMS": 0, "action-publish": "1",
        }  # fmt: skip
        answer = client.post(address, data, follow=True)
        assert not words_in(answer.content, there, host=False)
        assert not words_in(client.get(address).content, there, host=False)


def test_x5_mails_about_one_site_speak_of_no_other(world, mailoutbox):
    """Two Sites on one permission: each owner hears of the own Site, and nobody of both."""
    from django.utils import timezone

    from wagtail_zoom.models import Grant, ZoomSettings
    from wagtail_zoom.oauth.notifications import send_due_notices

    Grant.objects.update(state="needs_reconnect", reason="invalid_grant")
    # Nobody entered an address: the person who connected the one Site does not own the other.
    ZoomSettings.objects.filter(pk=world.south.choice.pk).update(contact_email="")
    Grant.objects.filter(pk=world.south.grant.pk).update(connected_by=world.north.owner)
    send_due_notices(timezone.now())
    assert {one.to[0] for one in mailoutbox} == {
        "northwind@northwind.example",
        "eastwind@eastwind.example",
    }
    for mail in mailoutbox:
        told = f"{mail.subject}{mail.body}"
        own = mail.to[0].partition("@")[0]
        for tenant in world.tenants:
            assert bool(words_in(told, tenant)) == (tenant.name == own)


def test_x5_items_of_the_chooser(world):
    """What an owner may pick is the own Site's, whatever is asked for."""
    client = Client()
    client.force_login(world.north.owner)
    for address in ("wagtail_zoom_items:choose", "wagtail_zoom_items:choose_results"):
        for query in ("", "?kind=recording", "?q=own", "?q=wind"):
            answer = client.get(reverse(address) + query)
            text = answer.content.decode()
            for there in (world.south, world.east):
                titles = SiteItem.objects.filter(site=there.site).values_list("title", flat=True)
                assert not [title for title in titles if title in text]
