"""The kept files, opened and read."""

import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.core.files.storage import storages
from django.utils.translation import gettext_lazy

from tenant_apps.reconciliation.errors import FileGone
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.reading import camt, table
from tenant_apps.reconciliation.reading.layout import Layout, layout_of
from tenant_apps.reconciliation.reading.rows import BadRow, Row


@contextmanager
def opened(statement: Statement) -> Iterator[BinaryIO]:
    """The bytes of `statement` as they came, seekable, on disk: memory does not grow with them.

    Raises FileGone when the storage no longer has them.
    """
    with tempfile.TemporaryFile() as copy:
        try:
            with storages["documents"].open(statement.key) as source:
                shutil.copyfileobj(source, copy, 1024 * 1024)
        except FileNotFoundError:
            sentence = gettext_lazy(
                "Le fichier n'est plus dans l'espace de stockage : envoyez-le de nouveau."
            )
            raise FileGone(sentence) from None
        copy.seek(0)
        yield cast(BinaryIO, copy)


def layout(statement: Statement, file: BinaryIO) -> Layout:
    """How the table is written, as staff said or as it is found out. Raises CannotRead."""
    return layout_of(file, delimiter=statement.delimiter, line=statement.titles_line)


def rows(statement: Statement, file: BinaryIO) -> Generator[Row | BadRow, None, None]:
    """Each line, as the columns of `statement` say; close it before the file. Raises CannotRead."""
    if not statement.columns:
        return camt.read(file)
    return table.read(file, layout(statement, file), statement.kind, statement.mapping)
