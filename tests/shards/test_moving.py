"""A town moves between two clusters: nothing is lost, it is read all the while, and it lives in one place."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.console.models import TownFigures
from shared_apps.mail.tasks import deliver_outbox
from shared_apps.treasury import services as treasury
from shared_apps.treasury.models import Route, WaitingNotification
from tenant_apps.townhall import queries as townhall
from tenants.current import REGISTRY, current_shard, enter, in_shard, leave
from tenants.databases import direct
from tenants.errors import TownError
from tenants.hosts import registry
from tenants.models import AgendaItem, Operation, OperationState, Town
from tenants.shards import barrier, moving, rows
from tenants.work import agenda, operations
from tests.conftest import PASSWORD
from tests.shards.conftest import SOUTH, Cluster, add_account, browser, schemas
from tests.tenants.world import text_of

pytestmark = pytest.mark.xdist_group("shards")


@pytest.fixture
def northern(open_at: Callable[[str], Town]) -> Town:
    """A town on the registry's database with somebody in it, work due and a route."""
    town = open_at(REGISTRY)
    add_account(town, "alice@example.net")
    with tenant_context(town):
        agenda.plan("payments", timezone.now() + timedelta(days=1))
        treasury.add_route(kind="payfip", token=f"idop-{town.slug}")
    TownFigures.objects.create(town=town, computed_at=timezone.now())
    return town


@pytest.fixture
def held(northern: Town) -> Iterator[Town]:
    """In the middle of its move: the flag is up and the tables are closed."""
    moving._freeze(northern, "system")
    barrier.close(REGISTRY, northern.schema_name, lambda: None)
    yield northern
    leave()


def move(town: Town, to: str) -> list[str]:
    seen: list[str] = []
    leave()  # a request leaves the connection where it was
    moving.move_town(town=town, to=to, watch=lambda operation: seen.append(operation.step))
    town.refresh_from_db()
    return seen


def test_there_and_back_with_everything(northern: Town, south: Cluster) -> None:
    before = text_of(northern.schema_name)
    client = browser(northern, "alice@example.net")
    before["django_session"] = text_of(northern.schema_name)["django_session"]
    before["accounts_account"] = text_of(northern.schema_name)["accounts_account"]  # last_login
    steps = move(northern, SOUTH)
    assert steps[0] == "Passage en lecture seule"
    assert (northern.shard, northern.read_only_since) == (SOUTH, None)
    assert northern.schema_name not in schemas(REGISTRY)
    after = text_of(northern.schema_name, SOUTH)
    assert {name for name in before if before[name] != after[name]} <= {"sequences"}
    assert client.get("/factures/").status_code == 200  # still signed in
    with in_shard(SOUTH):
        assert AgendaItem.objects.filter(town_id=northern.pk, kind="payments").count() == 1
        assert Route.objects.filter(town_id=northern.pk).count() == 1
    with in_shard(REGISTRY):
        assert not AgendaItem.objects.filter(town_id=northern.pk).exists()
        assert not Route.objects.filter(town_id=northern.pk).exists()
        assert TownFigures.objects.filter(town=northern).exists()  # the registry's own
        told = AuditEntry.objects.filter(verb__in=["town.held", "town.moved"], object=f"town:{northern.uuid}")
        assert [entry.verb for entry in told.order_by("id")] == ["town.held", "town.moved"]
    move(northern, REGISTRY)
    assert northern.schema_name not in schemas(SOUTH)
    with in_shard(SOUTH):
        assert not Town.objects.filter(pk=northern.pk).exists()
    assert browser(northern, "alice@example.net").get("/factures/").status_code == 200
    with in_shard(REGISTRY):
        assert Route.objects.filter(town_id=northern.pk).count() == 1


