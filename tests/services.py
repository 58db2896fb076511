"""Pytest plugin (`-p tests.services`): real services for the session, shared by its xdist workers.

The session is a run (`sandbox.process.run`): whatever it starts and every temporary file end with it, however it ends.

Loaded before Django's settings are read, because it is what gives them their environment.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT, ROOT / "src"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

_stack = contextlib.ExitStack()


def _start() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        from sandbox.process import run

        folder = _stack.enter_context(run.begin())
        if "DATABASE_URL" not in os.environ:
            from sandbox.attach import services_for_tests

            os.environ.update(_stack.enter_context(services_for_tests(folder / "home")))
    if worker is not None:
        # Each worker has its own Redis database, bucket and simulator, which its tests turn ill and well again, beside
        # its own PostgreSQL database (pytest-django's).
        base, _, _ = os.environ["REDIS_URL"].rpartition("/")
        os.environ["REDIS_URL"] = f"{base}/{int(worker.removeprefix('gw')) + 1}"
        os.environ["PAYFIP_SERVICE_URL"] = _stack.enter_context(_simulator())
        _make_bucket(f"{os.environ['S3_BUCKET']}-{worker}")


@contextlib.contextmanager
def _simulator() -> Iterator[str]:
    """The address of a simulator of the Treasury that only this process speaks to."""
    from sandbox.home import Home, free_base_port
    from sandbox.services import payfip

    home = Home(Path(tempfile.mkdtemp(prefix="simulator-")), free_base_port())
    home.create()
    (part,) = payfip.parts(home)
    part.prepare()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    with subprocess.Popen(part.command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + part.start_seconds
            while True:
                try:
                    part.probe()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            yield home.environment()["PAYFIP_SERVICE_URL"]
        finally:
            process.terminate()


def _make_bucket(name: str) -> None:
    import boto3

    boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        region_name="us-east-1",
    ).create_bucket(Bucket=name)
    os.environ["S3_BUCKET"] = name


_start()


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()
