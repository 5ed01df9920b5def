"""No owner puts the host name of another Site, or of the installation, into mails and links.

Northwind's owner types an address that is Eastwind's. A visitor of Northwind registers, and what
she gets by mail, by calendar and in a page's structured data is read.
"""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from wagtail.models import Site

from tests.admin.test_panel import form as panel_form
from tests.examples import examples
from tests.registration.conftest import PERSON, SAME_ORIGIN, make_all_due, process_due
from tests.security.tenant_data import make_tenants
from wagtail_zoom.frontend import links
from wagtail_zoom.frontend.form_links import FormLink
from wagtail_zoom.models import Registration, ZoomAccount, ZoomSettings

pytestmark = pytest.mark.django_db

OWN = "siten.example"
OTHER = "sitee.example"


@pytest.fixture
def tenants(db, settings):
    settings.WAGTAIL_ZOOM = {
        **settings.WAGTAIL_ZOOM,
        "BASE_URL": "https://cms.example",
        "ADMIN_HOSTS": ["edit.example"],
    }
    return make_tenants()


@pytest.fixture
def north(tenants):
    return tenants.north


def save_address(tenant, address):
    """Save the panel as the owner does; the response."""
    client = Client()
    client.force_login(tenant.owner)
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", tenant.site.pk])
    data = panel_form(
        tenant, show_webinars="on", show_transcripts="on", show_summaries="on", join_policy="public"
    )
    return client.post(panel, {**data, "base_url": address})


def stored_address(tenant):
    return ZoomSettings.objects.get(pk=tenant.site_settings.pk).base_url


NEVER = {
    "another site": f"https://{OTHER}",
    "another site that shares the account": "https://sites.example",
    "another site in capitals": f"https://{OTHER.upper()}",
    "another site with the dot of DNS": f"https://{OTHER}.",
    "another site with its default port": f"https://{OTHER}:443",
    "another site at another port": f"https://{OTHER}:8443",
    "another site with www": f"https://www.{OTHER}",
    "another site without www": "https://plain.example",
    "another site with an umlaut": "https://bücher.example",
    "another site in its ASCII form": "https://xn--bcher-kva.example",
    "another site in full-width letters": "https://ｓｉｔｅｅ.example",
    "another site after user information": f"https://{OWN}@{OTHER}",
    "another site after a backslash": f"https://{OTHER}\\.{OWN}",
    "the address in use by another site": "https://shop.example",
    "the installation": "https://cms.example",
    "the installation with http": "http://CMS.example:80",
    "a host of the admin": "https://edit.example",
    "a port that the site does not have": f"https://{OWN}:8443",
    "user information": f"https://user@{OWN}",
    "a password": f"https://user:word@{OWN}",
    "a path": f"https://{OWN}/path",
    "a double slash": f"https://{OWN}//{OTHER}",
    "a query": f"https://{OWN}?a=b",
    "an empty query": f"https://{OWN}?",
    "a fragment": f"https://{OWN}#a",
    "ftp": f"ftp://{OWN}",
    "ftps": f"ftps://{OWN}",
    "javascript": "javascript:alert(1)",
    "data": "data:text/html,hi",
    "a number that is an address": "https://2130706433",
    "brackets": "https://[::1]",
    "a line break": f"https://{OWN}\nhttps://{OTHER}",
    "a line break inside": f"https://{OWN}\r\n.{OTHER}",
    "a tab": f"https://{OWN}\t.{OTHER}",
    "no scheme": f"//{OTHER}",
    "a port that is none": f"https://{OWN}:99999",
}


@pytest.fixture
def other_names(tenants):
    """Further names that belong to others."""
    root = tenants.east.site.root_page
    Site.objects.create(hostname="www.plain.example", root_page=root)
    Site.objects.create(hostname="bücher.example", root_page=root)
    ZoomSettings.objects.filter(pk=tenants.south.site_settings.pk).update(
        base_url="https://shop.example"
    )


