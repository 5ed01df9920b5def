"""Text files of a recording: fetched from the address that a read of the recording has named.

The address is a credential and is never stored. Source: Zoom's API reference, "Download a
recording": a bearer header, redirects are followed, and the header stays at home.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from ..conf import settings
from ..exceptions import ZoomError, ZoomNotFound, ZoomProtocolError, ZoomRejected
from ..oauth.http import Answer, Bearer, exchange
from ..oauth.tokens import AccessToken
from .base import Calls
from .ratelimit import LIGHT
from .responses import TokenRefused, data

MOST_REDIRECTS = 3


def text_file(client: Calls, url: str) -> str:
    """The text behind the ``download_url`` of a file, as UTF-8.

    Raises:
        ZoomRejected: the address is not one of Zoom's, or Zoom does not hand the file out.
        ZoomNotFound: the file is gone.
        ZoomProtocolError: the answer is too large, or redirects without end.
        ZoomError: as all calls.
    """
    if not _is_zooms(url):
        raise ZoomRejected("The address of the file is not one of Zoom's.")
    try:
        answer = client.carry(LIGHT, lambda token: _fetch(url, token, client))
    except TokenRefused as error:
        raise ZoomRejected("Zoom refused the file.", status=error.status) from error
    if isinstance(answer, ZoomError):
        raise answer
    return bytes(answer.body).decode("utf-8-sig", errors="replace")


def _fetch(url: str, token: AccessToken, client: Calls) -> Answer | ZoomError:
    """The file. What a storage host does wrong is returned: it says nothing of the permission."""
    for _hop in range(MOST_REDIRECTS + 1):
        # A storage host of Zoom's must not receive the token: it goes to Zoom's own hosts only.
        own = _is_zooms(url)
        auth = Bearer(token.reveal()) if own else None  # guard: storage-host-gets-no-token
        try:
            answer = exchange("GET", url, auth=auth, within=client.within, accept="text/vtt, */*")
        except ZoomError as error:
            if own:
                raise
            return error
        if answer.status == 200:
            return answer
        if not 300 <= answer.status < 400:
            if own:
                raise _refusal(answer)
            return _refusal(answer)
        url = urljoin(url, str(answer.headers.get("Location", "")))
        if urlsplit(url).scheme != "https" and not _is_zooms(url):
            break
    raise ZoomProtocolError("Zoom's file cannot be reached.", status=answer.status)


def _is_zooms(url: str) -> bool:
    """An https address on one of Zoom's domains; under ``DEBUG`` the simulator's too."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or not any(host == each or host.endswith(f".{each}") for each in _hosts()):
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and host in ("localhost", "127.0.0.1")
    )


def _hosts() -> tuple[str, ...]:
    """``LINK_HOSTS``, and the host of the API that this installation was told to use."""
    return (*settings.link_hosts, urlsplit(settings.api_url).hostname or "zoom.us")


def _refusal(answer: Answer) -> ZoomError:
    if answer.status in (403, 404, 410):
        return ZoomNotFound("Zoom does not hand the file out.", status=answer.status)
    try:
        data(Answer(answer.status, answer.headers, None))
    except ZoomError as error:
        return error
    return ZoomProtocolError("Zoom's file is none.", status=answer.status)
