"""The page where staff say how to read a journal or a statement, before its import."""

from typing import Any

from tenant_apps.backoffice.forms.reconciliation import AccountForm, ColumnsForm, LayoutForm
from tenant_apps.reconciliation import queries
from tenant_apps.reconciliation.errors import CannotRead
from tenant_apps.reconciliation.models import Kind, Statement
from tenant_apps.reconciliation.reading.columns import guess
from tenant_apps.reconciliation.reading.layout import Layout
from tenant_apps.reconciliation.reading.rows import ReadRow, UnreadableRow
from toolkit.scope import Scope


class ColumnsPage:
    """The forms of the page, with what was sent or what was guessed. `problem`: why the file cannot be read, in
    words.
    """

    def __init__(self, scope: Scope, file: Statement, sent: Any) -> None:
        self.scope = scope
        self.file, self.problem = file, file.problem
        self.layout_form = LayoutForm(sent, delimiter=file.delimiter, titles_line=file.titles_line)
        file.delimiter, file.titles_line = self.layout_form.chosen  # not saved: only the import saves them
        self.layout = self._layout() if file.columns else None
        titles = self.layout.titles if self.layout else ()
        # Columns chosen for other titles mean nothing.
        self.moved = sent is not None and sent.get("titles", self.fingerprint) != self.fingerprint
        known = file.columns in ("", self.fingerprint) and not self.moved
        mapping = (
            file.mapping if known or self.layout is None else guess(file.kind, titles, self.layout.samples)
        )
        columns = None if self.moved else sent
        self.form = ColumnsForm(columns, kind=file.kind, titles=titles, mapping=mapping)
        self.account_form = self._account_form(sent)

    def _account_form(self, sent: Any) -> AccountForm | None:
        """Asked of a statement that does not say its account itself in every row (XML does)."""
        if self.file.kind != Kind.BANK or not self.file.columns:
            return None
        return AccountForm(sent, account=self.file.account, known=queries.accounts(self.scope))

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the titles that the page shows."""
        return self.layout.fingerprint if self.layout else ""

    @property
    def forms(self) -> list[Any]:
        """Every form of the page, for the list of errors."""
        return [form for form in (self.layout_form, self.account_form, self.form) if form is not None]

    @property
    def is_valid(self) -> bool:
        """Whether the file can be imported as asked."""
        return not self.moved and not self._unread() and all(form.is_valid() for form in self.forms)

    def rows(self) -> list[ReadRow | UnreadableRow]:
        """The first rows as they would be read."""
        if self.layout is None:
            return []
        try:
            return queries.preview(self.file, self.form.mapping())
        except CannotRead as error:
            self.problem = str(error)
            return []

    def asked(self) -> dict[str, Any]:
        """The arguments of `ask_import`."""
        delimiter, titles_line = self.layout_form.chosen
        account = self.account_form.chosen if self.account_form else None
        table = {"delimiter": delimiter, "titles_line": titles_line} if self.file.columns else {}
        return {"mapping": self.form.mapping(), "account": account, **table}

    def _layout(self) -> Layout | None:
        try:
            return queries.layout(self.file)
        except CannotRead as error:
            self.problem = str(error)
            return None

    def _unread(self) -> bool:
        return bool(self.file.columns) and self.layout is None
