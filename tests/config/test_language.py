"""The language of a page and of a message: whose choice counts, what remembers it, and that it stays there."""

import re
import threading
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import task_prerun
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from config.celery import app
from sandbox.messages import FOLDERS, ROOT
from shared_apps.accounts.errors import NotWhileImpersonating
from shared_apps.accounts.models import Account, Link, Role
from shared_apps.accounts.services import choose_language
from shared_apps.accounts.sessions import impersonation
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.contact.services import send_message
from tenant_apps.payments.providers.payfip import fields
from tenant_apps.residents import activation as residents
from tenant_apps.townhall import queries as townhalls
from tenant_apps.townhall.services import change_townhall
from toolkit import clock, money, words

ENGLISH = {"accept-language": "en-GB,en;q=0.9"}
FRENCH = {"accept-language": "fr-FR"}


@pytest.fixture
def alice(town: Any, make_account: Any) -> Account:
    account: Account = make_account("alice@example.net")
    return account


@pytest.fixture
def visitor(town: Any) -> Client:
    return Client(headers={"host": "mairie.localhost"})


def language_of(answer: Any) -> str:
    """Of the page, from its own first line and its head, which must agree."""
    said: str = answer["Content-Language"]
    assert f'<html lang="{said}">' in answer.content.decode()
    return said


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("en-US", "en"),
        ("fr-FR,en;q=0.5", "fr"),
        ("de-DE,de;q=0.9", "fr"),
        ("de,en;q=0.5", "en"),
        ("", "fr"),
        ("*;q=x, \x00", "fr"),
    ],
)
def test_a_browser_reads_what_it_asks_for(visitor: Client, asked: str, language: str) -> None:
    answer = visitor.get("/", headers={"accept-language": asked})
    assert language_of(answer) == language
    assert {"Accept-Language", "Cookie"} <= {one.strip() for one in answer["Vary"].split(",")}


def test_the_choice_of_a_visitor_is_kept_in_this_browser(visitor: Client) -> None:
    before = "http://mairie.localhost/aide/?a=1"
    answer = visitor.post("/langue/", {"langue": "en"}, headers={**FRENCH, "referer": before})
    assert (answer.status_code, answer["Location"]) == (302, "/aide/?a=1")
    cookie = answer.cookies["langue"]
    assert (cookie["domain"], cookie["path"], cookie["samesite"]) == ("", "/", "Lax")
    assert cookie["httponly"]
    assert language_of(visitor.get("/", headers=FRENCH)) == "en"
    assert language_of(Client(headers={"host": "mairie.localhost"}).get("/", headers=FRENCH)) == "fr"


@pytest.mark.parametrize("wanted", ["de", "", "en-GB", "<script>"])
def test_an_unknown_language_changes_nothing(visitor: Client, wanted: str) -> None:
    answer = visitor.post("/langue/", {"langue": wanted})
    assert answer.status_code == 302
    assert "langue" not in answer.cookies


@pytest.mark.parametrize(
    "before",
    [
        "https://evil.example/aide/",
        "//evil.example/",
        "javascript:alert(1)",
        "http://mairie.localhost.evil.com/",
    ],
)
def test_the_way_back_stays_on_this_host(visitor: Client, before: str) -> None:
    assert visitor.post("/langue/", {"langue": "en"}, headers={"referer": before})["Location"] == "/"
    assert visitor.post("/langue/", {"langue": "en", "suite": before})["Location"] == "/"


def test_a_page_of_this_host_whose_path_reads_as_another_host_is_no_way_out(visitor: Client) -> None:
    """A link to our own « page not found » would lead who presses « English » there to another site."""
    for before in ("http://mairie.localhost//evil.example/", "http://mairie.localhost///evil.example/?a=1"):
        answer = visitor.post("/langue/", {"langue": "en"}, headers={"referer": before})
        assert answer["Location"].startswith("/%2F"), before


def test_a_choice_needs_its_form(town: Any) -> None:
    """Another site cannot choose for somebody."""
    strict = Client(enforce_csrf_checks=True, headers={"host": "mairie.localhost"})
    answer = strict.post("/langue/", {"langue": "en"})
    assert answer.status_code == 403
    assert "langue" not in answer.cookies


