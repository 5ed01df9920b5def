"""The demo's emails are read from the files of Django's file backend."""

from __future__ import annotations

from pathlib import Path

from django.core.mail import EmailMessage, get_connection

from demo_site.emails import delete_emails, newest_emails


def test_sent_emails_are_listed(tmp_path: Path) -> None:
    """Several emails in one file, umlauts, an attachment."""
    backend = "django.core.mail.backends.filebased.EmailBackend"
    connection = get_connection(backend, file_path=tmp_path)
    invitation = EmailMessage("Übung am Montag", "Guten Morgen, Ines", to=["ines@example.org"])
    invitation.attach("date.ics", "BEGIN:VCALENDAR", "text/calendar")
    connection.open()
    connection.send_messages([invitation, EmailMessage("Second", "Text", to=["b@example.org"])])
    connection.close()
    emails = {email.subject: email for email in newest_emails(tmp_path)}
    assert set(emails) == {"Übung am Montag", "Second"}
    assert emails["Übung am Montag"].text == "Guten Morgen, Ines"
    assert emails["Übung am Montag"].attachments == ("date.ics",)


def test_empty_mailbox(tmp_path: Path) -> None:
    """A missing folder contains no emails."""
    assert newest_emails(tmp_path / "none") == []


def test_emails_of_one_person_are_deleted(tmp_path: Path) -> None:
    """Emails to one person are deleted, case-insensitively; the others can still be read."""
    backend = "django.core.mail.backends.filebased.EmailBackend"
    people = ["mika@example.org", "amika@example.org", "ines@example.org"]
    for number in range(2):
        connection = get_connection(backend, file_path=tmp_path)
        connection.open()
        connection.send_messages(
            [EmailMessage(f"{number}", "Text", to=[person]) for person in people]
        )
        connection.close()
    alone = get_connection(backend, file_path=tmp_path)
    alone.send_messages([EmailMessage("alone", "Text", to=["Mika <mika@example.org>"])])
    assert delete_emails(tmp_path, "MIKA@example.org") == 3
    assert sorted(email.to for email in newest_emails(tmp_path)) == sorted(people[1:] * 2)
    assert b"mika@" not in b"".join(
        file.read_bytes().replace(b"amika@", b"") for file in tmp_path.iterdir()
    )
