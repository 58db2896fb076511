"""Process groups: list and kill their members. Standard library only; the warden imports it too."""

import contextlib
import os
import signal
import time
from pathlib import Path


def members(group: int) -> list[int]:
    """The living processes of a group or session; zombies do not count."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():  # not Linux
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return [group]
    found = []
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # "pid (name, which may hold spaces and parentheses) state ppid pgrp session …"
        state, _parent, process_group, session = stat.rpartition(")")[2].split()[:4]
        if group in (int(process_group), int(session)) and state not in "ZX":
            found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def birth(pid: int) -> int:
    """When the process started, in ticks since boot; 0 if there is none. A reused number has another start."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def marked(variable: str, mark: str) -> list[int]:
    """The living processes started with `mark` among the words (separated by colons) of this variable."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            pairs = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        words = [pair for pair in pairs if pair.startswith(f"{variable}=".encode())]
        if words and mark in words[0].decode(errors="replace").partition("=")[2].split(":"):
            found.append(int(entry.name))
    return [pid for pid in found if birth(pid)]


def wait_gone(group: int, seconds: float) -> bool:
    """Wait until the group is empty; False when time runs out."""
    deadline = time.monotonic() + seconds
    while members(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def kill(group: int) -> None:
    """Send SIGKILL to every process of the group, and wait (3 s at most) until they are gone."""
    for pid in members(group):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    wait_gone(group, 3)
