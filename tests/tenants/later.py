"""Migrations of tomorrow: an app's own, and more written by a test or a benchmark, in a folder of their own."""

import importlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.test import override_settings

from tenants.schema import versions

HEAD = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"


@contextmanager
def later_migrations(app: str, sources: dict[str, str]) -> Iterator[str]:
    """For the block's length the code on disk has these too: file name → body of its `Migration` class.

    Each depends on the one before it. Yields the folder to put on another process's PYTHONPATH.
    """
    own = Path(apps.get_app_config(app).path) / "migrations"
    with tempfile.TemporaryDirectory() as folder:
        package = f"later_{app}_{abs(hash(folder))}"
        place = Path(folder) / package
        shutil.copytree(own, place, ignore=shutil.ignore_patterns("__pycache__"))
        before = max(path.stem for path in own.glob("0*.py"))
        for name, body in sources.items():
            place.joinpath(f"{name}.py").write_text(
                f"{HEAD}    dependencies = [({app!r}, {before!r})]\n{body}", encoding="utf-8"
            )
            before = name
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            with override_settings(MIGRATION_MODULES={app: package}):
                versions.wanted.cache_clear()
                yield folder
        finally:
            sys.path.remove(folder)
            versions.wanted.cache_clear()
