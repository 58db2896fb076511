"""« Rattacher un dossier »: one neutral answer, what a resident sees while it waits, and where the page is found."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.services import check_credentials
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.portal.views.mine.access_requests import BY_ACCOUNT, FROM_ADDRESS
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.models import AccessRequest, Payer
from tenant_apps.residents.queries import payers_of
from tenant_apps.residents.tasks import handle_access_requests
from tenant_apps.townhall import queries as townhalls
from tenant_apps.townhall.models import TownHall
from tests.conftest import PASSWORD
from tests.portal.conftest import text

PAPER = {"number": "2026-001-000096", "amount": "37,50 €", "reference": "2015-RS-00-8001516"}
NEW = "nouvelle@example.net"
NEUTRAL = "Nous n'avons pas pu rattacher de dossier avec ces trois indications."


@pytest.fixture
def invoice(town: Any, make_payer: Callable[..., Payer], make_invoice: Callable[..., Invoice]) -> Invoice:
    payer = make_payer(last_name="LEGRAND", first_name="Odette")
    return make_invoice(payer, number=PAPER["number"], reference="2015RS008001516")


@pytest.fixture
def resident(alice: Account, client_for: Callable[..., Client]) -> Client:
    return client_for(alice)


def setting(mode: str) -> None:
    TownHall.objects.update(payer_claims=mode)
    townhalls.forget()


def without_csrf(page: bytes) -> bytes:
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", page)


def test_signed_in_and_at_once(resident: Client, alice: Account, invoice: Invoice) -> None:
    setting("at_once")
    assert "Rattacher ce dossier" in text(resident.get("/rattacher/"))
    page = text(resident.post("/rattacher/", PAPER, follow=True))
    assert "Le dossier est rattaché à votre compte" in page
    assert invoice.number in page
    assert list(payers_of(alice)) == [invoice.payer]
    again = text(resident.post("/rattacher/", PAPER, follow=True))
    assert "Ce dossier est déjà rattaché à votre compte : vous n'avez rien à faire." in again


def test_signed_in_it_waits_and_may_be_withdrawn(resident: Client, alice: Account, invoice: Invoice) -> None:
    assert "Le service de facturation vérifiera votre demande" in text(resident.get("/rattacher/"))
    page = text(resident.post("/rattacher/", PAPER, follow=True))
    assert "Votre demande attend la réponse du service de facturation" in page
    assert f"Facture n° {invoice.number} , demande du" in page
    assert "LEGRAND" not in page  # the name of the payer is not theirs to read yet
    assert not payers_of(alice).exists()
    assert "attend la réponse du service de facturation" in text(resident.get("/factures/"))
    details = text(resident.get("/mes-informations/"))
    assert "1 demande de rattachement attend la réponse du service." in details
    assert "LEGRAND" not in details
    path = f"/rattacher/{AccessRequest.objects.get().uuid}/retirer/"
    assert "Votre demande est retirée." in text(resident.post(path, follow=True))
    assert "Votre demande est retirée." in text(resident.post(path, follow=True))
    assert AccessRequest.objects.get().state == "withdrawn"


def test_withdrawing_one_that_staff_have_decided_says_so(resident: Client, invoice: Invoice) -> None:
    resident.post("/rattacher/", PAPER)
    access_request = AccessRequest.objects.get()
    services.refuse_access_request(actor="system", access_request=access_request, reason="Non.")
    page = text(resident.post(f"/rattacher/{access_request.uuid}/retirer/", follow=True))
    assert "Cette demande a déjà reçu une réponse" in page
    access_request.refresh_from_db()
    assert access_request.state == "refused"


def test_another_s_access_request_is_absent(
    resident: Client,
    invoice: Invoice,
    make_account: Callable[..., Account],
    client_for: Callable[..., Client],
) -> None:
    resident.post("/rattacher/", PAPER)
    bob = client_for(make_account("bob@example.net"))
    assert bob.post(f"/rattacher/{AccessRequest.objects.get().uuid}/retirer/").status_code == 404
    assert AccessRequest.objects.get().state == "waiting"


WRONG = {
    "number": {"number": "2026-001-000097"},
    "amount": {"amount": "37,51"},
    "reference": {"reference": "2015-RS-00-8001517"},
    "all": {"number": "X", "amount": "1", "reference": "ZZZZZZ"},
}


def test_a_wrong_figure_gets_the_same_page_whichever_it_is(resident: Client, invoice: Invoice) -> None:
    pages = set()
    for change in WRONG.values():
        answer = resident.post("/rattacher/", {**PAPER, **change})
        assert answer.status_code == 422
        assert NEUTRAL in text(answer)
        pages.add(re.sub(rb'value="[^"]*"', b"", without_csrf(answer.content)))  # what was typed stays
    Invoice.objects.update(state="cancelled")
    answer = resident.post("/rattacher/", PAPER)
    pages.add(re.sub(rb'value="[^"]*"', b"", without_csrf(answer.content)))
    assert len(pages) == 1
    assert not AccessRequest.objects.exists()


def test_without_a_session_right_and_wrong_read_exactly_alike(
    client_for: Callable[..., Client], invoice: Invoice
) -> None:
    pages = set()
    for change in ({}, *WRONG.values()):
        answer = client_for().post("/rattacher/", {**PAPER, **change, "email": NEW})
        assert answer.status_code == 200
        assert "un message vient d'être envoyé à nouvelle@example.net" in text(answer)
        pages.add(without_csrf(answer.content))
    assert len(pages) == 1
    handle_access_requests()
    assert OutgoingMail.objects.filter(to=NEW).count() == 1  # the right one


def lien() -> str:
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", OutgoingMail.objects.get(kind="link-claim").text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("at_once", "Le dossier est rattaché à votre compte"),
        ("approval", "Votre demande attend la réponse du service"),
    ],
)
def test_without_a_session_the_whole_road(
    client_for: Callable[..., Client], invoice: Invoice, mode: str, words: str
) -> None:
    setting(mode)
    browser = client_for()
    browser.post("/rattacher/", {**PAPER, "email": NEW})
    handle_access_requests()
    page = browser.get(f"/?LIEN={lien()}", follow=True)
    assert "Choisissez le mot de passe du compte nouvelle@example.net" in text(page)
    assert "LEGRAND" not in text(page)
    assert AccessRequest.objects.get().state == "asked"  # looking confirms nothing
    short = browser.post("/lien/", {"password": "court"})
    assert short.status_code == 422
    assert "12 caractères" in text(short)
    assert 'id="id_password_error">Le mot de passe' in short.content.decode()
    assert browser.post("/lien/", {"password": ""}).status_code == 422
    assert words in text(browser.post("/lien/", {"password": PASSWORD}))
    account = check_credentials(email=NEW, password=PASSWORD, ip="192.0.2.1")
    assert payers_of(account).exists() == (mode == "at_once")
    assert browser.post("/lien/", {"password": PASSWORD}).status_code == 410


def test_an_account_that_is_active_only_confirms(
    client_for: Callable[..., Client], alice: Account, invoice: Invoice
) -> None:
    setting("at_once")
    browser = client_for()
    browser.post("/rattacher/", {**PAPER, "email": alice.email})
    handle_access_requests()
    page = text(browser.get(f"/?LIEN={lien()}", follow=True))
    assert "sera rattaché au compte alice@example.net" in page
    assert "mot de passe" not in page
    assert not payers_of(alice).exists()
    assert "Le dossier est rattaché à votre compte" in text(browser.post("/lien/"))
    assert list(payers_of(alice)) == [invoice.payer]
    assert browser.get("/factures/").status_code == 302  # the link signs nobody in


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("number", "", "Écrivez le numéro de la facture."),
        ("amount", "", "Écrivez le montant de la facture, par exemple 37,50."),
        ("amount", "trente", "« trente » n'est pas un montant : écrivez par exemple 37,50."),
        ("amount", "-37,50", "doit être supérieur à zéro"),
        ("reference", "", "Écrivez la référence de paiement."),
        ("email", "", "Écrivez votre adresse e-mail."),
        ("email", "nom", "n'est pas complète"),
    ],
)
def test_what_is_missing_is_said_beside_its_field(
    client_for: Callable[..., Client], invoice: Invoice, field: str, value: str, words: str
) -> None:
    answer = client_for().post("/rattacher/", {**PAPER, "email": NEW, field: value})
    assert answer.status_code == 422
    assert words in text(answer)
    assert f'href="#id_{field}"' in answer.content.decode()
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("amount", ["37,50", "37.5", "37,5 €", "37.50 euros", "€ 37,50"])
def test_amounts_as_people_write_them(resident: Client, invoice: Invoice, amount: str) -> None:
    resident.post("/rattacher/", {**PAPER, "amount": amount})
    assert AccessRequest.objects.count() == 1


def test_too_many_papers_from_one_place(client_for: Callable[..., Client], invoice: Invoice) -> None:
    for n in range(FROM_ADDRESS.most):
        sent = {**PAPER, "number": f"X{n}", "reference": f"ZZZZZZ{n}", "email": NEW}
        assert client_for().post("/rattacher/", sent).status_code == 200
    before = AccessRequest.objects.count()
    assert client_for().post("/rattacher/", {**PAPER, "email": NEW}).status_code == 429
    assert AccessRequest.objects.count() == before
    elsewhere = client_for().post("/rattacher/", {**PAPER, "email": NEW}, REMOTE_ADDR="198.51.100.7")
    assert elsewhere.status_code == 200


def test_too_many_papers_from_one_account(resident: Client, invoice: Invoice) -> None:
    for n in range(BY_ACCOUNT.most):
        sent = {**PAPER, "number": f"X{n}", "reference": f"ZZZZZZ{n}"}
        assert resident.post("/rattacher/", sent, REMOTE_ADDR=f"198.51.100.{n}").status_code == 422
    assert resident.post("/rattacher/", PAPER, REMOTE_ADDR="198.51.100.99").status_code == 429
    assert not AccessRequest.objects.exists()


LINKS = ("/", "/factures/", "/mes-informations/", "/plan-du-site/")


@pytest.mark.parametrize("mode", ["off", "approval"])
def test_where_it_is_offered(
    resident: Client, client_for: Callable[..., Client], invoice: Invoice, mode: str
) -> None:
    setting(mode)
    nobody = client_for()
    pages = [
        nobody.get("/"),
        nobody.post("/activation/", {"email": NEW}),
        *(resident.get(path) for path in LINKS[1:]),
    ]
    assert ["/rattacher/" in page.content.decode() for page in pages] == [mode != "off"] * len(pages)
    for browser in (nobody, resident):
        assert browser.get("/rattacher/").status_code == (404 if mode == "off" else 200)
        assert browser.post("/rattacher/", {**PAPER, "email": NEW}).status_code != 500
    assert AccessRequest.objects.exists() == (mode != "off")


def test_an_access_request_that_waits_is_seen_after_the_town_stopped_taking_them(
    resident: Client, invoice: Invoice
) -> None:
    resident.post("/rattacher/", PAPER)
    setting("off")
    page = text(resident.get("/rattacher/"))
    assert invoice.number in page
    assert "Recopiez trois indications" not in page
    assert resident.post("/rattacher/", PAPER).status_code == 404
    resident.post(f"/rattacher/{AccessRequest.objects.get().uuid}/retirer/")
    assert resident.get("/rattacher/").status_code == 404


def test_it_is_not_for_staff(
    client_for: Callable[..., Client], make_account: Callable[..., Account], invoice: Invoice
) -> None:
    clerk = client_for(make_account("clerk@example.net", role=Role.CLERK))
    assert clerk.get("/rattacher/").status_code == 404
    assert clerk.post("/rattacher/", PAPER).status_code == 404


def test_the_page_is_never_kept(resident: Client, client_for: Callable[..., Client]) -> None:
    for browser in (resident, client_for()):
        assert browser.get("/rattacher/")["Cache-Control"] == "no-store, private"


def test_locked_reads_like_wrong(resident: Client, invoice: Invoice) -> None:
    wrong = resident.post("/rattacher/", {**PAPER, "amount": "1"})
    Payer.objects.update(access_requests_locked_until=timezone.now() + timedelta(hours=1))
    locked = resident.post("/rattacher/", PAPER)
    assert locked.status_code == wrong.status_code == 422
    assert NEUTRAL in text(locked)
    assert not AccessRequest.objects.exists()
