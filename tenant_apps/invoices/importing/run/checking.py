"""Check rows and PDFs against each other and against what the town has. Writes nothing."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.archive import Documents
from tenant_apps.invoices.importing.documents.sent import SentDocuments
from tenant_apps.invoices.importing.people.matching import Finding, People
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.run.chunks import Candidate, Chunk, KnownRow
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.products import references
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product, former_products, products_by_code
from toolkit import clock
from toolkit.scope import Scope

CHUNK = 200
MOST_KEPT = 1000  # problems that are kept; all are counted

Progress = Callable[[int], None]
Records = Iterable[Record]  # what a format yields


@dataclass
class Report:
    """What the check found. A report with an error is not staged."""

    rows: int = 0
    new: int = 0
    unchanged: int = 0
    changes: int = 0  # known payers that the file describes differently
    questions: int = 0  # payers that a person must look at
    late: int = 0  # PDFs for invoices that are online without one
    documents: int = 0
    errors: int = 0
    warnings: int = 0
    amount: Decimal = Decimal("0.00")  # sum of the new invoices, in euros
    problems: list[RowProblem] = field(default_factory=list)
    # Ids of what its rows are of; None: a row or a PDF may be of any.
    products: set[int | None] = field(default_factory=set)

    @property
    def brings_something(self) -> bool:
        """Whether there is something to stage."""
        return bool(self.new or self.changes or self.late)

    @property
    def known_products(self) -> list[int]:
        """The ids of the products that its rows are of; none when that is not known of every row and every PDF."""
        return [] if None in self.products else sorted(pk for pk in self.products if pk is not None)

    def add(self, problem: RowProblem) -> None:
        """Count the problem, and keep it when there are fewer than `MOST_KEPT`."""
        if problem.is_error:
            self.errors += 1
        else:
            self.warnings += 1
        if len(self.problems) < MOST_KEPT:
            self.problems.append(problem)


class Checker:
    """Reads the file in chunks: once for the report, and once more for staging."""

    def __init__(self, batch: Batch, archive: Documents | None) -> None:
        self._batch = batch
        self._archive = archive
        self._scope = Scope.kept(batch.limited_to)
        self._products = {
            code: product for code, product in products_by_code().items() if self._scope.has(product.pk)
        }
        default = default_product()
        self._default = default if self._scope.has(default.pk) else None
        self._former = former_products()
        self._people = People(batch.source)
        self.used: dict[
            str, tuple[InvoiceRow, int | str]
        ] = {}  # key of a PDF → the first row that has it, and that row's payer code

    def chunks(self, records: Records, report: Report) -> Iterator[Chunk]:
        """Yield the rows chunk by chunk; problems go to `report`. Raises FileError."""
        for chunk in _batched(records, CHUNK):
            rows = []
            for item in chunk:
                if isinstance(item, RowProblem):
                    report.add(item)
                    if item.is_error:
                        report.products.add(None)
                    continue
                report.rows += 1
                if not isinstance(item, InvoiceRow):  # decision 71: to come
                    continue
                row = self._people.recognised(item)
                if problem := self._people.add(row):
                    report.add(problem)
                    report.products.add(None)
                else:
                    rows.append(row)
            people = self._people.find({row.payer for row in rows})
            new: list[Candidate] = []
            known: list[KnownRow] = []
            for sorted_row in self._sorted(rows, people, report):
                if isinstance(sorted_row, Candidate):
                    new.append(sorted_row)
                else:
                    known.append(sorted_row)
            report.late += sum(one.is_late for one in known)
            yield Chunk(new, known, people)
        report.changes = sum(person.changes for person in self._people)
        report.questions = sum(person.asks for person in self._people)

    def _sorted(
        self, rows: list[InvoiceRow], people: dict[str, Finding], report: Report
    ) -> Iterator[Candidate | KnownRow]:
        others = Invoice.objects.exclude(batch=self._batch, state=InvoiceState.DRAFT)
        together = ("payer__source", "batch", "document")
        by_number = others.filter(number__in=[row.number for row in rows]).select_related(*together)
        existing = {(found.product_id, found.fiscal_year, found.number): found for found in by_number}
        by_reference = others.filter(reference__in=[row.reference for row in rows])
        taken = {
            (product_id, reference): number
            for product_id, reference, number in by_reference.values_list("product_id", "reference", "number")
        }
        for row in rows:
            product = self._products.get(row.product.lower()) if row.product else self._default
            if product is None:
                report.add(RowProblem(row.line, "Régie", row.product, self._not_a_regie(row)))
                report.products.add(None)
                continue
            report.products.add(product.pk)
            finding = people[row.payer]
            # What a régie published under an older number is known too, and stays there (decision 61).
            family = (product.pk, *self._former.get(product.pk, ()))
            found = next(
                (existing[key] for pk in family if (key := (pk, row.fiscal_year, row.number)) in existing),
                None,
            )
            document = self._document_of(row, finding, report, is_online=found is not None)
            same = next((taken[pk, row.reference] for pk in family if (pk, row.reference) in taken), None)
            if found is None and product.ended_at is not None:
                report.add(RowProblem(row.line, "Régie", row.product or product.code, self._ended(product)))
            elif found is None and same is not None:
                # The Treasury knows a debt only by its reference: two invoices of a product never share one.
                sentence = _("« Référence TIPI » sert déjà à la facture n° %(number)s du même service.")
                report.add(RowProblem(row.line, "Référence TIPI", row.reference, sentence % {"number": same}))
            elif found is None and (wrong := references.problem(product.kind, row.reference)):
                sentence = _("« Référence TIPI » %(what)s")
                report.add(RowProblem(row.line, "Référence TIPI", row.reference, sentence % {"what": wrong}))
            elif found is None:
                report.new += 1
                report.amount += row.amount
                yield Candidate(row, product, document)
            elif (why := self._standing_problem(found, row, finding)) is not None:
                report.add(RowProblem(row.line, "Numéro", row.number, why))
            else:
                report.unchanged += 1
                yield KnownRow(row, found, document)

    def _ended(self, product: Product) -> str:
        """Why a closed product gets no new invoice, and what to do."""
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

    def _not_a_regie(self, row: InvoiceRow) -> str:
        """Why a row is of no régie that whoever sent the file may bring invoices of."""
        if self._scope.is_whole:
            sentence = _("« Régie » n'est pas connue de la commune. Codes connus : %(known)s.")
        elif row.product:
            sentence = _("« Régie » n'est pas une de celles pour lesquelles vous travaillez : %(known)s.")
        else:
            sentence = _(
                "« Régie » est vide. Écrivez le code d'une régie pour laquelle vous travaillez : %(known)s."
            )
        known = sorted(one.code for one in self._products.values() if one.ended_at is None)
        return sentence % {"known": ", ".join(known)}

    def _standing_problem(self, found: Invoice, row: InvoiceRow, finding: Finding) -> str | None:
        """Why a row may not have the number of an invoice that the town already has; None when it is that invoice."""
        if found.state == InvoiceState.DRAFT:
            sentence = _(
                "« Numéro » est déjà dans l'import « %(name)s », pas encore publié : publiez cet import, ou "
                "abandonnez-le."
            )
            if found.batch is not None and not self._scope.covers(found.batch.product_ids):
                return _("« Numéro » est déjà dans un import de la commune, pas encore publié.")
            return sentence % {"name": found.batch.rows_name if found.batch else ""}
        if not finding.may_be(found.payer_id):
            sentence = _(
                "« Numéro » est déjà publié pour un autre redevable (code %(code)s, provenance « %(source)s ») : "
                "une facture publiée ne change pas de redevable."
            )
            return sentence % {"code": found.payer.reference, "source": found.payer.source.name}
        if not _same(found, row):
            return _("« Numéro » est déjà publié avec d'autres valeurs : une facture publiée ne change pas.")
        return None

    def _document_of(
        self, row: InvoiceRow, finding: Finding, report: Report, *, is_online: bool
    ) -> str | None:
        if self._archive is None:
            return None
        name = row.document or row.number
        key = self._archive.find(name, is_file=bool(row.document))
        if key is None:
            if not is_online:
                sentence = _(
                    "Pas de PDF pour cette facture dans l'archive : elle serait publiée sans document."
                )
                report.add(RowProblem(row.line, "Fichier PDF", name, sentence, is_error=False))
            return None
        first, whose = self.used.setdefault(key, (row, finding.whose))
        if first is row:
            return key
        # Several invoices may share a PDF when the file says so, but only invoices of one payer.
        if whose != finding.whose:
            sentence = _(
                "« Fichier PDF » est déjà celui de la ligne %(line)d, d'un autre redevable : chacun a le sien."
            )
        elif not (row.document and first.document):
            sentence = _(
                "Le nom du PDF convient aussi à la ligne %(line)d : précisez-le dans la colonne « Fichier PDF »."
            )
        else:
            return key
        report.add(RowProblem(row.line, "Fichier PDF", name, sentence % {"line": first.line}))
        return None


def check(batch: Batch, records: Records, archive: Documents | None, progress: Progress) -> Report:
    """Read everything once, PDFs included. Raises FileError when the whole file cannot be read."""
    report = Report()
    checker = Checker(batch, archive)
    sent = SentDocuments(batch, archive) if archive is not None else None
    for chunk in checker.chunks(records, report):
        if sent is not None:
            for problem in sent.check(chunk):
                report.add(problem)
        progress(report.rows)
    if archive is not None and sent is not None:
        report.documents = sent.read
        for key, name in archive.names():
            if key not in checker.used:
                sentence = _("« %(name)s » ne correspond à aucune facture : il sera ignoré.") % {"name": name}
                report.add(RowProblem(None, "Fichier PDF", name[:80], sentence, is_error=False))
                report.products.add(None)
    return report


def _same(invoice: Invoice, row: InvoiceRow) -> bool:
    # An avoir of the town does not count as a difference from billing's file.
    asked = invoice.original_amount
    return (asked, invoice.issued_on, invoice.due_on, invoice.subject) == (
        row.amount,
        row.issued_on,
        row.due_on,
        row.subject,
    )


def _batched(items: Records, size: int) -> Iterator[tuple[Record, ...]]:
    iterator = iter(items)
    while chunk := tuple(itertools.islice(iterator, size)):
        yield chunk
