"""What PostgreSQL says is told apart, for the person who waits and for the operator; real errors of a real server."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents.sources import default_source
from tenants.databases.outages import Outage, outage_of
from tenants.databases.postgresql import again
from tenants.models import Town
from tests.demo import wait
from tests.races import at_once


@contextmanager
def other(**changes: Any) -> Iterator[psycopg.Connection[Any]]:
    """Another session of the same database, in a transaction."""
    known = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    with psycopg.connect(**{**{key: known[name] for key, name in names.items()}, **changes}) as found:
        yield found


@pytest.fixture
def alice(live_town: Town, make_account: Callable[..., Account]) -> Client:
    client = Client(headers={"host": f"{live_town.slug}.localhost"}, raise_request_exception=False)
    client.force_login(make_account("alice@example.net"))
    assert client.get("/factures/").status_code == 200
    return client


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """What the operator read of outages."""
    caplog.set_level(logging.INFO)
    return lambda: [
        {**record.msg, "level": record.levelname}
        for record in caplog.records
        if isinstance(record.msg, dict) and record.msg.get("event") == "outage"
    ]


@contextmanager
def ours(setting: str) -> Iterator[None]:
    """A setting of this thread's own session, which serves the request too."""
    name = setting.split()[0]
    with connection.cursor() as cursor:
        cursor.execute(f"SET {setting}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"RESET {name}")


@pytest.mark.parametrize(
    ("setting", "kind", "state", "title"),
    [
        ("statement_timeout = '200ms'", "slow", "57014", "a pris trop de temps"),
        ("lock_timeout = '200ms'", "crowded", "55P03", "Beaucoup de monde"),
    ],
)
def test_a_wait_that_is_too_long(
    live_town: Town, alice: Client, told: Any, setting: str, kind: str, state: str, title: str
) -> None:
    with other() as elsewhere:
        elsewhere.execute(f'LOCK TABLE "{live_town.schema_name}".invoices_invoice IN ACCESS EXCLUSIVE MODE')
        with ours(setting):
            answer = alice.get("/factures/")
    assert answer.status_code == 503
    assert title in answer.content.decode()
    assert int(answer["Retry-After"]) > 0
    (line,) = told()
    assert (line["level"], line["kind"], line["sqlstate"]) == ("ERROR", kind, state)
    assert (line["town"], line["method"], line["view"]) == (live_town.slug, "GET", "portal:invoices")
    assert alice.get("/factures/").status_code == 200


def test_a_connection_that_is_lost(live_town: Town, alice: Client, told: Any) -> None:
    answers: list[Any] = []
    with other() as elsewhere, other(autocommit=True) as operator:
        elsewhere.execute(f'LOCK TABLE "{live_town.schema_name}".invoices_invoice IN ACCESS EXCLUSIVE MODE')
        asking = threading.Thread(
            target=at_once, args=(live_town, lambda: answers.append(alice.get("/factures/")))
        )
        asking.start()
        waiting = (
            "SELECT pid FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())"
        )
        found = wait(lambda: operator.execute(waiting).fetchone())
        operator.execute("SELECT pg_terminate_backend(%s)", [found[0]])
        asking.join(20)
    assert answers[0].status_code == 503
    assert "ne répond pas pour le moment" in answers[0].content.decode()
    (line,) = told()
    assert (line["level"], line["kind"]) == ("ERROR", "silent")
    assert alice.get("/factures/").status_code == 200


def test_no_room_on_the_disk_keeps_what_was_typed(live_town: Town, alice: Client, told: Any) -> None:
    """The server itself refuses, with the SQLSTATE of a full disk; the form comes back with its words."""
    with tenant_context(live_town), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$; "
            "CREATE TRIGGER no_room BEFORE INSERT ON contact_message FOR EACH ROW EXECUTE FUNCTION no_room()"
        )
    token = "a" * 32
    alice.cookies[configured.CSRF_COOKIE_NAME] = token
    form = {"subject": "Une question", "body": "Mon <b>long</b> texte", "csrfmiddlewaretoken": token}
    answer = alice.post("/contact/", form)
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "ne peut rien enregistrer pour le moment" in page
    assert 'name="body" value="Mon &lt;b&gt;long&lt;/b&gt; texte"' in page
    assert "Envoyer de nouveau" in page
    assert told()[0]["kind"] == "full"


