"""« Mes messages » and the answers of the town: what each side sees, may do, and is told."""

import html
import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.errors import NotWhileImpersonating
from shared_apps.accounts.models import Account, Impersonation, Role
from shared_apps.accounts.services import create_account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.contact import queries, services
from tenant_apps.contact.errors import Changed
from tenant_apps.contact.models import Message
from tenant_apps.contact.services import send_message
from tenants.models import Town
from tests.contact.sent_files import pdf, sent
from tests.portal.conftest import text

MOST = 12  # SQL statements per page, including those that update the registry from time to time


def reply(**more: Any) -> dict[str, Any]:
    return {"body": "Merci, et le 13 ?", "key": str(uuid4()), **more}


def answer(thread: Message, **more: Any) -> dict[str, Any]:
    seen = queries.last_of(thread)
    return {"body": "Bonjour,\nle repas est retiré.", "key": str(uuid4()), "seen": str(seen), **more}


def seen_by_alice(browsers: SimpleNamespace) -> str:
    return text(browsers.alice.get("/contact/messages/"))


def path(thread: Message, act: str = "") -> str:
    return f"/gestion/messages/{thread.uuid}/{act}"


def test_the_whole_conversation(browsers: SimpleNamespace, thread: Message, people: SimpleNamespace) -> None:
    assert "Envoyé" in seen_by_alice(browsers)
    page = text(browsers.clerk.get(path(thread)))
    assert "mon fils était absent." in page
    assert "Lu par la mairie" in seen_by_alice(browsers)

    sent_to = browsers.clerk.post(path(thread, "repondre/"), answer(thread, file_1=sent("avoir.pdf", pdf())))
    assert sent_to["Location"] == path(thread)
    thread.refresh_from_db()
    assert thread.handled_by == people.clerk.audit_name
    assert "clerk@example.net Réponse" in text(browsers.clerk.get(path(thread)))  # staff see who answered
    assert "Le repas du 12" in text(browsers.clerk.get("/gestion/messages/?etat=traites"))
    mail = OutgoingMail.objects.get(kind="contact-answer")
    assert (mail.to, mail.reply_to) == (people.alice.email, "regie@mairie.example.org")
    for body in (mail.text, html.unescape(mail.html)):
        for words in ("le repas est retiré.", "avoir.pdf", f"/contact/messages/{thread.uuid}/"):
            assert words in body

    assert "Nouvelle réponse" in seen_by_alice(browsers)
    assert "1 nouvelle réponse" in text(browsers.alice.get("/contact/"))
    page = text(browsers.alice.get(f"/contact/messages/{thread.uuid}/"))
    for words in ("Vous le", "le repas est retiré.", "avoir.pdf", f"Facture n° {thread.invoice.number}"):
        assert words in page
    assert "Répondu" in page  # until it is opened
    assert "Nouvelle réponse" not in page
    assert "clerk@example.net" not in page  # the town answers, not a person
    assert "Répondu" in seen_by_alice(browsers)
    assert "nouvelle réponse" not in text(browsers.alice.get("/contact/"))

    assert browsers.alice.post(f"/contact/messages/{thread.uuid}/", reply()).status_code == 302
    thread.refresh_from_db()
    assert thread.handled_at is None  # reopened
    assert "Le repas du 12" in text(browsers.reader.get("/gestion/messages/"))
    again = OutgoingMail.objects.filter(kind="contact").latest("id")
    assert (again.to, again.reply_to) == ("regie@mairie.example.org", people.alice.email)
    assert again.subject == "Réponse d'un usager : Le repas du 12"
    assert "et le 13 ?" in again.text
    assert [
        entry.verb for entry in AuditEntry.objects.filter(object=f"message:{thread.uuid}").order_by("id")
    ] == [
        "message.sent",
        "message.answered",
        "message.replied",
    ]


def test_a_thread_is_of_one_person(browsers: SimpleNamespace, thread: Message) -> None:
    """Bob shares the payer and sees the invoice; the thread is Alice's alone."""
    services.reply_to_message(actor=thread.account, message=thread, body="x", key=uuid4(), attachments=())
    inside = thread.replies.get()
    for who, status in (("bob", 404), ("nobody", 302), ("clerk", 404)):
        browser = getattr(browsers, who)
        assert browser.get(f"/contact/messages/{thread.uuid}/").status_code == status
        assert browser.post(f"/contact/messages/{thread.uuid}/", reply()).status_code == status
    assert "Le repas" not in text(browsers.bob.get("/contact/messages/"))
    assert (
        browsers.alice.get(f"/contact/messages/{inside.uuid}/").status_code == 404
    )  # no thread begins with a reply
    assert browsers.clerk.get(path(inside)).status_code == 404
    assert Message.objects.count() == 2


