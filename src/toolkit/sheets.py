"""The one writer of tables for a spreadsheet: CSV that a French spreadsheet opens, whose cells it never runs."""

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _

_IN_MEMORY = 1024 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Sheet:
    """Writes lines to `file`, which stays open and belongs to the caller: `;`, decimal commas, UTF-8 with its mark."""

    def __init__(self, file: IO[bytes], *, encoding: str = "utf-8-sig") -> None:
        self._text = io.TextIOWrapper(file, encoding, newline="")
        self._lines = csv.writer(self._text, delimiter=";", lineterminator="\r\n")

    def line(self, values: Iterable[object]) -> None:
        """Write one line; `cell` says how."""
        self._lines.writerow([cell(value) for value in values])

    def end(self) -> None:
        """Flush what is not in the file yet, and let go of it."""
        self._text.detach()


def csv_answer(name: str, titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """`rows` as a file named `name`, written to disk rather than to memory.

    Everything is read while the town is still current, so nothing leaves its context unevaluated.
    """
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    sheet = Sheet(file)
    sheet.line(titles)
    for row in rows:
        sheet.line(row)
    sheet.end()
    file.seek(0)
    return FileResponse(file, content_type="text/csv; charset=utf-8", as_attachment=True, filename=name)


def cell(value: object) -> str:
    """`value` as a French spreadsheet reads it. A text is never run as a formula (OWASP, CSV injection)."""
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
