"""What strangers send, made up by Hypothesis: no error page, no traceback, no row of another Site.

A sample in each run; a thousand cases of each kind with ``make fuzz``.
"""

from __future__ import annotations

import json
import string
import time
from urllib.parse import quote, urlencode

import pytest
from django.core import mail, serializers
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.examples import examples
from tests.registration.conftest import PERSON, SAME_ORIGIN
from tests.security.tenant_data import make_tenants
from tests.security.test_crawl import own_admin_urls
from tests.security.test_tenants import public_urls
from tests.webhooks.test_endpoint import SECRET, event_body
from wagtail_zoom.frontend.block_index import block_prefix, blocks_on
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Heartbeat, Registration, SiteItem, ZoomSettings
from wagtail_zoom.sync import inbox
from wagtail_zoom.testing.signing import sign

pytestmark = pytest.mark.django_db

CASES = trials(max_examples=examples(15), suppress_health_check=list(HealthCheck), deadline=None)
SECONDS = 5.0
"""Processor time that one request may take, on a slow machine."""


def rows_of(tenant):
    """What a stranger could change of another Site."""
    rows = [
        *ZoomSettings.objects.filter(site=tenant.site),
        *Registration.objects.filter(site=tenant.site).order_by("pk"),
        *SiteItem.objects.filter(site=tenant.site).order_by("pk"),
    ]
    return serializers.serialize("json", rows)


@pytest.fixture
def tenants(db, settings):
    settings.ADMINS = [("Root", "root@example.org")]
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "BASE_URL": "https://cms.example",
        "REGISTRATION_SECONDS": 0.01,
    }
    tenants = make_tenants()
    Heartbeat.beat("tick")  # without a worker, the health check answers 503
    before = rows_of(tenants.east)
    yield tenants
    assert rows_of(tenants.east) == before
    reports = [message.subject for message in mail.outbox if "root@example.org" in message.to]
    # Django reports an unreadable Host header, in any project.
    assert [subject for subject in reports if "Invalid HTTP_HOST" not in subject] == []


def send(method, *args, **kwargs):
    """A request that is answered in time and without an error; errors of views are raised."""
    cache.clear()
    started = time.process_time()
    response = method(*args, **kwargs)
    if response.streaming:
        b"".join(response)
    assert response.status_code < 500, response.status_code
    assert time.process_time() - started < SECONDS
    return response


NASTY = [
    "",
    "0",
    "-1",
    "²",
    "٣",
    "1" * 30,
    "9" * 19,
    "1e400",
    "NaN",
    "\x00",
    "a\x00b",
    "\ud800",
    "\uffff",
    "None",
    "null",
    "true",
    "../..",
    "%",
    "%00",
    "<b>",
    "'\"",
    "{{7*7}}",
    "2026-02-30",
    "0000-00-00",
    "99999-01-01",
    "0001-01-01",
    "9999-12-31",
    "0001-01",
    "9999-12",
    "1",
    "9999",
    "2026-01",
    "2026-99",
    "12:61",
    "[::1",
    "http://[::1",
    "a" * 3000,
    "🦄",
    "\u202e",
    "a,b",
    "1,2",
    "id__in",
    "-pk",
    "csv",
    "xlsx",
    "pdf",
    "\n",
    " ",
    "=1+1",
]
TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.text(alphabet=string.digits + "-:.,", max_size=25),
    st.integers().map(str),
)
NAMES = [
    "site",
    "p",
    "q",
    "id",
    "export",
    "state",
    "when",
    "kind",
    "host",
    "tag",
    "ordering",
    "account",
    "category",
    "outcome",
    "date",
    "month",
    "view",
    "week",
    "page",
    "go",
    "in",
    "late",
    "sent",
    "without",
    "hosts",
    "item_rule",
    "next",
    "mode",
    "wz",
    "wz-page",
    "wz-m",
    "from",
    "to",
    "code",
    "error",
    "limit",
    "offset",
    "search",
    "period",
    "start_after",
    "created_at_from",
    "recorded_from",
    "recorded_to",
    "chosen-meeting",
    "locale",
    "is_searching",
    "_w_filter_fragment",
    "answer",
    "declined",
]


def encoded(text):
    """Percent-encoded; a lone surrogate as the bytes that a careless client sends."""
    return quote(text.encode("utf-8", "surrogatepass"))


def queries(names):
    """Queries of some of these parameters and of made-up ones."""
    pairs = st.lists(st.tuples(st.sampled_from(names) | TEXT, TEXT), min_size=1, max_size=4)
    return pairs.map(
        lambda pairs: "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs)
    )


