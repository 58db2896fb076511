"""« Contact »: attachments, a copy, protection against spam. Typed text is never lost."""

import html
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.mail.models import OutgoingMail
from tenant_apps.contact.files import fields, uploads
from tenant_apps.contact.models import Message
from tenants.models import Town
from tests.contact.sent_files import HEIC, pdf, picture, sent, stamp_of
from tests.portal.conftest import text
from tests.throttling import at_most

BODY = "Bonjour,\nvoici l'attestation."
MINUTE = timedelta(minutes=1)


def form(**more: Any) -> dict[str, Any]:
    return {"subject": "Attestation", "body": BODY, "site": "", "stamp": stamp_of(MINUTE), **more}


def strangers(**more: Any) -> dict[str, Any]:
    return form(email="Passante@example.net", **more)


def kept_text(answer: Any) -> bool:
    page = html.unescape(answer.content.decode())
    return BODY in page.replace("\r\n", "\n") and 'value="Attestation"' in page


def test_files_are_kept_and_named_to_the_service(browsers: SimpleNamespace) -> None:
    files = {"file_1": sent("attestation.pdf", pdf()), "file_3": sent("photo.jpg", picture())}
    assert browsers.alice.post("/contact/", form(**files)).status_code == 302
    message = Message.objects.get()
    assert [(one.name, one.extension) for one in message.attached] == [
        ("attestation.pdf", "pdf"),
        ("photo.jpg", "jpg"),
    ]
    mail = OutgoingMail.objects.get()
    for body in (mail.text, mail.html):
        assert "attestation.pdf, photo.jpg" in body
        assert f"/gestion/messages/{message.uuid}/" in body


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("IMG_2.HEIC", HEIC), "« IMG_2.HEIC » est une photo au format HEIC"),
        (("long.pdf", pdf() + b" " * 6_000_000), "« long.pdf » pèse plus de 5 Mo"),
        (("rien.pdf", b""), "Ce fichier est vide"),
    ],
)
def test_a_refused_file_loses_nothing_that_was_typed(
    browsers: SimpleNamespace, file: tuple[str, bytes], words: str
) -> None:
    answer = browsers.alice.post(
        "/contact/", form(file_1=sent("bonne.pdf", pdf()), file_2=sent(*file), wants_copy="on")
    )
    assert words in text(answer)
    assert "Votre texte est gardé, mais pas vos fichiers : choisissez-les de nouveau." in text(answer)
    assert kept_text(answer)
    assert "checked" in answer.content.decode()
    assert not Message.objects.exists()


def test_many_or_enormous_files_are_not_held_in_memory(
    browsers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fourth file field is not one of ours; the body of too large a request is not read."""
    more = {f"file_{n}": sent(f"{n}.pdf", pdf()) for n in range(1, 6)}
    assert browsers.alice.post("/contact/", form(**more)).status_code == 302
    assert len(Message.objects.get().attached) == 3
    monkeypatch.setattr(uploads, "PATIENCE", 1000)
    answer = browsers.alice.post("/contact/", form(file_1=sent("a.pdf", pdf(9))))
    assert answer.status_code == 413
    assert "votre texte y est encore" in text(answer)


def test_the_token_of_the_form_is_asked_for(town: Town) -> None:
    browser = Client(headers={"host": "mairie.localhost"}, enforce_csrf_checks=True)
    assert browser.post("/contact/", strangers(file_1=sent("a.pdf", pdf()))).status_code == 403
    page = browser.get("/contact/")
    token = page.context["csrf_token"]
    data = strangers(file_1=sent("a.pdf", pdf()), csrfmiddlewaretoken=str(token))
    assert browser.post("/contact/", data).status_code == 302
    assert Message.objects.count() == 1


def test_sent_twice_is_one_message(browsers: SimpleNamespace) -> None:
    data = form(wants_copy="on")
    for _ in range(2):
        assert browsers.alice.post("/contact/", {**data, "file_1": sent("a.pdf", pdf())}).status_code == 302
    assert Message.objects.count() == 1
    assert sorted(OutgoingMail.objects.values_list("kind", flat=True)) == ["contact", "contact-copy"]


def test_a_copy_for_who_is_signed_in(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    browsers.alice.post("/contact/", form(wants_copy="on", file_1=sent("a.pdf", pdf())))
    browsers.bob.post("/contact/", form())
    mail = OutgoingMail.objects.get(kind="contact-copy")
    assert mail.to == people.alice.email
    for body in (mail.text, html.unescape(mail.html)):
        assert "voici l'attestation." in body
        assert "a.pdf" in body
        assert f"/contact/messages/{Message.objects.get(account=people.alice).uuid}/" in body


def test_a_stranger_gets_a_receipt_without_a_word_of_theirs_once_a_day(browsers: SimpleNamespace) -> None:
    """Nobody can use the form to send their own words to another person's address."""
    for _ in range(3):
        data = strangers(subject="ACHETEZ", body="ACHETEZ ICI", wants_copy="on")
        assert browsers.nobody.post("/contact/", data).status_code == 302
    assert Message.objects.count() == 3
    mail = OutgoingMail.objects.get(kind="contact-copy")
    assert mail.to == "passante@example.net"
    assert "ACHETEZ" not in mail.subject + mail.text + mail.html
    assert "a reçu votre message" in mail.text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (timedelta(seconds=1), "est parti très vite"),
        (timedelta(hours=25), "ouverte depuis longtemps"),
        ("", "ouverte depuis longtemps"),
        ("forged:stamp", "ouverte depuis longtemps"),
    ],
)
def test_too_fast_or_too_old_is_asked_again_kindly(
    browsers: SimpleNamespace, given: timedelta | str, words: str
) -> None:
    stamp = given if isinstance(given, str) else stamp_of(given)
    answer = browsers.nobody.post("/contact/", strangers(stamp=stamp))
    assert answer.status_code == 200
    assert words in text(answer)
    assert kept_text(answer)
    assert not Message.objects.exists()
    fresh = answer.context["form"]["stamp"].value()
    assert (fresh != stamp) == ("longtemps" in words)  # the form opened just now gets old by itself


