"""Settings → Zoom deployments: the list, a deployment's page, and *Send again*."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from wagtail_zoom.hub import deployments, tasks
from wagtail_zoom.hub.models import DEAUTHORIZED, Delivery, Deployment

from .conftest import Member, post_event
from .test_events import bind, event
from .test_events import harbour as harbour
from .test_events import hill as hill

pytestmark = pytest.mark.django_db

LIST = "/admin/zoom/deployments/"


def make_user(name, *codenames):
    group = Group.objects.create(name=name)
    for codename in ("access_admin", *codenames):
        group.permissions.add(Permission.objects.get(codename=codename))
    user = User.objects.create_user(name, password="password")
    user.groups.add(group)
    return user


def log_in(user, **options):
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.fixture
def viewer(db):
    return log_in(make_user("viewer", "view_deployment"))


@pytest.fixture
def operator(db):
    return log_in(make_user("operator", "change_deployment"))


def page_url(member):
    return reverse("wagtail_zoom_deployments:inspect", args=[member.row.pk])


def again_url(member):
    return reverse("wagtail_zoom_deployments:send_again", args=[member.row.pk])


def give_up(member, **values):
    """A delivery that was given up."""
    values = {"account_zoom_id": "acct", "event": "meeting.updated", **values}
    number = Delivery.objects.count()
    row = Delivery(deployment=member.row, content_key=f"{number}", state="dead", **values)
    row.body = '{"event": "meeting.updated", "payload": {"object": {"topic": "Confidential"}}}'
    row.save()
    return row


def texts(response):
    """Text of each row of the list."""
    table = response.content.decode().partition("wzh-scroll")[2].partition("</table>")[0]
    rows = re.findall(r"<tr[ >](.*?)</tr>", table, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows[1:]]


def test_list_says_how_each_deployment_is(viewer, harbour, hill):
    bind(harbour, "acct-1", "anna")
    bind(harbour, "acct-2", "anna")
    bind(harbour, "acct-2", "ben")
    give_up(harbour)
    for number in range(3):
        post_event(event(account="acct-1", number=number))
    Deployment.objects.filter(pk=harbour.row.pk).update(failing_since=timezone.now())
    [first, second] = texts(viewer.get(LIST))
    assert re.fullmatch(r"Harbour https://harbour\.example Not reachable 2 3 1", first)
    assert re.fullmatch(r"Hill https://hill\.example Not connected 0 0 0", second)


def test_state_of_a_deployment_that_works(viewer, harbour):
    bind(harbour)
    Deployment.objects.update(last_delivered_at=timezone.now() - timedelta(hours=3))
    [row] = texts(viewer.get(LIST))
    assert "3 hours ago" in row
    assert "example OK 1" in row


def test_list_without_deployments_names_the_command(viewer):
    assert b"<code>manage.py zoom_hub add</code>" in viewer.get(LIST).content


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=arbo", ["Harbour"]),
        ("q=hill.exam", ["Hill"]),
        ("q=%00", ["Harbour", "Hill"]),
        ("q=nothing", []),
        ("state=failing", ["Hill"]),
        ("state=dead", ["Harbour"]),
        ("state=unconnected", ["Hill"]),
        ("state=other", ["Hill", "Harbour"]),
        ("ordering=-name", ["Hill", "Harbour"]),
        ("ordering=last_delivered_at", ["Hill", "Harbour"]),
        ("ordering=secret_hash", ["Hill", "Harbour"]),
        ("p=99", ["Hill", "Harbour"]),
    ],
)
@pytest.mark.parametrize("path", [LIST, f"{LIST}results/"])
def test_search_filter_and_order(viewer, harbour, hill, query, names, path):
    bind(harbour)
    give_up(harbour)
    now = timezone.now()
    Deployment.objects.filter(pk=hill.row.pk).update(failing_since=now, last_delivered_at=now)
    response = viewer.get(f"{path}?{query}")
    assert response.status_code == 200
    result = [row.split()[0] for row in texts(response)]
    assert (sorted(result) if "q=" in query else result) == names


def test_number_of_queries_does_not_grow(viewer, hub):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert viewer.get(LIST).status_code == 200
        return len(queries)

    for number in range(2):
        bind(Member(f"Website {number}"), user=f"user-{number}")
    viewer.get(LIST)
    few = count()
    for number in range(2, 20):
        member = Member(f"Website {number}")
        bind(member, user=f"user-{number}")
        give_up(member)
    assert len(texts(viewer.get(LIST))) == 20
    assert count() == few


def test_page_of_a_deployment(operator, harbour):
    bind(harbour, "acct", "anna", account_level=False)
    give_up(harbour, attempts=9, last_status=503)
    give_up(harbour, error="ConnectTimeout", account_zoom_id="acct-2")
    html = operator.get(page_url(harbour)).content.decode()
    for text in (
        "https://harbour.example/zoom/oauth/callback/", "operator@harbour.example", "anna",
        "this user", "meeting.updated", "503", "ConnectTimeout", "2 were given up after a day",
        "Send 1 event again", harbour.row.client_id,
    ):  # fmt: skip
        assert text in html, text


def test_no_secret_and_no_content_of_an_event_is_shown(operator, harbour):
    old = harbour.credentials
    bind(harbour)
    give_up(harbour)
    new = deployments.rotate(harbour.row)
    binding = bind(harbour, user="ben")
    binding.refresh_hash = "f00d" * 16
    binding.save()
    row = Deployment.objects.get()
    hidden = [
        old.client_secret, old.webhook_secret, new.client_secret, new.webhook_secret,
        row.secret_hash, row.previous_secret_hash, row.webhook_secret.ciphertext(), "f00d",
        "Confidential", Delivery.objects.get().body.ciphertext(),
    ]  # fmt: skip
    for url in (LIST, f"{LIST}results/", page_url(harbour)):
        html = operator.get(url).content.decode()
        assert not [text for text in hidden if text in html], url


def test_text_of_a_deployment_is_escaped(viewer, harbour):
    Deployment.objects.update(name="<script>alert(1)</script>", url="https://x/?<img src=x>")
    for url in (LIST, page_url(harbour)):
        html = viewer.get(url).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html


@pytest.mark.parametrize(
    ("codenames", "reads", "sends"),
    [
        ((), False, False),
        (("add_deployment", "delete_deployment"), False, False),
        (("view_binding", "view_delivery", "change_delivery"), False, False),
        (("view_deployment",), True, False),
        (("change_deployment",), True, True),
    ],
)
def test_matrix_of_permissions(harbour, recorder, codenames, reads, sends):
    bind(harbour)
    give_up(harbour)
    client = log_in(make_user("person", *codenames))
    for url in (LIST, f"{LIST}results/", page_url(harbour)):
        response = client.get(url)
        assert (response.status_code == 200) is reads, url
        assert ("Harbour" in response.content.decode()) is reads
    menu = client.get("/admin/account/").content.decode()
    assert (LIST in menu) is reads
    button = 'type="submit" class="button"'
    assert (button in client.get(page_url(harbour)).content.decode()) is sends
    client.post(again_url(harbour))
    assert Delivery.objects.filter(state=Delivery.State.PENDING).exists() is sends


def test_login_is_required(harbour):
    give_up(harbour)
    for url in (LIST, f"{LIST}results/", page_url(harbour)):
        assert "/admin/login/" in Client().get(url)["Location"]
    Client().post(again_url(harbour))
    assert Delivery.objects.get().state == Delivery.State.DEAD


def test_send_again_delivers(operator, harbour, recorder):
    bind(harbour)
    give_up(harbour)
    Deployment.objects.update(retry_at=timezone.now() + timedelta(minutes=10), failures=3)
    response = operator.post(again_url(harbour), follow=True)
    assert response.redirect_chain == [(page_url(harbour), 302)]
    assert "1 event is sent again." in response.content.decode()
    tasks.deliver()
    assert [path for path, _headers, _body in recorder.requests] == ["/harbour/"]
    entry = ModelLogEntry.objects.get(action="wagtail_zoom_hub.send_again")
    assert entry.user.username == "operator"
    assert entry.data == {}
    response = operator.post(again_url(harbour), follow=True)
    assert "no event that can be sent again" in response.content.decode()


def test_send_again_needs_a_form_of_the_page(harbour):
    give_up(harbour)
    bind(harbour)
    client = log_in(make_user("person", "change_deployment"), enforce_csrf_checks=True)
    assert client.get(again_url(harbour)).status_code == 405
    assert client.post(again_url(harbour)).status_code == 403
    assert Delivery.objects.get().state == Delivery.State.DEAD
    html = client.get(page_url(harbour)).content.decode()
    form = html[html.index(f'action="{again_url(harbour)}"') :]
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[1]
    client.post(again_url(harbour), {"csrfmiddlewaretoken": token})
    assert Delivery.objects.get().state == Delivery.State.PENDING


def test_events_of_others_stay(operator, harbour, hill, recorder):
    bind(harbour, user="anna")
    bind(hill, user="ben")
    give_up(harbour)
    give_up(hill)
    operator.post(again_url(harbour))
    assert Delivery.objects.get(deployment=hill.row).state == Delivery.State.DEAD


def test_event_of_an_account_that_is_no_longer_connected_is_not_sent(
    operator, harbour, hill, recorder
):
    """Its Zoom user has another website now, or has removed the app."""
    bind(harbour, "acct-2")
    bind(hill, "acct")
    give_up(harbour, account_zoom_id="acct")
    operator.post(again_url(harbour))
    tasks.deliver()
    assert recorder.requests == []
    assert "None of them can be sent again" in operator.get(page_url(harbour)).content.decode()
    # That the app was removed has to be known, above all then.
    give_up(harbour, account_zoom_id="acct", event=DEAUTHORIZED)
    operator.post(again_url(harbour))
    assert Delivery.objects.get(event=DEAUTHORIZED).state == Delivery.State.PENDING


def test_event_whose_content_was_deleted_is_not_sent(operator, harbour, recorder):
    bind(harbour)
    row = give_up(harbour)
    row.body = ""
    row.save()
    operator.post(again_url(harbour))
    tasks.deliver()
    assert recorder.requests == []


def test_nothing_of_a_removed_deployment(operator, harbour):
    bind(harbour)
    give_up(harbour)
    deployments.remove(harbour.row)
    assert texts(operator.get(LIST)) == []
    assert operator.get(page_url(harbour)).status_code == 404
    assert operator.post(again_url(harbour)).status_code == 404
    assert Delivery.objects.get().state == Delivery.State.DEAD


def test_nothing_is_added_changed_or_deleted_here(operator, harbour, admin_client):
    for name in ("add", "edit", "delete", "copy", "history", "usage"):
        with pytest.raises(NoReverseMatch):
            reverse(f"wagtail_zoom_deployments:{name}")
        for path in (f"{name}/{harbour.row.pk}/", f"{name}/", "new/"):
            assert admin_client.get(f"{LIST}{path}").status_code == 404
    assert b"".join(admin_client.get(f"{LIST}?export=csv")).strip() == b""


def test_group_has_both_permissions(admin_client):
    html = admin_client.get(reverse("wagtailusers_groups:add")).content.decode()
    values = Permission.objects.filter(content_type__app_label="wagtail_zoom_hub")
    offered = {row.codename for row in values if f'value="{row.pk}"' in html and row.name}
    assert {"view_deployment", "change_deployment"} <= offered
