"""Use the sandbox from another program: manage.py (`ensure_services`), pytest (`services_for_tests`).

Both start `python -m sandbox --services-only` in its own session, tied to this program by a pipe: when
this program ends, however it ends, the pipe closes and the services stop.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.home import REPOSITORY, Home, SandboxError, free_base_port
from sandbox.process import groups
from sandbox.process.supervisor import Lease, read_lease


@contextlib.contextmanager
def start_services(home: Home, *, for_tests: bool = False) -> Iterator[dict[str, str]]:
    """Start the services of `home`, yield its environment when they answer, stop them at the end.

    `for_tests` gives up durability (fsync off) for speed. Raises SandboxError with the reason.
    """
    command = [sys.executable, "-m", "sandbox", "--services-only", "--quiet", "--lifeline"]
    process = subprocess.Popen(
        [*command, *(["--for-tests"] if for_tests else [])],
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY / "src"),
            "SANDBOX_HOME": str(home.root),
            "PORT": str(home.ports.front),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this program only, which then stops the services in order
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        if not any(line == "ready\n" for line in process.stdout):
            raise SandboxError(
                process.stderr.read().strip() or "Les services du bac à sable ne démarrent pas."
            )
        yield home.environment()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@contextlib.contextmanager
def ensure_services(home: Home | None = None) -> Iterator[dict[str, str]]:
    """The environment of the sandbox that runs in this home, or of services started for the block.

    Several commands may share them: the services stop when the last one ends. os.environ does not change.
    """
    home = home or Home()
    home.create()
    descriptor = os.open(home.path("users"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # while we hold it, the services do not stop
        lease = _ready_lease(home)
        if lease is not None:
            yield Home(home.root, lease.port, home.base).environment()
            return
        try:
            started = contextlib.ExitStack()
            environment = started.enter_context(start_services(home))
        except SandboxError:
            lease = _ready_lease(home)  # another command may have started them
            if lease is None:
                raise
            environment = Home(home.root, lease.port, home.base).environment()
        try:
            yield environment
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            started.close()
    finally:
        os.close(descriptor)


def _ready_lease(home: Home) -> Lease | None:
    """Wait, and return the ready sandbox of this home; None when none runs."""
    deadline = time.monotonic() + 90
    while (lease := read_lease(home)) is not None:
        if lease.ready and groups.alive(lease.pid):
            return lease
        if time.monotonic() > deadline:
            raise SandboxError(f"Le bac à sable de {home.root} n'est toujours pas prêt après 90 s.")
        time.sleep(0.1)
    return None


@contextlib.contextmanager
def services_for_tests(root: Path, *, durable: bool = False) -> Iterator[dict[str, str]]:
    """Services for a test session, in the folder `root`, on free ports; yields the environment.

    Tests that crash PostgreSQL need `durable`: otherwise it may lose what it has just acknowledged.

    Start it once, in pytest's controller (before xdist makes its workers, who inherit `os.environ`).
    """
    for attempt in range(3):
        home = Home(root, free_base_port())
        home.create()
        stack = contextlib.ExitStack()
        try:
            environment = stack.enter_context(start_services(home, for_tests=not durable))
        except SandboxError:
            if attempt == 2:
                raise
            continue  # another program took one of the ports meanwhile
        with stack:
            yield environment
        return