QUERY = queries(NAMES)
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Niue"]
"""Of the installation: with the clocks that differ most from UTC."""
HEADER = st.one_of(
    st.sampled_from(
        [
            "http://[::1",
            "null",
            "https://evil.example",
            "[::1",
            "a" * 4000,
            "de;q=x",
            "*;q=1e400",
            "1.2.3.4, [::1, ::ffff:1.2.3.4%eth0",
            "sessionid=\x01; a=b;;=",
            "\xff\xfe",
            "same-origin",
            "csrftoken=" + "z" * 64,
            "sessionid=" + "a" * 32,
            "en-" * 600,
        ]
    ),
    st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
)
HOSTS = [
    "siten.example",
    "sitee.example",
    "cms.example",
    "unknown.example",
    "[::::]",
    "[::1]:80",
    "SITEN.example.",
    "siten.example:99999",
    "a b",
    "localhost:0",
]

JSON_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([10**40, -(10**40), "\x00", "\ud800", "a" * 3000, "2026-02-30T25:61:00Z"]),
)
KEYS = st.sampled_from(
    [
        "event",
        "event_ts",
        "payload",
        "object",
        "account_id",
        "id",
        "uuid",
        "host_id",
        "topic",
        "start_time",
        "occurrences",
        "occurrence_id",
        "registrant",
        "participant",
        "recording_files",
        "old_object",
        "time_stamp",
        "operation",
        "email",
        "status",
        "duration",
        "type",
        "settings",
    ]
) | st.text(max_size=8)
JSON_VALUE = st.recursive(
    JSON_LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
EVENTS = [
    "meeting.created",
    "meeting.updated",
    "meeting.deleted",
    "meeting.started",
    "meeting.ended",
    "webinar.updated",
    "recording.completed",
    "recording.deleted",
    "user.updated",
    "user.deleted",
    "meeting.registration_created",
    "meeting.registration_approved",
    "app_deauthorized",
    "meeting.participant_joined",
    "endpoint.url_validation",
    "nonsense",
]


@st.composite
def bodies(draw):
    """Bytes, any JSON, or an event of ours in which one member is replaced."""
    kind = draw(st.sampled_from(["bytes", "json", "object", "payload", "member"]))
    if kind == "bytes":
        return draw(st.binary(max_size=200))
    if kind == "json":
        return json.dumps(draw(JSON_VALUE)).encode()
    changed = event_body(event=draw(st.sampled_from(EVENTS)))
    changed["payload"]["account_id"] = draw(st.sampled_from(["account-first", "a", None]))
    if kind == "object":
        changed["payload"]["object"] = draw(JSON_VALUE)
    elif kind == "payload":
        changed["payload"] = draw(JSON_VALUE)
    else:
        changed[draw(st.sampled_from(["event", "event_ts", "payload"]))] = draw(JSON_VALUE)
    return json.dumps(changed).encode()


@CASES
@given(body=bodies(), is_signed=st.booleans(), change=st.tuples(st.integers(0, 12), HEADER))
def test_webhooks(tenants, body, is_signed, change):
    """Signed or not; what is stored is then processed by the worker."""
    headers = sign(body, SECRET if is_signed else "wrong")
    headers.pop("content-type")
    names = ["x-zm-signature", "x-zm-request-timestamp", "x-zm-request-id", "host", "cookie"]
    if change[0] < len(names):
        headers[names[change[0]]] = change[1]
    client = Client()
    url = reverse("wagtail_zoom:webhook")
    headers = {name: value for name, value in headers.items() if name != "host"}
    response = send(client.generic, "POST", url, body, "application/json", headers=headers)
    assert is_signed or response.status_code in (400, 401, 415)
    inbox.process_events()


FIELDS = [
    "email",
    "first_name",
    "last_name",
    "consent",
    "dates",
    "wz_ms",
    "wz_ok",
    "wz_url",
    "city",
    "custom_1",
    "comments",
    "a[]",
    "",
]
CONTENT_TYPES = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded; charset=idna",
    "multipart/form-data",
    "application/json",
    "multipart/form-data; boundary=\u00e9",
    "",
    "text/plain",
    "multipart/mixed; boundary=x",
    "application/x-www-form-urlencoded; charset=base64",
]


@st.composite
def forms(draw):
    """A body and its content type: form data of many kinds, with a person who would be accepted."""
    content_type = draw(st.sampled_from(CONTENT_TYPES))
    pairs = [*PERSON.items(), ("consent", "on")] if draw(st.booleans()) else []
    pairs += draw(st.lists(st.tuples(st.sampled_from(FIELDS), TEXT), max_size=5))
    if content_type.startswith("multipart"):
        parts = []
        for name, value in pairs:
            extra = draw(st.sampled_from(["", '; filename="a.exe"', '; filename="../\x00"', ";;"]))
            head = f'--x\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
            parts.append(head.encode() + value.encode("utf-8", "surrogatepass") + b"\r\n")
        return b"".join(parts) + draw(st.sampled_from([b"--x--\r\n", b"", b"--x"])), content_type
    body = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs).encode()
    return body + draw(
        st.sampled_from([b"", b"&%", b"&\xff=\xfe", b"&a=%ff%fe", b"&" * 50])
    ), content_type


