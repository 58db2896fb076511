"""End every part when the supervisor dies without stopping them (kill -9, out of memory).

It reads its standard input, a pipe whose other end is the supervisor: ``+<pid> <signal> <seconds>`` when a
part is launched (written by the part itself), ``-<pid>`` once it was stopped. End of file means
that the supervisor is dead: each part still on the list gets its stop signal, then its group SIGKILL. It
also holds the lock of the home until that is done, so that a new start cannot meet the old parts.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import groups  # type: ignore[import-not-found]  # run as a script, in isolated mode


def main() -> None:
    """Read until the supervisor closes the pipe, then end the parts."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    parts: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        fields = line[1:].split()
        if line[0] == "+":
            parts[int(fields[0])] = (int(fields[1]), float(fields[2]))
        else:
            parts.pop(int(fields[0]), None)
    for pid, (stop_signal, _) in parts.items():
        if pid in groups.members(pid):  # it still leads the group: the number was not reused
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, stop_signal)
    started = time.monotonic()
    for pid, (_, seconds) in reversed(parts.items()):
        if not groups.wait_gone(pid, max(0.0, started + seconds - time.monotonic())):
            groups.kill(pid)


main()
