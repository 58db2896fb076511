"""Sort the records of a file by what the town already has, chunk by chunk. Writes nothing but the report."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents.archive import Documents
from tenant_apps.invoices.importing.people.matching import Finding, People
from tenant_apps.invoices.importing.records.kinds import (
    LABELS,
    CreditRow,
    DocumentRow,
    InvoiceRow,
    PayerRow,
    Record,
    RowProblem,
)
from tenant_apps.invoices.importing.run import standing
from tenant_apps.invoices.importing.run.chunks import Candidate, Chunk, KnownRow
from tenant_apps.invoices.importing.run.making import key_of_made
from tenant_apps.invoices.importing.run.report import Records, Report
from tenant_apps.invoices.importing.run.standing import Refused
from tenant_apps.invoices.importing.run.town import Regies, Standing, invoices_meant, standing_of
from tenant_apps.invoices.models import Batch
from tenant_apps.products import references
from toolkit.scope import Scope

CHUNK = 1000
CHUNK_WITH_DOCUMENTS = 250  # PDFs take longer: the progress bar moves more often
_PDF = LABELS["document"]


class Checker:
    """Reads the records of one file of one source. `refused_codes`: payers' codes that two families share."""

    def __init__(self, batch: Batch, documents: Documents | None, *, makes_documents: bool = False) -> None:
        self._batch = batch
        self._documents = documents
        self._makes = makes_documents
        self._scope = Scope.kept(batch.limited_to)
        self._regies = Regies(self._scope)
        self._people = People(batch.source)
        self.refused_codes: dict[str, int] = {}  # code → the line where the second family is
        # key of a PDF → the line of its first row, whose it is, and whether the row names the file
        self.used: dict[str, tuple[int, int | str, bool]] = {}

    def chunks(self, records: Records, report: Report) -> Iterator[Chunk]:
        """Yield the rows chunk by chunk; problems go to `report`. Raises FileError."""
        for chunk in _batched(records, CHUNK if self._documents is None else CHUNK_WITH_DOCUMENTS):
            yield self._chunk(chunk, report)
        report.changes = sum(person.changes for person in self._people)
        report.questions += sum(person.asks for person in self._people)

    def _chunk(self, chunk: tuple[Record, ...], report: Report) -> Chunk:
        rows: list[InvoiceRow] = []
        others: list[CreditRow | DocumentRow] = []
        codes: set[str] = set()
        for item in chunk:
            if isinstance(item, RowProblem):
                report.add(item)
                if item.is_error:
                    report.products.add(None)
                continue
            report.rows += 1
            if isinstance(item, CreditRow | DocumentRow):
                others.append(item)
                continue
            if (row := self._of_a_person(item, report)) is None:
                continue
            codes.add(row.payer)
            if isinstance(row, InvoiceRow):
                rows.append(row)
            else:
                report.products.add(None)
        people = self._people.find(codes)
        found = standing_of(self._batch, self._regies.all, rows, others)
        new: list[Candidate] = []
        known: list[KnownRow] = []
        for sorted_row in itertools.chain(
            self._sorted(rows, found, people, report), self._about(others, found, report)
        ):
            if isinstance(sorted_row, Candidate):
                new.append(sorted_row)
            else:
                known.append(sorted_row)
        return Chunk(new, known, people)

    def _of_a_person(self, item: InvoiceRow | PayerRow, report: Report) -> InvoiceRow | PayerRow | None:
        """The row with its payer's own code; None when its code is another family's too."""
        row = self._people.recognised(item)
        if problem := self._people.add(row):
            self.refused_codes.setdefault(row.payer, row.line)
            report.add(replace(problem, cells=texts_of(row)))
            report.products.add(None)
            return None
        return row

    def _sorted(
        self, rows: list[InvoiceRow], town: Standing, people: dict[str, Finding], report: Report
    ) -> Iterator[Candidate | KnownRow]:
        for row in rows:
            product = self._regies.of(row.product)
            if product is None:
                report.products.add(None)
                _refuse(report, row, "product", row.product, self._regies.why_not(row.product))
                continue
            report.products.add(product.pk)
            finding = people[row.payer]
            # What a régie published under an older number is known too, and stays there (decision 61).
            family = self._regies.family(product)
            found = town.invoice(family, row.fiscal_year, row.number)
            key = self._document_of(row, finding, report, is_online=found is not None)
            if found is not None:
                try:
                    item = standing.compare(
                        found,
                        row,
                        finding,
                        source_id=self._batch.source_id,
                        being_paid=found.pk in town.being_paid,
                        scope=self._scope,
                    )
                except Refused as why:
                    _refuse(report, row, why.field, _value(row, why.field), str(why))
                    continue
                item.document = key
                yield item
                continue
            same = town.number_of(family, row.reference)
            if product.ended_at is not None:
                _refuse(report, row, "product", row.product or product.code, self._regies.ended(product))
            elif same is not None:
                # The Treasury knows a debt only by its reference: two invoices of a product never share one.
                sentence = _("« Référence TIPI » sert déjà à la facture n° %(number)s du même service.")
                _refuse(report, row, "reference", row.reference, sentence % {"number": same})
            elif wrong := references.problem(product.kind, row.reference):
                sentence = _("« Référence TIPI » %(what)s")
                _refuse(report, row, "reference", row.reference, sentence % {"what": wrong})
            else:
                yield Candidate(row, product, key)

    def _about(
        self, rows: list[CreditRow | DocumentRow], town: Standing, report: Report
    ) -> Iterator[KnownRow]:
        """Credits and PDFs for invoices that the town has."""
        for row in rows:
            found = invoices_meant(self._regies, town, row)
            if len(found) != 1:
                report.products.add(None)
                self._is_told(row)
                _unknown(report, row, several=bool(found))
                continue
            (invoice,) = found
            report.products.add(invoice.product_id)
            being_paid = invoice.pk in town.being_paid
            if isinstance(row, CreditRow):
                applied = (invoice.pk, row.identity) in town.credited
                try:
                    yield standing.credit(
                        invoice, row, applied=applied, being_paid=being_paid, scope=self._scope
                    )
                except Refused as why:
                    report.add(RowProblem(row.line, LABELS[why.field], row.number, str(why)))
                continue
            key = self._documents.find(row.document, is_file=True) if self._documents else None
            if key is None:
                sentence = _("Ce PDF n'est pas parmi les fichiers envoyés.")
                report.add(RowProblem(row.line, _PDF, row.document, sentence))
                continue
            self.used.setdefault(key, (row.line, invoice.payer_id, True))
            yield KnownRow(row.line, invoice, key)

    def _is_told(self, row: CreditRow | DocumentRow) -> None:
        """A PDF of no invoice is named by its row, and not once more as one too many."""
        if isinstance(row, DocumentRow) and self._documents is not None:
            key = self._documents.find(row.document, is_file=True)
            if key is not None:
                self.used.setdefault(key, (row.line, "", True))

    def _document_of(
        self, row: InvoiceRow, finding: Finding, report: Report, *, is_online: bool
    ) -> str | None:
        name = row.document or row.number
        key = self._documents.find(name, is_file=bool(row.document)) if self._documents else None
        if key is None and self._makes and not is_online:
            return key_of_made(row)
        if key is None:
            if self._documents is not None and not is_online:
                sentence = _(
                    "Pas de PDF pour cette facture dans l'archive : elle serait publiée sans document."
                )
                report.add(RowProblem(row.line, _PDF, name, sentence, is_error=False))
            return None
        mine = (row.line, finding.whose, bool(row.document))
        line, whose, is_named = self.used.setdefault(key, mine)
        if line == row.line:
            return key
        # Several invoices may share a PDF when the file says so, but only invoices of one payer.
        if whose != finding.whose:
            sentence = _(
                "« Fichier PDF » est déjà celui de la ligne %(line)d, d'un autre redevable : chacun a le sien."
            )
        elif not (row.document and is_named):
            sentence = _(
                "Le nom du PDF convient aussi à la ligne %(line)d : précisez-le dans la colonne « Fichier PDF »."
            )
        else:
            return key
        _refuse(report, row, "document", name, sentence % {"line": line})
        return None


