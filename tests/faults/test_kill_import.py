"""An import that is killed goes on: the same invoices, no double, no orphan. One that lasts too long is ended."""

import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from sandbox.process import groups
from sandbox.samples import batch as samples
from tests.demo import Demo, running_demo, wait
from tests.faults.agent import Clerk
from tests.sandbox.processes import command_lines, descendants

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("demo-faults"), pytest.mark.timeout(900)]
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
    return wait(lambda: _whole_worker(demo))


def _whole_worker(demo: Demo) -> list[int] | None:
    """None while a child is missing: a worker that was hit makes another."""
    ours = groups.marked("SANDBOX_HOME", str(demo.home.root))
    found = [
        pid for pid, line in command_lines(dict.fromkeys(ours, 0)).items() if "config.celery worker" in line
    ]
    below = {pid for main in found for pid in descendants(main)}
    # Not by number: it begins again at the bottom.
    ordered = sorted(found, key=lambda pid: (pid in below, pid))
    return ordered if len(ordered) >= 3 else None


HOLD = """
CREATE OR REPLACE FUNCTION t_mairie.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER hold BEFORE UPDATE ON t_mairie.invoices_batch FOR EACH ROW
    WHEN (NEW.step = '{step}' AND NEW.done >= {until}) EXECUTE FUNCTION t_mairie.hold();
"""


@contextmanager
def held(demo: Demo, *, step: str, until: int) -> Iterator[Callable[[], bool]]:
    """A batch waits in the middle of `step`, once `until` rows are done; yields whether it does. Then it is let go."""
    with psycopg.connect(demo.home.environment()["DATABASE_URL"], autocommit=True) as db:
        db.execute(HOLD.format(step=step, until=until))  # type: ignore[call-overload]
        db.execute("SELECT pg_advisory_lock(42)")
        waiting = "FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted"
        yield lambda: bool(db.execute(f"SELECT 1 {waiting}").fetchone())  # type: ignore[call-overload]
        # Whoever died there is still a session for the server, which would go on when it is let go.
        with suppress(psycopg.OperationalError):  # unless the server is stopping
            db.execute(f"SELECT pg_terminate_backend(pid) {waiting}")  # type: ignore[call-overload]
            db.execute("DROP FUNCTION t_mairie.hold() CASCADE")


def files(series: str, size: int = SIZE) -> tuple[io.BytesIO, io.BytesIO]:
    bills = list(samples.batch(size, series=series))
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


def send(demo: Demo, series: str) -> tuple[Clerk, str]:
    clerk = Clerk(demo).sign_in()
    return clerk, clerk.send(*files(series))


def publish(demo: Demo, clerk: Clerk, path: str) -> None:
    """Published while a process of the worker dies: all of it once, and everybody told once."""
    wait(lambda: state(demo)[0] == "ready")
    clerk.press(path, "publier")
    os.kill(workers(demo)[-1], signal.SIGKILL)
    wait(lambda: state(demo)[0] == "published")
    whole(demo)
    ((told,),) = ask(demo, "SELECT count(*) - count(DISTINCT key) FROM notices_alert")
    assert told == 0


def test_the_worker_is_killed_while_it_checks_and_stores(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_demo(home) as demo:
        with held(demo, step="checking", until=145) as is_there:
            _clerk, path = send(demo, "2026-002")
            wait(is_there)
            assert state(demo)[1] == "checking"
            for pid in workers(demo):  # the worker and its two children
                os.kill(pid, signal.SIGKILL)
        demo.process.wait(120)  # a part has died: the demo stops, and says so
    with running_demo(home) as demo:
        publish(demo, Clerk(demo).sign_in(), path)
        with held(demo, step="storing", until=0) as is_there:
            clerk, path = send(demo, "2026-003")
            wait(is_there)
            for pid in workers(demo)[1:]:  # the children only
                os.kill(pid, signal.SIGKILL)
        publish(demo, clerk, path)


def test_the_worker_ends_what_lasts_longer_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in a wait of the database: ended with its sentence, and the next import goes on."""
    monkeypatch.setenv("IMPORT_SECONDS", "15")
    with running_demo(tmp_path / "home") as demo:
        with held(demo, step="checking", until=145) as is_there:
            clerk, path = send(demo, "2026-002")
            wait(is_there)
            wait(lambda: state(demo)[0] == "failed")
        assert "découpez le fichier en plusieurs envois" in clerk.get(path).text
        clerk.send(*files("2026-003", size=3))
        wait(lambda: state(demo)[0] == "ready")
