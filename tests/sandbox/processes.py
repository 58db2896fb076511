"""Start a sandbox as a person does, and count who is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.home import REPOSITORY, Home


def environment(home: Home) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "src"),
        "SANDBOX_HOME": str(home.root),
        "PORT": str(home.ports.front),
    }


def start(home: Home, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--services-only", "--for-tests", *options],
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_ready(process: subprocess.Popen[str]) -> list[str]:
    """The lines until `ready`, which is a line of its own."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line == "ready\n":
            return lines
    assert process.stderr is not None
    raise AssertionError(f"never ready: {lines} {process.stderr.read()}")


@contextmanager
def sandbox(home: Home, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A running sandbox; whatever the test did to it, nothing of it is left afterwards."""
    process = start(home, *options)
    try:
        wait_ready(process)
        yield process
    finally:
        family = descendants(process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
        for pid, born in family.items():
            if _facts().get(pid, (0, 0))[1] == born:
                os.kill(pid, signal.SIGKILL)


def _facts() -> dict[int, tuple[int, int]]:
    """pid → (parent, time of birth) of every living process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                found[int(entry.name)] = (int(fields[1]), int(fields[19]))
    return found


def descendants(pid: int) -> dict[int, int]:
    """Every process below `pid`, with its time of birth (a number can be given again)."""
    facts = _facts()
    family = {pid}
    while True:
        more = {child for child, (parent, _) in facts.items() if parent in family} - family
        if not more:
            return {member: facts[member][1] for member in family - {pid} if member in facts}
        family |= more


def command_lines(family: dict[int, int]) -> dict[int, str]:
    lines = {}
    for pid in family:
        try:
            lines[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
    return lines


def find(family: dict[int, int], word: str) -> int:
    """The process whose command has this word: the first one, as a child that was just forked still has its line."""
    found = [pid for pid, line in command_lines(family).items() if word in line]
    assert found, word
    return min(found, key=lambda pid: (family[pid], pid))


def left_over(family: dict[int, int], seconds: float = 60) -> dict[int, str]:
    """Those of the family that still live when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        facts = _facts()
        alive = {pid: born for pid, born in family.items() if facts.get(pid, (0, 0))[1] == born}
        if not alive or time.monotonic() > deadline:
            return command_lines(alive)
        time.sleep(0.1)
