"""kill -9 at a moment chosen by chance, of the worker, PostgreSQL or S3: the end is that of an undisturbed import.

KILLS says how many; SEED repeats a run that has failed.
"""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from sandbox.process import groups
from sandbox.samples import batch as samples
from tests.demo import Demo, running_demo, wait
from tests.faults.agent import Clerk
from tests.faults.test_kill_import import ask, files
from tests.sandbox.processes import command_lines

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("demo-faults"), pytest.mark.timeout(5400)]
KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("SEED", "20261130"))
SIZE = 120
VICTIMS = {"worker": "config.celery worker", "postgres": "/postgres ", "s3": "serve s3"}


def victims(demo: Demo, kind: str) -> list[int]:
    ours = groups.marked("SANDBOX_HOME", str(demo.home.root))
    return [pid for pid, line in command_lines(dict.fromkeys(ours, 0)).items() if VICTIMS[kind] in line]


def state(demo: Demo, batch: str) -> str:
    found = ask(demo, f"SELECT state FROM invoices_batch WHERE uuid = '{batch}'")
    return str(found[0][0]) if found else ""


def publish(demo: Demo, batch: str) -> bool:
    """Bring it on as a clerk does, whatever dies meanwhile; True once it is published."""
    with suppress(Exception):
        found = state(demo, batch)
        if found == "published":
            return True
        if found in ("ready", "failed"):
            clerk = Clerk(demo).sign_in()
            clerk.press(f"/gestion/imports/{batch}/", "publier" if found == "ready" else "reessayer")
    return False


def is_whole(demo: Demo, batch: str, series: str) -> None:
    """The rows of the file, each once, with its PDF; in S3 these PDFs and no other."""
    rows = ask(
        demo,
        "SELECT i.number, i.amount, p.reference, d.key, d.sha256 FROM invoices_invoice i "
        "JOIN residents_payer p ON p.id = i.payer_id JOIN invoices_document d ON d.id = i.document_id "
        f"JOIN invoices_batch b ON b.id = i.batch_id WHERE b.uuid = '{batch}' AND i.state = 'published' "
        "ORDER BY i.number",
    )
    wanted = [(one.number, one.amount, one.payer) for one in samples.batch(SIZE, series=series)]
    assert [row[:3] for row in rows] == wanted
    assert len({row[4] for row in rows}) == SIZE
    assert ask(demo, "SELECT count(*) - count(DISTINCT (number, product_id)) FROM invoices_invoice") == [(0,)]
    keys = {str(key) for (key,) in ask(demo, "SELECT key FROM invoices_document")}
    bucket = next(path for path in (demo.home.root / "s3").iterdir() if path.is_dir())
    mairie = next(iter(keys)).split("/")[0]
    stored = {str(path.relative_to(bucket)) for path in (bucket / mairie / "invoices").rglob("*.pdf")}
    assert stored == keys


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance, done = random.Random(SEED), 0
    while done < KILLS:
        with running_demo(tmp_path / "home") as demo:
            while done < KILLS and demo.process.poll() is None:
                series = f"2026-{100 + done}"
                path = Clerk(demo).sign_in().send(*files(series, size=SIZE))
                batch = path.rstrip("/").rsplit("/", 1)[-1]
                kind = chance.choice(("worker", "worker", "postgres", "s3"))
                moment = chance.uniform(0, 4)
                end = time.monotonic() + moment
                while time.monotonic() < end and not publish(demo, batch):
                    time.sleep(0.05)
                if found := victims(demo, kind):
                    with suppress(ProcessLookupError):
                        os.kill(chance.choice(found), signal.SIGKILL)
                done += 1
                said = f"kill {done} of {kind} after {moment:.2f} s (SEED={SEED})"
                time.sleep(1)
                if demo.process.poll() is not None or not _serves(demo):
                    break
                wait(lambda batch=batch: publish(demo, batch))  # type: ignore[misc]
                assert state(demo, batch) == "published", said
                is_whole(demo, batch, series)
            with suppress(Exception):
                demo.process.wait(20)  # a part that cannot be replaced has died: the demo stops, and says so
        with running_demo(tmp_path / "home") as demo:
            wait(lambda batch=batch, demo=demo: publish(demo, batch), seconds=300)  # type: ignore[misc]
            is_whole(demo, batch, series)


def _serves(demo: Demo) -> bool:
    try:
        return demo.get("mairie", "/").status_code < 500
    except requests.RequestException:
        return False
