"""Golden samples: a file as billing writes it, and beside it what must be read, checked once by a person."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from django.utils.translation import override

from tenant_apps.invoices.importing.format import HEAD, Format
from tenant_apps.invoices.importing.records.kinds import (
    CreditRow,
    DocumentRow,
    InvoiceRow,
    PayerRow,
    RowProblem,
)
from tenant_apps.invoices.importing.registry import recognised
from toolkit.reading.errors import FileError

GOLDEN = ".expected.json"


def samples_of(format: Format, folder: Path) -> list[Path]:
    """The billing files of a format."""
    return sorted(path for path in (folder / format.name).glob("*") if not path.name.endswith(GOLDEN))


def check(format: Format, sample: Path) -> None:
    """The sample is recognised as `format`, and is read as its golden file says."""
    with sample.open("rb") as file:
        assert recognised(file.read(HEAD), sample.name) is format
    expected, found = sample.with_name(sample.name + GOLDEN), read(format, sample)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    assert expected.exists(), f"check this by eye, and keep it as {expected}:\n{text}"
    assert found == json.loads(expected.read_text("utf-8"))


def read(format: Format, sample: Path) -> dict[str, Any]:
    """What is read of a sample, as JSON."""
    rows: list[dict[str, Any]] = []
    problems: list[list[Any]] = []
    with override("fr"), sample.open("rb") as file:
        try:
            for item in format.rows(file):
                if not isinstance(item, RowProblem):
                    rows.append(_plain(item))
                else:
                    problems.append(["error" if item.is_error else "notice", str(item)])
        except FileError as error:
            return {"refused": str(error)}
    return {"rows": rows, "problems": problems}


def _plain(row: InvoiceRow | PayerRow | CreditRow | DocumentRow) -> dict[str, Any]:
    """Only the fields that the row has; `record` when it is no invoice."""
    values = {**dataclasses.asdict(row), "record": "" if isinstance(row, InvoiceRow) else type(row).__name__}
    for name, order in (("said", sorted), ("emails", list)):
        if name in values:
            values[name] = order(values[name])
    return {
        name: value if isinstance(value, int | list) else str(value)
        for name, value in values.items()
        if value
    }
