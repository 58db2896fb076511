"""One connection that follows the town: it goes between transactions, comes back, and closes what it opened."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, close_old_connections, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from tenants import current
from tenants.current import REGISTRY, current_shard, in_shard
from tenants.databases import direct
from tenants.databases.postgresql import silence
from tenants.models import Town
from tests.shards.conftest import SOUTH, Cluster, add_account

pytestmark = pytest.mark.xdist_group("shards")
wrapper = cast(Any, connection)


def port() -> int:
    """Which server answers, by its own word."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inet_server_port(), pg_backend_pid()")
        return int(cursor.fetchone()[0])


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _fresh(south: Cluster) -> Iterator[None]:
    connection.close()
    yield
    current.leave()


def test_it_goes_and_comes_back_to_the_same_sessions(south: Cluster) -> None:
    here = backend()
    with in_shard(SOUTH):
        assert port() == south.settings["PORT"]
        there = backend()
    assert (current_shard(), backend()) == (REGISTRY, here)
    with in_shard(SOUTH):
        assert backend() == there


def test_never_out_of_a_transaction(southern: Town) -> None:
    with transaction.atomic():
        for leave in (lambda: wrapper.set_tenant(southern), lambda: wrapper.go_to_shard(SOUTH)):
            with pytest.raises(TransactionManagementError, match="cannot go on on south"):
                leave()
        assert port() != connections.settings[SOUTH]["PORT"]
    connection.set_autocommit(False)
    try:
        with pytest.raises(TransactionManagementError):
            wrapper.set_tenant(southern)
    finally:
        connection.rollback()
        connection.set_autocommit(True)
    with (
        tenant_context(southern),
        transaction.atomic(durable=True),
        pytest.raises(TransactionManagementError),
    ):
        wrapper.go_to_shard(REGISTRY)


def test_an_unknown_shard_is_as_a_silent_one_and_moves_nothing() -> None:
    before = backend()
    with pytest.raises(OperationalError, match="SHARD_URLS"), in_shard("nowhere"):
        pass
    assert (current_shard(), backend()) == (REGISTRY, before)
    assert set(wrapper._waiting) <= {SOUTH}


def test_what_is_done_on_commit_may_go_elsewhere(southern: Town) -> None:
    seen: list[str] = []

    def visit() -> None:
        with tenant_context(southern):
            seen.append(f"{current_shard()} {current.current_schema()}")

    with transaction.atomic():
        transaction.on_commit(visit)
        transaction.on_commit(lambda: seen.append(current_shard()))
    assert seen == [f"{SOUTH} {southern.schema_name}", REGISTRY]


def test_the_search_path_is_set_again_on_each_side(southern: Town, open_at: Callable[[str], Town]) -> None:
    northern = open_at(REGISTRY)
    for _ in range(2):
        for town, email in ((southern, "south@example.net"), (northern, "north@example.net")):
            with tenant_context(town):
                Account.objects.get_or_create(email=email)
                assert list(Account.objects.values_list("email", flat=True)) == [email]


def test_a_rollback_on_one_side_leaves_no_wrong_path(southern: Town) -> None:
    def fail() -> None:
        with tenant_context(southern), transaction.atomic():
            Account.objects.create(email="gone@example.net")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with tenant_context(southern):
        assert Account.objects.count() == 0
        Account.objects.create(email="here@example.net")
    assert Account.objects.filter(email__in=["gone@example.net", "here@example.net"]).count() == 0


