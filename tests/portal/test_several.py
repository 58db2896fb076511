"""« Régler les factures cochées »: what can be ticked, the page before leaving, and the page that names them all."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Attempt, Means
from tenant_apps.payments.online import paying
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.products import protocols
from tenant_apps.products.models import Mode, Product, ProductKind
from tenant_apps.products.services import set_up_product
from tests.payments.conftest import Simulator, simulator
from tests.portal.conftest import text

__all__ = ["simulator"]


@pytest.fixture
def invoices(alice: Account, make_payer: Any, make_invoice: Callable[..., Invoice]) -> list[Invoice]:
    Product.objects.update(takes_several=True)
    payer = make_payer(alice)
    return [make_invoice(payer, amount=amount) for amount in ("10", "20", "30")]


def page_of(*invoices: Invoice) -> str:
    return "/reglements/plusieurs/?" + "&".join(f"facture={invoice.uuid}" for invoice in invoices)


def says(attempt: Attempt, outcome: Outcome) -> None:
    asked = {name: getattr(attempt, name) for name in ("amount", "reference", "merchant", "mode")}
    settle(attempt_id=attempt.pk, status=Status(outcome, **asked), source="poller")


def test_boxes_only_where_they_help(
    alice: Account, client_for: Any, invoices: list[Invoice], make_invoice: Any
) -> None:
    client = client_for(alice)

    def boxes() -> int:
        page = client.get("/reglements/").content.decode()
        assert ("Régler les factures cochées" in page) == ('type="checkbox"' in page)
        return page.count('type="checkbox"')

    titres = set_up_product(
        actor="system", code="EAU", label="Eau", numcli="001966", protocol="payfip",
        kind=ProductKind.TITRE, mode=Mode.PRODUCTION,
    )  # fmt: skip
    for _ in range(2):
        make_invoice(invoices[0].payer, product=titres)
    assert boxes() == 3
    Invoice.objects.filter(pk=invoices[0].pk).update(online_hold="dispute")
    assert boxes() == 2
    Invoice.objects.filter(pk=invoices[1].pk).update(paid=20)
    assert boxes() == 0  # one alone has its button
    Invoice.objects.update(online_hold="", paid=0)
    for change in ({"mode": Mode.TEST}, {"protocol": protocols.NONE}, {"takes_several": False}):
        before = Product.objects.filter(is_default=True).values(*change).get()
        Product.objects.filter(is_default=True).update(**change)
        assert boxes() == 0
        Product.objects.filter(is_default=True).update(**before)
    assert boxes() == 3


def test_the_list_costs_one_statement_more_whatever_its_length(
    alice: Account, client_for: Any, invoices: list[Invoice], make_invoice: Any
) -> None:
    client = client_for(alice)

    def asked() -> int:
        client.get("/reglements/")
        with CaptureQueriesContext(connection) as statements:
            client.get("/reglements/")
        return len(statements)

    few = asked()
    for _ in range(12):
        make_invoice(invoices[0].payer)
    assert asked() == few


def test_the_lines_and_the_total_before_leaving(
    alice: Account, client_for: Any, invoices: list[Invoice], simulator: Simulator
) -> None:
    client = client_for(alice)
    page = text(client.get(page_of(*invoices)))
    assert all(invoice.number in page for invoice in invoices)
    assert "Total 60,00 €" in page
    answer = client.post(page_of(*invoices))
    assert answer.status_code == 302
    attempt = Attempt.objects.get()
    assert attempt.operation in answer["Location"]
    assert client.post(page_of(invoices[1], invoices[2])).status_code == 409
    page = text(client.get(page_of(invoices[1], invoices[2])))
    assert f"Facture n° {invoices[1].number} : Un paiement de cette facture est en cours" in page
    assert "Accès à l'écran" not in page


def test_the_page_after_it_names_them_all(
    alice: Account, client_for: Any, invoices: list[Invoice], simulator: Simulator
) -> None:
    attempt = paying.start_payment_of(actor=alice, invoices=invoices).attempt
    client = client_for(alice)
    for invoice in invoices:  # from each of them
        waiting = text(client.get(f"/factures/{invoice.uuid}/retour/"))
        assert "Nous attendons la réponse" in waiting
        assert all(one.number in waiting for one in invoices)
    says(attempt, Outcome.REFUSED_CARD)
    refused = client.get(f"/factures/{invoices[0].uuid}/retour/")
    assert "Le paiement a été refusé" in text(refused)
    again = refused.context["again"]
    assert text(client.get(again)).count("2026-001-") == 3
    again = paying.start_payment_of(actor=alice, invoices=invoices).attempt
    says(again, Outcome.PAID_CARD)
    page = text(client.get(f"/factures/{invoices[2].uuid}/retour/"))
    assert "Merci, votre paiement est enregistré" in page
    assert "60,00 €" in page
    assert again.reference in page
    assert all(one.number in page for one in invoices)
    assert "Régler les factures cochées" not in text(client.get("/reglements/"))


def test_paid_at_the_counter_meanwhile(
    alice: Account, client_for: Any, invoices: list[Invoice], simulator: Simulator
) -> None:
    attempt = paying.start_payment_of(actor=alice, invoices=invoices).attempt
    book_counter_payment(
        actor="system",
        invoice=invoices[0],
        means=Means.CASH,
        amount=invoices[0].amount,
        paid_on=invoices[0].issued_on,
    )
    client = client_for(alice)
    path = f"/factures/{invoices[0].uuid}/retour/"
    assert "Nous attendons la réponse" in text(client.get(path))  # the others still do
    says(attempt, Outcome.REFUSED_CARD)
    assert "Elle l'a été par un autre paiement" in text(client.get(path))
    again = paying.start_payment_of(actor=alice, invoices=invoices[1:]).attempt
    book_counter_payment(
        actor="system",
        invoice=invoices[1],
        means=Means.CASH,
        amount=invoices[1].amount,
        paid_on=invoices[1].issued_on,
    )
    says(again, Outcome.PAID_CARD)
    page = text(client.get(f"/factures/{invoices[2].uuid}/retour/"))
    assert "Une de ces factures était déjà réglée, en tout ou partie : 20,00 € ont été payés en trop" in page


def test_who_shares_one_payer_reads_only_its_invoices(
    alice: Account, client_for: Any, invoices: list[Invoice], make_account: Any, make_payer: Any,
    make_invoice: Any, simulator: Simulator,
) -> None:  # fmt: skip
    bob = make_account("bob@example.net")
    shared = make_invoice(make_payer(alice, bob), amount="7")
    attempt = paying.start_payment_of(actor=alice, invoices=[*invoices, shared]).attempt
    says(attempt, Outcome.PAID_CARD)
    page = text(client_for(bob).get(f"/factures/{shared.uuid}/retour/"))
    assert "7,00 €" in page
    assert "67,00" not in page
    assert not any(invoice.number in page for invoice in invoices)
    assert client_for(bob).get(f"/factures/{invoices[0].uuid}/retour/").status_code == 404


def test_somebody_else_s_are_absent(
    alice: Account,
    client_for: Any,
    invoices: list[Invoice],
    make_account: Any,
    make_payer: Any,
    make_invoice: Any,
) -> None:
    theirs = make_invoice(make_payer(make_account("charlie@example.net")))
    client = client_for(alice)
    for address in (
        page_of(invoices[0], theirs),
        "/reglements/plusieurs/?facture=1",
        "/reglements/plusieurs/?facture=00000000-0000-0000-0000-000000000000",
        "/reglements/plusieurs/?" + "&".join(f"facture={n:032}" for n in range(60)),
    ):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404
    assert not Attempt.objects.exists()


def test_nothing_ticked_is_said(alice: Account, client_for: Any, invoices: list[Invoice]) -> None:
    client = client_for(alice)
    assert "coché aucune facture" in text(client.get("/reglements/plusieurs/"))
    assert client.post("/reglements/plusieurs/").status_code == 409


def test_a_payment_for_each_service(
    alice: Account, client_for: Any, invoices: list[Invoice], make_invoice: Any, simulator: Simulator
) -> None:
    other = set_up_product(
        actor="system", code="CRECHE", label="Crèche", numcli="001966", protocol="tipi",
        mode=Mode.PRODUCTION,
    )  # fmt: skip
    Product.objects.update(takes_several=True)
    more = [make_invoice(invoices[0].payer, amount="5", product=other) for _ in range(2)]
    client = client_for(alice)
    answer = client.get(page_of(*invoices, *more))
    assert "réglez chaque service à son tour" in text(answer)
    assert [group.amount for group, _ in answer.context["groups"]] == [60, 10]
    for _, address in answer.context["groups"]:
        assert client.post(address).status_code == 302
    assert {attempt.amount for attempt in Attempt.objects.all()} == {60, 10}
    assert client.post(page_of(*invoices, *more)).status_code == 409