def test_a_person_s_choice_goes_before_the_browser_s(alice: Account, client_for: Any) -> None:
    client = client_for(alice)
    assert language_of(client.get("/factures/", headers=ENGLISH)) == "en"  # nothing was chosen yet
    client.post("/langue/", {"langue": "fr"}, headers=ENGLISH)
    alice.refresh_from_db()
    assert alice.language == "fr"
    assert AuditEntry.objects.filter(verb="account.language_chosen").count() == 1
    client.post("/langue/", {"langue": "fr"})
    assert AuditEntry.objects.filter(verb="account.language_chosen").count() == 1  # twice changes nothing
    elsewhere = client_for(alice)
    elsewhere.cookies["langue"] = "en"
    assert language_of(elsewhere.get("/factures/", headers=ENGLISH)) == "fr"
    assert language_of(elsewhere.get("/nulle-part/", headers=ENGLISH)) == "fr"  # a page that no view writes


def test_my_details_choose_it_too(alice: Account, client_for: Any) -> None:
    client = client_for(alice)
    page = client.get("/mes-informations/").content.decode()
    assert 'id="langue_fr" value="fr" checked' in page
    asked = {"langue": "en", "suite": "/mes-informations/", "details": "1"}
    assert client.post("/langue/", asked)["Location"] == "/mes-informations/"
    page = client.get("/mes-informations/").content.decode()
    assert "Your choice is saved." in page
    assert 'id="langue_en" value="en" checked' in page


def test_an_operator_in_somebody_s_place_chooses_for_nobody(
    operator: Account, make_account: Any, visitor: Client
) -> None:
    clerk = make_account("agent@example.net", role=Role.CLERK)
    ticket = impersonation.ask(operator=operator, account=clerk, reason="Ticket 4711 : un import")
    visitor.post(f"/gestion/intervention/{ticket}/")
    visitor.post("/langue/", {"langue": "en"})
    assert language_of(visitor.get("/gestion/")) == "en"  # in this browser
    clerk.refresh_from_db()
    assert clerk.language == ""
    clerk.impersonated_by = object()
    with pytest.raises(NotWhileImpersonating):
        choose_language(actor=clerk, language="en")


def test_one_request_leaves_nothing_to_the_next(visitor: Client) -> None:
    """The same thread serves both, as a server's does; also the pages that no town writes."""
    assert "See and pay my invoices" in visitor.get("/", headers=ENGLISH).content.decode()
    assert "Voir et régler mes factures" in visitor.get("/", headers=FRENCH).content.decode()
    visitor.get("/", headers=ENGLISH)
    unknown = Client(headers={"host": "inconnue.localhost"})
    assert "Aucune commune à cette adresse" in unknown.get("/").content.decode()
    assert "There is no town" in unknown.get("/", headers=ENGLISH).content.decode()


def test_one_task_leaves_nothing_to_the_next() -> None:
    task = app.tasks["tenants.run_agenda"]
    translation.activate("en")
    task_prerun.send(sender=task, task=SimpleNamespace(request=SimpleNamespace(is_eager=False)))
    assert translation.get_language() == "fr"
    translation.activate("en")  # of a request that runs its task itself: its page goes on in its language
    task_prerun.send(sender=task, task=SimpleNamespace(request=SimpleNamespace(is_eager=True)))
    assert translation.get_language() == "en"


def test_a_thread_speaks_french_until_told_otherwise() -> None:
    translation.activate("en")
    heard = []
    thread = threading.Thread(target=lambda: heard.append(words.current_language()))
    thread.start()
    thread.join()
    assert heard == ["fr"]


def test_files_are_the_same_for_all(alice: Account, client_for: Any) -> None:
    """Nobody is asked who they are for a stylesheet, and caches may give it to everybody."""
    client = client_for(alice)
    for path in ("/theme.css", "/icone"):
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(path, headers=ENGLISH)
        assert answer.status_code == 200
        assert "django_session" not in str(asked.captured_queries)
        assert "Cookie" not in answer.get("Vary", "")
        assert "Content-Language" not in answer


def test_the_console_stays_in_french(console: Client) -> None:
    page = console.get("/", headers=ENGLISH)
    assert page["Content-Language"] == "fr"
    assert "État de la plateforme" in page.content.decode()


# --- Messages -------------------------------------------------------------------------------------


def mail(kind: str) -> OutgoingMail:
    return OutgoingMail.objects.get(kind=kind)


def test_a_newcomer_is_written_to_as_they_asked(visitor: Client, make_payer: Any) -> None:
    make_payer(email="new@example.net")
    visitor.post("/activation/", {"email": "new@example.net"}, headers=ENGLISH)
    assert Link.objects.get().language == "en"
    residents.handle_links()
    sent = mail("link-activation")
    assert sent.subject.startswith("Activate your account")
    assert '<html lang="en">' in sent.html
    assert Account.objects.get(email="new@example.net").language == ""


