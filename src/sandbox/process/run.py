"""A run: every process that a program (pytest) starts, and every temporary file, ends with it, even after kill -9."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.process import groups

PREFIX = "factures-"
MARK = "FACTURES_RUN"  # environment variable of all that is started: its runs, separated by colons
WITH = "RUN_WITH"  # processes that this one must not outlive: `make`, the script of a job
_REAPER = Path(groups.__file__).with_name("reaper.py")


@contextlib.contextmanager
def begin() -> Iterator[Path]:
    """Make this process the owner of a run; yield its folder for temporary files (TMPDIR).

    What is started in the block ends with it. Leftovers of earlier runs are swept first.
    """
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # others may reach what a test opens for them; data folders are closed
    (folder / "tmp").mkdir(mode=0o700)
    pid, born = os.getpid(), groups.birth(os.getpid())
    (folder / "owner.json").write_text(json.dumps({"pid": pid, "born": born}), encoding="utf-8")
    before = {name: os.environ.get(name) for name in (MARK, "TMPDIR")}
    reaper = _reaper(folder, pid, born, *_with(), stdin=subprocess.PIPE)
    os.environ[MARK] = ":".join(filter(None, [before[MARK], folder.name]))
    os.environ["TMPDIR"] = str(folder / "tmp")
    tempfile.tempdir = None
    try:
        yield folder
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        tempfile.tempdir = None
        assert reaper.stdin is not None
        reaper.stdin.close()
        reaper.wait()


def sweep(folder: Path) -> None:
    """Clean up the runs in `folder` whose owner and reaper both died (the machine stopped)."""
    for file in folder.glob(f"{PREFIX}*/owner.json"):
        with contextlib.suppress(OSError, ValueError), file.open() as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            owner = json.load(opened)
            if groups.birth(owner["pid"]) != owner["born"]:
                _reaper(file.parent, owner["pid"], owner["born"], stdin=subprocess.DEVNULL)


def _reaper(folder: Path, pid: int, born: int, *others: str, stdin: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_REAPER), str(folder), str(pid), str(born), *others],
        # Not marked: it outlives the surrounding runs until its own is cleaned up.
        env={name: value for name, value in os.environ.items() if name != MARK},
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def _with() -> list[str]:
    return [word for word in os.environ.get(WITH, "").split() if word.isdigit()]