def test_an_address_that_is_not_the_sites_own_is_refused_when_saved(north, other_names):
    accepted = []
    for name, address in NEVER.items():
        response = save_address(north, address)
        form = getattr(response, "context", None) and response.context["form"]
        if not form or "base_url" not in form.errors or stored_address(north):
            accepted.append(name)
    assert accepted == []


def test_and_ignored_when_it_is_stored(north, other_names):
    """Stored before the check existed, or before the other Site was made."""
    used = []
    for name in sorted(set(NEVER) - {"the address in use by another site"}):
        ZoomSettings.objects.filter(pk=north.site_settings.pk).update(base_url=NEVER[name])
        site_settings = ZoomSettings.objects.get(pk=north.site_settings.pk)
        if links.site_origin(site_settings) != f"https://{OWN}":
            used.append(name)
    assert used == []


def test_the_sites_own_address_and_a_free_one_are_used(north):
    for address, origin in (
        ("", f"https://{OWN}"),
        (f"https://{OWN}", f"https://{OWN}"),
        (f"http://{OWN}/", f"http://{OWN}"),
        (f"https://{OWN.upper()}:443", f"https://{OWN}:443"),
        (f"https://www.{OWN}", f"https://www.{OWN}"),
        ("https://brand.example", "https://brand.example"),
        ("https://straße.example", "https://straße.example"),
    ):
        assert save_address(north, address).status_code == 302, address
        site_settings = ZoomSettings.objects.get(pk=north.site_settings.pk)
        assert links.site_origin(site_settings) == origin


def test_two_sites_with_one_hostname_are_told_apart_by_their_ports(tenants, north):
    twin = Site.objects.create(hostname=OWN, port=8000, root_page=tenants.east.site.root_page)
    on_port = ZoomSettings(site=twin, base_url=f"https://{OWN}")
    assert links.site_origin(on_port) == f"https://{OWN}:8000"
    on_port = ZoomSettings(site=twin, base_url=f"http://{OWN}:8000")
    assert links.site_origin(on_port) == f"http://{OWN}:8000"
    assert save_address(north, f"https://{OWN}:8000").status_code == 200
    assert save_address(north, f"https://{OWN}").status_code == 302


def test_the_default_site_may_use_the_address_of_the_installation(tenants):
    """Nobody else answers there."""
    default = Site.objects.get(is_default_site=True)
    site_settings = ZoomSettings(site=default, base_url="https://cms.example")
    assert links.site_origin(site_settings) == "https://cms.example"
    Site.objects.create(hostname="cms.example", root_page=tenants.east.site.root_page)
    site_settings = ZoomSettings(site=default, base_url="https://cms.example")
    assert links.site_origin(site_settings) != "https://cms.example"


def hostnames_in(text):
    return set(re.findall(r"(?:https?|ftp):(?:\\?/){2}([^/\\\s\"'<>]+)", text))


def test_what_a_visitor_gets_names_no_other_site(tenants, north, settings):
    """From the form to the mail, the personal page, the calendar files and the page's JSON-LD."""
    assert save_address(north, f"https://{OTHER}").status_code == 200
    ZoomSettings.objects.filter(pk=north.site_settings.pk).update(base_url=f"https://{OTHER}")
    Registration.objects.all().delete()
    visitor, person = Client(), {**PERSON, "consent": "on"}
    form_url = FormLink(north.site.pk, north.page.pk, north.meeting.pk, "en").url
    for hostname, status in ((OTHER, 404), (OWN, 303)):
        response = visitor.post(form_url, person, headers={**SAME_ORIGIN, "host": hostname})
        assert response.status_code == status, hostname
    assert Registration.objects.count() == 1
    assert visitor.get(form_url, headers={"host": OTHER}).status_code == 404
    ZoomAccount.objects.update(throttled_until=None)
    Registration.objects.update(state="approved", mail_due="approved", task="", task_at=None)
    make_all_due()
    process_due()
    [message] = mail.outbox
    assert hostnames_in(message.body) == {OWN}
    status_path = re.search(r"https://[^/]+(/zoom/registration/\S+)", message.body).group(1)
    for hostname, status in ((OTHER, 404), (OWN, 200)):
        for path in (status_path, f"{status_path}calendar.ics"):
            assert visitor.get(path, headers={"host": hostname}).status_code == status
    calendar = visitor.get(f"{status_path}calendar.ics", headers={"host": OWN})
    public = visitor.get(reverse("wagtail_zoom:calendar_site"), headers={"host": OWN})
    page = visitor.get("/event/", headers={"host": OWN})
    for response in (calendar, public, page):
        text = re.sub(r"\r\n[ \t]", "", response.content.decode())
        assert response.status_code == 200
        assert OWN in hostnames_in(text)
        assert OTHER not in text


