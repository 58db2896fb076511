"""Tables for a spreadsheet: written to disk rather than to memory, and no cell is ever run as a formula."""

import csv
import io
import tempfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.http import FileResponse

from toolkit import safecsv

_IN_MEMORY = 1024 * 1024


def csv_answer(name: str, titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """`rows` as a CSV that a French spreadsheet opens: UTF-8 with its mark, `;`, decimal commas.

    Everything is read while the town is still current, so nothing leaves its context unevaluated.
    """
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    lines = csv.writer(text, delimiter=";", lineterminator="\r\n")
    lines.writerow([safecsv.cell(title) for title in titles])
    for row in rows:
        lines.writerow([_cell(value) for value in row])
    text.detach()
    file.seek(0)
    return FileResponse(file, content_type="text/csv; charset=utf-8", as_attachment=True, filename=name)


def _cell(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")
    return safecsv.cell(value)
