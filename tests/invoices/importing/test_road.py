"""The end of the road: publish another day, take back what nobody pays, send a corrected file."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions.planning import plan_publication
from tenant_apps.invoices.errors import AlreadyPaid, WrongState
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.payments.models import Means
from tenant_apps.payments.services import book_counter_payment
from tenants.models import AgendaItem
from tests.invoices.importing.batches import archive, online, pdf, publish, run, sentences
from tests.invoices.importing.bills import HEADER, bill
from toolkit import clock

pytestmark = pytest.mark.usefixtures("town")
WRONG = bill("G3", "K3", "PETIT", "Eva", email="eva@example.org", amount="douze")


def paid(number: str) -> None:
    invoice = Invoice.objects.get(number=number)
    book_counter_payment(
        actor="system", invoice=invoice, amount=Decimal("5.00"), means=Means.CASH, paid_on=clock.today()
    )


def fresh(batch: Batch) -> Batch:
    batch.refresh_from_db()
    return batch


# --- another day ----------------------------------------------------------------------------------------


def test_published_by_itself_on_its_day() -> None:
    batch = run(HEADER, bill("G1", "K1"))
    tomorrow = clock.today() + timedelta(days=1)
    plan_publication(actor="somebody", batch=batch, day=tomorrow)
    processing.process_waiting()
    assert fresh(batch).state == "ready"
    assert processing.next_publication() is not None
    Batch.objects.update(publish_on=clock.today())  # the day has come
    processing.process_waiting()
    assert (fresh(batch).state, batch.publish_on) == ("published", None)
    assert AuditEntry.objects.get(verb="batch.published").actor == "somebody"


def test_the_task_comes_back_on_that_day() -> None:
    batch = run(HEADER, bill("G1", "K1"))
    day = clock.today() + timedelta(days=3)
    plan_publication(actor="system", batch=batch, day=day)
    from tenant_apps.invoices.tasks import process_batches

    process_batches()
    due = AgendaItem.objects.get(kind="imports").due_at.astimezone(clock.PARIS)
    assert (due.date(), due.hour) == (day, 6)


@pytest.mark.parametrize("days", [0, -1, 500])
def test_only_a_day_to_come(days: int) -> None:
    batch = run(HEADER, bill("G1", "K1"))
    with pytest.raises(WrongState, match="jour à venir"):
        plan_publication(actor="system", batch=batch, day=clock.today() + timedelta(days=days))


def test_the_day_is_taken_back_and_only_a_ready_import_has_one() -> None:
    batch = run(HEADER, bill("G1", "K1"))
    plan_publication(actor="system", batch=batch, day=clock.today() + timedelta(days=1))
    plan_publication(actor="system", batch=batch, day=None)
    assert fresh(batch).publish_on is None
    publish(batch)
    with pytest.raises(WrongState):
        plan_publication(actor="system", batch=batch, day=clock.today() + timedelta(days=1))


def test_a_question_that_comes_meanwhile_leaves_it_ready() -> None:
    batch = run(HEADER, bill("G2", "456"))
    plan_publication(actor="system", batch=batch, day=clock.today() + timedelta(days=1))
    online(HEADER, bill("G1", "00456"))
    Batch.objects.filter(pk=batch.pk).update(publish_on=clock.today())
    processing.process_waiting()
    assert fresh(batch).state == "ready"
    assert services.open_questions(batch).exists()


# --- taken back -----------------------------------------------------------------------------------------


def test_the_unpaid_part_is_taken_back() -> None:
    batch = online(HEADER, bill("G1", "K1"), bill("G2", "K1"))
    paid("G1")
    with pytest.raises(AlreadyPaid):
        services.take_back_batch(actor="system", batch=batch)
    services.take_back_batch(actor="system", batch=batch, unpaid_only=True)
    states = dict(Invoice.objects.values_list("number", "state"))
    assert (fresh(batch).state, states) == ("taken_back", {"G1": "published", "G2": "draft"})
    publish(batch)
    assert set(Invoice.objects.values_list("state", flat=True)) == {"published"}


def test_what_was_taken_back_is_given_up_and_the_paid_part_stays() -> None:
    batch = online(HEADER, bill("G1", "K1"), bill("G2", "K1"))
    paid("G1")
    services.take_back_batch(actor="system", batch=batch, unpaid_only=True)
    services.discard_batch(actor="system", batch=batch)
    assert (fresh(batch).state, Invoice.objects.get().number) == ("published", "G1")


def test_nothing_is_left_to_take_back() -> None:
    batch = online(HEADER, bill("G1", "K1"))
    paid("G1")
    with pytest.raises(WrongState, match="réglées ou en cours"):
        services.take_back_batch(actor="system", batch=batch, unpaid_only=True)


# --- a corrected file -------------------------------------------------------------------------------------


def test_a_corrected_file_takes_the_place_and_keeps_the_pdfs() -> None:
    refused = run(HEADER, bill("G1", "K1"), WRONG, documents=archive(G1=pdf("1"), G3=pdf("3")))
    lines = [HEADER, bill("G1", "K1"), WRONG.replace("douze", "12,00")]
    batch = services.create_batch(
        actor="system", rows_file=io.BytesIO("\n".join(lines).encode()), rows_name="f.csv", replaces=refused
    )
    processing.process_waiting()
    assert fresh(batch).state == "ready", sentences(batch)
    assert (fresh(refused).state, batch.documents_name, batch.document_count) == ("discarded", "pdf.zip", 2)
    publish(batch)
    assert all(invoice.document for invoice in Invoice.objects.all())
    assert set(Document.objects.values_list("batch", flat=True)) == {batch.pk}


def test_a_published_import_is_not_replaced() -> None:
    batch = online(HEADER, bill("G1", "K1"))
    with pytest.raises(WrongState):
        services.create_batch(
            actor="system", rows_file=io.BytesIO(HEADER.encode()), rows_name="f.csv", replaces=batch
        )
    assert Batch.objects.count() == 1
