"""A rôle from billing's PES to the Treasury's return: imported, paid at the simulator, reconciled by file."""

import io
from pathlib import Path
from types import SimpleNamespace

from django.utils import timezone

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.online.paying import start_payment
from tenant_apps.payments.tasks import check_due
from tenant_apps.residents.models import Access, Payer
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator
from tests.reconciliation.desk import bring, states
from tests.reconciliation.pes import bordereau, line, pes, piece
from toolkit import clock

ROLE = Path(__file__).parent.parent / "invoices/importing/samples/pes/role-avec-pj.xml"


def test_from_the_pes_to_the_return(desk: SimpleNamespace, simulator: Simulator) -> None:
    batch = services.create_batch(
        actor=desk.clerk, rows_file=io.BytesIO(ROLE.read_bytes()), rows_name=ROLE.name
    )
    processing.process_waiting()
    services.publish_batch(actor=desk.clerk, batch=batch)
    processing.process_waiting()
    batch.refresh_from_db()
    assert batch.state == "published", list(batch.problems.values_list("message", flat=True))
    invoice = Invoice.objects.get(number="57-4101")
    assert invoice.document is not None
    assert Invoice.objects.get(number="57-4102").online_hold == "debit"

    Access.objects.create(account=desk.alice, payer=Payer.objects.get(reference="F000101"))
    attempt = start_payment(actor=desk.alice, invoice=invoice).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())
    check_due()
    invoice.refresh_from_db()
    assert invoice.is_paid

    today = clock.today().isoformat()
    other = Invoice.objects.get(number="57-4102")
    paid_online = piece(
        line(f"{invoice.amount}", ("10", today, f"{invoice.amount}")), debt="4101", period="9"
    )
    by_debit = piece(
        line(f"{other.amount}", ("03", today, f"{other.amount}")), number="2", debt="4102", period="9"
    )
    found = bring(desk, pes(bordereau(paid_online, by_debit)), "journal", "retour.xml")
    assert (found.kind, states(found)) == ("pes", ["matched", "unmatched"])
    first, second = found.rows.all()
    assert (first.payment, second.invoice) == (Payment.objects.get(attempt=attempt), other)
    assert Payment.objects.count() == 1  # the debit waits for a person, who books it with one button
