"""JSON lines: one invoice per line, with the project's own field names."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.format import Confidence, Format, Sample
from tenant_apps.invoices.importing.records.kinds import LABELS, REQUIRED, Record
from tenant_apps.invoices.importing.records.rows import Rows
from tenant_apps.invoices.importing.records.rules import Reading
from toolkit.reading.text import Lines, encoding_of


def recognise(head: bytes, name: str) -> Confidence | None:
    """Whether the first lines are JSON objects. The file's name does not matter."""
    first = head.lstrip().split(b"\n", 1)[0]
    try:
        return Confidence.CERTAIN if set(REQUIRED) <= json.loads(first).keys() else None
    except (ValueError, AttributeError):
        return None


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """One record per line. Raises FileError."""
    rows, lines = Rows(reading), Lines(file, encoding_of(file))
    try:
        for line in lines:
            try:
                record = json.loads(line)
                cells = {name: _text(record[name]) for name in LABELS if name in record}
            except (ValueError, TypeError):
                yield from rows.refuse(lines.number, _("Cette ligne n'est pas du JSON."))
            else:
                yield from rows.make(lines.number, cells)
    finally:
        lines.release()


def _text(value: object) -> str:
    return "" if value is None else str(value)


_SAMPLE = {
    **{"number": "1", "issued_on": "2026-10-01", "due_on": "2026-10-31", "amount": "37.50"},
    **{"subject": "Cantine", "payer": "F1", "last_name": "MARTIN"},
}
FORMAT = Format(
    name="json-lines",
    label="JSON",
    help=("Un fichier <strong>JSON</strong> : une facture par ligne.",),
    extensions=(".jsonl",),
    media_types=("application/jsonl",),
    recognise=recognise,
    read=read,
    sample=Sample(json.dumps(_SAMPLE).encode(), "application/jsonl"),
)
