"""The file of PDFs that came with an import: a ZIP, or one large PDF."""

from typing import BinaryIO

from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.split.one_pdf import OnePdf
from tenant_apps.invoices.importing.records.rules import USUAL, Rules


def documents_in(file: BinaryIO, rules: Rules = USUAL.rules) -> Archive | OnePdf:
    """Its PDFs, found by the rules of the source. Raises FileError when the file is not sound."""
    file.seek(0)
    head = file.read(1024 + 5)
    file.seek(0)
    if b"%PDF-" in head and not head.startswith(b"PK"):
        return OnePdf(file, rules)
    return Archive(file, rules)
