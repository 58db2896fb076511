"""A test run that is ended leaves nothing: no process, no folder, whoever was hit and with what."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sandbox.home import REPOSITORY
from sandbox.process import groups, run
from tests.demo import wait
from tests.sandbox import processes

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.faults, pytest.mark.timeout(600)]
OF_THE_OUTER_RUN = ("PYTEST_", "DATABASE_URL", "REDIS_URL", "S3_", "TMPDIR", run.WITH)
PYTEST = [sys.executable, "-m", "pytest"]
MAKE = ["make", "--no-print-directory", "-o", "venv", "-o", "chromium", f"PY={sys.executable}", "test"]


@contextmanager
def endless(tmp_path: Path, kinds: str, *command: str) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """An inner run whose tests are all in the middle: its process, the mark of all it started, its folder."""
    mark, count = uuid.uuid4().hex, len(kinds.split())
    ready, temporary = tmp_path / "ready", Path(tempfile.mkdtemp())
    ready.mkdir()
    options = f"-n {count} --dist load -x tests/sandbox/endless.py"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_OUTER_RUN)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"ARGS={options}"] if command[0] == "make" else [*command, *options.split()],
            env={
                **inherited,
                "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
                "TMPDIR": str(temporary),
                "ENDLESS": kinds,
                "ENDLESS_READY": str(ready),
                "ENDED_RUN": mark,
            },
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        said = tmp_path / "log"
        wait(
            lambda: len(list(ready.iterdir())) == count or b"FAILED" in said.read_bytes() or process.poll(),
            240,
        )
        assert len(list(ready.iterdir())) == count, said.read_text()[-3000:]
        yield process, mark, temporary
    finally:
        for pid in groups.marked("ENDED_RUN", mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(60)


@pytest.mark.parametrize(
    ("command", "number", "kinds"),
    [
        (PYTEST, signal.SIGKILL, "stack"),
        (PYTEST, signal.SIGTERM, "browser orphan"),
        (PYTEST, signal.SIGHUP, "orphan"),
        (MAKE, signal.SIGKILL, "orphan"),
    ],
    ids=["pytest killed", "pytest terminated", "its terminal closed", "make killed"],
)
def test_nothing_is_left(tmp_path: Path, command: list[str], number: signal.Signals, kinds: str) -> None:
    with endless(tmp_path, kinds, *command) as (process, mark, temporary):
        family = processes.descendants(process.pid)
        assert len(family) > 10
        assert [*temporary.iterdir()]
        process.send_signal(number)
        process.wait(120)
        assert processes.left_over(family, 120) == {}
        assert processes.command_lines(dict.fromkeys(groups.marked("ENDED_RUN", mark), 0)) == {}
        wait(lambda: not [*temporary.iterdir()])


def test_a_run_that_ends_by_itself(tmp_path: Path) -> None:
    """It is not taken for one that was ended: it says what it has to say, and leaves nothing either."""
    with endless(tmp_path, "", *PYTEST) as (process, mark, temporary):
        assert process.wait(240) == 0, (tmp_path / "log").read_text()[-3000:]
        assert "3 skipped" in (tmp_path / "log").read_text()
        assert not [*temporary.iterdir()]
        assert groups.marked("ENDED_RUN", mark) == []


def test_a_run_that_nobody_buried_is_swept_by_the_next(tmp_path: Path) -> None:
    """The machine stopped; and a process that was given the dead owner's number is left alone."""
    with subprocess.Popen(["sleep", "600"]) as somebody:
        for name, owner in {
            "dead": {"pid": somebody.pid, "born": groups.birth(somebody.pid) - 1},
            "alive": {"pid": os.getpid(), "born": groups.birth(os.getpid())},
        }.items():
            (tmp_path / f"{run.PREFIX}{name}" / "tmp").mkdir(parents=True)
            (tmp_path / f"{run.PREFIX}{name}" / "owner.json").write_text(json.dumps(owner))
        (tmp_path / f"{run.PREFIX}somebody-else-s").mkdir()
        lost = subprocess.Popen(["sleep", "600"], env={**os.environ, run.MARK: f"outer:{run.PREFIX}dead"})
        run.sweep(tmp_path)
        assert lost.wait(90) == -signal.SIGTERM
        wait(lambda: not (tmp_path / f"{run.PREFIX}dead").exists())
        assert {path.name for path in tmp_path.iterdir()} == {
            f"{run.PREFIX}alive",
            f"{run.PREFIX}somebody-else-s",
        }
        assert somebody.poll() is None
        somebody.kill()
