"""kill -9 in the middle of an import, then a restart: the same invoices, the same PDFs, no double, no orphan."""

import io
import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from sandbox import samples
from tests.demo import Demo, running_demo, wait
from tests.faults.agent import Clerk

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("demo-faults"), pytest.mark.timeout(280)]
SIZE = 450


def ask(demo: Demo, sql: str) -> list[tuple[object, ...]]:
    """A look into the town's schema, from outside of Django."""
    with psycopg.connect(demo.home.environment()["DATABASE_URL"]) as db:
        db.execute("SET search_path = t_mairie, public")
        return db.execute(sql).fetchall()


def state(demo: Demo) -> tuple[object, ...]:
    return ask(demo, "SELECT state, step, done FROM invoices_batch ORDER BY id DESC LIMIT 1")[0]


def workers(demo: Demo) -> list[int]:
    """The worker and its children, the main one first."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    found = [line.split()[:2] for line in listed.splitlines() if "config.celery worker" in line]
    parents = {int(pid): int(parent) for pid, parent in found if home_of(int(pid)) == str(demo.home.root)}
    # Not by number: it begins again at the bottom.
    return sorted(parents, key=lambda pid: (parents[pid] in parents, pid))


def home_of(pid: int) -> str | None:
    try:
        pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return next((p.decode().partition("=")[2] for p in pairs if p.startswith(b"SANDBOX_HOME=")), None)


def files(series: str) -> tuple[io.BytesIO, io.BytesIO]:
    bills = list(samples.batch(SIZE, series=series))
    rows, documents = io.BytesIO(), io.BytesIO()
    samples.write_csv(bills, rows)
    samples.write_zip(bills, documents, "Mairie de Démonstration")
    rows.seek(0)
    documents.seek(0)
    return rows, documents


def whole(demo: Demo) -> None:
    """What must be true of the last batch, whatever happened on the way."""
    ((batch, new),) = ask(demo, "SELECT id, new_count FROM invoices_batch ORDER BY id DESC LIMIT 1")
    ((count, numbers, documents),) = ask(
        demo,
        "SELECT count(*), count(DISTINCT number), count(DISTINCT document_id) FROM invoices_invoice "
        f"WHERE batch_id = {batch} AND state = 'published'",
    )
    assert (new, count, numbers, documents) == (SIZE, SIZE, SIZE, SIZE)
    keys = {str(key) for (key,) in ask(demo, "SELECT key FROM invoices_document")}
    bucket = next(path for path in (demo.home.root / "s3").iterdir() if path.is_dir())
    stored = {str(path.relative_to(bucket)) for path in bucket.rglob("*.pdf") if "/invoices/" in str(path)}
    mairie = next(iter(keys)).split("/")[0]
    assert {key for key in stored if key.startswith(mairie)} == keys  # no orphan, none missing


def send(demo: Demo, series: str, *, step: str, until: int) -> tuple[Clerk, str]:
    """A batch sent and watched until it is somewhere in the middle of `step`."""
    clerk = Clerk(demo).sign_in()
    path = clerk.send(*files(series))

    def is_there() -> bool:
        name, current, done = state(demo)
        return (current == step and int(str(done)) >= until) or name == "ready"

    wait(is_there)
    return clerk, path


def publish(demo: Demo, clerk: Clerk, path: str) -> None:
    """Published while a process of the worker dies: all of it once, and everybody told once."""
    wait(lambda: state(demo)[0] == "ready", 120)
    clerk.press(path, "publier")
    os.kill(workers(demo)[-1], signal.SIGKILL)
    wait(lambda: state(demo)[0] == "published", 120)
    whole(demo)
    ((told,),) = ask(demo, "SELECT count(*) - count(DISTINCT key) FROM alerts_alert")
    assert told == 0


def test_the_worker_is_killed_while_it_checks_and_stores(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_demo(home) as demo:
        _clerk, path = send(demo, "2026-002", step="checking", until=145)
        killed = workers(demo)
        assert len(killed) >= 3  # the worker and its two children
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        demo.process.wait(60)  # a part has died: the demo stops, and says so
    with running_demo(home) as demo:
        publish(demo, Clerk(demo).sign_in(), path)
        clerk, path = send(demo, "2026-003", step="storing", until=60)
        for pid in workers(demo)[1:]:  # the children only
            os.kill(pid, signal.SIGKILL)
        publish(demo, clerk, path)
