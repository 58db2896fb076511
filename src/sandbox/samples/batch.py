"""Invented invoices with real PDFs, for the demo, tests and benchmarks. The same input gives the same invoices."""

import argparse
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from sandbox.samples.pdf import Bill, render
from toolkit.sheets import Sheet

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
    *("Adresse", "CP", "Ville", "E-mail", "Régie"),
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
    product: str = ""  # the code of its régie or budget; the default one when empty

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
            self.product,
        ]


def invoice_pdf(sample: Sample, town: str) -> bytes:
    """The PDF of an invoice: an A4 page of about 4 kB that says it is a demonstration."""
    return render(
        Bill(
            town=town,
            number=sample.number,
            subject=sample.subject,
            issued_on=sample.issued_on,
            due_on=sample.due_on,
            fiscal_year=sample.fiscal_year,
            payer=sample.payer,
            recipient=(
                " ".join(filter(None, (sample.name[0], sample.name[2], sample.name[1]))),
                sample.address[0],
                " ".join(sample.address[1:]),
            ),
            lines=((sample.subject, sample.amount),),
            amount=sample.amount,
        )
    )


def write_csv(samples: Iterable[Sample], out: BinaryIO) -> None:
    """Write the CSV as a French spreadsheet does: semicolons, decimal commas, Windows-1252."""
    sheet = Sheet(out, encoding="cp1252")
    sheet.line(HEADER)
    for sample in samples:
        sheet.line(sample.row())
    sheet.end()


def write_zip(samples: Iterable[Sample], out: BinaryIO, town: str) -> None:
    """Write a ZIP of their PDFs, named by invoice number."""
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


def main() -> None:
    """`python -m sandbox.samples.batch --count 3000 --folder /tmp/factures`: a CSV and a ZIP to import."""
    parser = argparse.ArgumentParser(description="Factures inventées : factures.csv et factures.zip.")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--series", default="2026-002")
    parser.add_argument("--town", default="Mairie de Démonstration")
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with (options.folder / "factures.csv").open("wb") as rows:
        write_csv(batch(options.count, series=options.series), rows)
    with (options.folder / "factures.zip").open("wb") as documents:
        write_zip(batch(options.count, series=options.series), documents, options.town)


if __name__ == "__main__":
    main()
