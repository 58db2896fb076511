"""The kept files, opened."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.core.files.storage import storages

from tenant_apps.reconciliation.models import Statement


@contextmanager
def opened(statement: Statement) -> Iterator[BinaryIO]:
    """The bytes of `statement` as they came, seekable, on disk: memory does not grow with them."""
    with tempfile.TemporaryFile() as copy, storages["documents"].open(statement.key) as source:
        shutil.copyfileobj(source, copy, 1024 * 1024)
        copy.seek(0)
        yield cast(BinaryIO, copy)