def test_activating_keeps_the_language_of_the_page(town: Any, make_payer: Any, make_account: Any) -> None:
    make_payer(email="new@example.net")
    account = make_account("new@example.net", password=None)
    link = Link.objects.create(purpose="activation", email=account.email, account=account)
    with translation.override("en"):
        residents.activate(
            token=residents.accounts.make_token(link=link), password="un mot de passe bien long"
        )
    account.refresh_from_db()
    assert account.language == "en"


def test_a_person_is_written_to_in_their_language(alice: Account) -> None:
    choose_language(actor=alice, language="en")
    residents.request_reset(email=alice.email)  # asked from a page in French
    residents.handle_links()
    assert mail("link-reset").subject.startswith("Your new password")
    assert translation.get_language() == "fr"


def test_the_service_is_written_to_in_french(alice: Account) -> None:
    with translation.override("en"):
        send_message(actor=alice, email=alice.email, subject="Hello", body="I moved")
        assert translation.get_language() == "en"
    sent = mail("contact")
    assert sent.subject == "Message d'un usager : Hello"
    assert '<html lang="fr">' in sent.html


def test_messages_are_for_people_who_may_not_have_chosen() -> None:
    """`Account.language` may be empty: `reads` never is."""
    code = [(file, file.read_text("utf-8")) for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    wrong = r"override\((\w+\.)*(account|owner|person|inviter|actor|resident|locked)\.language\)"
    assert not [file for file, text in code if re.search(wrong, text)]


# --- Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "french", "english"),
    [
        ("37.5", "37,50\u00a0€", "€37.50"),
        ("1234567.8", "1\u202f234\u202f567,80\u00a0€", "€1,234,567.80"),
        ("-0.05", "-0,05\u00a0€", "-€0.05"),
    ],
)
def test_amounts(amount: str, french: str, english: str) -> None:
    assert money.format_euros(Decimal(amount)) == french
    with translation.override("en"):
        assert money.format_euros(Decimal(amount)) == english


def test_days() -> None:
    first = clock.today().replace(2026, 10, 1)
    assert clock.in_words(first) == "1er octobre 2026"
    with translation.override("en"):
        assert clock.in_words(first) == "1 October 2026"
    late = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)  # already the next day in Paris
    assert clock.in_words(late) == "1er octobre 2026"
    assert clock.in_words(None) == ""


def test_a_day_typed_in_english_begins_with_the_day() -> None:
    """Not the American order: 3 October would become 10 March."""
    from django import forms

    with translation.override("en"):
        assert forms.DateField().clean("03/10/2026").isoformat() == "2026-10-03"


def test_what_a_row_keeps_is_french_and_is_told_in_english() -> None:
    with translation.override("en"):
        refused = fields.refusal("A1", "")
        assert str(refused).startswith("The Treasury does not accept your e-mail address.")
        kept = words.kept(refused.sentence)
        assert kept.startswith("Le Trésor public n'accepte pas votre adresse e-mail.")
        assert words.told(kept) == str(refused).replace("“", "“")
        assert words.told("") == ""
        assert words.told("Total : <3") == '<span lang="fr">Total : &lt;3</span>'
    assert words.told(kept) == kept.replace("'", "&#x27;")


def test_what_the_town_wrote_is_marked_as_french(visitor: Client, town: Any) -> None:
    assert 'class="card-paper prose">' in visitor.get("/mentions-legales/", headers=ENGLISH).content.decode()
    page = visitor.get("/mentions-legales/", headers=ENGLISH).content.decode()
    assert "Director of publication" in page
    change_townhall(actor="system", legal_notice="Notre propre texte.")
    townhalls.forget()
    page = visitor.get("/mentions-legales/", headers=ENGLISH).content.decode()
    assert 'prose" lang="fr"><p>Notre propre texte.' in page
    page = visitor.get("/mentions-legales/", headers=FRENCH).content.decode()
    assert 'prose"><p>Notre propre texte.' in page


def test_the_list_and_the_manual_in_english(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    make_invoice(make_payer(alice), amount="1234.5", subject="CANTINE")
    page = client_for(alice).get("/factures/", headers=ENGLISH).content.decode()
    assert "You have 1 invoice to pay, <strong>€1,234.50</strong>." in page
    assert '<td class="subject" lang="fr">CANTINE' in page
    page = client_for(alice).get("/aide/", headers=ENGLISH).content.decode()
    assert "Activating my account" in page
    assert "Mairie de Démonstration" in page
