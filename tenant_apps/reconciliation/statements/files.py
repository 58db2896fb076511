"""Open the files in S3 and read their rows."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from django.utils.translation import gettext_lazy, gettext_noop

from tenant_apps.reconciliation.errors import FileGone
from tenant_apps.reconciliation.models import Kind, Statement
from tenant_apps.reconciliation.reading import camt, table, treasury
from tenant_apps.reconciliation.reading.layout import Layout, layout_of
from tenant_apps.reconciliation.reading.rows import ReadRow, UnreadableRow
from toolkit.files import opening

GONE = gettext_noop("Le fichier n'est plus dans l'espace de stockage : envoyez-le de nouveau.")


@contextmanager
def opened(statement: Statement) -> Iterator[BinaryIO]:
    """The bytes of `statement` as they were sent. Raises FileGone when S3 no longer has them."""
    with ExitStack() as files:
        try:
            file = files.enter_context(opening.opened(statement.key))
        except FileNotFoundError:
            raise FileGone(gettext_lazy(GONE)) from None
        yield file


def layout(statement: Statement, file: BinaryIO) -> Layout:
    """How the table is written, as staff said or found automatically. Raises CannotRead."""
    return layout_of(file, delimiter=statement.delimiter, line=statement.titles_line)


def rows(statement: Statement, file: BinaryIO) -> Generator[ReadRow | UnreadableRow, None, None]:
    """Each row, read as the columns of `statement` say. Close the generator before the file. Raises CannotRead."""
    if statement.kind == Kind.RETURN:
        return treasury.read(file)
    if not statement.columns:
        return camt.read(file)
    return table.read(file, layout(statement, file), statement.kind, statement.mapping)