@CASES
@given(
    form=forms(), query=QUERY, place=st.sampled_from(["register", "confirm", "cancel", "resend"])
)
def test_posted_forms(tenants, form, query, place):
    north = tenants.north
    url = FormLink(north.site.pk, north.page.pk, north.meeting.pk, "en").url
    if place != "register":
        url = public_urls(north)[f"wagtail_zoom:registration_{place}"]
    body, content_type = form
    if content_type.endswith(("base64", "idna")):
        query = ""  # Django fails on such a query itself, before any middleware
    headers = {**SAME_ORIGIN, "host": north.hostname}
    client = Client()
    send(client.generic, "POST", f"{url}?{query}", body, content_type, headers=headers)
    for row in Registration.objects.filter(site=north.site):
        assert "\n" not in row.email.reveal() and "\x00" not in row.answers.reveal()


@CASES
@given(data=st.data())
def test_public_urls(tenants, data):
    """Any query, any headers, at any hostname, on every URL of the app and pages with blocks."""
    urls = {**public_urls(tenants.north), "all": "/all/", "event": "/event/"}
    url = urls[data.draw(st.sampled_from(sorted(urls)))]
    headers = data.draw(
        st.dictionaries(
            st.sampled_from(
                [
                    "Origin",
                    "X-Forwarded-For",
                    "X-Forwarded-Host",
                    "Accept-Language",
                    "Cookie",
                    "Referer",
                    "Sec-Fetch-Site",
                    "If-None-Match",
                    "If-Modified-Since",
                    "Range",
                    "Accept",
                    "Authorization",
                    "X-Requested-With",
                    "User-Agent",
                ]
            ),
            HEADER,
            max_size=4,
        )
    )
    headers["host"] = data.draw(st.sampled_from(HOSTS))
    method = data.draw(st.sampled_from(["get", "get", "head", "options", "post", "put", "delete"]))
    query = data.draw(QUERY)
    client = Client()
    if method == "post" and "webhook" in url:
        method = "get"
    send(getattr(client, method), f"{url}?{query}", headers=headers)


@CASES
@given(data=st.data())
def test_parameters_of_blocks(tenants, data):
    """Pages with blocks, with the parameters that these blocks read, on the clocks of any zone."""
    page = tenants.north.page
    names = [
        f"{block_prefix(placed.block_id)}-{name}"
        for placed in blocks_on(page)
        for name in ("page", "year", "month", "kind", "places", "q")
    ]
    query = data.draw(queries(names))
    with override_settings(TIME_ZONE=data.draw(st.sampled_from(ZONES))):
        send(Client().get, f"/all/?{query}", headers={"host": tenants.north.hostname})


@CASES
@given(data=st.data())
def test_admin_urls(tenants, data):
    """Any query, as an owner: a link that somebody has sent him."""
    client = Client()
    client.force_login(tenants.north.owner)
    urls = dict(own_admin_urls(tenants))
    url = urls[data.draw(st.sampled_from(sorted(urls)))]
    separator = "&" if "?" in url else "?"
    with override_settings(TIME_ZONE=data.draw(st.sampled_from(ZONES))):
        send(client.get, f"{url}{separator}{data.draw(QUERY)}")


@CASES
@given(data=st.data())
def test_signed_links(tenants, data):
    """A changed link opens nothing; nor does one of another Site, or of another kind."""
    north, east = public_urls(tenants.north), public_urls(tenants.east)
    names = sorted(name for name in north if name != "filtered calendar" and len(north[name]) > 45)
    name = data.draw(st.sampled_from(names))
    token = max(north[name].split("/"), key=len)
    other = max(
        data.draw(st.sampled_from([north, east]))[data.draw(st.sampled_from(names))].split("/"),
        key=len,
    )
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_=:.~"))
    mutated = data.draw(
        st.sampled_from(
            [
                token[:position],
                token[position + 1 :],
                token[:position] + letter + token[position + 1 :],
                token + letter,
                token * 2,
                token[::-1],
                token.swapcase(),
                other,
                quote(token[:-1] + "²"),
                quote("\x00") + token,
                f"{token[:position]}%{letter}0",
                "a" * 5000,
            ]
        )
    )
    url = north[name].replace(token, mutated, 1)
    client = Client()
    for method in (client.get, client.post):
        response = send(method, url, headers={"host": tenants.north.hostname})
        if mutated not in (token, *(max(link.split("/"), key=len) for link in north.values())):
            assert response.status_code in (301, 302, 400, 403, 404, 405, 411), url
            assert "zoom.us" not in response.get("Location", "")


def test_the_query_of_a_case_is_what_it_says():
    assert encoded("\ud800") == "%ED%A0%80"
    assert urlencode({"a": "b"}) == "a=b"
