"""A worker that is killed while it takes a file of a watched folder: one import all the same, and nothing is lost."""

import os
import signal
from pathlib import Path

import boto3
import psycopg
import pytest

from tests.demo import Demo, running_demo, wait
from tests.faults.test_kill_import import ask, files, workers

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("demo-faults"), pytest.mark.timeout(900)]
SIZE = 20
HOLD = """
CREATE FUNCTION t_mairie.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(43); RETURN NEW; END $$;
CREATE TRIGGER hold AFTER INSERT ON t_mairie.invoices_batch FOR EACH ROW EXECUTE FUNCTION t_mairie.hold();
"""
WAITING = "FROM pg_locks WHERE locktype = 'advisory' AND objid = 43 AND NOT granted"
SOON = """
UPDATE t_mairie.residents_source SET looked_at = NULL;
INSERT INTO public.tenants_agendaitem (town_id, kind, due_at)
    SELECT id, 'inbox', now() FROM public.tenants_town WHERE schema_name = 't_mairie'
    ON CONFLICT (town_id, kind) DO UPDATE SET due_at = now();
"""


def put(demo: Demo) -> None:
    """What a gateway writes: the PDFs, the billing file, and the mark that all is there."""
    values = demo.home.environment()
    s3 = boto3.client(
        "s3",
        endpoint_url=values["S3_ENDPOINT"],
        aws_access_key_id=values["S3_ACCESS_KEY"],
        aws_secret_access_key=values["S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    ((town, source),) = ask(
        demo,
        "SELECT t.uuid, s.uuid FROM residents_source s, public.tenants_town t "
        "WHERE t.schema_name = 't_mairie' ORDER BY s.id LIMIT 1",
    )
    rows, documents = files("2026-002", size=SIZE)
    for name, content in (("f.zip", documents), ("f.csv", rows), ("f.ok", b"")):
        s3.put_object(Bucket=values["S3_BUCKET"], Key=f"{town}/inbox/{source}/{name}", Body=content)


def test_killed_in_the_transaction_that_makes_the_import(tmp_path: Path) -> None:
    with running_demo(tmp_path / "home") as demo:
        with psycopg.connect(demo.home.environment()["DATABASE_URL"], autocommit=True) as db:
            db.execute(HOLD)
            db.execute("SELECT pg_advisory_lock(43)")
            put(demo)
            db.execute(
                "UPDATE t_mairie.residents_source SET is_watched = true, publishes_alone = true, clerk_id = "
                "(SELECT id FROM t_mairie.accounts_account WHERE email = 'agent@example.net')"
            )
            db.execute(SOON)
            wait(lambda: db.execute(f"SELECT 1 {WAITING}").fetchone())  # type: ignore[call-overload]
            for pid in workers(demo)[1:]:
                os.kill(pid, signal.SIGKILL)
            db.execute(f"SELECT pg_terminate_backend(pid) {WAITING}")  # type: ignore[call-overload]
            db.execute("DROP FUNCTION t_mairie.hold() CASCADE")
            db.execute("SELECT pg_advisory_unlock(43)")
            assert ask(demo, "SELECT state, attempts FROM residents_arrival") == [("waiting", 1)]
            wait(lambda: workers(demo))
            db.execute(SOON)
            wait(lambda: ask(demo, "SELECT 1 FROM residents_arrival WHERE put_away_at IS NOT NULL"))
        assert ask(demo, "SELECT state, new_count FROM invoices_batch ORDER BY id DESC LIMIT 1") == [
            ("published", SIZE)
        ]
        assert ask(demo, "SELECT count(*) FROM invoices_batch WHERE rows_name = 'f.csv'") == [(1,)]
        bucket = next(path for path in (demo.home.root / "s3").iterdir() if path.is_dir())
        left = [path for path in bucket.rglob("*") if path.is_file() and "/inbox/" in str(path)]
        assert sorted(path.name for path in left) == ["f.csv", "f.ok", "f.zip"]
        assert all("/traites/" in str(path) for path in left)
