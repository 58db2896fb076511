"""The only readers of invoices that take a person. A forbidden invoice looks exactly like an absent one."""

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import (
    Amendment,
    Batch,
    BatchProblem,
    Invoice,
    PayerUpdate,
    RefusedRow,
    Severity,
)
from tenant_apps.invoices.states import Asked, BatchState, InvoiceState
from tenant_apps.products.models import Product
from tenant_apps.products.queries import products_for_staff
from tenant_apps.residents.queries import payer_ids_of
from toolkit.scope import EVERYTHING, Scope

Status = Literal["all", "unpaid", "paid"]


class ImportStage(NamedTuple):
    """Whether an import was ever published, and whether one was begun."""

    is_published: bool
    is_begun: bool


def invoices_for_resident(account: Account, *, status: Status = "all") -> QuerySet[Invoice]:
    """What `account` may see, newest first: published invoices of the payers it has access to."""
    return (
        Invoice.objects.filter(payer__in=payer_ids_of(account), state=InvoiceState.PUBLISHED)
        .filter(_status(status))
        .select_related("product", "payer")
        .order_by("-issued_on", "-id")
    )


def invoice_for_resident(account: Account, public_id: UUID) -> Invoice:
    """One invoice of theirs. Also one that the town has cancelled: its page says so.

    Raises Invoice.DoesNotExist, for an absent and for a forbidden invoice alike.
    """
    shown = (InvoiceState.PUBLISHED, InvoiceState.CANCELLED)
    theirs = Invoice.objects.filter(payer__in=payer_ids_of(account), state__in=shown)
    return theirs.select_related("product", "payer", "document").get(uuid=public_id)


def documents_of_year(account: Account, year: int) -> QuerySet[Invoice]:
    """Their invoices issued in that year that have a PDF, oldest first. Empty for a year that no date can have."""
    if not MINYEAR <= year <= MAXYEAR:
        return Invoice.objects.none()
    found = invoices_for_resident(account).filter(issued_on__year=year, document__isnull=False)
    return found.select_related("document").order_by("issued_on", "id")


def _status(status: Status) -> Q:
    if status == "unpaid":
        return Q(paid__lt=F("amount"))
    return Q(paid__gte=F("amount")) if status == "paid" else Q()


# --- for staff: the caller has checked the role; the scope says of which régies -------------------------


def batches(scope: Scope) -> QuerySet[Batch]:
    """The imports whose rows are all in `scope`, newest first; without the discarded ones."""
    return scope.all_in(Batch.objects.exclude(state=BatchState.DISCARDED))


def batch(scope: Scope, public_id: UUID) -> Batch:
    """One import. Raises Batch.DoesNotExist."""
    return batches(scope).get(uuid=public_id)


def replaceable(scope: Scope) -> QuerySet[Batch]:
    """The imports that a corrected file may take the place of: nothing of them was ever online."""
    return batches(scope).filter(
        published_at=None, state__in=(BatchState.REFUSED, BatchState.READY, BatchState.FAILED)
    )


def invoice_for_staff(scope: Scope, public_id: UUID) -> Invoice:
    """One invoice in any state, with its related rows. Raises Invoice.DoesNotExist."""
    together = ("payer", "product", "document", "batch", "declaration__account")
    return scope.of(Invoice.objects.select_related(*together)).get(uuid=public_id)


def listed_products(scope: Scope) -> QuerySet[Product]:
    """The products that a list of invoices offers: those that receive invoices, and closed ones that have some."""
    theirs = Invoice.objects.filter(product=OuterRef("pk"))
    return products_for_staff(scope).filter(Q(ended_at=None) | Exists(theirs))


def waiting_batches(scope: Scope) -> QuerySet[Batch]:
    """Imports that wait for a worker or for a clerk. One that brings nothing new is over."""
    over = (BatchState.PUBLISHED, BatchState.TAKEN_BACK, BatchState.DISCARDED)
    nothing = {"new_count": 0, "change_count": 0, "late_count": 0, "amended_count": 0}
    return batches(scope).exclude(state__in=over).exclude(state=BatchState.READY, **nothing)


def import_stage() -> ImportStage:
    """How far the town's first import is. It is about the whole town, and names no import. Two statements at most."""
    is_published = Batch.objects.filter(published_at__isnull=False).exists()
    return ImportStage(is_published, is_published or waiting_batches(EVERYTHING).exists())


def problems(batch: Batch, *, severity: str = "") -> QuerySet[BatchProblem]:
    """The problems of the files of `batch`: errors first, in the order of the lines."""
    found = BatchProblem.objects.filter(batch=batch).order_by("severity", "line", "id")
    return found.filter(severity=severity) if severity else found


