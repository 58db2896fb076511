"""End everything that a run has started, however the run ended: ``reaper.py <folder> <owner> <born> <with…>``.

The owner (pytest) holds the other end of this script's standard input and has put the folder's name into the
variable `FACTURES_RUN` of everything that it starts; ``<born>`` says which process of that number it is. The run is
over when the pipe closes (the owner ended, or was killed with -9) or when one of the processes ``<with…>`` has ended
(make; the script of a job): then the owner must end too. Every process with the mark is asked to stop, killed if
it does not, and the folder is deleted.
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import groups  # type: ignore[import-not-found]  # run as a script, in isolated mode

MARK = "FACTURES_RUN"
PATIENCE = 20  # seconds, for PostgreSQL to write everything to disk


def main() -> None:
    """Wait for the end of the run, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, owner, born = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with (folder / "owner.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # while we hold it, `sweep` leaves this run alone
        alone = _wait([int(word) for word in sys.argv[4:]])
        _bury(folder, owner if alone else 0, born)


def _wait(others: list[int]) -> bool:
    """Wait until the run is over. Returns whether the owner still runs and must be ended."""
    poll = select.poll()
    poll.register(0, select.POLLIN)  # nothing is ever written, so readable means closed
    for pid in others:
        try:
            poll.register(os.pidfd_open(pid), select.POLLIN)
        except ProcessLookupError:
            return True
        except (AttributeError, OSError):  # an old kernel, or not Linux: only the pipe remains
            continue
    return all(descriptor != 0 for descriptor, _ in poll.poll())


def _bury(folder: Path, owner: int, born: int) -> None:
    end = time.monotonic() + PATIENCE
    asked: set[int] = set()
    while family := _family(folder, owner, born):
        number = signal.SIGTERM if time.monotonic() < end else signal.SIGKILL
        for pid in family - asked if number == signal.SIGTERM else family:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        asked |= family
        if time.monotonic() > end + PATIENCE:
            break
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


def _family(folder: Path, owner: int, born: int) -> set[int]:
    found = set(groups.marked(MARK, folder.name)) - {os.getpid()}
    return found | {owner} if owner and born and groups.birth(owner) == born else found


main()
