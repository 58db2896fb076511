"""The only readers of invoices that take a person: forbidden looks exactly like absent."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db.models import Count, F, Func, Q, QuerySet, Sum, Value
from django.db.models.functions import Lower

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Batch, BatchProblem, Invoice
from tenant_apps.invoices.states import BatchState, InvoiceState
from tenant_apps.residents.queries import payer_ids_of

Status = Literal["all", "unpaid", "paid"]
Order = Literal["-issued_on", "issued_on", "due_on", "-due_on", "-amount", "amount"]
SOON = timedelta(days=7)  # « bientôt » before the due date
_ACCENTS = ("àâäçéèêëîïôöùûüÿñ", "aaaceeeeiioouuuyn")


@dataclass(frozen=True)
class Wanted:
    """What a resident wants to see; by default everything, newest first. `payer` is a public id."""

    status: Status = "all"
    words: str = ""
    year: int | None = None
    payer: UUID | None = None
    order: Order = "-issued_on"


@dataclass(frozen=True)
class Share:
    """The invoices of one year (of issue) and one payer that a resident may see; amounts in euros."""

    year: int
    payer: UUID
    payer_name: str
    payer_reference: str
    number: int
    wanted: int  # those that the filters keep
    unpaid: int
    unpaid_amount: Decimal
    late: int
    soon: int
    documents: int


def invoices_for_resident(account: Account, *, status: Status = "all") -> QuerySet[Invoice]:
    """What `account` may see, newest first (M6): published invoices of the payers it has access to."""
    return (
        Invoice.objects.filter(payer__in=payer_ids_of(account), state=InvoiceState.PUBLISHED)
        .filter(_status(status))
        .select_related("product", "payer")
        .order_by("-issued_on", "-id")
    )


def wanted_invoices(account: Account, wanted: Wanted) -> QuerySet[Invoice]:
    """Those of them that `wanted` keeps, in its order."""
    order = (wanted.order, "-id" if wanted.order.startswith("-") else "id")
    return _readable(invoices_for_resident(account)).filter(_wanted(wanted)).order_by(*order)


def shares_of_resident(account: Account, wanted: Wanted, *, today: date) -> list[Share]:
    """How many and how much, by year and payer, latest year first: what stands around the list, in one statement."""
    rest, open_ = F("amount") - F("paid"), _status("unpaid")
    found = (
        _readable(invoices_for_resident(account))
        .order_by("-issued_on__year", "payer__reference")
        .values_list(
            *("issued_on__year", "payer__uuid", "payer__title", "payer__first_name", "payer__last_name"),
            "payer__reference",
        )
        .annotate(
            every=Count("id"),
            kept=Count("id", filter=_wanted(wanted)),
            unpaid=Count("id", filter=open_),
            unpaid_amount=Sum(rest, filter=open_, default=Decimal("0.00")),
            late=Count("id", filter=open_ & Q(due_on__lt=today)),
            soon=Count("id", filter=open_ & Q(due_on__range=(today, today + SOON))),
            documents=Count("document_id", distinct=True),
        )
    )
    return [
        Share(year, payer, " ".join(filter(None, (title, first, last))) or reference, reference, *figures)
        for year, payer, title, first, last, reference, *figures in found
    ]


def invoice_for_resident(account: Account, public_id: UUID) -> Invoice:
    """One of them. Raises Invoice.DoesNotExist for an absent and for a forbidden one alike."""
    return invoices_for_resident(account).select_related("product", "payer", "document").get(uuid=public_id)


def documents_of_year(account: Account, year: int) -> QuerySet[Invoice]:
    """The invoices of that year (of issue) that have a PDF, oldest first."""
    found = invoices_for_resident(account).filter(issued_on__year=year, document__isnull=False)
    return found.select_related("document").order_by("issued_on", "id")


def balance_for_resident(account: Account) -> tuple[int, Decimal]:
    """How many invoices remain to pay and for how much, in euros: « Vous avez 2 factures à régler, 47,50 € »."""
    figures = invoices_for_resident(account, status="unpaid").aggregate(
        number=Count("id"), total=Sum(F("amount") - F("paid"))
    )
    return figures["number"], figures["total"] or Decimal("0.00")


def _status(status: Status) -> Q:
    if status == "unpaid":
        return Q(paid__lt=F("amount"))
    return Q(paid__gte=F("amount")) if status == "paid" else Q()


def _readable(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """With `plain_subject`, the subject as people type it: small letters, no accents."""
    accents = (Value(letters) for letters in _ACCENTS)
    return invoices.alias(plain_subject=Func(Lower("subject"), *accents, function="TRANSLATE"))


def _wanted(wanted: Wanted) -> Q:
    found = _status(wanted.status) & _found(wanted.words)
    if wanted.year is not None:
        found &= Q(issued_on__year=wanted.year)
    if wanted.payer is not None:
        found &= Q(payer__uuid=wanted.payer)
    return found


def _found(words: str) -> Q:
    """Every word in the number, the reference or the subject, or the whole as an amount in euros."""
    found = Q()
    for word in words.split()[:6]:
        plain = word.lower().translate(str.maketrans(*_ACCENTS))
        one = Q(number__icontains=word) | Q(plain_subject__contains=plain)
        bare = re.sub(r"[^A-Za-z0-9]", "", word)  # references are typed with the punctuation of the paper
        found &= (one | Q(reference__icontains=bare)) if len(bare) >= 3 else one
    typed = re.sub(r"[\s\u00a0\u202f€]", "", words)
    if match := re.fullmatch(r"(\d{1,8})(?:[.,](\d{1,2}))?", typed):
        euros = Decimal(match[1]) + Decimal((match[2] or "0").ljust(2, "0")) / 100
        exact = Q(amount=euros) if match[2] else Q(amount__gte=euros, amount__lt=euros + 1)
        found |= exact
    return found


def batches() -> QuerySet[Batch]:
    """The town's imports, newest first, for staff; given-up ones left out."""
    return Batch.objects.exclude(state=BatchState.DISCARDED)


