"""A file about invoices that are online: what changes is shown, agreed to when it must be, and applied once."""

import io
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions.answering import agree
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.importing.records.kinds import CreditRow, DocumentRow, PayerRow, Record
from tenant_apps.invoices.models import Amendment, Batch, Invoice
from tenant_apps.invoices.states import Agreed, InvoiceState, OnlineHold
from tenant_apps.payments.models import Means
from tenant_apps.payments.services import book_counter_payment
from tenant_apps.residents.models import Payer
from tests.invoices.importing.batches import archive, online, pdf, publish, run, sentences
from tests.invoices.importing.bills import HEADER, bill
from tests.invoices.importing.trial import added
from toolkit import clock

pytestmark = pytest.mark.usefixtures("town")


def paid(invoice: Invoice, amount: str) -> None:
    book_counter_payment(
        actor="system", invoice=invoice, amount=Decimal(amount), means=Means.CASH, paid_on=clock.today()
    )


@pytest.fixture
def records() -> Iterator[Callable[..., Batch]]:
    """`records(CreditRow(…))`: an import of a format that yields these records."""
    with added() as format:

        def go(*rows: Record, **documents: bytes) -> Batch:
            format.__dict__["read"] = lambda _file, _reading: iter(rows)
            head = b'{"number": "", "issued_on": "", "due_on": "", "amount": "", "subject": "", "payer": ""}'
            batch = services.create_batch(
                actor="system",
                rows_file=io.BytesIO(head),
                rows_name="x.jsonl",
                documents_file=archive(**documents) if documents else None,
                documents_name="x.zip" if documents else "",
            )
            processing.process_waiting()
            batch.refresh_from_db()
            return batch

        read = format.read
        yield go
        format.__dict__["read"] = read


# --- other values -------------------------------------------------------------------------------------


def test_values_that_differ_are_shown_and_applied_once() -> None:
    online(HEADER, bill("G1", "K1"))
    before = Invoice.objects.get()
    batch = run(HEADER, bill("G1", "K1", amount="30,00"))
    assert (batch.state, batch.amended_count, batch.new_count, batch.unchanged_count) == ("ready", 1, 0, 0)
    change = Amendment.objects.get()
    assert (change.was, change.becomes) == ({"amount": str(before.amount)}, {"amount": "30.00"})
    assert not change.asks
    assert Invoice.objects.get().amount == before.amount  # not before the publication
    publish(batch)
    invoice = Invoice.objects.get()
    assert (invoice.amount, invoice.credited, invoice.pk) == (Decimal("30.00"), 0, before.pk)
    fact = AuditEntry.objects.get(verb="invoice.amended")
    assert (fact.old["amount"], fact.new["amount"]) == (str(before.amount), "30.00")
    again = run(HEADER, bill("G1", "K1", amount="30,00"))
    assert (again.amended_count, again.unchanged_count) == (0, 1)


def test_the_same_values_change_nothing() -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G1", "K1"))
    assert (batch.amended_count, batch.unchanged_count, batch.brings_something) == (0, 1, False)


def test_a_paid_invoice_changes_only_when_a_person_agrees() -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    paid(Invoice.objects.get(), "10.00")
    batch = run(HEADER, bill("G1", "K1", amount="40,00"))
    with pytest.raises(WrongState, match="Répondez d'abord"):
        services.publish_batch(actor="system", batch=batch)
    agree(actor="system", batch=batch, pk=Amendment.objects.get().pk, answer=Agreed.YES)
    publish(batch)
    assert Invoice.objects.get().balance == Decimal("30.00")


def test_what_a_person_leaves_stays() -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    paid(Invoice.objects.get(), "10.00")
    batch = run(HEADER, bill("G1", "K1", amount="40,00"), bill("G2", "K1"))
    agree(actor="system", batch=batch, pk=Amendment.objects.get().pk, answer=Agreed.NO)
    publish(batch)
    assert Invoice.objects.get(number="G1").amount == Decimal("30.00")
    assert Amendment.objects.get().applied_at is None


def test_never_under_what_was_paid() -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    paid(Invoice.objects.get(), "20.00")
    batch = run(HEADER, bill("G1", "K1", amount="15,00"))
    assert batch.state == "refused"
    assert "error 2 « Montant » deviendrait plus petit que ce qui est déjà réglé (20,00" in sentences(batch)


def test_money_that_comes_between_the_check_and_the_publication_is_seen() -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    batch = run(HEADER, bill("G1", "K1", amount="15,00"))
    assert batch.state == "ready"
    paid(Invoice.objects.get(), "20.00")
    publish(batch)
    assert batch.state == "refused"
    assert Invoice.objects.get().amount == Decimal("30.00")


def test_a_correction_that_waits_is_checked_again_when_another_file_changed_the_invoice() -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    first = run(HEADER, bill("G1", "K1", amount="35,00"))
    second = run(HEADER, bill("G1", "K1", amount="40,00"))
    publish(second)
    publish(first)
    assert first.state == "ready"  # a person looks again: it is no longer what was shown
    assert Amendment.objects.get(batch=first).was == {"amount": "40.00"}


# --- another payer ------------------------------------------------------------------------------------


def test_an_invoice_moves_to_another_payer_when_a_person_agrees() -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G1", "K2", "GARNIER", "Luc", email="luc@example.org"))
    change = Amendment.objects.get()
    assert (batch.state, change.asks, change.payer_before.reference) == ("ready", True, "K1")
    with pytest.raises(WrongState):
        services.publish_batch(actor="system", batch=batch)
    agree(actor="system", batch=batch, pk=change.pk, answer=Agreed.YES)
    publish(batch)
    assert Invoice.objects.get().payer.last_name == "GARNIER"
    fact = AuditEntry.objects.get(verb="invoice.amended")
    assert (fact.old["code"], fact.new["code"]) == ("K1", "K2")


