"""Static files: hashed names once collected; on a laptop, plain names from the packages."""

import atexit
import shutil
import tempfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from django.core.files.storage import Storage as DjangoStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from config.assets import stylesheet


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed names for collected files, plain names for the others, so that a laptop need not collect."""

    manifest_strict = False

    def url(self, name: str | None, force: bool = False) -> str:
        if name is not None and name not in self.hashed_files:
            return f"{settings.STATIC_URL}{name}"
        return super().url(name, force)


class Stylesheet(BaseFinder):
    """Finder of the residents' stylesheet, which is made from the templates and Bootstrap's package."""

    @cached_property
    def _storage(self) -> FileSystemStorage:
        folder = Path(tempfile.mkdtemp(prefix="factures-css-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        target = folder / stylesheet.NAME
        target.parent.mkdir()
        target.write_text(stylesheet.build(), "utf-8")
        return FileSystemStorage(folder)

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != stylesheet.NAME:
            return []
        found = self._storage.path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, DjangoStorage]]:
        yield stylesheet.NAME, self._storage
