"""A person at the simulated Zoom, and the contract watching every exchange."""

import pytest
import requests

from tests.contract.checker import check

REDIRECT = "http://localhost:8000/zoom/oauth/callback/"
VERIFIER = "v" * 60
BASIC = ("simulator-client", "simulator-secret")


class App:
    """A minimal app of the Marketplace: connects a user and calls the API."""

    def __init__(self, url):
        self.url = url
        self.tokens = {}

    def code(self, user, **params):
        query = {
            "response_type": "code", "client_id": "simulator-client", "redirect_uri": REDIRECT,
            "state": "the-state", "sim_user": user, "sim_auto": "1", **params,
        }  # fmt: skip
        answer = requests.get(f"{self.url}/oauth/authorize", query, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"].partition("code=")[2].partition("&")[0]

    def token(self, auth=BASIC, **form):
        return requests.post(f"{self.url}/oauth/token", data=form, auth=auth)

    def connect(self, user):
        answer = self.token(
            grant_type="authorization_code", code=self.code(user), redirect_uri=REDIRECT
        )
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        return self

    def get(self, path, **params):
        headers = {"Authorization": f"Bearer {self.tokens.get('access_token', '')}"}
        return requests.get(f"{self.url}/v2{path}", params, headers=headers)


@pytest.fixture
def simulator(zoom_simulator):
    zoom_simulator.options(record_exchanges=True, rate_limit="off")
    yield zoom_simulator
    found = zoom_simulator.call("GET", "exchanges")["exchanges"]
    wrong = [text for exchange in found for text in check(exchange)]
    assert wrong == []


@pytest.fixture
def app(simulator):
    return App(simulator.url)
