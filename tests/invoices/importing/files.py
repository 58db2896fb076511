"""Files as billing clerks send them, valid and broken."""

import contextlib
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator

from tenant_apps.invoices.importing.formats.csv import FORMAT
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, RowProblem

MEGABYTE = 1024 * 1024
# For a program of its own: the most memory of this process in MB. `ru_maxrss` would begin with that of its parent.
MOST_MEMORY = """
def most_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
"""
HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;E-mail;Régie;Fichier PDF"
ROW = "2015-001-001078;02/09/2015;31/08/2016;25,00 €;FACTURATION;F001;alice@example.net;;"


def read(content: str | bytes) -> tuple[list[InvoiceRow], list[RowProblem], list[RowProblem]]:
    """(rows, errors, warnings) of a CSV. Raises FileError as the format does."""
    raw = content.encode() if isinstance(content, str) else content
    found = list(FORMAT.rows(io.BytesIO(raw)))
    problems = [item for item in found if isinstance(item, RowProblem)]
    return (
        [item for item in found if isinstance(item, InvoiceRow)],
        [problem for problem in problems if problem.is_error],
        [problem for problem in problems if not problem.is_error],
    )


def lines(*rows: str) -> str:
    """The header and these rows."""
    return "\r\n".join((HEADER, *rows)) + "\r\n"


def changed(**cells: str) -> str:
    """ROW with other cells, by name: number, date, due, amount, subject, payer, email, product, pdf."""
    names = ("number", "date", "due", "amount", "subject", "payer", "email", "product", "pdf")
    values = dict(zip(names, ROW.split(";"), strict=True)) | cells
    return ";".join(values[name] for name in names)


def zipped(
    *files: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_DEFLATED
) -> io.BytesIO:
    """A ZIP of these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files:
            archive.writestr(name, content, compress_type=compression)
    out.seek(0)
    return out


@contextlib.contextmanager
def memory() -> Iterator[Callable[[], int]]:
    """`with memory() as peak: …`, then `peak()`: the most bytes that Python used inside the block."""
    found = [0]
    tracemalloc.start()
    try:
        yield lambda: found[0]
    finally:
        found[0] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