def test_the_form_of_one_site_is_not_shown_at_the_installations_host_if_that_is_another_site(
    tenants, north, settings
):
    """``BASE_URL`` may be the address of one of the Sites."""
    form_url = FormLink(north.site.pk, north.page.pk, north.meeting.pk, "en").url
    assert Client().get(form_url, headers={"host": "cms.example"}).status_code == 200
    settings.WAGTAIL_ZOOM = {**settings.WAGTAIL_ZOOM, "BASE_URL": f"https://{OTHER}"}
    assert Client().get(form_url, headers={"host": OTHER}).status_code == 404


OWNERS_WORDS = [
    ("organiser", "North\nhttps://evil.example"),
    ("organiser", "North https://evil.example"),
    ("organiser", "www.evil.example"),
    ("organiser", "North\x00"),
    ("contact_email", "a@b.example\nBcc: victim@example.org"),
    ("contact_email", "a@b.example, victim@example.org"),
    ("contact_email", "North <a@b.example>"),
    ("consent_text", "I agree\nBcc: victim@example.org"),
    ("mark_word", "#a\nb"),
]


def test_words_of_owners_hold_no_line_and_no_link(north):
    client = Client()
    client.force_login(north.owner)
    panel = reverse("wagtailsettings:edit", args=["wagtail_zoom", "zoomsettings", north.site.pk])
    for field, value in OWNERS_WORDS:
        response = client.post(panel, panel_form(north, **{field: value}))
        saved = getattr(ZoomSettings.objects.get(pk=north.site_settings.pk), field)
        assert "\n" not in saved and "evil.example" not in saved, field
        if field in ("organiser", "contact_email"):
            assert response.context["form"].errors[field], value


def test_a_stored_line_break_reaches_no_mail(north):
    ZoomSettings.objects.filter(pk=north.site_settings.pk).update(
        organiser="North\nhttps://evil.example", contact_email="a@b.example\nBcc: v@example.org"
    )
    Registration.objects.update(mail_due="approved", task="", task_at=None)
    make_all_due()
    process_due()
    message = next(m for m in mail.outbox if "northwind" in m.to[0])
    assert "\nhttps://evil" not in message.body
    assert not message.reply_to and "\nBcc" not in message.message().as_string()


@trials(max_examples=examples(60), suppress_health_check=list(HealthCheck), deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.text(alphabet=st.sampled_from("htps:/[]@.#?%08abcsiteexampl².／\\ \t\n"), max_size=60),
        st.builds(
            lambda scheme, user, host, rest: f"{scheme}://{user}{host}{rest}",
            st.sampled_from(["http", "https", "HTTPS", "ftp", ""]),
            st.sampled_from(["", "a@", "a:b@", f"{OWN}@"]),
            st.sampled_from([OWN, OTHER, f"{OTHER}.", OTHER.upper(), "%73iteе.example", "[::1]"]),
            st.sampled_from(["", "/", ":80", ":443", ":8443", "/a", "?a", "#a", "\\", "\n", ":²"]),
        ),
    )
)
def test_no_text_is_the_address_of_another_site(north, text):
    site_settings = ZoomSettings(site=north.site, base_url=text)
    origin = links.site_origin(site_settings)
    assert re.fullmatch(r"https?://[^/\\\s:@?#]+(:443|:80)?", origin)
    assert OTHER not in origin and "cms.example" not in origin
