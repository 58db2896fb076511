"""A part of the sandbox: a process (and its children) with a name, a stop signal and a probe."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

from sandbox.process import groups

_ORPHAN_SECONDS = 2
_LOG_BYTES = 10_000_000  # a longer log is renamed at the start, and replaces the previous one
# The exit code of a part whose last line tells the person, in a sentence, why it stops.
REFUSED = 78
_LAUNCH = Path(groups.__file__).with_name("launch.py")


def nothing() -> None:
    """Do nothing: the default of optional steps."""


def refuse(sentence: str) -> NoReturn:
    """End this part; the person reads `sentence` and nothing else."""
    print(sentence, file=sys.stderr, flush=True)
    raise SystemExit(REFUSED)


@dataclass(frozen=True)
class Part:
    """The description of a part.

    `prepare` runs before the process starts; `probe` uses the part's protocol and raises until the part
    answers; `settle` runs once after the first answer.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    probe: Callable[[], None] = nothing
    prepare: Callable[[], object] = nothing
    settle: Callable[[], None] = nothing
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    start_seconds: float = 60


class Running:
    """A running part: its process and its last lines."""

    def __init__(
        self,
        part: Part,
        *,
        environment: dict[str, str],
        log: Path,
        warden: int,
        echo: Callable[[str, str], None],
    ) -> None:
        """Start it. `warden`: descriptor of the warden's pipe. `echo(name, line)` shows a line."""
        self.part = part
        self.last_lines: deque[str] = deque(maxlen=15)
        self._echo = echo
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(_LAUNCH)),
                *(str(warden), str(os.getpid()), str(int(part.stop_signal)), str(part.stop_seconds)),
                *part.command,
            ],
            env={**environment, **part.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(warden,),
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout, log), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes], log: Path) -> None:
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".old.log"))
        with log.open("ab", buffering=0) as file:
            for raw in stream:
                file.write(raw)
                line = raw.decode("utf-8", "replace").rstrip()
                self.last_lines.append(line)
                self._echo(self.part.name, line)

    @property
    def pid(self) -> int:
        """The process id, also of its group and session."""
        return self.process.pid

    def ask_to_stop(self) -> None:
        """Send the stop signal to the first process only; it ends its children.

        If it is dead already, its orphaned children get the signal.
        """
        alive = self.process.poll() is None
        for pid in [self.pid] if alive else groups.members(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, self.part.stop_signal)

    def bury(self, until: float) -> None:
        """Wait for the whole group until `until` (monotonic), then SIGKILL the rest."""
        if self.process.poll() is not None:
            until = min(until, time.monotonic() + _ORPHAN_SECONDS)
        while time.monotonic() < until and (self.process.poll() is None or groups.members(self.pid)):
            time.sleep(0.03)
        groups.kill(self.pid)
        self.process.wait()
        self._reader.join(timeout=2)