def test_by_the_command_with_its_progress(northern: Town, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("move_town", northern.slug, to=SOUTH)
    shown = capsys.readouterr()
    for words in ("Passage en lecture seule…", "Copie des lignes 0 / ", "Bascule vers la nouvelle base…"):
        assert words in shown.err
    assert "est dans la base « south »" in shown.out
    leave()
    call_command("move_town", northern.slug, to=SOUTH)
    assert "est déjà dans la base « south » : rien à faire." in capsys.readouterr().out
    assert Operation.objects.filter(subject=northern.slug).count() == 1


def test_refused_in_clear_words(northern: Town) -> None:
    with pytest.raises(CommandError, match="Aucune base « ouest »"):
        call_command("move_town", northern.slug, to="ouest")
    with pytest.raises(CommandError, match="Aucune commune « nulle-part »"):
        call_command("move_town", "nulle-part", to=SOUTH)
    operations.register("test", lambda operation, progress: None)
    operations.request(kind="test", subject=northern.slug, actor="system", arguments={}, town=northern)
    with pytest.raises(CommandError, match="déjà en cours"):
        call_command("move_town", northern.slug, to=SOUTH)
    northern.refresh_from_db()
    assert (northern.shard, northern.read_only_since) == (REGISTRY, None)
    del operations._works["test"]


def test_while_it_moves_pages_are_read_and_writing_is_told_calmly(held: Town) -> None:
    client = browser(held)
    for path in ("/", "/contact/", "/activation/"):
        assert client.get(path).status_code == 200
    answer = client.post("/", {"email": "alice@example.net", "password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "en lecture seule quelques minutes" in answer.content.decode()


def test_a_session_that_slides_does_not_break_a_page(northern: Town) -> None:
    client = browser(northern, "alice@example.net")
    moving._freeze(northern, "system")
    barrier.close(REGISTRY, northern.schema_name, lambda: None)
    assert client.get("/factures/").status_code == 200  # would note in the session that it was seen today
    unknown = browser(northern).get("/?LIEN=X" + "0" * 32)
    assert unknown.status_code in (410, 503)


def test_a_process_that_does_not_know_yet_is_refused_by_the_database(northern: Town) -> None:
    """Its copy of the registry's row says that all is well: a request or a task that began before."""
    stale = Town.objects.get(pk=northern.pk)
    moving._freeze(northern, "system")
    barrier.close(REGISTRY, northern.schema_name, lambda: None)
    enter(stale)
    try:
        with pytest.raises(InternalError, match="being moved"):
            Account.objects.create(email="bob@example.net")
        with pytest.raises(InternalError), transaction.atomic():
            Account.objects.filter(email="alice@example.net").update(password="A")
    finally:
        leave()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "place_of_host", lambda host: registry.Place(stale))
        answer = browser(northern).post("/", {"email": "alice@example.net", "password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "en lecture seule quelques minutes" in answer.content.decode()


def test_a_process_that_believes_the_old_place_after_the_move(northern: Town, settings: Any) -> None:
    """The rows it left are still there, closed; once they are gone too, the page is the same."""
    settings.MOVED_ROWS_SECONDS = 3600
    stale = Town.objects.get(pk=northern.pk)
    move(northern, SOUTH)
    assert northern.schema_name in schemas(REGISTRY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "place_of_host", lambda host: registry.Place(stale))
        late = browser(northern)
        assert late.get("/").status_code == 200
        assert late.post("/", {"email": "alice@example.net", "password": PASSWORD}).status_code == 503
        leave()
        with in_shard(SOUTH):
            assert AgendaItem.objects.filter(kind="leftovers", due_at__gt=timezone.now()).exists()
        moving.drop_leftovers(northern)  # too early
        assert northern.schema_name in schemas(REGISTRY)
        Operation.objects.update(finished_at=timezone.now() - timedelta(hours=2))
        moving.drop_leftovers(northern)
        assert northern.schema_name not in schemas(REGISTRY)
        townhall.forget()  # what the page remembers of the town
        answer = late.get("/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    with in_shard(SOUTH):
        assert not AgendaItem.objects.filter(kind="leftovers").exists()


def test_a_writer_at_work_is_waited_for_and_its_write_is_carried(northern: Town) -> None:
    """It ignores every flag: its transaction began before, and commits while the move waits for it."""
    begun, go = threading.Event(), threading.Event()

    def write() -> None:
        with tenant_context(Town.objects.get(pk=northern.pk)), transaction.atomic():
            Account.objects.create(email="late@example.net")
            begun.set()
            go.wait(10)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait(10)
    threading.Timer(1, go.set).start()
    move(northern, SOUTH)
    thread.join()
    with tenant_context(northern):
        assert Account.objects.filter(email="late@example.net").exists()


def test_writers_without_a_rest_lose_nothing(northern: Town) -> None:
    """They write as fast as they can during the whole move, there and back; what was acknowledged is there."""
    stop, acknowledged, refused = threading.Event(), [], []

    def write(number: int) -> None:
        n = 0
        while not stop.is_set():
            n += 1
            email = f"w{number}-{n}@example.net"
            leave()
            town = Town.objects.get(pk=northern.pk)
            try:
                with tenant_context(town), transaction.atomic():
                    Account.objects.create(email=email)
                    agenda.plan("mail", timezone.now() + timedelta(days=1))
                acknowledged.append(email)
            except Exception as error:
                refused.append(error)
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for to in (SOUTH, REGISTRY):
        move(northern, to)
    stop.set()
    for thread in threads:
        thread.join()
    with tenant_context(northern):
        there = set(Account.objects.values_list("email", flat=True))
    assert set(acknowledged) <= there
    assert there - {"alice@example.net"} == set(acknowledged)
    assert len(acknowledged) > 5
    kinds = {type(error).__name__ for error in refused}
    assert kinds <= {"InternalError", "ProgrammingError", "OperationalError", "IntegrityError"}, kinds
    with in_shard(REGISTRY):
        assert AgendaItem.objects.filter(town_id=northern.pk, kind="mail").exists()


def test_its_tasks_leave_at_once_and_its_agenda_is_held(held: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("the task works")

    monkeypatch.setattr("shared_apps.mail.sending.delivery.deliver_outbox", never)
    assert deliver_outbox.apply(headers={"_schema_name": held.schema_name}).state == "SUCCESS"
    AgendaItem.objects.update(due_at=timezone.now())
    assert agenda.run() == 0
    moving._release(held)
    leave()
    assert AgendaItem.objects.filter(town_id=held.pk, due_at__lte=timezone.now()).exists()
    assert "works" in str(deliver_outbox.apply(headers={"_schema_name": held.schema_name}).result)


def test_a_notification_waits_for_the_new_place(northern: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """TIPI says it once: while the flag is up, or by a process that does not know of it yet."""
    heard: list[tuple[str, dict[str, str], str]] = []
    before = Town.objects.get(pk=northern.pk)

    def hear(kind: str, token: str, fields: dict[str, str]) -> None:
        Account.objects.filter(email="alice@example.net").update(password="heard")
        heard.append((token, fields, current_shard()))

    monkeypatch.setattr(treasury, "_receivers", [hear])
    with tenant_context(northern):
        treasury.add_route(kind="tipi", token="once")
    moving._freeze(northern, "system")
    barrier.close(REGISTRY, northern.schema_name, lambda: None)
    caller = Client(headers={"host": "paiement.localhost"}, raise_request_exception=False)
    assert caller.post("/tipi/once/", {"resultrans": "P"}).status_code == 200
    with monkeypatch.context() as unaware:
        unaware.setattr(treasury, "_town_of", lambda kind, token: before)
        assert caller.post("/tipi/once/", {"resultrans": "A"}).status_code == 200
    assert heard == []
    move(northern, SOUTH)
    monkeypatch.setattr(agenda, "hint", lambda task, *args: task.apply(args))
    agenda.run()
    assert heard == [("once", {"resultrans": "P"}, SOUTH), ("once", {"resultrans": "A"}, SOUTH)]
    leave()
    assert not WaitingNotification.objects.exists()
    with in_shard(SOUTH):
        assert not AgendaItem.objects.filter(kind="bells").exists()


def test_a_failure_before_the_switch_puts_everything_back(
    northern: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_switch", lambda *args: 1 / 0)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        move(northern, SOUTH)
    northern.refresh_from_db()
    assert (northern.shard, northern.read_only_since) == (REGISTRY, None)
    assert northern.schema_name not in schemas(SOUTH)
    assert browser(northern, "alice@example.net").get("/factures/").status_code == 200
    monkeypatch.undo()
    move(northern, SOUTH)  # the same operation, gone on with
    assert northern.shard == SOUTH


def test_a_copy_that_differs_is_not_switched_to(northern: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows.copy_out

    def lossy(server: direct.Server, table: rows.Table, write: rows.Write) -> int:
        if table.name != "accounts_account":
            return whole(server, table, write)
        return whole(server, table, lambda piece: write(piece.replace(b"alice", b"malice")))

    monkeypatch.setattr(rows, "copy_out", lossy)
    with pytest.raises(Exception, match="La copie de la table « accounts_account » diffère"):
        move(northern, SOUTH)
    northern.refresh_from_db()
    assert (northern.shard, northern.read_only_since) == (REGISTRY, None)


def test_what_another_process_put_back_is_not_switched(northern: Town) -> None:
    """A worker that lost its lock (the registry's server was started again) puts back while its successor copies."""
    put_back: list[bool] = []

    def watch(operation: Operation) -> None:
        if operation.step.startswith("Bascule") and not put_back:
            put_back.append(moving._put_back(Town.objects.get(pk=northern.pk), SOUTH))
            add_account(northern, "between@example.net")

    leave()
    with pytest.raises(TownError, match="n'est plus en lecture seule"):
        moving.move_town(town=northern, to=SOUTH, watch=watch)
    assert put_back == [True]
    northern.refresh_from_db()
    assert (northern.shard, northern.read_only_since) == (REGISTRY, None)
    with tenant_context(northern):
        assert Account.objects.filter(email="between@example.net").exists()


def test_what_was_switched_meanwhile_is_not_opened_where_it_was(held: Town) -> None:
    """The other way round: its successor has switched, and the late worker puts back what is there no more."""
    believed = Town.objects.get(pk=held.pk)
    Town.objects.filter(pk=held.pk).update(shard=SOUTH)
    with pytest.raises(TownError, match="ailleurs"):
        moving._release(believed)
    Town.objects.filter(pk=held.pk).update(shard=REGISTRY)
    with in_shard(REGISTRY, held.schema_name), pytest.raises(InternalError, match="being moved"):
        Account.objects.update(language="fr")


def test_a_move_tried_again_does_not_take_the_next_town_of_that_address(northern: Town) -> None:
    """Addresses are given again once a town is erased; the operation is about the town it was asked for."""
    old = Operation.objects.create(
        kind="move", subject=northern.slug, arguments={"to": SOUTH}, requested_by="system", state="failed"
    )
    operations.retry(old)
    done = operations.perform(old.pk)
    assert (done.state, done.error) == (OperationState.FAILED, "Cette commune n'existe plus.")
    northern.refresh_from_db()
    assert northern.shard == REGISTRY


def test_a_town_left_read_only_is_written_again_by_a_move_to_where_it_is(held: Town) -> None:
    call_command("move_town", held.slug, to=REGISTRY)
    assert browser(held, "alice@example.net").get("/factures/").status_code == 200


def test_what_is_planned_too_late_in_the_old_place_is_copied_to_the_new_one(
    northern: Town, settings: Any
) -> None:
    settings.MOVED_ROWS_SECONDS = 3600
    move(northern, SOUTH)
    AgendaItem.objects.create(town_id=northern.pk, kind="notices", due_at=timezone.now())
    agenda.run()
    assert not AgendaItem.objects.filter(town_id=northern.pk, kind="notices").exists()
    with in_shard(SOUTH):
        assert AgendaItem.objects.filter(town_id=northern.pk, kind="notices").exists()


def test_what_it_left_is_kept_while_it_moves_again(northern: Town, settings: Any) -> None:
    settings.MOVED_ROWS_SECONDS = 3600
    move(northern, SOUTH)
    Operation.objects.create(
        kind="move", subject=northern.slug, requested_by="x", state=OperationState.WAITING
    )
    Operation.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    moving.drop_leftovers(northern)
    assert northern.schema_name in schemas(REGISTRY)
    with in_shard(SOUTH):
        assert AgendaItem.objects.filter(kind="leftovers").exists()


def test_a_migration_does_not_slip_in(held: Town) -> None:
    with direct.open_to(REGISTRY) as server, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        server.execute(
            f'BEGIN; SET LOCAL search_path = "{held.schema_name}"; ALTER TABLE contact_message ADD COLUMN x int; '
            "INSERT INTO django_migrations (app, name, applied) VALUES ('contact', 'x', now()); COMMIT"
        )