def test_a_reader_reads_only(browsers: SimpleNamespace, thread: Message) -> None:
    page = browsers.reader.get(path(thread)).content.decode()
    assert "Envoyer la réponse" not in page
    assert "repondre/" not in page
    for act in ("repondre/", "traite/", "rouvrir/", "transmettre/"):
        for who, status in (("reader", 403), ("alice", 404), ("nobody", 302)):
            assert getattr(browsers, who).post(path(thread, act), answer(thread)).status_code == status
    thread.refresh_from_db()
    assert thread.handled_at is None
    assert not thread.replies.exists()


def test_two_clerks_at_once(browsers: SimpleNamespace, thread: Message) -> None:
    first, second = answer(thread), answer(thread, body="Je regarde.")
    assert browsers.clerk.post(path(thread, "repondre/"), first).status_code == 302
    refused = browsers.clerk.post(path(thread, "repondre/"), second)
    assert refused.status_code == 409
    page = text(refused)
    assert "Un autre message est arrivé dans cet échange" in page
    assert "le repas est retiré." in page  # the answer of the other clerk is shown
    assert "Je regarde." in page  # and nothing typed is lost
    assert OutgoingMail.objects.filter(kind="contact-answer").count() == 1
    again = {**second, "seen": refused.context["form"]["seen"].value()}
    assert browsers.clerk.post(path(thread, "repondre/"), again).status_code == 302
    assert thread.replies.count() == 2


def test_two_clerks_in_the_same_instant(live_town: Town) -> None:
    """Two real connections: one answer is sent, the other clerk is told."""
    clerks = [create_account(actor="system", email=f"c{n}@example.net", role=Role.CLERK) for n in range(2)]
    thread = send_message(actor=None, email="a@example.net", subject="Bonjour", body="Merci")
    gate, came = threading.Barrier(2), []

    def act(clerk: Account) -> None:
        try:
            with tenant_context(live_town):
                gate.wait()
                services.answer_message(
                    actor=clerk, message=thread, body=clerk.email, seen=thread.uuid, key=uuid4()
                )
                came.append("sent")
        except Changed:
            came.append("changed")
        finally:
            connection.close()

    runners = [threading.Thread(target=act, args=[clerk]) for clerk in clerks]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert sorted(came) == ["changed", "sent"]
    assert thread.replies.count() == OutgoingMail.objects.filter(kind="contact-answer").count() == 1