def test_a_paid_invoice_does_not_move() -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    paid(Invoice.objects.get(), "10.00")
    batch = run(HEADER, bill("G1", "K2", "GARNIER", "Luc", email="luc@example.org", amount="30,00"))
    assert batch.state == "refused"
    assert "une facture réglée ne change pas de redevable" in sentences(batch)


# --- another PDF ----------------------------------------------------------------------------------------


def test_another_pdf_replaces_and_the_first_is_kept() -> None:
    online(HEADER, bill("G1", "K1"), documents=archive(G1=pdf("one")))
    before = Invoice.objects.get().document
    batch = run(HEADER, bill("G1", "K1"), documents=archive(G1=pdf("two")))
    assert (batch.amended_count, Invoice.objects.get().document) == (1, before)
    publish(batch)
    change = Amendment.objects.get()
    assert change.document_before == before
    assert Invoice.objects.get().document == change.document != before


def test_pdfs_alone_complete_and_replace(records: Callable[..., Batch]) -> None:
    online(HEADER, bill("G1", "K1"), bill("G2", "K1"), documents=archive(G1=pdf("one")))
    rows = [DocumentRow(1, "G1", "G1.pdf"), DocumentRow(2, "G2", "G2.pdf"), DocumentRow(3, "G3", "G3.pdf")]
    batch = records(*rows, G1=pdf("new"), G2=pdf("late"), G3=pdf("nobody's"))
    assert (batch.state, batch.amended_count, batch.late_count) == ("ready", 1, 1)
    assert "Aucune facture en ligne ne porte ce numéro" in sentences(batch)
    assert "ne correspond à aucune facture" not in sentences(batch)  # said once
    publish(batch)
    assert all(invoice.document for invoice in Invoice.objects.all())


def test_a_pdf_of_another_payer_replaces_nothing() -> None:
    same = pdf("the first bill")
    luc = bill("G2", "K2", "GARNIER", "Luc", email="l@example.org")
    online(HEADER, bill("G1", "K1"), luc, documents=archive(G1=same, G2=pdf("other")))
    batch = run(HEADER, luc, documents=archive(G2=same))
    assert batch.state == "refused"


# --- credits --------------------------------------------------------------------------------------------


def test_a_file_cancels_and_reduces_what_it_names(records: Callable[..., Batch]) -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"), bill("G2", "K1", amount="30,00"))
    rows = (
        CreditRow(1, "G1", 2026, reason="Erreur de quotient", key="T1"),
        CreditRow(2, "G2", 2026, Decimal("10.00"), "Absence", key="T2"),
        CreditRow(3, "G9", 2026, key="T3"),
    )
    batch = records(*rows)
    assert (batch.state, batch.amended_count) == ("ready", 2)
    assert "n'est pas en ligne : il n'y a rien à faire ici" in sentences(batch)
    publish(batch)
    first, second = Invoice.objects.order_by("number")
    assert (first.state, first.credits.get().reason) == (InvoiceState.CANCELLED, "Erreur de quotient")
    assert (second.amount, second.credited) == (Decimal("20.00"), Decimal("10.00"))
    again = records(*rows)
    assert (again.amended_count, again.unchanged_count) == (0, 2)


def test_a_credit_never_takes_paid_money(records: Callable[..., Batch]) -> None:
    online(HEADER, bill("G1", "K1", amount="30,00"))
    paid(Invoice.objects.get(), "10.00")
    batch = records(CreditRow(1, "G1", 2026))
    assert batch.state == "refused"
    assert "Faites un avoir depuis la page de la facture" in sentences(batch)


def test_a_number_that_two_invoices_have_is_not_guessed(records: Callable[..., Batch]) -> None:
    online(HEADER, bill("G1", "K1"))
    Invoice.objects.update(fiscal_year=2025, reference="2025G1")
    online(HEADER, bill("G1", "K1"))
    batch = records(DocumentRow(1, "G1", "G1.pdf"), G1=pdf("x"))
    assert "Plusieurs factures portent ce numéro" in sentences(batch)


# --- people only, and debits --------------------------------------------------------------------------------


def test_people_without_invoices(records: Callable[..., Batch]) -> None:
    online(HEADER, bill("G1", "K1", email="old@example.org"))
    said = frozenset({"email"})
    batch = records(
        PayerRow(1, "K1", emails=("new@example.org",), said=said),
        PayerRow(2, "K9", last_name="GARNIER", emails=("luc@example.org",), said=said | {"last_name"}),
    )
    assert (batch.state, batch.change_count, batch.new_count) == ("ready", 1, 0)
    publish(batch)
    known = Payer.objects.get(reference="K1")
    assert [one.email for one in known.emails.all()] == ["new@example.org"]
    assert (known.last_name != "", Payer.objects.get(reference="K9").last_name) == (True, "GARNIER")


def test_an_invoice_by_debit_is_shown_and_not_paid_online() -> None:
    online(f"{HEADER};Date de prélèvement", bill("G1", "K1") + ";05/12/2026")
    invoice = Invoice.objects.get()
    assert (invoice.online_hold, f"{invoice.debit_on:%d/%m/%Y}") == (OnlineHold.DEBIT, "05/12/2026")
