"""Connects a Site to the Zoom simulator as a user does: through the real views over HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.contrib.auth import get_user_model
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from ..conf import settings
from ..models import ExposedHost, Host, ZoomAccount, ZoomSettings
from ..sync.settings_changes import apply_settings_changes
from .worker import TaskRunner

_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]*)"')
_HUB_AUTHORIZE = "/hub/oauth/authorize"
"""End of the path of a hub that is mounted at ``zoom/hub/``."""


def consent_url(response: Any) -> str:
    """The URL of Zoom's consent page, to which the page after *Connect Zoom* leads.

    Raises:
        AssertionError: the response is another one.
    """
    match = _REFRESH.search(response.content.decode())
    url = html.unescape(match[1]) if match else ""
    if "/oauth/authorize" not in url:
        raise AssertionError(f"Connecting did not lead to Zoom: {response.status_code} {url}")
    return url


def authorize_as(authorize_url: str, person: str, *, deselect: Iterable[str] = ()) -> str:
    """Allow access on the simulator's consent page as ``person`` (such as ``aurora-0``).

    With a hub in between, its button is pressed first, in the same browser.

    Args:
        deselect: optional scopes that are not granted.

    Returns the URL to which Zoom redirects the browser.
    """
    browser = requests.Session()
    zoom_url = _past_hub(browser, authorize_url)
    consent_page = browser.get(
        zoom_url,
        params={"sim_user": person, "sim_auto": "1", "sim_deselect": ",".join(deselect)},
        allow_redirects=False,
        timeout=30,
    )
    redirect_url = _location(consent_page, "The consent page")
    if zoom_url != authorize_url:
        answer = browser.get(redirect_url, allow_redirects=False, timeout=30)
        redirect_url = _location(answer, "The hub's callback")
    return redirect_url


def _past_hub(browser: requests.Session, authorize_url: str) -> str:
    """Zoom's URL behind the page of a hub, whose button is pressed; else the URL itself."""
    if not urlsplit(authorize_url).path.endswith(_HUB_AUTHORIZE):
        return authorize_url
    page = browser.get(authorize_url, allow_redirects=False, timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    form = {"csrfmiddlewaretoken": token[1] if token else "", "answer": "continue"}
    answer = browser.post(authorize_url, form, headers={"Referer": authorize_url}, timeout=30)
    match = _REFRESH.search(answer.text)
    if match is None:
        raise AssertionError(f"The hub answered {answer.status_code}: {answer.text[:200]}")
    return html.unescape(match[1])


def _location(response: requests.Response, name: str) -> str:
    location = response.headers.get("Location")
    if response.status_code != 302 or not location:
        raise AssertionError(f"{name} answered {response.status_code}: {response.text[:200]}")
    return location


def follow(client: Client, url: str, host: str = "") -> HttpResponseBase:
    """Open a URL with the test client, on its hostname or else on ``host`` or that of
    ``BASE_URL``."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    netloc = parts.netloc or host or urlsplit(settings.base_url).netloc
    return client.get(parts.path, query, headers={"host": netloc})


def connect_site(
    client: Client, site: Site, person: str, host: str = "", *, deselect: Iterable[str] = ()
) -> HttpResponseBase:
    """Connect as the logged-in user of ``client``, allow access as ``person``, follow redirects.

    All on ``host``, by default that of ``BASE_URL``. Returns the last response: on success the
    redirect to the Site's panel.

    Args:
        deselect: optional scopes that are not granted.
    """
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    host = host or urlsplit(settings.base_url).netloc
    connect_response = client.post(url, headers={"host": host})
    callback_url = authorize_as(consent_url(connect_response), person, deselect=deselect)
    callback_response = follow(client, callback_url, host)
    return follow(client, callback_response["Location"], host)


def connect_and_import(
    site: Site,
    person: str,
    worker: TaskRunner,
    *,
    show: Sequence[str] = ("meetings", "webinars", "recordings", "registration"),
    hosts: Iterable[str] | None = None,
    plan: str = "",
    host: str = "",
    work: bool = True,
    **settings_fields: Any,
) -> ZoomSettings:
    """Connect a Site as ``person``, choose what to show, and import it.

    Args:
        person: the simulator's user who allows access, such as ``aurora-0``.
        worker: the fixture ``zoom_worker``.
        show: the kinds to show, and ``registration``.
        hosts: Zoom user ids of the hosts to show; by default all hosts of the account.
        plan: the account's plan; by default it is detected.
        host: the hostname of the admin; by default that of ``BASE_URL``.
        work: False does not run the import, only enqueues it.
        settings_fields: further fields of ``ZoomSettings``, such as ``join_policy``.
    """
    user = _superuser()
    client = Client()
    client.force_login(user)
    connect_site(client, site, person, host=host)
    worker.run()
    site_settings = ZoomSettings.for_site(site)
    if plan and site_settings.account_id is not None:
        ZoomAccount.objects.filter(pk=site_settings.account_id).update(plan=plan)
    for name, value in {**{f"show_{kind}": True for kind in show}, **settings_fields}.items():
        setattr(site_settings, name, value)
    site_settings.save()
    rows = Host.objects.filter(account=site_settings.account)
    for row in rows if hosts is None else rows.filter(zoom_id__in=list(hosts)):
        ExposedHost.objects.get_or_create(settings=site_settings, host=row)
    apply_settings_changes(site_settings, user)
    if work:
        worker.run()
    return ZoomSettings.objects.get(pk=site_settings.pk)


def _superuser() -> Any:
    """The first superuser, or a new one."""
    user_model = get_user_model()
    superuser = user_model._default_manager.filter(is_superuser=True).first()
    email = "zoom-owner@example.org"
    names = {user_model.USERNAME_FIELD: email, "email": email}
    return superuser or user_model._default_manager.create_superuser(**names, password="pw")  # noqa: S106
