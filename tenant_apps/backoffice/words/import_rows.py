"""The refused rows of an import, and the online invoices that it changes, as its page shows them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.utils.translation import gettext as _

from tenant_apps.backoffice.access import StaffRequest
from tenant_apps.invoices import queries
from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.models import Amendment, Batch, BatchProblem, RefusedRow
from toolkit.clock import in_figures
from toolkit.money import euros, format_euros

ROWS = 50  # per page
_NAMES = {label: name for name, label in LABELS.items()}


@dataclass(frozen=True)
class Cell:
    """One text of a refused row. `name` is the field of its form."""

    name: str
    label: str
    text: str
    was: str  # the file's text, when a clerk has corrected it
    is_wrong: bool


@dataclass(frozen=True)
class Shown:
    """A refused row: what it is, why it is refused, and what can be corrected in it."""

    line: int
    number: str
    who: str
    sentences: list[str]
    cells: list[Cell]


@dataclass(frozen=True)
class Kind:
    """Errors of one kind, and on how many rows."""

    label: str
    sentence: str
    count: int


@dataclass(frozen=True)
class Change:
    """An online invoice that the file changes."""

    amendment: Amendment
    lines: list[tuple[str, str, str]] = field(default_factory=list)  # label, old, new


def rows_of(batch: Batch, request: StaffRequest) -> dict[str, Any]:
    """The template variables about refused rows and changed invoices. Runs no statement when there are none."""
    found: dict[str, Any] = {"rows": None, "kinds": [], "amended": None, "amendments_wait": False}
    if batch.refused_count:
        pages = Paginator(queries.refused_rows(batch), ROWS)
        page = pages.get_page(request.GET.get("ligne"))
        errors = list(queries.errors_of(batch))
        found |= {"rows": page, "shown_rows": _shown(page, errors), "kinds": _kinds(errors)}
    if batch.amended_count:
        changes = Paginator(queries.amendments(batch), ROWS)
        changes.count = batch.amended_count
        changed = changes.get_page(request.GET.get("facture"))
        shown = [_change(one) for one in changed]
        # Those that wait come first.
        wait = (
            any(one.amendment.asks and not one.amendment.answer for one in shown) and batch.state == "ready"
        )
        found |= {"amended": changed, "shown_amended": shown, "amendments_wait": wait}
    return found


def _shown(rows: Iterable[RefusedRow], errors: list[BatchProblem]) -> list[Shown]:
    of_line: dict[int | None, list[BatchProblem]] = defaultdict(list)
    for error in errors:
        of_line[error.line].append(error)
    return [_row(row, of_line[row.line]) for row in rows]


def _row(row: RefusedRow, errors: list[BatchProblem]) -> Shown:
    wrong = {_NAMES[error.field] for error in errors if error.field in _NAMES}
    now = {**row.cells, **row.corrected}
    cells = [
        Cell(
            name=f"l{row.line}-{name}",
            label=LABELS[name],
            text=now.get(name, ""),
            was=row.cells.get(name, "") if name in row.corrected else "",
            is_wrong=name in wrong,
        )
        for name in LABELS
        if name in wrong or name in row.corrected or name == "number"
    ]
    who = " ".join(filter(None, (now.get("first_name"), now.get("last_name"))))
    return Shown(
        line=row.line,
        number=now.get("number", ""),
        who=who or now.get("payer", ""),
        sentences=[error.message for error in errors],
        cells=cells if row.cells else [],
    )


def _kinds(errors: list[BatchProblem]) -> list[Kind]:
    """The errors by kind: the sentence without the values of the row."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for error in errors:
        bare = re.sub(r"« [^»]* »|\d[\d ,.]*", "…", error.message)
        key = (error.field, bare)
        counts[key] += 1
        first.setdefault(key, error.message)
    return [Kind(label, first[label, bare], n) for (label, bare), n in counts.most_common()]


def _change(one: Amendment) -> Change:
    lines = [
        (_label(name), _said(name, one.was.get(name)), _said(name, value))
        for name, value in one.becomes.items()
    ]
    if one.payer is not None and one.payer_before is not None:
        codes = [f"{payer.full_name} ({payer.reference})" for payer in (one.payer_before, one.payer)]
        lines.append((_("Redevable"), *codes))  # type: ignore[arg-type]
    if one.document is not None:
        lines.append(("PDF", _("l'ancien"), _("le nouveau")))
    if one.cancels:
        lines.append((_("État"), _("à régler"), _("annulée (%(why)s)") % {"why": one.reason}))
    elif one.credit is not None:
        lines.append((_("Avoir"), "–", f"{format_euros(one.credit)} ({one.reason})"))
    return Change(one, lines)


def _label(name: str) -> str:
    return {"debit_on": _("Prélevée le")}.get(name) or str(LABELS.get(name, name))


def _said(name: str, value: str | None) -> str:
    if value is None:
        return _("non")
    if name == "amount":
        return format_euros(euros(value))
    if name.endswith("_on"):
        return in_figures(date.fromisoformat(value)) if value else _("oui, sans date")
    return value


def cells_sent(posted: Any) -> dict[int, dict[str, str]]:
    """Line → field → text, of the form of the page."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for key, text in posted.items():
        if match := re.fullmatch(r"l(\d{1,9})-([a-z0-9_]+)", key):
            found[int(match[1])][match[2]] = text
    return dict(found)
