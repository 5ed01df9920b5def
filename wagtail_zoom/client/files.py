"""Text files of a recording: downloaded from the URL that a read of the recording returned.

The URL is a credential and is never stored. Source: Zoom's API reference, "Download a recording": a
bearer header; redirects are followed, without the header when they leave Zoom's hosts.
"""

from __future__ import annotations

from ..conf import settings
from ..exceptions import ZoomError, ZoomNotFound, ZoomProtocolError, ZoomRejected
from ..oauth.http import BearerAuth, ZoomResponse, send_request
from ..oauth.tokens import AccessToken
from ..utils.urls import join_urls, split_url
from ..utils.zoom_urls import is_zoom_url
from .base import BaseClient
from .ratelimit import LIGHT
from .responses import TokenRejected, parse_response

MAX_REDIRECTS = 3


def fetch_text_file(client: BaseClient, url: str) -> str:
    """Download the file at ``download_url`` as UTF-8 text.

    Raises:
        ZoomRejected: the URL is not on one of Zoom's hosts, or Zoom refuses the file.
        ZoomNotFound: the file is gone.
        ZoomProtocolError: the response is too large, or redirects endlessly.
        ZoomError: as all calls.
    """
    if not _is_zoom_url(url):
        raise ZoomRejected("The URL of the file is not on one of Zoom's hosts.")
    try:
        response = client.with_token(LIGHT, lambda token: _fetch(url, token, client))
    except TokenRejected as error:
        raise ZoomRejected("Zoom refused the file.", status=error.status) from error
    if isinstance(response, ZoomError):
        raise response
    return bytes(response.body).decode("utf-8-sig", errors="replace")


def _fetch(url: str, token: AccessToken, client: BaseClient) -> ZoomResponse | ZoomError:
    """Fetch the file. Errors of a storage host are returned: they do not concern the grant."""
    for _hop in range(MAX_REDIRECTS + 1):
        # The token goes to Zoom's own hosts only, never to a storage host.
        is_zoom_host = _is_zoom_url(url)
        auth = (
            BearerAuth(token.reveal()) if is_zoom_host else None
        )  # guard: storage-host-gets-no-token
        try:
            response = send_request(
                "GET", url, auth=auth, deadline=client.deadline, accept="text/vtt, */*"
            )
        except ZoomError as error:
            if is_zoom_host:
                raise
            return error
        if response.status == 200:
            return response
        if not 300 <= response.status < 400:
            if is_zoom_host:
                raise _error_for(response)
            return _error_for(response)
        url = join_urls(url, str(response.headers.get("Location", "")))
        if split_url(url).scheme != "https" and not _is_zoom_url(url):
            break
    raise ZoomProtocolError("Zoom's file cannot be fetched.", status=response.status)


def _is_zoom_url(url: str) -> bool:
    """Whether this is on one of Zoom's domains or the host of ``API_URL``."""
    own_host = split_url(settings.api_url).hostname or "zoom.us"
    return is_zoom_url(url, also=(own_host,), any_loopback_name=False)


def _error_for(response: ZoomResponse) -> ZoomError:
    if response.status in (403, 404, 410):
        return ZoomNotFound("Zoom does not provide the file.", status=response.status)
    try:
        parse_response(ZoomResponse(response.status, response.headers, None))
    except ZoomError as error:
        return error
    return ZoomProtocolError("Zoom's response is not a file.", status=response.status)