def test_one_form_sent_twice_in_the_same_instant(live_town: Town) -> None:
    gate, public_id, came = threading.Barrier(2), uuid4(), []

    def act() -> None:
        try:
            with tenant_context(live_town):
                gate.wait()
                sent_ = send_message(
                    actor=None, email="a@example.net", subject="s", body="b", public_id=public_id
                )
                came.append(sent_.uuid)
        finally:
            connection.close()

    runners = [threading.Thread(target=act) for _ in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert came == [public_id, public_id]
    assert Message.objects.count() == OutgoingMail.objects.count() == 1


def test_sent_twice_is_once_on_both_sides(browsers: SimpleNamespace, thread: Message) -> None:
    from_town, from_alice = answer(thread), reply()
    for _ in range(2):
        assert browsers.clerk.post(path(thread, "repondre/"), from_town).status_code == 302
    for _ in range(2):
        assert browsers.alice.post(f"/contact/messages/{thread.uuid}/", from_alice).status_code == 302
    assert thread.replies.count() == 2
    assert OutgoingMail.objects.count() == 3  # the first message, the answer, the reply


def test_a_key_of_another_thread_writes_nothing(browsers: SimpleNamespace, thread: Message) -> None:
    other = send_message(actor=None, email="x@example.net", subject="s", body="b")
    stolen = {"key": str(other.uuid)}
    assert browsers.alice.post(f"/contact/messages/{thread.uuid}/", reply(**stolen)).status_code == 409
    assert browsers.clerk.post(path(thread, "repondre/"), answer(thread, **stolen)).status_code == 409
    assert Message.objects.count() == 2


def test_an_answer_that_is_wrong_loses_nothing(browsers: SimpleNamespace, thread: Message) -> None:
    bad = browsers.clerk.post(
        path(thread, "repondre/"), answer(thread, body="Voici :", file_1=sent("a.exe", b"MZ"))
    )
    assert bad.status_code == 422
    assert "« a.exe » n'est ni un PDF" in text(bad)
    assert "Voici :" in text(bad)
    empty = browsers.alice.post(
        f"/contact/messages/{thread.uuid}/", reply(body=" ", file_1=sent("a.pdf", pdf()))
    )
    assert "Écrivez votre message." in text(empty)
    assert "choisissez-les de nouveau" in text(empty)
    assert not thread.replies.exists()


def test_who_has_no_account_has_the_whole_answer_by_mail(browsers: SimpleNamespace, thread: Message) -> None:
    stranger = send_message(
        actor=None, email="p@example.net", subject="Une question", body="Bonjour", invoice=thread.invoice
    )
    page = browsers.clerk.get(path(stranger)).content.decode()
    assert "sans pièce jointe" in page
    assert 'type="file"' not in page
    browsers.clerk.post(path(stranger, "repondre/"), answer(stranger, file_1=sent("a.pdf", pdf())))
    mail = OutgoingMail.objects.get(kind="contact-answer")
    assert (mail.to, mail.reply_to) == ("p@example.net", "regie@mairie.example.org")
    for body in (mail.text, html.unescape(mail.html)):
        assert "le repas est retiré." in body
        assert "/contact/messages/" not in body
        assert "répondez à ce courriel" in body
    assert stranger.replies.get().files == []


def test_what_was_held_goes_on_or_is_filed(browsers: SimpleNamespace) -> None:
    links = "https://a.example https://b.example https://c.example"
    held = [send_message(actor=None, email="s@example.net", subject=f"N{n}", body=links) for n in range(2)]
    assert "N0" not in text(browsers.clerk.get("/gestion/messages/"))
    assert "2 messages à vérifier" in text(browsers.clerk.get("/gestion/"))
    assert "N0" in text(browsers.clerk.get("/gestion/messages/?etat=a-verifier"))
    assert "N'ouvrez pas ces liens" in text(browsers.clerk.get(path(held[0])))
    for _ in range(2):
        browsers.clerk.post(path(held[0], "transmettre/"))
    assert OutgoingMail.objects.get().to == "regie@mairie.example.org"
    assert "N0" in text(browsers.clerk.get("/gestion/messages/"))
    browsers.clerk.post(path(held[1], "traite/"))
    assert "Aucun message à vérifier" in text(browsers.clerk.get("/gestion/messages/?etat=a-verifier"))
    assert OutgoingMail.objects.count() == 1


def test_filed_and_opened_again(browsers: SimpleNamespace, thread: Message) -> None:
    for act, verb in (("traite/", "message.handled"), ("rouvrir/", "message.reopened")):
        for _ in range(2):
            assert browsers.clerk.post(path(thread, act)).status_code == 302
        assert AuditEntry.objects.filter(verb=verb).count() == 1
    thread.refresh_from_db()
    assert (thread.handled_at, thread.handled_by) == (None, "")


def test_found_by_its_words(browsers: SimpleNamespace, thread: Message) -> None:
    for words in ("repas", "alice@", thread.invoice.number, "REPAS 12"):
        assert "Le repas du 12" in text(browsers.reader.get("/gestion/messages/", {"q": words})), words
    empty = text(browsers.reader.get("/gestion/messages/?q=piscine"))
    assert "Aucun message ne correspond à cette recherche." in empty


def test_the_operator_in_somebody_s_place_neither_reads_nor_answers_for_them(
    people: SimpleNamespace, thread: Message, browsers: SimpleNamespace
) -> None:
    people.clerk.impersonated_by = Impersonation(operator=uuid4())
    with pytest.raises(NotWhileImpersonating):
        services.answer_message(actor=people.clerk, message=thread, body="x", seen=thread.uuid, key=uuid4())
    assert not thread.replies.exists()


def test_an_answer_that_came_meanwhile_is_not_read(thread: Message, people: SimpleNamespace) -> None:
    services.answer_message(actor=people.clerk, message=thread, body="a", seen=thread.uuid, key=uuid4())
    page = queries.thread_for_resident(people.alice, thread.uuid)
    services.answer_message(
        actor=people.clerk, message=thread, body="b", seen=queries.last_of(thread), key=uuid4()
    )
    services.mark_read(message=page, reader="resident")
    assert queries.news_for_resident(people.alice) == 1


@pytest.mark.parametrize("number", [1, 12])
def test_pages_cost_the_same_for_one_and_for_twelve(
    browsers: SimpleNamespace, people: SimpleNamespace, thread: Message, number: int
) -> None:
    for n in range(number):
        send_message(
            actor=people.alice, email=people.alice.email, subject=f"S{n}", body="b", invoice=thread.invoice
        )
        services.reply_to_message(actor=people.alice, message=thread, body="x", key=uuid4())
    for browser, page in (
        (browsers.alice, "/contact/messages/"),
        (browsers.alice, f"/contact/messages/{thread.uuid}/"),
        (browsers.reader, "/gestion/messages/"),
        (browsers.reader, path(thread)),
    ):
        browser.get(page)  # noted once per day
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200
        assert len(asked) <= MOST, (page, [query["sql"][:90] for query in asked])


def test_long_lists_go_on_from_a_key(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    for n in range(45):
        send_message(actor=people.alice, email=people.alice.email, subject=f"Lettre {n:02}.", body="b")
    Message.objects.update(last_at=timezone.now() - timedelta(hours=1))  # all at the same time
    seen: list[str] = []
    page = browsers.alice.get("/contact/messages/")
    for _ in range(3):
        seen += [thread.subject for thread in page.context["threads"].rows]
        page = browsers.alice.get(f"/contact/messages/?apres={page.context['threads'].next_mark}")
    assert seen == [f"Lettre {n:02}." for n in reversed(range(45))]
    theirs = send_message(actor=people.bob, email=people.bob.email, subject="De Bob", body="b")
    for odd in ("x", str(uuid4()), str(theirs.uuid)):
        assert "Lettre 44." in text(browsers.alice.get("/contact/messages/", {"apres": odd}))
