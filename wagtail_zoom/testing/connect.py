"""Connects a Site to the simulated Zoom the way a person does: through the real pages over HTTP."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import requests
from django.test import Client
from django.urls import reverse
from wagtail.models import Site


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
