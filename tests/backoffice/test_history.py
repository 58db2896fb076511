"""« Historique », beside an object, and the sentences of its page: who sees the object reads who did what."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account
from shared_apps.accounts.team import services as team
from shared_apps.audit import services as audit
from tenant_apps.backoffice.journal.history import SHOWN
from tenant_apps.contact.services import mark_handled, send_message
from tenant_apps.invoices import services as invoices
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Attempt, Declaration, Means, Payment
from tenant_apps.payments.services import (
    cancel_invoice,
    cancel_payment,
    close_deposit,
    record_refund,
    reduce_invoice,
    refuse_declaration,
)
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import add_product, end_product, reopen_product
from tenant_apps.reconciliation.models import Statement
from tenant_apps.residents.emails import billing
from tenant_apps.residents.models import AccessRequest
from tests.backoffice.conftest import text
from toolkit import clock


@pytest.fixture
def named(people: SimpleNamespace) -> SimpleNamespace:
    for role, name in (("manager", "Jeanne Martin"), ("clerk", "Camille Roux"), ("cashier", "Ali Benali")):
        member = getattr(people, role)
        member.name = name
        member.save(update_fields=["name"])
    return people


@pytest.fixture
def invoice(make_payer: Any, make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(last_name="DUPRÉ"))


def day() -> str:
    return clock.in_words(clock.today())


def paid(named: SimpleNamespace, invoice: Invoice, means: Means = Means.CASH, amount: str = "10") -> Payment:
    return book_counter_payment(
        actor=named.cashier, invoice=invoice, means=means, amount=Decimal(amount), paid_on=clock.today()
    )


def page(browser: Any, path: str) -> str:
    answer = browser.get(f"/gestion/{path}")
    assert answer.status_code == 200
    return text(answer)


# --- Invoices and money ---------------------------------------------------------------------------


def test_an_invoice_cancelled_by_somebody(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    invoices.set_online_hold(actor=named.clerk, invoice=invoice, hold="dispute")
    reduce_invoice(actor=named.manager, invoice=invoice, amount=Decimal("30"), reason="Absence", let_go=False)
    invoice.refresh_from_db()
    cancel_invoice(actor=named.manager, invoice=invoice, reason="Doublon", let_go=False)
    shown = page(browsers.reader, f"factures/{invoice.uuid}/")
    assert f"Annulée le {day()} par Jeanne Martin : Doublon" in shown
    assert f"le {day()}, par Jeanne Martin (la facture demandait 37,50 €) : Absence" in shown
    history = shown.split(" Historique ")[1]
    assert "Camille Roux" in history
    assert "rien → devient contestation en cours" in history
    assert "Voir dans le journal" not in history  # a manager's page
    assert "Voir dans le journal" in page(browsers.manager, f"factures/{invoice.uuid}/")


def test_the_history_of_an_invoice_has_its_payments(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    payment = paid(named, invoice)
    cancel_payment(actor=named.manager, payment=payment, reason="Chèque impayé")
    shown = page(browsers.reader, f"factures/{invoice.uuid}/")
    assert "Règlement saisi au guichet" in shown.split(" Historique ")[1]
    assert f"le {clock.today():%d/%m/%Y} par Jeanne Martin : Chèque impayé" in shown
    link = browsers.manager.get(f"/gestion/factures/{invoice.uuid}/").content.decode()
    address = link.split('<a href="/gestion/reglages/journal/')[1].split('"')[0].replace("&amp;", "&")
    journal = page(browsers.manager, f"reglages/journal/{address}")
    assert "Règlement annulé" in journal
    assert "Intervention" not in journal.split(" Détail ")[1]


def test_money_says_who_booked_it(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    payment = paid(named, invoice)
    one = page(browsers.reader, f"encaissements/{payment.uuid}/")
    assert "Enregistré par Ali Benali" in one
    assert "Ali Benali" in page(browsers.reader, "encaissements/")
    team.remove(actor=named.manager, member=named.cashier)
    assert "Ali Benali" in page(browsers.reader, "encaissements/")
    cancel_payment(actor=named.manager, payment=payment, reason="Erreur")
    assert f"Annulé le {day()} par Jeanne Martin : Erreur" in page(
        browsers.reader, f"encaissements/{payment.uuid}/"
    )


def test_money_that_came_online(browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice) -> None:
    attempt = Attempt.objects.create(
        invoice=invoice,
        account=named.alice,
        product=invoice.product,
        provider="payfip",
        merchant="001964",
        fiscal_year="2026",
        reference=invoice.reference,
        label="Facture",
        amount=invoice.amount,
        email="alice@example.net",
        mode="W",
        state="paid",
        free_at=clock.now() + timedelta(hours=2),
    )
    payment = Payment.objects.create(
        attempt=attempt,
        product=invoice.product,
        provider="payfip",
        provider_reference="1",
        means="card",
        amount="37.50",
        paid_on=clock.today(),
        recorded_by=audit.TREASURY,
    )
    assert "Enregistré par en ligne, PayFiP" in page(browsers.reader, f"encaissements/{payment.uuid}/")
    Payment.objects.filter(pk=payment.pk).update(recorded_by=named.cashier.audit_name)
    assert "en ligne, PayFiP, confirmé par Ali Benali" in page(browsers.reader, "encaissements/")


def test_a_refund_and_a_deposit(browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice) -> None:
    payment = paid(named, invoice, Means.CHEQUE)
    docket = close_deposit(
        actor=named.manager, means=Means.CHEQUE, payments=[payment.uuid], deposited_on=clock.today()
    )
    shown = page(browsers.reader, f"remises/{docket.uuid}/")
    assert f"close le {day()} par Jeanne Martin" in shown
    assert "Ali Benali" in shown  # who booked the line
    assert "Remise close" in shown.split(" Historique ")[1]
    cancel_invoice(actor=named.manager, invoice=invoice, reason="Doublon", let_go=True)
    payment.refresh_from_db()
    record_refund(
        actor=named.manager,
        payment=payment,
        amount=Decimal("10"),
        means="transfer",
        reason="Rendu",
        refunded_on=clock.today(),
    )
    assert "noté par Jeanne Martin : Rendu" in page(browsers.reader, f"encaissements/{payment.uuid}/")


def test_a_declaration_refused_by_somebody(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    said = Declaration.objects.create(invoice=invoice)
    refuse_declaration(actor=named.cashier, declaration=said, answer="Rien reçu")
    shown = page(browsers.reader, f"factures/{invoice.uuid}/")
    assert f"Répondu le {day()} par Ali Benali : « Rien reçu »" in shown


# --- Everything else ------------------------------------------------------------------------------


def test_an_import_published_and_taken_back(
    browsers: SimpleNamespace, named: SimpleNamespace, make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch()
    invoices.publish_batch(actor=named.clerk, batch=batch)
    processing.process_waiting()
    shown = page(browsers.reader, f"imports/{batch.uuid}/")
    assert "par le portail." in shown  # who sent it
    assert f"Publié le {day()}" in shown
    assert "par Camille Roux." in shown  # who asked for it, and not who sent the file
    invoices.take_back_batch(actor=named.manager, batch=batch)
    shown = page(browsers.reader, f"imports/{batch.uuid}/")
    assert f"Retiré le {day()} par Jeanne Martin." in shown
    assert "Import repris" in shown.split(" Historique ")[1]


def test_a_payer_a_thread_a_statement_and_a_request(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    billing.add_email(actor=named.clerk, payer=invoice.payer, email="zoe@example.net")
    shown = page(browsers.reader, f"redevables/{invoice.payer.uuid}/").split(" Historique ")[1]
    assert "Adresse ajoutée au dossier" in shown
    assert "Camille Roux" in shown
    message = send_message(actor=named.alice, email="alice@example.net", subject="Bonjour", body="Merci")
    mark_handled(actor=named.clerk, message=message)
    shown = page(browsers.reader, f"messages/{message.uuid}/")
    assert "par Camille Roux." in shown
    assert "Message traité" in shown.split(" Historique ")[1]
    statement = Statement.objects.create(
        kind="journal",
        name="j.csv",
        state="done",
        key="j",
        sha256="0" * 64,
        created_by=named.cashier.audit_name,
    )
    with transaction.atomic():
        audit.record("statement.looked_again", actor=named.clerk, obj=f"statement:{statement.uuid}")
    shown = page(browsers.reader, f"rapprochement/{statement.uuid}/")
    assert "par Ali Benali." in shown
    assert "Relevé rapproché de nouveau" in shown.split(" Historique ")[1]
    request = AccessRequest.objects.create(
        state="refused",
        account=named.alice,
        payer=invoice.payer,
        email="alice@example.net",
        decided_at=clock.now(),
        decided_by=named.clerk.audit_name,
        reason="Inconnue",
    )
    assert f"Refusée le {day()} par Camille Roux : « Inconnue »" in page(
        browsers.reader, f"rattachements/{request.uuid}/"
    )


def test_a_member_and_a_regie(browsers: SimpleNamespace, named: SimpleNamespace) -> None:
    team.suspend(actor=named.manager, member=named.clerk)
    shown = page(browsers.manager, f"equipe/{named.clerk.uuid}/").split(" Historique ")[1]
    assert "Membre de l'équipe suspendu" in shown
    assert "actif → devient suspendu" in shown
    product = default_product()
    product.is_default = False
    product.save()
    end_product(actor=named.manager, product=product, pays_after_end=False)
    reopen_product(actor=named.manager, product=product)
    shown = page(browsers.manager, f"reglages/regies/{product.pk}/").split(" Historique ")[1]
    assert shown.index("Régie rouverte") < shown.index("Régie fermée par la commune")


def test_somebody_limited_reads_about_their_regies_only(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice, make_payer: Any, make_invoice: Any
) -> None:
    pool = add_product(actor="system", label="Piscine")
    other = make_invoice(make_payer(last_name="NAGEUR"), product=pool)
    for one in (invoice, other):
        invoices.set_online_hold(actor=named.manager, invoice=one, hold="dispute")
    Account.objects.filter(pk__in=[named.clerk.pk, named.manager.pk]).update(limited_to=[pool.pk])
    assert "Jeanne Martin" in page(browsers.clerk, f"factures/{other.uuid}/").split(" Historique ")[1]
    for path in (
        f"factures/{invoice.uuid}/",
        "reglages/journal/",
        f"reglages/journal/?objet=invoice:{other.uuid}",
    ):
        status = 404 if path.startswith("factures/") else 403
        assert browsers.clerk.get(f"/gestion/{path}").status_code == status
    whole = page(
        browsers.manager, "reglages/journal/"
    )  # the list of somebody who is manager counts for nothing
    assert invoice.number in whole
    assert other.number in whole


def test_nothing_happened_nothing_is_drawn(browsers: SimpleNamespace, invoice: Invoice) -> None:
    assert "Historique" not in page(browsers.reader, f"factures/{invoice.uuid}/")


def test_the_last_ones_only_in_as_many_statements(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice, make_account: Callable[..., Account]
) -> None:
    path = f"/gestion/factures/{invoice.uuid}/"

    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            browsers.reader.get(path)
        return len(seen)

    invoices.set_online_hold(actor=named.clerk, invoice=invoice, hold="dispute")
    statements()
    few = statements()
    for n in range(15):
        somebody = make_account(f"somebody{n}@example.net")
        invoices.set_online_hold(actor=somebody, invoice=invoice, hold="debit")
        invoices.set_online_hold(actor=named.clerk, invoice=invoice, hold="dispute")
    assert statements() == few
    shown = page(browsers.reader, f"factures/{invoice.uuid}/").split(" Historique ")[1]
    assert shown.count("Paiement en ligne d'une facture changé") == SHOWN
    assert "Les 20 dernières actions." in shown
