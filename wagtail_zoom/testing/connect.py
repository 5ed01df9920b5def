"""Connects a Site to the simulated Zoom the way a person does: through the real pages over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from ..models import ExposedHost, Host, ZoomAccount, ZoomSettings
from ..sync.settings_changes import apply_exposure
from .worker import TaskRunner


def agree(authorize_url: str, person: str) -> str:
    """Agree on the simulator's consent page as ``person`` (such as ``aurora-0``).

    Returns the address to which Zoom sends the browser back.
    """
    response = requests.get(
        authorize_url,
        params={"sim_user": person, "sim_auto": "1"},
        allow_redirects=False,
        timeout=30,
    )
    target = response.headers.get("Location")
    if response.status_code != 302 or not target:
        raise AssertionError(
            f"The consent page answered {response.status_code}: {response.text[:200]}"
        )
    return target


def follow(client: Client, target: str, host: str = "testserver") -> object:
    """Open an address of ours with the test client, on its own host where it is another one."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return client.get(parts.path, query, headers={"host": parts.netloc or host})


def connect_site(client: Client, site: Site, person: str, host: str = "testserver") -> object:
    """Press Connect as the logged-in user of ``client``, agree as ``person``, come back.

    Returns the last response: the redirect to the Site's panel when all went well.
    """
    url = reverse("wagtail_zoom:oauth_connect", args=[site.pk])
    begun = client.post(url, headers={"host": host})
    if "/oauth/authorize" not in begun.headers.get("Location", ""):
        raise AssertionError(f"Connecting did not lead to Zoom: {begun.status_code}")
    received = follow(client, agree(begun["Location"], person), host)
    return follow(client, received["Location"], host)  # type: ignore[index]


def connect_and_import(
    site: Site,
    person: str,
    worker: TaskRunner,
    *,
    show: Sequence[str] = ("meetings", "webinars", "recordings", "registration"),
    hosts: Iterable[str] | None = None,
    plan: str = "",
    host: str = "localhost",
    work: bool = True,
    **choices: Any,
) -> ZoomSettings:
    """Connect a Site as ``person``, choose what to show, and import it.

    Args:
        person: who agrees at the simulated Zoom, such as ``aurora-0``.
        worker: the fixture ``zoom_worker``.
        show: the kinds to show, and ``registration``.
        hosts: Zoom user ids of the hosts to show; all of the account when left out.
        plan: the account's plan, where it matters; else it is found out as in real life.
        host: the host name under which the admin is used.
        work: False leaves the import to the worker's next turn.
        choices: further fields of ``ZoomSettings``, such as ``join_policy``.
    """
    user = _superuser()
    client = Client()
    client.force_login(user)
    connect_site(client, site, person, host=host)
    worker.run()
    choice = ZoomSettings.for_site(site)
    if plan:
        ZoomAccount.objects.filter(pk=choice.account_id).update(plan=plan)
    for name, value in {**{f"show_{kind}": True for kind in show}, **choices}.items():
        setattr(choice, name, value)
    choice.save()
    rows = Host.objects.filter(account=choice.account)
    for row in rows if hosts is None else rows.filter(zoom_id__in=list(hosts)):
        ExposedHost.objects.get_or_create(settings=choice, host=row)
    apply_exposure(choice, user)
    if work:
        worker.run()
    return ZoomSettings.objects.get(pk=choice.pk)


def _superuser() -> Any:
    """Somebody who may change every Site: the first superuser, or a new one."""
    model = get_user_model()
    found = model._default_manager.filter(is_superuser=True).first()
    address = "zoom-owner@example.org"
    names = {model.USERNAME_FIELD: address, "email": address}
    return found or model._default_manager.create_superuser(**names, password="pw")  # type: ignore[attr-defined]  # noqa: S106
