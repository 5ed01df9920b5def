"""The hub's pages and emails in the languages of the package."""

import pytest
from django.utils import translation

from wagtail_zoom.hub import notifications
from wagtail_zoom.hub.models import Binding

from .conftest import Owner
from .test_events import bind

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("de", ["Zoom mit Harbour House verbinden", "Weiter zu Zoom", ">Abbrechen<"]),
        ("fr", ["Connecter Zoom à Harbour House", "Continuer vers Zoom", ">Annuler<"]),
        ("es", ["Conectar Zoom con Harbour House", "Continuar a Zoom", ">Cancelar<"]),
    ],
)
def test_question_of_the_hub(hub, harbour, language, texts):
    owner = Owner()
    owner.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    html = owner.get(harbour.authorize_url()).content.decode()
    assert f'<html lang="{language}"' in html
    assert [text for text in texts if text not in html] == []


def test_email_of_the_hub(hub, harbour, mailoutbox):
    bind(harbour)
    Binding.objects.update(notice=Binding.Notice.MOVED)
    with translation.override("de"):
        assert notifications._send_binding_emails() == 1
    [mail] = mailoutbox
    assert mail.subject == "Harbour House: Der Zoom-Benutzer gehört jetzt zu einer anderen Website"
    assert "mit Harbour House (https://harbour-house.example) verbunden war" in mail.body