def batch(public_id: UUID) -> Batch:
    """One import. Raises Batch.DoesNotExist."""
    return batches().get(uuid=public_id)


# --- For staff: the door has checked the role -----------------------------------------------------

Settled = Literal["", "unpaid", "late", "paid"]


@dataclass(frozen=True)
class Figures:
    """The published invoices of the town in one look; amounts in euros."""

    published: int
    unpaid: int
    unpaid_amount: Decimal
    late: int
    late_amount: Decimal


def figures(*, today: date) -> Figures:
    """What is online and what remains to pay on `today`, in one statement."""
    open_ = Q(paid__lt=F("amount"))
    late = open_ & Q(due_on__lt=today)
    rest = F("amount") - F("paid")
    found = Invoice.objects.filter(state=InvoiceState.PUBLISHED).aggregate(
        published=Count("id"),
        unpaid=Count("id", filter=open_),
        unpaid_amount=Sum(rest, filter=open_, default=Decimal("0.00")),
        late=Count("id", filter=late),
        late_amount=Sum(rest, filter=late, default=Decimal("0.00")),
    )
    return Figures(**found)


def invoices_for_staff(
    *, today: date, words: str = "", state: str = "", settled: Settled = ""
) -> QuerySet[Invoice]:
    """The town's invoices, newest first. Every one of `words` must be found somewhere: number, payer, reference."""
    invoices = Invoice.objects.select_related("payer", "product").order_by("-id")
    if state:
        invoices = invoices.filter(state=state)
    if settled == "paid":
        invoices = invoices.filter(paid__gte=F("amount"))
    elif settled:
        invoices = invoices.filter(paid__lt=F("amount"))
    if settled == "late":
        invoices = invoices.filter(due_on__lt=today)
    for word in words.split()[:6]:
        found = (
            Q(number__icontains=word)
            | Q(payer__last_name__icontains=word)
            | Q(payer__first_name__icontains=word)
            | Q(payer__reference__icontains=word)
        )
        bare = re.sub(r"[^A-Za-z0-9]", "", word)  # references are typed with the punctuation of the paper
        if len(bare) >= 3:
            found |= Q(reference__icontains=bare)
        invoices = invoices.filter(found)
    return invoices


def invoice_for_staff(public_id: UUID) -> Invoice:
    """One invoice in any state, with all that hangs on it. Raises Invoice.DoesNotExist."""
    together = ("payer", "product", "document", "batch", "declaration__account")
    return Invoice.objects.select_related(*together).get(uuid=public_id)


def waiting_batches() -> QuerySet[Batch]:
    """Imports that are not over: a worker has them, or a clerk must decide. One with nothing new is over."""
    over = (BatchState.PUBLISHED, BatchState.TAKEN_BACK, BatchState.DISCARDED)
    return Batch.objects.exclude(state__in=over).exclude(state=BatchState.READY, new_count=0)


def problems(batch: Batch, *, severity: str = "") -> QuerySet[BatchProblem]:
    """What was found in the files of `batch`, errors first, in the order of the lines."""
    found = BatchProblem.objects.filter(batch=batch).order_by("severity", "line", "id")
    return found.filter(severity=severity) if severity else found


def first_invoices(batch: Batch, *, number: int = 20) -> QuerySet[Invoice]:
    """The first invoices of `batch` in the order of its file, for the preview."""
    return batch.invoices.select_related("payer", "product", "document").order_by("id")[:number]


def earlier_batch_of_same_file(batch: Batch) -> Batch | None:
    """The last import before `batch` that brought the very same rows, byte for byte."""
    same = batches().filter(rows_sha256=batch.rows_sha256, id__lt=batch.pk)
    return same.order_by("-id").first()


def can_be_taken_back(batch: Batch) -> bool:
    """True while nothing of a published batch was paid or tried; `take_back_batch` looks again under its locks."""
    if batch.state != BatchState.PUBLISHED:
        return False
    return not batch.invoices.filter(Q(paid__gt=0) | Q(attempts__isnull=False)).exists()