def texts_of(row: InvoiceRow | PayerRow) -> dict[str, str]:
    """The texts of a row by field, as a clerk would write them: to show a row that was read, then refused."""
    texts = {"payer": row.payer, "last_name": row.last_name, "first_name": row.first_name}
    texts |= {"email": ", ".join(row.emails), "postcode": row.postcode, "city": row.city}
    if isinstance(row, InvoiceRow):
        texts |= {
            "number": row.number,
            "issued_on": f"{row.issued_on:%d/%m/%Y}",
            "due_on": f"{row.due_on:%d/%m/%Y}",
            "amount": str(row.amount).replace(".", ","),
            "subject": row.subject,
            "reference": row.reference,
            "product": row.product,
            "document": row.document,
        }
    return {name: text for name, text in texts.items() if text}


def _refuse(report: Report, row: InvoiceRow, field: str, value: str, sentence: str) -> None:
    report.add(RowProblem(row.line, LABELS[field], value[:80], sentence, cells=texts_of(row)))


def _value(row: InvoiceRow, field: str) -> str:
    return texts_of(row).get(field, row.number)


def _unknown(report: Report, row: CreditRow | DocumentRow, *, several: bool) -> None:
    """An invoice that the town does not have: nothing is done, and it is said."""
    if several:
        sentence = _("Plusieurs factures portent ce numéro : précisez la régie et l'exercice.")
    elif isinstance(row, CreditRow):
        sentence = _("La facture à annuler ou à réduire n'est pas en ligne : il n'y a rien à faire ici.")
    else:
        sentence = _("Aucune facture en ligne ne porte ce numéro : ce PDF n'est rattaché à rien.")
    report.add(RowProblem(row.line, LABELS["number"], row.number, sentence, is_error=several))


def _batched(items: Records, size: int) -> Iterator[tuple[Record, ...]]:
    iterator = iter(items)
    while chunk := tuple(itertools.islice(iterator, size)):
        yield chunk
