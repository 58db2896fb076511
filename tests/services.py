"""Pytest plugin (`-p tests.services`): real services for the session, shared by its xdist workers.

Loaded before Django's settings are read, because it is what gives them their environment.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT, ROOT / "src"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

_stack = contextlib.ExitStack()


def _start() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None and "DATABASE_URL" not in os.environ:
        from sandbox.attach import services_for_tests

        home = Path(_stack.enter_context(tempfile.TemporaryDirectory(prefix="factures-")))
        os.environ.update(_stack.enter_context(services_for_tests(home)))
    if worker is not None:
        # Each worker has its own Redis database beside its own PostgreSQL database (pytest-django's suffix).
        base, _, _ = os.environ["REDIS_URL"].rpartition("/")
        os.environ["REDIS_URL"] = f"{base}/{int(worker.removeprefix('gw')) + 1}"


_start()


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()