def test_a_right_that_lacks_is_a_breakdown(live_town: Town, alice: Client, told: Any) -> None:
    """Nobody is asked to come back in a moment for what only the operator can mend."""
    with tenant_context(live_town), connection.cursor() as cursor:
        cursor.execute("REVOKE SELECT ON invoices_invoice FROM CURRENT_USER")
    answer = alice.get("/factures/")
    assert answer.status_code == 500
    assert told() == []


def test_no_place_for_one_more(live_town: Town) -> None:
    """libpq gives no SQLSTATE for a connection that is refused: its words are all there is."""
    name = f"crowded_{live_town.pk}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CONNECTION LIMIT 0")
        try:
            with pytest.raises(psycopg.OperationalError) as refused, other(dbname=name):
                pass
        finally:
            cursor.execute(f"DROP DATABASE {name}")
    assert outage_of(refused.value, live_town) is Outage.CROWDED


def test_nobody_there(live_town: Town) -> None:
    with pytest.raises(psycopg.OperationalError) as refused, other(port=1):
        pass
    assert outage_of(refused.value, live_town) is Outage.SILENT


@pytest.fixture
def crossing(
    live_town: Town, make_account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """A clerk's request and another session wait for each other; PostgreSQL ends the request's transaction."""
    batch = Batch.objects.create(
        source=default_source(), state=BatchState.READY, created_by="system", rows_name="x.csv"
    )
    clerk = Client(
        headers={"host": f"{live_town.slug}.localhost"},
        raise_request_exception=False,
        enforce_csrf_checks=True,
    )
    clerk.force_login(make_account("clerk@example.net", role=Role.CLERK))
    token = "a" * 32
    clerk.cookies[configured.CSRF_COOKIE_NAME] = token
    table = f'"{live_town.schema_name}".invoices_batch'

    def cross() -> Any:
        answers: list[Any] = []
        path = f"/gestion/imports/{batch.uuid}/abandonner/"

        def post() -> None:
            answers.append(clerk.post(path, {"csrfmiddlewaretoken": token, "why": "un motif"}))

        with other() as elsewhere:
            elsewhere.execute(f'LOCK TABLE "{live_town.schema_name}".audit_entry IN SHARE MODE')
            asking = threading.Thread(target=at_once, args=(live_town, post))
            asking.start()
            waiting = (
                "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            wait(lambda: elsewhere.execute(waiting).fetchone())
            time.sleep(0.3)  # who has waited longer looks for a circle first, and is ended
            elsewhere.execute(f"UPDATE {table} SET step = step WHERE id = {batch.pk}")
            elsewhere.commit()
            asking.join(30)
        batch.refresh_from_db()
        return answers[0], batch

    return cross


def test_a_deadlock_is_done_again(crossing: Any, told: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer, batch = crossing()
    assert answer.status_code == 302
    assert batch.state == BatchState.DISCARDED
    assert any("crossed another transaction" in record.getMessage() for record in caplog.records)
    assert told() == []


def test_one_that_is_not_done_again_says_so(
    crossing: Any, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "TIMES", 1)
    answer, batch = crossing()
    page = answer.content.decode()
    assert (answer.status_code, batch.state) == (503, BatchState.READY)
    assert "Deux demandes se sont croisées" in page
    assert 'value="un motif"' in page
    (line,) = told()
    assert (line["level"], line["kind"], line["sqlstate"]) == ("ERROR", "crossed", "40P01")
