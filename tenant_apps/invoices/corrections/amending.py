"""Apply what a file changes on invoices that are online. Only the publication of an import calls it (decision 77)."""

from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from shared_apps.audit import services as audit
from tenant_apps.invoices.corrections import crediting
from tenant_apps.invoices.locking import lock_invoices
from tenant_apps.invoices.models import Amendment, Batch, Document, Invoice
from tenant_apps.invoices.states import Agreed, InvoiceState, OnlineHold
from tenant_apps.residents.models import Payer
from toolkit import clock


def waiting(batch: Batch) -> QuerySet[Amendment]:
    """The changes of `batch` that a person must agree to first."""
    return Amendment.objects.filter(batch=batch, applied_at=None, asks=True, answer="")


def to_apply(batch: Batch) -> QuerySet[Amendment]:
    """The changes of `batch` that are not applied and that nobody has refused."""
    return Amendment.objects.filter(batch=batch, applied_at=None).exclude(answer=Agreed.NO)


def has_changed(batch: Batch) -> bool:
    """Whether an invoice that `batch` changes is no longer as it was when the file was read.

    The caller has locked the invoices: no payment begins meanwhile.
    """
    changes = to_apply(batch)
    if (
        changes.filter(invoice__attempt_parts__live=True)
        .exclude(becomes={}, credit=None, payer=None)
        .exists()
    ):
        return True
    return any(not _is_as_it_was(change) for change in changes.select_related("invoice").iterator(500))


def _is_as_it_was(change: Amendment) -> bool:
    invoice = change.invoice
    if invoice.state != InvoiceState.PUBLISHED:
        return False
    if change.payer_id is not None and (invoice.payer_id != change.payer_before_id or invoice.paid):
        return False
    if change.document_id is not None and invoice.document_id != change.document_before_id:
        return False
    if change.credit is not None and invoice.paid > invoice.amount - change.credit:
        return False
    if invoice.paid and change.becomes and not change.asks:
        return False  # money came since: a person must agree first
    if "amount" in change.becomes and invoice.paid > Decimal(change.becomes["amount"]) - invoice.credited:
        return False
    return all(_now(invoice, name) == value for name, value in change.was.items())


def _now(invoice: Invoice, name: str) -> str | None:
    if name == "amount":
        return str(invoice.original_amount)
    if name == "debit_on":
        is_debit = invoice.online_hold == OnlineHold.DEBIT
        return (invoice.debit_on.isoformat() if invoice.debit_on else "") if is_debit else None
    value = getattr(invoice, name)
    return value.isoformat() if isinstance(value, date) else str(value)


def lock(batch: Batch) -> None:
    """Lock the invoices that `batch` changes, until the transaction ends."""
    lock_invoices(Invoice.objects.filter(amendments__in=to_apply(batch)).values_list("pk", flat=True))


def apply(batch: Batch, *, actor: audit.Actor) -> int:
    """Apply the changes of `batch`, in the caller's transaction and under its locks. Returns how many."""
    count = 0
    changes = to_apply(batch).select_related(
        "invoice", "payer", "payer_before", "document", "document_before"
    )
    for change in changes.order_by("invoice_id", "line", "id"):
        if change.credit is not None:
            _credit(change, actor)
        else:
            _set(change, actor)
        change.applied_at = clock.now()
        change.save(update_fields=["applied_at"])
        count += 1
    return count


def _credit(change: Amendment, actor: audit.Actor) -> None:
    invoice = Invoice.objects.get(pk=change.invoice_id)
    if change.cancels:
        crediting.record_cancellation(actor=actor, invoice=invoice, reason=change.reason)
    else:
        crediting.record_reduction(
            actor=actor, invoice=invoice, amount=change.credit or Decimal(0), reason=change.reason
        )


def _set(change: Amendment, actor: audit.Actor) -> None:
    invoice, becomes = change.invoice, change.becomes
    if "amount" in becomes:
        invoice.amount = Decimal(becomes["amount"]) - invoice.credited
    for name in ("issued_on", "due_on"):
        if name in becomes:
            setattr(invoice, name, date.fromisoformat(becomes[name]))
    if "subject" in becomes:
        invoice.subject = becomes["subject"]
    if "debit_on" in becomes:
        invoice.online_hold = OnlineHold.DEBIT
        invoice.debit_on = date.fromisoformat(becomes["debit_on"]) if becomes["debit_on"] else None
    if change.payer_id is not None:
        invoice.payer_id = change.payer_id
    if change.document_id is not None:
        invoice.document_id = change.document_id
    invoice.save()
    audit.record(
        "invoice.amended",
        actor=actor,
        obj=f"invoice:{invoice.uuid}",
        old={**change.was, **_people(change.payer_before), **_file(change.document_before)},
        new={**becomes, **_people(change.payer), **_file(change.document)},
    )


def _people(payer: Payer | None) -> dict[str, str]:
    return {"payer": str(payer.uuid), "code": payer.reference} if payer else {}


def _file(document: Document | None) -> dict[str, str]:
    return {"sha256": document.sha256} if document else {}
