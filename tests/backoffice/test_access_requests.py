"""« Rattachements »: what a clerk reads, decides and is told; what it costs."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.paper_proof import GUESSES, InvoiceCopy, request_access
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.models import Access, AccessRequest, Payer, PayerEmail
from tenant_apps.residents.queries import payers_of
from tests.backoffice.conftest import text
from tests.backoffice.test_lists import QUERIES


@pytest.fixture
def invoice(town: Any, make_payer: Callable[..., Payer], make_invoice: Callable[..., Invoice]) -> Invoice:
    payer = make_payer(email="odette@example.net", last_name="LEGRAND", first_name="Odette", city="Pechabou")
    return make_invoice(payer)


@pytest.fixture
def access_request(people: SimpleNamespace, invoice: Invoice) -> AccessRequest:
    request_access(actor=people.alice, copy=InvoiceCopy(invoice.number, invoice.amount, invoice.reference))
    return AccessRequest.objects.get()


def path(access_request: AccessRequest, act: str = "") -> str:
    return f"/gestion/rattachements/{access_request.uuid}/{act}"


def test_the_list_and_its_count_in_the_menu(browsers: SimpleNamespace, access_request: AccessRequest) -> None:
    page = browsers.reader.get("/gestion/rattachements/")
    assert "alice@example.net Odette LEGRAND" in text(page)
    assert "Rattachements 1 à décider" in text(page)
    assert "1 rattachement à décider" in text(browsers.reader.get("/gestion/"))
    services.withdraw_access_request(actor=access_request.account, access_request=access_request)
    page = text(browsers.reader.get("/gestion/rattachements/"))
    assert "Aucune demande à décider" in page
    assert "1 à décider" not in page
    assert "Retirée" in text(browsers.reader.get("/gestion/rattachements/?etat=toutes"))


def test_what_helps_to_decide(
    browsers: SimpleNamespace, people: SimpleNamespace, access_request: AccessRequest
) -> None:
    page = text(browsers.clerk.get(path(access_request)))
    for words in (
        "alice@example.net",
        "Odette LEGRAND",
        "Pechabou",
        "odette@example.net",
        access_request.number,
    ):
        assert words in page
    assert "Aucun compte pour l'instant" in page
    assert "coupé" not in page
    Access.objects.create(account=people.alice, payer=access_request.payer, ended_at=timezone.now())
    assert "L'accès de ce compte à ce dossier a été coupé le" in text(
        browsers.clerk.get(path(access_request))
    )


def test_accepted(browsers: SimpleNamespace, people: SimpleNamespace, access_request: AccessRequest) -> None:
    page = browsers.clerk.post(path(access_request, "accepter/"), follow=True)
    assert "Le dossier est rattaché ; alice@example.net en est prévenu." in text(page)
    assert list(payers_of(people.alice)) == [access_request.payer]
    assert AuditEntry.objects.get(verb="claim.accepted").actor == people.clerk.audit_name
    assert sorted(OutgoingMail.objects.values_list("kind", "to")) == [
        ("claim-accepted", "alice@example.net"),
        ("claim-joined", "odette@example.net"),
    ]
    browsers.manager.post(path(access_request, "accepter/"))  # another had the page open
    assert OutgoingMail.objects.count() == 2
    late = browsers.manager.post(path(access_request, "refuser/"), {"reason": "Non."})
    assert late.status_code == 422
    assert "Cette demande a déjà reçu une réponse" in text(late)
    assert "Accepter et rattacher" not in text(late)


def test_refused_with_a_reason(
    browsers: SimpleNamespace, people: SimpleNamespace, access_request: AccessRequest
) -> None:
    missing = browsers.clerk.post(path(access_request, "refuser/"), {"reason": " "})
    assert missing.status_code == 422
    assert "Écrivez à cette personne pourquoi vous refusez." in text(missing)
    page = browsers.clerk.post(path(access_request, "refuser/"), {"reason": "Venez nous voir."}, follow=True)
    assert "la réponse part vers alice@example.net" in text(page)
    assert not payers_of(people.alice).exists()
    assert "« Venez nous voir. »" in text(browsers.reader.get(path(access_request)))
    late = browsers.clerk.post(path(access_request, "accepter/"))
    assert late.status_code == 422
    assert not payers_of(people.alice).exists()


def test_asked_again_after_a_refusal_says_so(
    browsers: SimpleNamespace, people: SimpleNamespace, invoice: Invoice, access_request: AccessRequest
) -> None:
    services.refuse_access_request(actor="system", access_request=access_request, reason="Venez nous voir.")
    request_access(actor=people.alice, copy=InvoiceCopy(invoice.number, invoice.amount, invoice.reference))
    again = AccessRequest.objects.get(state="waiting")
    assert "La même demande a été refusée le" in text(browsers.clerk.get(path(again)))


@pytest.mark.parametrize("act", ["accepter/", "refuser/"])
def test_a_reader_decides_nothing(
    browsers: SimpleNamespace, people: SimpleNamespace, access_request: AccessRequest, act: str
) -> None:
    assert "Décider" not in text(browsers.reader.get(path(access_request)))
    for browser, status in ((browsers.reader, 403), (browsers.alice, 404)):
        assert browser.post(path(access_request, act), {"reason": "Non."}).status_code == status
    assert browsers.nobody.post(path(access_request, act)).status_code == 302
    access_request.refresh_from_db()
    assert access_request.state == "waiting"


def test_a_cancelled_invoice_is_not_accepted(
    browsers: SimpleNamespace, invoice: Invoice, access_request: AccessRequest
) -> None:
    Invoice.objects.update(state="cancelled")
    answer = browsers.clerk.post(path(access_request, "accepter/"))
    assert answer.status_code == 422
    assert "n'est plus en ligne" in text(answer)
    assert "Annulée" in text(answer)
    assert not Access.objects.exists()
    invoice.delete()
    assert "(elle n'existe plus)" in text(browsers.clerk.get(path(access_request)))


def test_a_payer_that_is_erased_takes_its_access_requests(
    browsers: SimpleNamespace, invoice: Invoice, access_request: AccessRequest
) -> None:
    payer = invoice.payer
    invoice.delete()
    payer.delete()
    assert browsers.clerk.post(path(access_request, "accepter/")).status_code == 404
    assert browsers.clerk.get("/gestion/rattachements/").status_code == 200


def test_one_whose_address_is_not_confirmed_is_not_shown(browsers: SimpleNamespace, invoice: Invoice) -> None:
    hidden = AccessRequest.objects.create(email="x@example.net", payer=invoice.payer, number=invoice.number)
    assert browsers.clerk.get(path(hidden)).status_code == 404
    assert "x@example.net" not in text(browsers.clerk.get("/gestion/rattachements/?etat=toutes"))


def test_guesses_are_shown(browsers: SimpleNamespace, people: SimpleNamespace, invoice: Invoice) -> None:
    payer_page = f"/gestion/redevables/{invoice.payer.uuid}/"
    assert "essais faux" not in text(browsers.reader.get(payer_page))
    for n in range(GUESSES):
        request_access(actor=people.alice, copy=InvoiceCopy(invoice.number, invoice.amount, f"WRONG{n}"))
    for page in ("/gestion/rattachements/", payer_page):
        found = text(browsers.reader.get(page))
        assert "essais faux" in found
        assert "Odette LEGRAND" in found
    Payer.objects.update(access_requests_locked_until=timezone.now() - timedelta(seconds=1))
    assert "essais faux" not in text(browsers.reader.get(payer_page))


def test_cost_does_not_grow_with_the_rows(
    browsers: SimpleNamespace,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Payer],
    django_assert_max_num_queries: Any,
) -> None:
    for n in range(30):
        payer = make_payer(
            email=f"p{n}@example.net", access_requests_locked_until=timezone.now() + timedelta(hours=1)
        )
        account = make_account(f"a{n}@example.net", password=None)
        access_request = AccessRequest.objects.create(
            state="waiting", account=account, payer=payer, email=account.email, number=f"N{n}"
        )
    for n in range(30):
        PayerEmail.objects.create(payer=payer, email=f"q{n}@example.net")
        Access.objects.create(account=make_account(f"b{n}@example.net", password=None), payer=payer)
    for page in ("/gestion/rattachements/", path(access_request)):
        with django_assert_max_num_queries(QUERIES):
            assert browsers.reader.get(page).status_code == 200
