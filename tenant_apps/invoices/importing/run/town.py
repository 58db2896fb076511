"""What the town has that a chunk of records may be about. A fixed number of SQL statements per chunk."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.records.kinds import CreditRow, DocumentRow, InvoiceRow
from tenant_apps.invoices.models import Amendment, Batch, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product, former_products, products_by_code
from toolkit import clock
from toolkit.reading.fields import fold
from toolkit.scope import Scope


class Regies:
    """The régies that the sender of a file may bring invoices of."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._by_code = {
            code: product for code, product in products_by_code().items() if scope.has(product.pk)
        }
        labels = Counter(fold(product.label) for product in self._by_code.values())
        self._by_label = {
            key: product for product in self._by_code.values() if labels[key := fold(product.label)] == 1
        }
        default = default_product()
        self._default = default if scope.has(default.pk) else None
        self._former = former_products()
        self._all = set(Product.objects.values_list("pk", flat=True))

    def of(self, code: str) -> Product | None:
        """The régie of a row: of its code or its name, or the town's default one."""
        if not code:
            return self._default
        return self._by_code.get(code.lower()) or self._by_label.get(fold(code))

    @property
    def all(self) -> set[int]:
        """The ids of all products of the town, former ones too."""
        return self._all

    def has(self, product_id: int) -> bool:
        """Whether the sender may touch invoices of that product."""
        return self._scope.has(product_id)

    def family(self, product: Product) -> tuple[int, ...]:
        """The ids of a régie: its own, then those of its former numbers."""
        return (product.pk, *self._former.get(product.pk, ()))

    def ended(self, product: Product) -> str:
        """Why a closed régie gets no new invoice, and what to do."""
        words = {
            "label": product.label,
            "day": clock.in_words(product.ended_at),
            "code": product.replaced_by.code if product.replaced_by else "",
        }
        if product.replaced_by is not None:
            sentence = _(
                "« Régie » : « %(label)s » a changé d'identifiant le %(day)s. Écrivez le code « %(code)s » dans le "
                "fichier : ces factures iront au nouvel identifiant."
            )
        else:
            sentence = _(
                "« Régie » : « %(label)s » est fermée depuis le %(day)s et ne reçoit plus de factures. Corrigez le "
                "code dans le fichier, ou demandez à un responsable de rouvrir la régie (« Régies et PayFiP »)."
            )
        return sentence % words

    def why_not(self, code: str) -> str:
        """Why a row is of no régie that the sender may bring invoices of."""
        if self._scope.is_whole:
            sentence = _("« Régie » n'est pas connue de la commune. Codes connus : %(known)s.")
        elif code:
            sentence = _("« Régie » n'est pas une de celles pour lesquelles vous travaillez : %(known)s.")
        else:
            sentence = _(
                "« Régie » est vide. Écrivez le code d'une régie pour laquelle vous travaillez : %(known)s."
            )
        open_ones = (one for one in self._by_code.values() if one.ended_at is None)
        known = sorted(one.code for one in open_ones)
        return sentence % {"known": ", ".join(known)}


@dataclass
class Standing:
    """The invoices of the town that have the numbers or the references of a chunk."""

    invoices: dict[tuple[int, int, str], Invoice] = field(default_factory=dict)  # (product, year, number) →
    references: dict[tuple[int, str], str] = field(default_factory=dict)  # (product, reference) → number
    being_paid: set[int] = field(default_factory=set)  # ids of invoices
    credited: set[tuple[int, str]] = field(
        default_factory=set
    )  # (invoice, identity of a credit that was applied)

    def invoice(self, family: Sequence[int], year: int, number: str) -> Invoice | None:
        """The invoice of that number in a family of products."""
        keys = ((pk, year, number) for pk in family)
        return next((self.invoices[key] for key in keys if key in self.invoices), None)

    def number_of(self, family: Sequence[int], reference: str) -> str | None:
        """The number of the invoice that has that payment reference."""
        keys = ((pk, reference) for pk in family)
        return next((self.references[key] for key in keys if key in self.references), None)


def standing_of(
    batch: Batch,
    products: Collection[int],
    rows: Sequence[InvoiceRow],
    others: Sequence[CreditRow | DocumentRow],
) -> Standing:
    """Read it for one chunk. The batch's own drafts are left out: they are made anew."""
    theirs = Invoice.objects.exclude(batch=batch, state=InvoiceState.DRAFT)
    numbers = [*(row.number for row in rows), *(row.number for row in others)]
    found = Standing()
    # One statement: another import may be staged at this moment, and is seen whole or not at all.
    met = Q(number__in=numbers) | Q(reference__in=[row.reference for row in rows])
    within = Q(product__in=products)  # both indexes begin with it
    for invoice in theirs.filter(within, met).select_related("payer__source", "batch", "document"):
        found.invoices[invoice.product_id, invoice.fiscal_year, invoice.number] = invoice
        found.references[invoice.product_id, invoice.reference] = invoice.number
    if found.invoices:
        known = Invoice.objects.filter(pk__in=[invoice.pk for invoice in found.invoices.values()])
        found.being_paid = set(known.filter(attempt_parts__live=True).values_list("pk", flat=True))
    if any(isinstance(row, CreditRow) for row in others):
        applied = Amendment.objects.filter(invoice__number__in=numbers, applied_at__isnull=False)
        found.credited = set(applied.exclude(credit_name="").values_list("invoice_id", "credit_name"))
    return found


def invoices_meant(regies: Regies, town: Standing, row: CreditRow | DocumentRow) -> list[Invoice]:
    """The invoices that a credit or a PDF may be about: one, when the row says enough."""
    product = regies.of(row.product)
    family: Iterable[int] = regies.family(product) if product and row.product else ()
    reference = row.reference if isinstance(row, CreditRow) else ""
    return [
        invoice
        for (product_id, year, number), invoice in town.invoices.items()
        if number == row.number
        and (row.fiscal_year is None or year == row.fiscal_year)
        and (not row.product or product_id in family)
        and regies.has(product_id)
        and invoice.reference.startswith(reference)
    ]