def test_a_search_path_that_the_server_cut_short_runs_nothing_elsewhere(
    open_at: Callable[[str], Town],
) -> None:
    """A statement_timeout of the role, or a pg_cancel_backend that comes late: the SET fails, and it alone."""
    first, second = open_at(REGISTRY), open_at(REGISTRY)
    add_account(first, "of-the-first@example.net")

    def cut(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        late = "SET statement_timeout = 20; SELECT pg_sleep(5); " if sql.startswith("SET search_path") else ""
        return execute(late + sql, params, many, context)

    with tenant_context(first):
        assert Account.objects.count() == 1
        wrapper.set_tenant(second)  # the session is still on the first one's schema
        with connection.execute_wrapper(cut), pytest.raises(OperationalError):
            Account.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        assert Account.objects.count() == 0


def test_a_cursor_stays_where_it_was_opened(southern: Town) -> None:
    with tenant_context(southern):
        Account.objects.bulk_create(Account(email=f"p{n}@example.net") for n in range(5))
        rows = Account.objects.order_by("email").iterator(chunk_size=2)  # a cursor on the server
        first = next(rows).email
    assert current_shard() == REGISTRY
    assert [first, *(row.email for row in rows)] == [f"p{n}@example.net" for n in range(5)]


def test_closing_closes_every_shard(south: Cluster) -> None:
    here = backend()
    with in_shard(SOUTH):
        there = backend()
    connections.close_all()
    assert not alive(REGISTRY, here)
    assert not alive(SOUTH, there)


def test_a_connection_that_dies_in_a_transaction_leaves_the_way_back(south: Cluster) -> None:
    def fail() -> None:
        with in_shard(SOUTH), transaction.atomic():
            kill(SOUTH, backend())
            backend()

    with pytest.raises(OperationalError):
        fail()
    assert (current_shard(), connection.in_atomic_block) == (REGISTRY, False)
    assert port() == connections.settings[REGISTRY]["PORT"]
    with in_shard(SOUTH):
        assert backend()  # a new one


def test_an_old_connection_is_closed_for_itself(south: Cluster) -> None:
    here = backend()
    with in_shard(SOUTH):
        there = backend()
        wrapper.close_at = 0  # older than CONN_MAX_AGE, while it waits
    close_old_connections()
    assert backend() == here
    with in_shard(SOUTH):
        assert backend() != there


def test_a_dead_connection_is_replaced_at_the_next_request(south: Cluster) -> None:
    with in_shard(SOUTH):
        there = backend()
    kill(SOUTH, there)
    close_old_connections()  # as request_started: the health is asked for at the next use
    with in_shard(SOUTH):
        assert backend() != there


def test_connections_that_saw_many_towns_are_recycled_on_every_shard(
    open_at: Callable[[str], Town], settings: Any
) -> None:
    settings.TOWNS_PER_CONNECTION = 2
    towns = [open_at(SOUTH) for _ in range(3)]
    current.leave()
    with in_shard(SOUTH):
        there = backend()
    for town in towns:
        with tenant_context(town):
            Account.objects.count()
    here = backend()
    current.leave()
    assert backend() == here
    with in_shard(SOUTH):
        assert backend() != there


def test_each_thread_begins_at_the_registry(southern: Town) -> None:
    seen: list[Any] = []

    def work() -> None:
        seen.append((current_shard(), current.current_schema()))
        with pytest.raises(Exception, match="can only be used in that same thread"):
            mine.go_to_shard(REGISTRY)
        connection.close()

    with tenant_context(southern):
        mine = connections[REGISTRY]
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [(REGISTRY, "public")]


def test_a_fork_leaves_the_parent_s_waiting_connection_alone(south: Cluster) -> None:
    """As Celery's pool does: the child closes what it inherited, and the parent goes on."""
    with in_shard(SOUTH):
        there = backend()
    pid = os.fork()
    if pid == 0:  # no test may run here
        try:
            from config.celery import _abandon

            _abandon()
            wrapper.connection = None
            connections.close_all()
        finally:
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    with in_shard(SOUTH):
        assert backend() == there


def test_a_copy_is_of_the_database_we_are_on(southern: Town) -> None:
    with tenant_context(southern):
        twin = connection.copy()
        try:
            with twin.cursor() as cursor:
                cursor.execute("SELECT inet_server_port()")
                assert (cursor.fetchone()[0], cast(Any, twin).shard) == (port(), SOUTH)
        finally:
            twin.close()


def test_a_pool_is_refused() -> None:
    twin = connection.copy()
    twin.settings_dict["OPTIONS"]["pool"] = True
    with pytest.raises(ImproperlyConfigured, match="PgBouncer"):
        twin.cursor()


def test_a_slow_silence_is_remembered_and_one_tries() -> None:
    clock = [100.0]

    def slow() -> None:
        with silence.watch("far", 5):
            clock[0] += 5
            raise psycopg.OperationalError("time-out")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(silence.time, "monotonic", lambda: clock[0])
        with pytest.raises(psycopg.OperationalError, match="time-out"):
            slow()
        with pytest.raises(psycopg.OperationalError, match="has just failed"):
            slow()  # at once
        assert clock[0] == 105
        clock[0] += silence.SECONDS
        with silence.watch("far", 5), pytest.raises(psycopg.OperationalError, match="has just failed"):
            slow()  # another one, while the first tries
        with silence.watch("far", 5):
            pass


def alive(shard: str, pid: int) -> bool:
    with direct.open_to(shard) as server:
        return server.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is not None


def kill(shard: str, pid: int) -> None:
    with direct.open_to(shard) as server:
        server.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_page_s_first_statement_asks_whether_the_server_is_still_there(
    open_at: Callable[[str], Town], django_assert_num_queries: Any
) -> None:
    """With the SET that it needs anyway: one round trip, and the schema is the town's on the new connection too."""
    town = open_at(REGISTRY)
    with tenant_context(town):
        add_account(town, "alice@example.net")
        pid = backend()
    for killed in (False, True):
        close_old_connections()  # a request begins
        if killed:
            kill(REGISTRY, pid)
        with tenant_context(town), django_assert_num_queries(2 if killed else 1):  # SET in sight on a new one
            assert Account.objects.filter(email="alice@example.net").count() == 1
        with tenant_context(town):
            assert (backend() == pid) is not killed


def test_a_connection_that_refuses_the_path_is_given_up(open_at: Callable[[str], Town]) -> None:
    town = open_at(REGISTRY)
    with tenant_context(town):
        pid = backend()
        wrapper.search_path_set_schemas = None
        wrapper.connection.execute("BEGIN")
        with pytest.raises(psycopg.Error):
            wrapper.connection.execute("SELECT 1/0")
        assert not wrapper.is_usable()
        assert wrapper.search_path_set_schemas is None
        wrapper.close()
        assert backend() != pid
