"""Browsers of different people: separate cookies, and every request is real HTTP."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

import requests

MAX_STEPS = 10
REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]*)"')


class Browser:
    """One person's browser at the live server, under any hostname of the installation.

    ``zoom`` is the URL of the Zoom simulator; its pages are not opened but returned.
    """

    def __init__(self, server: str, zoom: str) -> None:
        self.server, self.zoom = server, zoom
        self.session = requests.Session()
        self.history: list[str] = []

    def request(self, method: str, url: str, *, cookies: bool = True, **options) -> object:
        """One request; ``cookies=False``: a navigation on which SameSite=Strict withholds them."""
        parts = urlsplit(url)
        target = f"{self.server}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        send = self.session.request if cookies else requests.request
        headers = {"Host": parts.netloc, **options.pop("headers", {})}
        self.history.append(url)
        return send(method, target, headers=headers, allow_redirects=False, timeout=30, **options)

    def get(self, url: str, **options) -> object:
        return self.request("GET", url, **options)

    def post(self, url: str, **data: str) -> object:
        """Post as a form of a page on the same host does."""
        host, hostname = urlsplit(url).netloc, urlsplit(url).hostname or ""
        token = next(
            (
                cookie.value
                for cookie in self.session.cookies
                if cookie.name == "csrftoken" and cookie.domain.startswith(hostname)
            ),
            "",
        )
        headers = {"Origin": f"http://{host}"}
        data = {"csrfmiddlewaretoken": token, **data}
        return self.request("POST", url, data=data, headers=headers)

    def open(self, url: str) -> object:
        """Open a URL and follow redirects and refreshes, up to a page or to Zoom."""
        return self.follow(url, self.get(url))

    def follow(self, url: str, response: object) -> object:
        for _step in range(MAX_STEPS):
            target = response.headers.get("Location")
            if response.status_code == 200 and (match := REFRESH.search(response.text)):
                target = html.unescape(match[1])
            if not target or target.startswith(self.zoom):
                return response
            url = urljoin(url, target)
            response = self.get(url)
        raise AssertionError(f"It does not end: {self.history[-3:]}")

    def log_in(self, host: str, username: str, password: str) -> Browser:
        login = f"http://{host}/admin/login/"
        self.get(login)
        response = self.post(login, username=username, password=password)
        assert response.status_code == 302, response.status_code
        return self
