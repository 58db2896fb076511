"""A part of the sandbox: a process (and its children) with a name, a stop signal, a question to ask it."""

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
_LOG_BYTES = 10_000_000  # a log that is longer at the start is put aside; the one before it is forgotten
REFUSED = (
    78  # the exit code of a part whose last line tells the person, in a sentence, why it goes no further
)
_LAUNCH = Path(groups.__file__).with_name("launch.py")


def nothing() -> None:
    """The default for steps that a part does not need."""


def refuse(sentence: str) -> NoReturn:
    """End this part; the person reads `sentence` and nothing else."""
    print(sentence, file=sys.stderr, flush=True)
    raise SystemExit(REFUSED)


@dataclass(frozen=True)
class Part:
    """What to run.

    `prepare` runs before the process is started; `probe` speaks the part's protocol and raises until the part
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
    """A part at work: its process, its last lines."""

    def __init__(
        self,
        part: Part,
        *,
        environment: dict[str, str],
        log: Path,
        warden: int,
        echo: Callable[[str, str], None],
    ) -> None:
        """Start it. `warden` is the descriptor of the warden's pipe; `echo(name, line)` shows a line."""
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
        """The process, which is also its group and session."""
        return self.process.pid

    def ask_to_stop(self) -> None:
        """Send the stop signal to the first process only: it knows how to end its children.

        When it is dead already, they are orphans that nobody will end: they get the signal themselves.
        """
        alive = self.process.poll() is None
        for pid in [self.pid] if alive else groups.members(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, self.part.stop_signal)

    def bury(self, until: float) -> None:
        """Wait for the whole group until `until` (monotonic), then SIGKILL what is left of it."""
        if self.process.poll() is not None:
            until = min(until, time.monotonic() + _ORPHAN_SECONDS)
        while time.monotonic() < until and (self.process.poll() is None or groups.members(self.pid)):
            time.sleep(0.03)
        groups.kill(self.pid)
        self.process.wait()
        self._reader.join(timeout=2)
