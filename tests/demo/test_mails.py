"""The mailbox of the demo reads what Django's file backend wrote."""

from __future__ import annotations

from pathlib import Path

from django.core.mail import EmailMessage, get_connection

from demo_site.mails import forget, newest


def test_mailbox_reads_what_was_sent(tmp_path: Path) -> None:
    """Several mails in one file, umlauts, an attachment."""
    backend = "django.core.mail.backends.filebased.EmailBackend"
    connection = get_connection(backend, file_path=tmp_path)
    invitation = EmailMessage("Übung am Montag", "Guten Morgen, Ines", to=["ines@example.org"])
    invitation.attach("date.ics", "BEGIN:VCALENDAR", "text/calendar")
    connection.open()
    connection.send_messages([invitation, EmailMessage("Second", "Text", to=["b@example.org"])])
    connection.close()
    found = {mail.subject: mail for mail in newest(tmp_path)}
    assert set(found) == {"Übung am Montag", "Second"}
    assert found["Übung am Montag"].text == "Guten Morgen, Ines"
    assert found["Übung am Montag"].attachments == ("date.ics",)


def test_empty_mailbox(tmp_path: Path) -> None:
    """A folder that is not there yet holds no mail."""
    assert newest(tmp_path / "none") == []


def test_mailbox_forgets_one_person(tmp_path: Path) -> None:
    """Issue 5, Shows 5: the mails to one address go, whatever its case; the others can be read."""
    backend = "django.core.mail.backends.filebased.EmailBackend"
    people = ["mika@example.org", "amika@example.org", "ines@example.org"]
    for number in range(2):
        connection = get_connection(backend, file_path=tmp_path)
        connection.open()
        connection.send_messages([EmailMessage(f"{number}", "Text", to=[one]) for one in people])
        connection.close()
    alone = get_connection(backend, file_path=tmp_path)
    alone.send_messages([EmailMessage("alone", "Text", to=["Mika <mika@example.org>"])])
    assert forget(tmp_path, "MIKA@example.org") == 3
    assert sorted(mail.to for mail in newest(tmp_path)) == sorted(people[1:] * 2)
    assert b"mika@" not in b"".join(
        file.read_bytes().replace(b"amika@", b"") for file in tmp_path.iterdir()
    )