def test_a_stamp_of_another_town_is_none_of_ours(browsers: SimpleNamespace, other_town: Town) -> None:
    with tenant_context(other_town):
        stamp = stamp_of(MINUTE)
    browsers.nobody.post("/contact/", strangers(stamp=stamp))
    assert not Message.objects.exists()


def test_who_is_signed_in_may_be_fast(browsers: SimpleNamespace) -> None:
    for stamp in (stamp_of(timedelta(0)), ""):
        assert browsers.alice.post("/contact/", form(stamp=stamp)).status_code == 302
    assert Message.objects.count() == 2


def test_links_of_a_stranger_are_held_without_a_word(browsers: SimpleNamespace) -> None:
    links = "https://a.example http://b.example www.c.example"
    held = browsers.nobody.post("/contact/", strangers(body=links, wants_copy="on"))
    assert held["Location"] == "/contact/merci/"
    assert Message.objects.get().held
    assert not OutgoingMail.objects.exists()
    browsers.nobody.post("/contact/", strangers(body="https://caf.example"))
    browsers.alice.post("/contact/", form(body=links))
    assert Message.objects.filter(held=False).count() == OutgoingMail.objects.count() == 2


def test_floods_are_stopped_and_the_text_stays(browsers: SimpleNamespace) -> None:
    for n in range(11):
        answer = browsers.alice.post("/contact/", form(stamp=stamp_of(MINUTE)))
        assert answer.status_code == (302 if n < 10 else 429)
    assert "Attendez 15 minutes" in text(answer)
    assert kept_text(answer)


def test_a_stranger_may_join_files_to_three_messages(browsers: SimpleNamespace) -> None:
    for n in range(4):
        answer = browsers.nobody.post("/contact/", strangers(file_1=sent("a.pdf", pdf())))
        assert answer.status_code == (302 if n < 3 else 429)
    assert kept_text(answer)
    assert browsers.nobody.post("/contact/", strangers()).status_code == 302


def test_posts_of_a_stranger_are_counted_before_they_are_read(
    browsers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "STRANGERS_POSTS", at_most(uploads.STRANGERS_POSTS, 2))
    answers = [browsers.nobody.post("/contact/", strangers(body="")).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_about_this_invoice(
    browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any, make_invoice: Any
) -> None:
    mine, theirs = make_invoice(make_payer(people.alice)), make_invoice(make_payer())
    page = browsers.alice.get(f"/contact/?facture={mine.uuid}").content.decode()
    assert f'value="{mine.uuid}" selected' in page
    assert str(theirs.uuid) not in browsers.alice.get(f"/contact/?facture={theirs.uuid}").content.decode()


def test_no_picture_is_opened_for_whoever_sends_too_many(
    browsers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Posts with files are counted before their pictures are opened, which is the costly part."""
    opened: list[str] = []
    real = fields.checked
    monkeypatch.setattr(fields, "checked", lambda upload: opened.append(upload.name) or real(upload))
    bad = strangers(subject="")  # the form is refused each time, so nothing else is counted
    for _turn in range(uploads.OPENED_BY_STRANGERS.most):
        browsers.nobody.post("/contact/", {**bad, "file_1": sent("photo.jpg", picture())})
    assert len(opened) == uploads.OPENED_BY_STRANGERS.most
    answer = browsers.nobody.post("/contact/", strangers(file_1=sent("photo.jpg", picture())))
    assert answer.status_code == 429
    assert kept_text(answer)
    assert len(opened) == uploads.OPENED_BY_STRANGERS.most
    assert (
        browsers.nobody.post("/contact/", strangers()).status_code == 302
    )  # a post without files still works
