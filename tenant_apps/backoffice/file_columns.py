"""The page where a clerk says what each column of a file gives, with the first rows as they will be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from shared_apps.accounts.models import Account
from tenant_apps.backoffice.forms.sources.columns import ColumnsForm
from tenant_apps.invoices.decisions.rechecking import check_again
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.people.identity import is_a_name
from tenant_apps.invoices.importing.records.kinds import (
    LABELS,
    DocumentRow,
    InvoiceRow,
    PayerRow,
    Record,
    RowProblem,
)
from tenant_apps.invoices.importing.records.rules import WHO_BY_CODE, Reading, Rules
from tenant_apps.invoices.importing.tables.titles import INVOICES, PDFS, PEOPLE
from tenant_apps.invoices.importing.tables.view import ColumnsView
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents import sources
from toolkit.files.opening import opened
from toolkit.files.storage import StorageSilent
from toolkit.money import format_euros
from toolkit.reading.errors import FileError
from toolkit.scope import Scope

HEADS = {
    INVOICES: ("number", "issued_on", "due_on", "amount", "subject", "payer", "email", "product"),
    PEOPLE: ("payer", "last_name", "address1", "email"),
    PDFS: ("number", "document"),
}
KINDS = {
    INVOICES: gettext_lazy("Ce fichier est lu comme des factures."),
    PEOPLE: gettext_lazy(
        "Ce fichier est lu comme une liste de redevables, sans facture : il complète leurs noms, leurs adresses ou "
        "leurs e-mails."
    ),
    PDFS: gettext_lazy("Ce fichier est lu comme une liste de PDF, chacun pour une facture déjà en ligne."),
}
_WHO = pgettext_lazy("colonne d'un tableau", "Redevable")


@dataclass
class ReadRow:
    """One of the first rows: its cells in words, or why it cannot be read."""

    line: int
    cells: list[tuple[str, str]] = field(default_factory=list)  # (label, text)
    problems: list[str] = field(default_factory=list)
    is_refused: bool = False


class FilePage:
    """The form of the page, with what was sent or what is known, and the preview. `problem`: why there is none."""

    def __init__(self, scope: Scope, batch: Batch, sent: Any) -> None:
        self.batch = batch
        self.rules = Rules.kept(batch.source.rules)
        self.form: ColumnsForm | None = None
        self.rows: list[ReadRow] = []
        self.notes: list[str] = []
        self.problem = ""
        with self._told():
            view = _view(batch, self.rules, sent.get("encoding", "") if sent is not None else "")
            self.form = ColumnsForm(sent, view=view, rules=self.rules, scope=scope)
            self.form.is_valid()
        if self.form is not None:
            self._read(self.form)

    @property
    def is_valid(self) -> bool:
        """Whether what was sent may be saved."""
        return self.form is not None and self.form.is_bound and self.form.is_valid()

    @property
    def heads(self) -> list[str]:
        """The titles of the preview."""
        return [_label(name) for name in HEADS[self._kind]]

    @property
    def kind(self) -> str:
        """What the file is read as, in a sentence."""
        return str(KINDS[self._kind])

    @property
    def gives_names(self) -> str:
        """The title of the column that is read as the code although it holds names; empty when it does not."""
        if self.form is None or self.form.proposed().who != WHO_BY_CODE:
            return ""
        for column in self.form.view.columns(self.form.proposed()):
            if column.field == "payer" and any(is_a_name(one, may_be_name=True) for one in column.values):
                return column.title
        return ""

    def save(self, *, actor: Account) -> None:
        """Save the rules with the source, and check the file again. Raises InvoiceError."""
        assert self.form is not None
        sources.save_rules(actor=actor, source=self.batch.source, changes=self.form.changes())
        check_again(actor=actor, batch=self.batch)

    @property
    def _kind(self) -> str:
        return self.form.view.kind(self.form.proposed()) if self.form else INVOICES

    def _read(self, form: ColumnsForm) -> None:
        with self._told():
            rules = form.proposed()
            if form.view.missing(rules):
                return
            found: dict[int, ReadRow] = {}
            for record in form.view.first_records(rules):
                if isinstance(record, RowProblem) and record.line is None:
                    self.notes.append(record.message)
                elif record.line is not None:
                    _add(found.setdefault(record.line, ReadRow(record.line)), record, HEADS[self._kind])
            self.rows = [found[line] for line in sorted(found)]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What keeps the file from being read is told on the page."""
        try:
            yield
        except FileError as error:
            self.problem = str(error)
        except FileNotFoundError:
            self.problem = _("Le fichier n'est plus dans l'espace de stockage : envoyez-le de nouveau.")
        except (StorageSilent, LookupError):
            self.problem = _(
                "Le fichier ne peut pas être lu pour le moment : réessayez dans quelques minutes."
            )


def has_columns(batch: Batch) -> bool:
    """Whether somebody may say now what the columns of this file give."""
    if batch.state not in (BatchState.REFUSED, BatchState.READY):
        return False
    return any(one.name == batch.format and one.columns is not None for one in registry.formats())


def _view(batch: Batch, rules: Rules, encoding: str) -> ColumnsView:
    """The file's table; in the encoding that was chosen, when it is not sure."""
    columns = registry.named(batch.format).columns
    assert columns is not None
    with opened(batch.rows_key) as file:
        view = columns(file, Reading(rules))
        if view.encoding is None or view.encoding.is_sure or not encoding:
            return view
        again = columns(file, Reading(replace(rules, encoding=encoding)))
        return replace(again, encoding=view.encoding)


def _add(row: ReadRow, record: Record, names: tuple[str, ...]) -> None:
    if isinstance(record, RowProblem):
        row.problems.append(record.message)
        row.is_refused = row.is_refused or record.is_error
    else:
        row.cells = [(_label(name), _text(record, name)) for name in names]


def _label(name: str) -> str:
    return str(_WHO) if name == "payer" else LABELS[name]


def _text(record: Record, name: str) -> str:
    """What a cell of the preview shows."""
    if isinstance(record, InvoiceRow | PayerRow):
        if name == "payer":
            shown = " ".join(filter(None, [record.title, record.first_name, record.last_name]))
            return shown if record.by_name else " – ".join(filter(None, [record.payer, shown]))
        if name == "address1":
            town = f"{record.postcode} {record.city}".strip()
            return ", ".join(filter(None, [*record.address.split("\n"), town]))
        if name == "email":
            return ", ".join(record.emails)
    if isinstance(record, InvoiceRow) and name == "amount":
        return format_euros(record.amount)
    if isinstance(record, InvoiceRow | DocumentRow | PayerRow):
        value = getattr(record, name)
        return f"{value:%d/%m/%Y}" if name in ("issued_on", "due_on") else str(value)
    return ""
