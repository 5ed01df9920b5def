"""Requests every admin URL of the app as the owner of another Site (X4, X5).

Generated from the URLconf, so new views are included automatically.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core import serializers
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from wagtail.admin.views.bulk_action.registry import bulk_action_registry

from wagtail_zoom.admin.permissions import OwnerAccessMixin
from wagtail_zoom.models import SiteItem

SPACES = (
    "wagtail_zoom_admin",
    "wagtail_zoom_meetings",
    "wagtail_zoom_recordings",
    "wagtail_zoom_summaries",
    "wagtail_zoom_registrations",
    "wagtail_zoom_activity",
    "wagtail_zoom_items",
)
REFUSED = {302, 403, 404, 405}


def patterns_in(spaces):
    """``(namespace, pattern)`` of every URL in these namespaces."""

    def walk(patterns, space):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, pattern.namespace or space)
            elif isinstance(pattern, URLPattern) and space in spaces:
                yield space, pattern

    return list(walk(get_resolver().url_patterns, ""))


PATTERNS = sorted(
    {
        (f"{space}:{pattern.name}", tuple(sorted(pattern.pattern.converters)))
        for space, pattern in patterns_in(SPACES)
    }
)
"""``(namespace:name, arguments)`` of every URL in our namespaces."""


def snapshot():
    """All rows of the app, except those that a GET request may write."""
    skipped = {"Heartbeat"}
    models = [
        model
        for model in apps.get_app_config("wagtail_zoom").get_models()
        if model.__name__ not in skipped
    ]
    return {
        model.__name__: serializers.serialize("json", model.objects.order_by("pk"))
        for model in models
    }


def foreign_pk(name, tenant):
    """The primary key of the other Site's row for such a URL."""
    if "recordings" in name:
        return tenant.recording_item.pk
    if "registrations" in name:
        return tenant.registration.pk
    if "activity" in name:
        return tenant.activity.pk
    return tenant.meeting_item.pk


def test_all_views_are_requested():
    names = {name for name, _ in PATTERNS}
    assert len(names) > 20
    assert "wagtail_zoom_admin:disconnect" in names and "wagtail_zoom_meetings:edit" in names


@pytest.mark.parametrize(("name", "arguments"), PATTERNS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_view_exposes_another_site(
    as_aurora, borealis, name, arguments, method, django_capture_on_commit_callbacks
):
    values = {"site_pk": borealis.site.pk, "pk": foreign_pk(name, borealis)}
    if not set(arguments) <= set(values):
        raise AssertionError(f"Add values for the arguments of {name} to this test: {arguments}")
    url = reverse(name, kwargs={key: values[key] for key in arguments})
    before = snapshot()
    data = {"pages": "remove", "title": "stolen", "action-hide": "1", "rule": "publish"}
    if not arguments:
        data["site"] = borealis.site.pk
        url = f"{url}?site={borealis.site.pk}&id={borealis.meeting_item.pk}"
    with django_capture_on_commit_callbacks(execute=False):
        response = getattr(as_aurora, method)(url, data if method == "post" else {})
    body = b"".join(response) if response.streaming else response.content
    assert b"borealis" not in body.lower()
    if arguments:
        assert response.status_code in REFUSED
        if response.status_code == 302:
            assert "login" in response["Location"] or response["Location"].startswith("/admin")
    assert snapshot() == before


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", ["meetings", "recordings", "registrations", "activity"])
def test_exports_contain_no_data_of_another_site(as_aurora, borealis, kind, format):
    url = reverse(f"wagtail_zoom_{kind}:index")
    response = as_aurora.get(f"{url}?export={format}&site={borealis.site.pk}")
    assert response.status_code == 404
    response = as_aurora.get(f"{url}?export={format}")
    assert response.status_code == 200
    assert b"borealis" not in b"".join(response).lower()


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_panel_of_another_site_gives_404(as_aurora, borealis, method):
    before = snapshot()
    response = getattr(as_aurora, method)(borealis.panel, {"show_meetings": ""})
    assert response.status_code == 404
    assert snapshot() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_bulk_actions_exclude_items_of_other_sites(as_aurora, aurora, borealis, method):
    for action in bulk_action_registry.get_bulk_actions_for_model("wagtail_zoom", "siteitem"):
        if not action.action_type.startswith("zoom_"):
            continue
        url = reverse("wagtail_bulk_action", args=["wagtail_zoom", "siteitem", action.action_type])
        before = snapshot()
        response = getattr(as_aurora, method)(f"{url}?id={borealis.meeting_item.pk}", {"tags": "a"})
        assert response.status_code == 404
        assert snapshot() == before
        response = as_aurora.get(f"{url}?id={borealis.meeting_item.pk}&id={aurora.meeting_item.pk}")
        assert b"borealis" not in response.content and b"of aurora" in response.content
        response = getattr(as_aurora, method)(f"{url}?id=all", {"tags": "a"})
        assert response.status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("action", ["zoom_approve", "zoom_deny", "zoom_retry"])
def test_bulk_actions_exclude_registrations_of_other_sites(
    as_aurora, aurora, borealis, method, action
):
    url = reverse("wagtail_bulk_action", args=["wagtail_zoom", "registration", action])
    before = snapshot()
    response = getattr(as_aurora, method)(f"{url}?id={borealis.registration.pk}")
    assert response.status_code == 404 and snapshot() == before
    both = f"{url}?id={borealis.registration.pk}&id={aurora.registration.pk}"
    assert b"borealis" not in as_aurora.get(both).content


def test_an_editor_without_the_permission_has_no_access(client, aurora):
    group = aurora.owner.groups.get()
    group.site_permissions.all().delete()
    client.force_login(aurora.owner)
    assert client.get(aurora.panel).status_code == 404
    for name, arguments in PATTERNS:
        if name.startswith("wagtail_zoom_items"):
            continue  # Editors may choose what is published.
        values = {"site_pk": aurora.site.pk, "pk": foreign_pk(name, aurora)}
        try:
            url = reverse(name, kwargs={key: values[key] for key in arguments})
        except NoReverseMatch as error:
            raise AssertionError(name) from error
        assert client.get(url).status_code in REFUSED
        assert client.post(url).status_code in REFUSED
    assert SiteItem.objects.get(pk=aurora.meeting_item.pk).visibility == "auto"


def test_every_view_of_a_list_limits_its_rows():
    """Whatever Wagtail's own views check: our limit stands before each of them."""
    lists = [space for space in SPACES if space not in ("wagtail_zoom_admin", "wagtail_zoom_items")]
    views = [pattern.callback.view_class for _space, pattern in patterns_in(lists)]
    assert len(views) > 10
    assert [view for view in views if not issubclass(view, OwnerAccessMixin)] == []
