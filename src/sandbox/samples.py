"""Invented invoices with real PDFs, for the demo, the tests and the benchmarks. Always the same for the same input."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import BinaryIO

from fpdf import FPDF

from toolkit.money import format_euros

HEADER = (
    *(
        "Numéro",
        "Date",
        "Échéance",
        "Montant",
        "Objet",
        "Exercice",
        "Code redevable",
        "Civilité",
        "Nom",
        "Prénom",
    ),
    *("Adresse", "CP", "Ville", "E-mail"),
)
_FAMILIES = (
    "BERNARD",
    "DUBOIS",
    "THOMAS",
    "ROBERT",
    "PETIT",
    "DURAND",
    "LEROY",
    "MOREAU",
    "SIMON",
    "LAURENT",
)
_FIRST = ("Camille", "Dominique", "Claude", "Alix", "Sacha", "Maxime", "Charlie", "Noa", "Lou", "Eden")
_SUBJECTS = (
    "Cantine scolaire",
    "Accueil périscolaire",
    "Eau et assainissement",
    "Crèche",
    "École de musique",
)


@dataclass(frozen=True)
class Sample:
    """One invoice as billing software would export it."""

    number: str
    issued_on: date
    due_on: date
    amount: Decimal
    subject: str
    payer: str
    name: tuple[str, str, str]  # civilité, nom, prénom
    emails: tuple[str, ...] = ()
    fiscal_year: int = 2026
    address: tuple[str, str, str] = ("1 place de la Mairie", "31320", "DÉMONSTRATION")
    lines: tuple[tuple[str, Decimal], ...] = field(default=())

    def row(self) -> list[str]:
        """Its line of CSV, in the order of `HEADER`."""
        return [
            self.number,
            f"{self.issued_on:%d/%m/%Y}",
            f"{self.due_on:%d/%m/%Y}",
            f"{self.amount:.2f}".replace(".", ","),
            self.subject,
            str(self.fiscal_year),
            self.payer,
            *self.name,
            *self.address,
            ";".join(self.emails),
        ]


def invoice_pdf(sample: Sample, town: str) -> bytes:
    """A plain one-page invoice that says it is a sample."""
    pdf = FPDF()
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))  # the same bytes every time
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 16)
    pdf.cell(0, 10, _latin(town), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 11)
    pdf.cell(0, 7, _latin("Exemplaire de démonstration, sans valeur"), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(8)
    for text in (" ".join(filter(None, sample.name)), sample.address[0], " ".join(sample.address[1:])):
        pdf.set_x(110)
        pdf.cell(0, 6, _latin(text), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(10)
    pdf.set_font("Helvetica", "B", 13)
    pdf.cell(0, 9, _latin(f"Facture n° {sample.number}"), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 11)
    for label, value in (
        ("Objet", sample.subject),
        ("Date", f"{sample.issued_on:%d/%m/%Y}"),
        ("À régler avant le", f"{sample.due_on:%d/%m/%Y}"),
        ("Dossier", sample.payer),
    ):
        pdf.cell(60, 7, _latin(label))
        pdf.cell(0, 7, _latin(value), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(6)
    pdf.set_font("Helvetica", "B", 14)
    pdf.cell(60, 10, _latin("Montant à régler"), border="TB")
    pdf.cell(
        0, 10, _latin(format_euros(sample.amount)), border="TB", align="R", new_x="LMARGIN", new_y="NEXT"
    )
    return bytes(pdf.output())


def _latin(text: str) -> str:
    """The base fonts of PDF know Windows-1252's signs only; narrow spaces become plain ones."""
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("€", "euros").replace("’", "'")


def write_csv(samples: Iterable[Sample], out: BinaryIO) -> None:
    """As a spreadsheet writes it in French: semicolons, decimal commas, Windows-1252."""
    text = io.TextIOWrapper(out, encoding="cp1252", newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(sample.row() for sample in samples)
    text.flush()
    text.detach()


def write_zip(samples: Iterable[Sample], out: BinaryIO, town: str) -> None:
    """Their PDFs, named by invoice number."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for sample in samples:
            archive.writestr(zipfile.ZipInfo(f"{sample.number}.pdf"), invoice_pdf(sample, town))


def batch(size: int, *, series: str = "2026-002", start: date = date(2026, 11, 2)) -> Iterator[Sample]:
    """`size` invoices of about two thirds as many fictitious payers, at example.net addresses."""
    for n in range(size):
        payer = n * 2 // 3
        family, first = _FAMILIES[payer % len(_FAMILIES)], _FIRST[payer // 10 % len(_FIRST)]
        yield Sample(
            number=f"{series}-{n + 1:06}",
            issued_on=start,
            due_on=start + timedelta(days=30 + n % 15),
            amount=Decimal(500 + n * 37 % 19_500) / 100,
            subject=_SUBJECTS[n % len(_SUBJECTS)],
            payer=f"G{payer:05}",
            name=("", f"{family}-{payer}", first),
            emails=(f"famille{payer}@example.net",),
            address=(f"{1 + payer % 90} rue des Écoles", "31320", "DÉMONSTRATION"),
        )
