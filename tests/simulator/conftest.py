"""Fixtures: a client of the Zoom simulator; every exchange is validated against the contract."""

import pytest
import requests

from tests.contract.checker import check, check_delivery

from .receiver import Receiver

REDIRECT = "http://localhost:8000/zoom/oauth/callback/"
VERIFIER = "v" * 60
BASIC = ("simulator-client", "simulator-secret")


class App:
    """A minimal Marketplace app: connects a user and calls the API."""

    def __init__(self, url):
        self.url = url
        self.tokens = {}

    def code(self, user, **params):
        query = {
            "response_type": "code", "client_id": "simulator-client", "redirect_uri": REDIRECT,
            "state": "the-state", "sim_user": user, "sim_auto": "1", **params,
        }  # fmt: skip
        response = requests.get(f"{self.url}/oauth/authorize", query, allow_redirects=False)
        assert response.status_code == 302, response.text
        return response.headers["Location"].partition("code=")[2].partition("&")[0]

    def token(self, auth=BASIC, **form):
        return requests.post(f"{self.url}/oauth/token", data=form, auth=auth)

    def connect(self, user):
        response = self.token(
            grant_type="authorization_code", code=self.code(user), redirect_uri=REDIRECT
        )
        assert response.status_code == 200, response.text
        self.tokens = response.json()
        return self

    def revoke(self):
        form = {"token": self.tokens["access_token"]}
        return requests.post(f"{self.url}/oauth/revoke", form, auth=BASIC)

    def send(self, method, path, body=None, **params):
        headers = {"Authorization": f"Bearer {self.tokens.get('access_token', '')}"}
        target = f"{self.url}/v2{path}"
        return requests.request(method, target, params=params, headers=headers, json=body)

    def get(self, path, **params):
        return self.send("GET", path, **params)

    def post(self, path, body, **params):
        return self.send("POST", path, body, **params)

    def put(self, path, body, **params):
        return self.send("PUT", path, body, **params)


@pytest.fixture
def simulator(zoom_simulator):
    zoom_simulator.options(record_exchanges=True, rate_limit="off")
    yield zoom_simulator
    exchanges = zoom_simulator.call("GET", "exchanges")["exchanges"]
    wrong = [text for exchange in exchanges for text in check(exchange)]
    wrong += [text for delivery in zoom_simulator.deliveries() for text in check_delivery(delivery)]
    assert wrong == []


@pytest.fixture
def app(simulator):
    return App(simulator.url)


@pytest.fixture
def receiver(simulator):
    """An endpoint to which the simulator sends its events."""
    endpoint = Receiver(simulator)
    simulator.options(webhook_url=endpoint.url)
    yield endpoint
    simulator.options(webhook_url="")
    endpoint.close()


@pytest.fixture
def connected(app):
    """The app is installed in the account Borealis, whose plan allows every event."""
    return app.connect("borealis-0")
