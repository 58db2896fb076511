"""A stored file as a seekable file on disk: memory does not grow with it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.core.files.storage import storages

from toolkit.files.storage import answering


@contextmanager
def opened(key: str) -> Iterator[BinaryIO]:
    """The bytes stored under `key`. Raises FileNotFoundError, and StorageSilent when S3 does not answer."""
    with tempfile.TemporaryFile() as copy:
        with answering(), storages["documents"].open(key) as source:
            shutil.copyfileobj(source, copy, 1024 * 1024)
        copy.seek(0)
        yield cast(BinaryIO, copy)
