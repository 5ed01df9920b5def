"""The Site that a request to an API is about."""

from __future__ import annotations

from django.http import HttpRequest
from wagtail.models import Site


class AmbiguousSite(ValueError):
    """Several Sites have the hostname."""


def site_of_api_request(request: HttpRequest) -> Site | None:
    """The Site that ``?site=hostname`` or ``?site=hostname:port`` names, as in Wagtail's own
    endpoints; without it the Site of the request's hostname. None: there is no such Site.

    The API of a separate front end is on one hostname, whatever the Sites.

    Raises:
        AmbiguousSite: several Sites have this hostname, and the port is missing.
    """
    if "site" not in request.GET:
        return Site.find_for_request(request)
    hostname, has_port, port = request.GET["site"].partition(":")
    if "\0" in hostname or (has_port and not (port.isascii() and port.isdigit() and len(port) < 6)):
        return None
    sites = Site.objects.select_related("root_page").filter(hostname=hostname)
    matches = list((sites.filter(port=int(port)) if has_port else sites)[:2])
    if len(matches) > 1:
        raise AmbiguousSite("Several sites have this hostname. Add the port: hostname:port.")
    return matches[0] if matches else None