def problems_beside(batch: Batch) -> QuerySet[BatchProblem]:
    """The problems that no refused row shows: warnings, errors of the whole file, and what is beyond the rows kept."""
    rows = RefusedRow.objects.filter(batch=batch, is_refused=True, line=OuterRef("line"))
    return problems(batch).exclude(Exists(rows), severity=Severity.ERROR)


def refused_rows(batch: Batch) -> QuerySet[RefusedRow]:
    """The rows of `batch` that have an error, in the order of the file."""
    return RefusedRow.objects.filter(batch=batch, is_refused=True).order_by("line")


def errors_of(batch: Batch) -> QuerySet[BatchProblem]:
    """The errors that name a row."""
    return problems(batch, severity=Severity.ERROR).exclude(line=None)


def amendments(batch: Batch) -> QuerySet[Amendment]:
    """What the file of `batch` changes on online invoices; those that wait for an answer first."""
    together = ("invoice__product", "payer", "payer_before", "document", "document_before")
    found = Amendment.objects.filter(batch=batch).select_related(*together)
    return found.order_by(Case(When(asks=True, answer="", then=0), default=1), "line", "id")


def amendment(batch: Batch, pk: int) -> Amendment:
    """One change. Raises Amendment.DoesNotExist."""
    return amendments(batch).get(pk=pk)


def first_invoices(batch: Batch, *, number: int = 20) -> list[tuple[Invoice, dict[str, Any]]]:
    """The first invoices of `batch` in the order of its file, each with what the file says about its payer.

    Of a ready one, those that its publication will put online.
    """
    together = ("payer", "product", "document")
    theirs = batch.invoices.select_related(*together).order_by("id")
    if batch.state == BatchState.READY:
        theirs = theirs.filter(state=InvoiceState.DRAFT)
    invoices = list(theirs[:number])
    payers = {invoice.payer_id for invoice in invoices}
    updates = (
        PayerUpdate.objects.filter(batch=batch, payer__in=payers) if invoices else PayerUpdate.objects.none()
    )
    said = dict(updates.values_list("payer_id", "said"))
    return [(invoice, said.get(invoice.payer_id, {})) for invoice in invoices]


def questions(batch: Batch) -> QuerySet[PayerUpdate]:
    """The payers of `batch` about whom a person is or was asked; those without an answer first."""
    asked = PayerUpdate.objects.filter(batch=batch).exclude(asks="")
    return asked.select_related("payer", "looks_like").order_by("answer", "line", "id")


@dataclass(frozen=True)
class Waiting:
    """How many questions of a batch have no answer: all, codes alike under one name, other names under one code."""

    total: int = 0
    alike: int = 0
    persons: int = 0


def waiting_questions(batch: Batch) -> Waiting:
    """Count them in one SQL statement."""
    alike = Q(asks=Asked.CODE, reasons__contains=[{"why": "looks", "alike": True}])
    figures = (
        PayerUpdate.objects.filter(batch=batch, answer="", applied_at=None)
        .exclude(asks="")
        .aggregate(
            total=Count("id"),
            alike=Count("id", filter=alike),
            persons=Count("id", filter=Q(asks=Asked.PERSON)),
        )
    )
    return Waiting(**figures)


def payer_changes(batch: Batch) -> QuerySet[PayerUpdate]:
    """The known payers that the file of `batch` describes differently, without a question."""
    changed = PayerUpdate.objects.filter(batch=batch, changes=True, asks="")
    return changed.select_related("payer").order_by("line", "id")


def question(batch: Batch, pk: int) -> PayerUpdate:
    """One question. Raises PayerUpdate.DoesNotExist."""
    return questions(batch).get(pk=pk)


def earlier_batch_of_same_file(scope: Scope, batch: Batch) -> Batch | None:
    """The last import before `batch` with the same file of rows, byte for byte."""
    same = batches(scope).filter(rows_sha256=batch.rows_sha256, id__lt=batch.pk)
    return same.order_by("-id").first()


class Retractable(NamedTuple):
    """What of a published batch can be taken back: all of it, or only some of its invoices."""

    whole: bool = False
    unpaid: int = 0


def retractable(batch: Batch) -> Retractable:
    """What was not paid, tried or credited. `take_back_batch` checks it again."""
    if batch.state != BatchState.PUBLISHED:
        return Retractable()
    touched = Q(paid__gt=0) | Q(attempts__isnull=False) | Q(credits__isnull=False)
    online = batch.invoices.filter(state__in=(InvoiceState.PUBLISHED, InvoiceState.CANCELLED))
    some = online.filter(touched).values("pk").distinct().count()
    free = online.count() - some
    return Retractable(whole=not some and bool(free or batch.late_count), unpaid=free if some else 0)
