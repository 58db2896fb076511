"""A CSV from billing software → typed rows (imports.md §CSV). Pure reading: nothing is written, no database."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import BinaryIO, TypeVar

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing import fields
from tenant_apps.invoices.importing.fields import FieldError, fold

T = TypeVar("T")
MOST_ROWS = 50_000
MOST_BYTES = 50 * 1024 * 1024
_DELIMITERS = (";", "\t", ",")

# Field → its name on the screen, and the headers met in the exports, folded.
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "number": (
        "Numéro",
        ("numero", "numerofacture", "numfacture", "nfacture", "nofacture", "ndefacture", "facture"),
    ),
    "issued_on": ("Date", ("date", "datefacture", "datefact", "dateemission", "datedefacture")),
    "due_on": ("Échéance", ("echeance", "dateecheance", "datech", "datelimite", "dateecheancefacture")),
    "amount": ("Montant", ("montant", "montantttc", "ttc", "total", "montanteuros", "montantfacture", "nap")),
    "subject": ("Objet", ("objet", "libelle", "designation", "intitule")),
    "fiscal_year": ("Exercice", ("exercice", "annee", "exer")),
    "reference": (
        "Référence TIPI",
        ("referencetipi", "reftipi", "refdet", "referencepayfip", "referencepaiement"),
    ),
    "payer": (
        "Code redevable",
        ("coderedevable", "redevable", "codefamille", "famille", "codeclient", "nredevable", "numerofamille"),
    ),
    "title": ("Civilité", ("civilite", "titre")),
    "last_name": ("Nom", ("nom", "nomredevable", "nomfamille", "raisonsociale")),
    "first_name": ("Prénom", ("prenom",)),
    "address1": ("Adresse", ("adresse", "adresse1", "rue")),
    "address2": ("Adresse (suite)", ("adresse2", "complement", "complementadresse")),
    "postcode": ("CP", ("cp", "codepostal")),
    "city": ("Ville", ("ville", "commune")),
    "email": ("E-mail", ("email", "mail", "courriel", "adressemail", "adresseemail", "emails")),
    "product": ("Régie", ("regie", "budget", "produit", "coderegie")),
    "document": ("Fichier PDF", ("fichierpdf", "pdf", "fichier", "nomfichier", "document")),
}
REQUIRED = ("number", "issued_on", "due_on", "amount", "subject", "payer")
_BY_HEADER = {header: name for name, (_label, headers) in COLUMNS.items() for header in headers}


class FileError(Exception):
    """The file as a whole cannot be read; `str()` is what to tell the clerk."""


@dataclass(frozen=True)
class InvoiceRow:
    """One invoice as the file gives it. Euros as Decimal."""

    line: int
    number: str
    issued_on: date
    due_on: date
    amount: Decimal
    subject: str
    fiscal_year: int
    reference: str
    payer: str
    title: str = ""
    last_name: str = ""
    first_name: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    emails: tuple[str, ...] = ()
    product: str = ""
    document: str = ""


@dataclass(frozen=True)
class RowProblem:
    """Something about a row, named to the clerk: the row, the field, the value, one sentence."""

    line: int | None
    field: str
    value: str
    message: str
    is_error: bool = True


@dataclass
class Reader:
    """Reads `stream` (bytes) row by row; memory does not grow with the file but for the numbers already seen."""

    stream: BinaryIO
    size: int
    columns: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[InvoiceRow | RowProblem]:
        """Each row as an InvoiceRow, or the problems of a row that cannot be one. Raises FileError."""
        if self.size > MOST_BYTES:
            raise FileError(_("Le fichier des factures dépasse 50 Mo. Découpez-le en plusieurs envois."))
        encoding = _encoding(self.stream)
        lines = _Lines(self.stream, encoding)
        header = next((line for line in lines if line.strip()), None)
        if header is None:
            raise FileError(_("Le fichier des factures est vide."))
        delimiter = _delimiter(header)
        self.columns = _columns(next(csv.reader([header], delimiter=delimiter)))
        first_lines: dict[tuple[str, int, str], int] = {}
        before, count = lines.number, 0
        for cells in csv.reader(lines, delimiter=delimiter, strict=False):
            line, before = before + 1, lines.number
            if not any(cell.strip() for cell in cells) or self._is_footer(cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise FileError(_("Le fichier a plus de 50 000 lignes. Découpez-le en plusieurs envois."))
            yield from self._row(line, cells, first_lines)
        if not count:
            raise FileError(_("Le fichier ne contient aucune facture sous la ligne de titres."))

    def _cell(self, cells: list[str], name: str) -> str:
        index = self.columns.get(name)
        return cells[index] if index is not None and index < len(cells) else ""

    def _is_footer(self, cells: list[str]) -> bool:
        """A line of totals: the word « total » somewhere, and neither a number nor a payer."""
        words = any(fold(cell).startswith(("total", "soustotal", "nombredefactures")) for cell in cells)
        number = self._cell(cells, "number")
        return words and (not self._cell(cells, "payer").strip()) and not any(c.isdigit() for c in number)

    def _row(
        self, line: int, cells: list[str], first_lines: dict[tuple[str, int, str], int]
    ) -> Iterator[InvoiceRow | RowProblem]:
        problems: list[RowProblem] = []

        def read(name: str, convert: Callable[[str], T]) -> T | None:
            raw = self._cell(cells, name)
            try:
                return convert(raw)
            except FieldError as error:
                label = COLUMNS[name][0]
                problems.append(RowProblem(line, label, raw.strip()[:80], f"« {label} » {error}"))
                return None

        number = read("number", lambda raw: fields.text(raw, longest=40, required=True))
        issued_on = read("issued_on", fields.day)
        due_on = read("due_on", fields.day)
        amount = read("amount", fields.amount)
        subject = read("subject", lambda raw: fields.text(raw, longest=160, required=True))
        payer = read("payer", lambda raw: fields.text(raw, longest=40, required=True))
        year = read("fiscal_year", lambda raw: fields.year(raw, issued_on.year if issued_on else 0))
        reference = read("reference", lambda raw: fields.reference(raw, number=number or "", year=year or 0))
        addresses = read("email", fields.addresses)
        plain = {
            name: read(name, lambda raw, n=longest: fields.text(raw, longest=n))  # type: ignore[misc]
            for name, longest in _PLAIN.items()
        }
        if issued_on and due_on and due_on < issued_on:
            sentence = _("« Échéance » est avant la date de la facture : vérifiez les deux dates.")
            problems.append(RowProblem(line, "Échéance", f"{due_on:%d/%m/%Y}", sentence))
        if number and year is not None and plain["product"] is not None:
            first = first_lines.setdefault((plain["product"].lower(), year, number), line)
            if first != line:
                sentence = _("« Numéro » figure déjà à la ligne %(line)d : chaque facture a son numéro.")
                problems.append(RowProblem(line, "Numéro", number, sentence % {"line": first}))
        if problems:
            yield from problems
            return
        address = "\n".join(filter(None, [plain.pop("address1"), plain.pop("address2")]))
        yield InvoiceRow(
            line=line,
            number=number or "",
            issued_on=issued_on or date.min,
            due_on=due_on or date.min,
            amount=amount or Decimal(0),
            subject=subject or "",
            fiscal_year=year or 0,
            reference=reference or "",
            payer=payer or "",
            emails=addresses or (),
            address=address,
            **{name: value or "" for name, value in plain.items()},
        )


_PLAIN = {
    "title": 20,
    "last_name": 80,
    "first_name": 80,
    "address1": 120,
    "address2": 120,
    "postcode": 10,
    "city": 80,
    "product": 30,
    "document": 200,
}


class _Lines:
    """Decoded lines with their number, for csv and for the messages."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        stream.seek(0)
        self._stream, self._encoding, self.number = stream, encoding, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(1024 * 1024)
        if not raw:
            raise StopIteration
        self.number += 1
        return raw.decode(self._encoding)


