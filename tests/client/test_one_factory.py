"""Which grant is used is decided in one place: reading for an account, writing for a Site."""

import ast
from pathlib import Path

import pytest
from django.utils import timezone

from tests.blocks import rows
from wagtail_zoom.client import client_for_reading, client_for_site
from wagtail_zoom.exceptions import ZoomAuthError, ZoomWriteRefused
from wagtail_zoom.models import ExposedHost, Grant, Host, ZoomAccount, ZoomSettings

PACKAGE = Path(__file__).resolve().parents[2] / "wagtail_zoom"
FACTORY = "client/factory.py"
READING_VERBS = {"GET"}


def modules():
    for path in PACKAGE.rglob("*.py"):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            func = node.func
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            yield node, name


def class_named(name):
    tree = ast.parse((PACKAGE / "client/api.py").read_text())
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def verbs(class_node):
    """The verbs with which the methods of a client class call the API."""
    return {
        node.args[0].value
        for node, name in calls(class_node)
        if name in ("call", "send") and node.args and isinstance(node.args[0], ast.Constant)
    }


def test_clients_are_created_in_one_place():
    places = {
        path
        for path, tree in modules()
        for _node, name in calls(tree)
        if name in ("ZoomClient", "SiteClient", "BaseClient")
    }
    assert places == {FACTORY}


def test_grants_for_calls_are_chosen_in_one_place():
    """``covering`` chooses a grant by host; nobody else does."""
    places = {path for path, tree in modules() for _node, name in calls(tree) if name == "covering"}
    assert places == {FACTORY}


def test_only_the_client_of_a_site_changes_anything():
    assert verbs(class_named("ZoomClient")) <= READING_VERBS
    assert verbs(class_named("SiteClient")) - READING_VERBS == {
        "POST", "PUT", "PATCH", "DELETE",
    }  # fmt: skip
    bases = [base.id for base in class_named("SiteClient").bases]
    assert bases == ["ZoomClient"]


def test_only_typed_clients_call_the_api():
    places = {
        path
        for path, tree in modules()
        for node, name in calls(tree)
        if name in ("call", "send")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in ("POST", "PUT", "PATCH", "DELETE")
    }
    assert places - {"testing/server.py"} == {"client/api.py"}


def test_only_outboxes_and_forms_create_the_client_of_a_site():
    """Whatever changes something at Zoom, or shows a person what is to be changed, names the Site
    for which it does."""
    places = {
        path
        for path, tree in modules()
        for _node, name in calls(tree)
        if name in ("client_for_site", "client_for_request")
    }
    assert places == {
        "client/factory.py", "registration/registrants.py", "scheduling/delivery.py",
        "scheduling/service.py",
    }  # fmt: skip


@pytest.mark.django_db
def test_without_a_usable_grant_there_is_no_client(account):
    """The error names what became of the latest one."""
    assert client_for_reading(account).grant == Grant.objects.get()
    Grant.objects.update(state="revoked", reason="disabled")
    with pytest.raises(ZoomAuthError) as caught:
        client_for_reading(account)
    assert caught.value.reason == "disabled"


def test_the_reason_is_that_of_the_accounts_own_grant(db):
    """The owner of another Site reads nothing about this one's connection."""
    own, other = (ZoomAccount.objects.create(zoom_id=name) for name in ("mine", "other"))
    for account, reason in ((own, "disabled"), (other, "invalid_grant")):
        Grant.objects.create(
            client_id="c", account=account, zoom_user_id="u", state="needs_reconnect",
            reason=reason,
        )  # fmt: skip
    with pytest.raises(ZoomAuthError) as refused:
        client_for_reading(own)
    assert refused.value.reason == "disabled"


@pytest.mark.django_db
def test_nothing_is_changed_at_zoom_before_the_owner_has_confirmed_the_account(site, account):
    """Somebody who was invited has connected: it may be the wrong account."""
    host = Host.objects.filter(account=account).first() or rows.host(account)
    rows_of_site = {"show_meetings": True, "configured_at": timezone.now()}
    site_settings, _created = ZoomSettings.objects.update_or_create(
        site=site,
        defaults={"grant": Grant.objects.get(), "account": account, **rows_of_site},
    )
    ExposedHost.objects.get_or_create(settings=site_settings, host=host)
    assert client_for_site(site.pk, account, host.zoom_id, "meeting")
    ZoomSettings.objects.update(needs_confirmation=True)
    with pytest.raises(ZoomWriteRefused):
        client_for_site(site.pk, account, host.zoom_id, "meeting", even_if_hidden=True)
