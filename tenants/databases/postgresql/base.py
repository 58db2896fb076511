"""One Django connection that follows the current town to the database where its schema lives.

django-tenants chooses the schema; this engine also chooses the database. Every statement, transaction and
`on_commit` of the code uses the alias `default`, so a town on another shard needs no special code: on
entering it, the connection to that shard replaces the current one, which is kept for later. This
never happens inside a transaction: the work of one transaction is in one database (docs/decisions/0011).
A cursor stays with the connection that it was opened on.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.transaction import TransactionManagementError
from django_tenants.postgresql_backend import base
from django_tenants.utils import get_public_schema_name
from psycopg import Error
from psycopg.pq import TransactionStatus

from tenants.databases.postgresql import silence

Last = Callable[[Mapping[Any, Any]], None]
# What belongs to one connection to one database; between transactions the rest of the wrapper is neutral.
_OWN = (
    "connection",
    "settings_dict",
    "autocommit",
    "close_at",
    "errors_occurred",
    "closed_in_transaction",
    "health_check_enabled",
    "health_check_done",
    "search_path_set_schemas",
    "visited",
)


class TownSchemaEditor(DatabaseSchemaEditor):
    """Records each statement that a migration runs, with its values, in the connection's `recorded`."""

    def _create_like_index_sql(self, model: Any, field: Any) -> None:
        """No such index: no column is searched by prefix, and each index costs memory per town and per backend."""

    def execute(self, sql: Any, params: Any = ()) -> Any:
        recorded = getattr(self.connection, "recorded", None)
        if recorded is not None and not self.collect_sql:
            text = str(sql)
            recorded.append(text if params is None else str(self.connection.ops.compose_sql(text, params)))
        return super().execute(sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """`shard`: alias of the current database. `visited`: the schemas that this connection has seen."""

    SchemaEditorClass = TownSchemaEditor

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        self.shard = alias
        self.visited: set[str] = set()
        self.recorded: list[str] | None = None
        self._waiting: dict[str, dict[str, Any]] = {}  # the connections to the other shards
        self._one_by_one = False
        self._before_commit: dict[Last, dict[Any, Any]] = {}
        super().__init__(settings_dict, alias)

    def copy(self, alias: str | None = None) -> "DatabaseWrapper":
        """Another connection to the database that this one is on."""
        twin: DatabaseWrapper = super().copy(alias)
        twin.shard = self.shard
        return twin

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """Go to the town's database and schema. Raises TransactionManagementError if that leaves a transaction."""
        self.go_to_shard(tenant.shard)
        super().set_tenant(tenant, include_public)

    def set_schema(
        self, schema_name: str, include_public: bool = True, tenant_type: str | None = None
    ) -> None:
        """A schema of the database that we are on."""
        place = base.FakeTenant(schema_name=schema_name, tenant_type=tenant_type)
        place.shard = self.shard  # so that coming back to it comes back to this database
        self.set_tenant(place, include_public)

    def set_schema_to_public(self) -> None:
        """The public schema of the database that we are on."""
        self.set_schema(get_public_schema_name())

    def go_to_shard(self, shard: str) -> None:
        """Switch the connection to `shard`, an alias of DATABASES. No server is asked yet.

        Raises TransactionManagementError inside a transaction, OperationalError for an unknown alias.
        """
        if shard == self.shard:
            return
        self.validate_thread_sharing()
        if self.in_atomic_block or (self.connection is not None and not self.autocommit):
            raise TransactionManagementError(f"a transaction on {self.shard} cannot go on on {shard}")
        state = self._waiting.get(shard) or self._fresh(shard)
        self._waiting[self.shard] = {name: self.__dict__[name] for name in _OWN}
        self.__dict__.update(state, shard=shard)
        self.__dict__.pop("pg_version", None)
        self._waiting.pop(shard, None)

    def _fresh(self, shard: str) -> dict[str, Any]:
        if shard not in connections.settings:
            # Treated as a silent server: requests to its towns get a 503.
            raise OperationalError(f"no database {shard!r} is configured (SHARD_URLS)")
        return {
            "connection": None,
            "settings_dict": deepcopy(connections.settings[shard]),
            "autocommit": False,
            "close_at": None,
            "errors_occurred": False,
            "closed_in_transaction": False,
            "health_check_enabled": False,
            "health_check_done": False,
            "search_path_set_schemas": None,
            "visited": set(),
        }

    def _get_cursor_search_paths(self) -> list[str]:
        """Called just before each SET search_path, so we count the schemas that the server has really seen."""
        self.visited.add(str(self.schema_name))
        paths: list[str] = super()._get_cursor_search_paths()
        return paths

    def _handle_search_path(self, cursor: Any = None) -> None:
        """Like the library, but stop when the server refuses the SET: the next statement would run in the schema
        where the session was before. Raises OperationalError, except in a failed transaction, where nothing can run.
        """
        nested = self._setting_search_path
        super()._handle_search_path(cursor)
        if self.search_path_set_schemas is None and not nested and not self._has_failed():
            raise OperationalError(f"the search path of {self.schema_name} could not be set")

    def is_usable(self) -> bool:
        """Whether the server answers. The question is the SET that comes next anyway, so it costs no round trip."""
        if self.connection is None or self.search_path_set_schemas:
            return bool(super().is_usable())
        try:
            self._handle_search_path()
        except (Error, OperationalError):
            return False
        return bool(self.search_path_set_schemas)

    def _has_failed(self) -> bool:
        return bool(self.connection.info.transaction_status == TransactionStatus.INERROR)

    @property
    def pool(self) -> None:
        """Never: Django keeps its pools by alias, and this alias goes to several databases."""
        if self.settings_dict["OPTIONS"].get("pool"):
            raise ImproperlyConfigured("OPTIONS['pool'] cannot be used with several shards; use PgBouncer.")

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, unless that database has just failed to answer. Raises OperationalError."""
        with silence.watch(self.shard, int(conn_params.get("connect_timeout") or 5)):
            return super().get_new_connection(conn_params)

    def before_commit(self, act: Last, key: Any, value: Any) -> None:
        """Call `act({key: smallest value given, …})` once, inside this transaction, just before it commits.

        For rows that many transactions share: they are locked last, and briefly. Outside a
        transaction it is called at once. An exception rolls the transaction back.
        """
        if not self._really_in_a_transaction():
            act({key: value})
            return
        waiting = self._before_commit.setdefault(act, {})
        waiting[key] = min(value, waiting.get(key, value))

    def _really_in_a_transaction(self) -> bool:
        """Whether the code has opened a transaction; a test's own transaction around it does not count."""
        return any(not getattr(block, "_from_testcase", False) for block in self.atomic_blocks)

    def _act_before_commit(self) -> None:
        waiting, self._before_commit = self._before_commit, {}
        for act, values in waiting.items():
            act(values)

    def commit(self) -> None:
        """Run what was put off with `before_commit` first."""
        self._act_before_commit()
        super().commit()

    def savepoint_commit(self, sid: str) -> None:
        """In a test, the code's transaction is a savepoint."""
        if self._before_commit and not self._really_in_a_transaction():
            self._act_before_commit()
        super().savepoint_commit(sid)

    def savepoint_rollback(self, sid: str) -> None:
        """Forget what was put off, as `rollback` does."""
        if not self._really_in_a_transaction():
            self._before_commit.clear()
        super().savepoint_rollback(sid)

    def rollback(self) -> None:
        """Forget what was put off."""
        self._before_commit.clear()
        super().rollback()

    def recycle(self) -> None:
        """Between two requests or tasks: close the connections that have seen many towns.

        A backend keeps about 60 kB of catalogue data per town that it has touched (docs/decisions/0011).
        """
        if not self.in_atomic_block:
            self._at_each_shard(self._close_if_well_travelled)

    def close_if_unusable_or_obsolete(self) -> None:
        """At the end of a request, for the connection to each database."""
        with self._each_for_itself():
            self._at_each_shard(super().close_if_unusable_or_obsolete)

    def close_if_health_check_failed(self) -> None:
        """For the current database; the others are checked when they are used."""
        with self._each_for_itself():
            super().close_if_health_check_failed()

    def close(self) -> None:
        """Close the connections to all databases; inside a transaction, only the current one."""
        if self._one_by_one:
            self._close_here()
        else:
            self._at_each_shard(self._close_here)

    def abandon_others(self) -> None:
        """After a fork: forget the connections to the other databases without closing them; they are the parent's.

        psycopg leaves alone a socket that another process opened. Celery does it for the current one.
        """
        self._waiting.clear()

    def _at_each_shard(self, act: Callable[[], None]) -> None:
        """Run `act` on the current database, then, outside a transaction, on the waiting ones."""
        here = self.shard
        try:
            act()
            if not self.in_atomic_block:
                for shard in list(self._waiting):
                    self.go_to_shard(shard)
                    act()
        finally:
            self.go_to_shard(here)

    @contextmanager
    def _each_for_itself(self) -> Iterator[None]:
        """Make Django's call of `close` for a dead or old connection close that one only."""
        before, self._one_by_one = self._one_by_one, True
        try:
            yield
        finally:
            self._one_by_one = before

    def _close_if_well_travelled(self) -> None:
        if len(self.visited) > settings.TOWNS_PER_CONNECTION:
            self._close_here()

    def _close_here(self) -> None:
        self._before_commit.clear()  # a transaction that loses its connection is rolled back
        super().close()
        self.visited.clear()