def _encoding(stream: BinaryIO) -> str:
    """UTF-8 when every byte is; else Windows-1252 when every byte means a letter or a sign there.

    A rule rather than a guess: UTF-8 is practically never valid by accident, and the five bytes that
    Windows-1252 leaves undefined, or control characters, tell that the file is neither.
    """
    for encoding in ("utf-8-sig", "cp1252"):
        stream.seek(0)
        try:
            while chunk := stream.readline(1024 * 1024):
                decoded = chunk.decode(encoding)
                if any(ord(c) < 32 and c not in "\t\r\n\x0c" for c in decoded):
                    raise FileError(_unknown_encoding())
        except UnicodeDecodeError:
            continue
        return encoding
    raise FileError(_unknown_encoding())


def _unknown_encoding() -> str:
    return _(
        "Le fichier n'est pas un texte lisible. Enregistrez-le au format CSV (UTF-8 ou Windows) depuis votre logiciel."
    )


def _delimiter(header: str) -> str:
    """The sign that splits the header into the most known columns."""
    known = {
        sign: sum(fold(cell) in _BY_HEADER for cell in next(csv.reader([header], delimiter=sign)))
        for sign in _DELIMITERS
    }
    best = max(known, key=lambda sign: known[sign])
    if known[best] < 2:
        raise FileError(
            _(
                "La première ligne ne donne pas les titres des colonnes séparés par « ; », une virgule ou une "
                "tabulation. Première ligne lue : « %(line)s »."
            )
            % {"line": header.strip()[:120]}
        )
    return best


def _columns(header: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for index, cell in enumerate(header):
        name = _BY_HEADER.get(fold(cell))
        if name is not None:
            columns.setdefault(name, index)
    missing = [COLUMNS[name][0] for name in REQUIRED if name not in columns]
    if missing:
        raise FileError(
            _("Il manque la colonne %(missing)s. Colonnes trouvées : %(found)s.")
            % {
                "missing": ", ".join(f"« {label} »" for label in missing),
                "found": ", ".join(cell.strip() for cell in header if cell.strip()) or _("aucune"),
            }
        )
    return columns
