"""Migrate every database, its template and its towns to the code's version (docs/scale.md §2).

A migration that is only SQL runs once, on the template, and its statements are kept (SchemaStep). Towns get
these statements in one batch each, over a few connections in parallel. A migration with Python in it runs
in each town the ordinary way. Each town has its own transaction, which also writes its version: if anything stops
the work, the next run goes on from there.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby
from typing import Any, cast

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.db.migrations import Migration
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from tenants.current import REGISTRY, current_shard, in_shard, registry, shard_aliases
from tenants.databases import direct
from tenants.errors import OtherHistory, ShardSilent
from tenants.models import Operation, OperationState, SchemaSnapshot, SchemaStep, Town
from tenants.schema import batches, provisioning, versions
from tenants.schema.provisioning import TEMPLATE
from tenants.schema.readiness import names_at
from tenants.schema.versions import is_schema_only, name_of
from tenants.states import TownState

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
EXCLUSIVE = ("move", "restore", "erase")  # a town with such an operation is skipped


@dataclass
class Outcome:
    """The result of a run: the migrated towns, and a sentence per failure, by slug."""

    migrated: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """Consecutive migrations that run the same way: `steps` (name → statements) in a batch; None: town by town."""

    migrations: tuple[Migration, ...]
    steps: dict[str, list[str]] | None


@dataclass(frozen=True)
class Group:
    """Towns of one database at one version, and the migrations they lack, in order."""

    shard: str
    towns: tuple[Town, ...]
    missing: tuple[Migration, ...]


def migrate_towns(*, on_progress: Progress = lambda done, total: None) -> Outcome:
    """Migrate the public schemas, the templates and every town to the code's version.

    A town that fails stays whole at its old version and is named; the others go on. A database that does not answer is
    named instead of its towns. `on_progress(done, total)` is called from several threads. Raises OtherHistory.
    """
    versions.wanted.cache_clear()
    outcome = Outcome()
    silent = set()
    for shard in shard_aliases():
        try:
            with in_shard(shard):
                migrate_public()
                migrate_template()
        except OperationalError as error:
            if _answers(shard):
                raise
            log.warning("the database %s does not answer: %s", shard, error)
            silent.add(shard)
            outcome.failed[shard] = str(ShardSilent(shard))
    groups = [(group, runs_of(group)) for group in pending(besides=silent)]
    total = sum(len(group.towns) * len(runs) for group, runs in groups)
    done = count(1)
    for group, runs in groups:
        with in_shard(group.shard):
            _migrate_group(group, runs, outcome, lambda: on_progress(next(done), total))
    return outcome


def _answers(shard: str) -> bool:
    try:
        direct.open_to(shard).close()
    except psycopg.OperationalError:
        return False
    return True


def bring_forward(town: Town, names: Collection[str]) -> str:
    """Migrate one town, which has the migrations `names`, the ordinary way; return the code's version."""
    wanted = versions.wanted()
    plan = [(migration, False) for migration in wanted.migrations if name_of(migration) not in names]
    with in_shard(town.shard, town.schema_name):
        if plan:
            MigrationExecutor(connection).migrate(None, plan=plan)
    return wanted.version


def pending(*, besides: Collection[str] = ()) -> Iterator[Group]:
    """The towns that are not at the code's version, except in databases `besides`. One query when there is none."""
    wanted = versions.wanted()
    with registry():
        behind = list(
            Town.objects.exclude(schema_version=wanted.version)
            .exclude(state__in=[TownState.CLOSED, TownState.OPENING])
            .exclude(shard__in=besides)
            .order_by("shard", "schema_version", "pk")
        )
    for (shard, version), towns in groupby(behind, key=lambda town: (town.shard, town.schema_version)):
        members = tuple(towns)
        names = names_at(version, shard, members[0].schema_name)
        yield Group(shard, members, tuple(m for m in wanted.migrations if name_of(m) not in names))


def runs_of(group: Group) -> list[Run]:
    """How its migrations would run, as far as that is known before the template has run them."""
    with in_shard(group.shard):
        rows = SchemaStep.objects.filter(statements__isnull=False).values_list("name", "statements")
        kept: dict[str, list[str]] = {name: statements for name, statements in rows if statements is not None}
    runs = []
    for in_a_batch, members in groupby(group.missing, key=lambda migration: name_of(migration) in kept):
        run = tuple(members)
        runs.append(Run(run, {name_of(m): kept[name_of(m)] for m in run} if in_a_batch else None))
    return runs


def migrate_public() -> None:
    """The public schema of this shard. Raises OtherHistory, before it changes anything."""
    applied = versions.applied_names()
    if not applied.issuperset(versions.wanted().names):
        try:
            _migrate_its_own_apps()
            call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        except InconsistentMigrationHistory as error:
            raise OtherHistory(current_shard()) from error


def _migrate_its_own_apps() -> None:
    """What lives in public; the rest is only noted there. Django would work out each step of the rest for nothing."""
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    plan = [
        migration for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]
    own = {(migration.app_label, migration.name) for migration in plan if _lives_in_public(migration)}
    others = [migration for migration in plan if not _lives_in_public(migration)]
    needed = {parent for key in own for parent in executor.loader.graph.forwards_plan(key)}
    if any((migration.app_label, migration.name) in needed for migration in others):
        return  # they hang together: the command runs them in their order
    executor.migrate(None, plan=[(migration, False) for migration in plan if migration not in others])
    for migration in others:
        executor.recorder.record_applied(migration.app_label, migration.name)


def _lives_in_public(migration: Migration) -> bool:
    return apps.get_app_config(migration.app_label).name in settings.SHARED_APPS


def migrate_template() -> None:
    """Migrate the template of this database, one migration after the other, and keep what each one runs."""
    wanted = versions.wanted()
    if SchemaSnapshot.objects.filter(version=wanted.version).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{TEMPLATE}"')
    with in_shard(current_shard(), TEMPLATE):
        executor = MigrationExecutor(connection)
        state = None  # Django computes it from the applied migrations; each migration then passes it on
        for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            state = _run_and_keep(executor, migration, state)
    provisioning.keep_snapshot()


def _run_and_keep(executor: MigrationExecutor, migration: Migration, state: Any) -> Any:
    """Run one migration. Its statements and the template's record of it are committed together."""
    if not _same_everywhere(migration):
        state = executor.migrate(None, plan=[(migration, False)], state=state)
        _keep_step(migration, None)
        return state
    with transaction.atomic(), _recording() as statements:
        state = executor.migrate(None, plan=[(migration, False)], state=state)
        own = [statement for statement in statements if "django_migrations" not in statement]
        _keep_step(migration, own)
    return state


def _same_everywhere(migration: Migration) -> bool:
    """Whether it is only SQL, or does nothing in a town's schema (an app that lives in public)."""
    lives_in_towns = apps.get_app_config(migration.app_label).name in settings.TENANT_APPS
    return is_schema_only(migration) or not lives_in_towns


def _keep_step(migration: Migration, statements: list[str] | None) -> None:
    SchemaStep.objects.update_or_create(name=name_of(migration), defaults={"statements": statements})


@contextmanager
def _recording() -> Iterator[list[str]]:
    wrapper = cast(Any, connection)
    wrapper.recorded = []
    try:
        yield wrapper.recorded
    finally:
        wrapper.recorded = None


def _migrate_group(group: Group, runs: list[Run], outcome: Outcome, tick: Callable[[], None]) -> None:
    """Apply each run to the group: kept SQL in batches, or Python town by town."""
    busy = _busy_towns()
    failures = {
        town.pk: f"laissée de côté pendant l'opération « {busy[town.pk]} »"
        for town in group.towns
        if town.pk in busy
    }
    reached = set(versions.wanted().names) - set(map(name_of, group.missing))
    for run in runs:
        left = [town for town in group.towns if town.pk not in failures]
        reached |= set(map(name_of, run.migrations))
        version = versions.version_of(reached)
        if run.steps is None:
            failures |= _run_ordinarily(left, run.migrations, version, tick)
        else:
            steps = [(migration, run.steps[name_of(migration)]) for migration in run.migrations]
            failures |= batches.apply(left, steps, version, tick)
    if not runs:  # same migrations, other fingerprint: only the recorded version changes
        Town.objects.filter(pk__in=[t.pk for t in group.towns]).update(
            schema_version=versions.wanted().version
        )
    _tell_the_registry(group.towns)
    for town in group.towns:
        if town.pk in failures:
            outcome.failed[town.slug] = failures[town.pk]
        else:
            outcome.migrated.append(town.slug)


def _run_ordinarily(
    towns: list[Town], run: tuple[Migration, ...], version: str, tick: Callable[[], None]
) -> dict[int, str]:
    """Run Django's executor in each town. Returns a sentence per failure, by the town's primary key."""
    failures: dict[int, str] = {}
    shard = current_shard()
    plan = [(migration, False) for migration in run]
    for town in towns:
        with in_shard(shard, town.schema_name):
            try:
                MigrationExecutor(connection).migrate(None, plan=plan)
            except Exception as error:
                failures[town.pk] = f"{type(error).__name__} : {error}"
                connection.close()
                continue
        Town.objects.filter(pk=town.pk).update(schema_version=version)
        tick()
    return failures


def _tell_the_registry(towns: tuple[Town, ...]) -> None:
    """Copy the versions, written in each shard, to the registry."""
    if current_shard() == REGISTRY or not towns:
        return
    by_version: defaultdict[str, list[int]] = defaultdict(list)
    for pk, version in Town.objects.filter(pk__in=[town.pk for town in towns]).values_list(
        "pk", "schema_version"
    ):
        by_version[version].append(pk)
    with registry():
        for version, keys in by_version.items():
            Town.objects.filter(pk__in=keys).update(schema_version=version)


def _busy_towns() -> dict[int, str]:
    with registry():
        rows = Operation.objects.filter(
            state__in=[OperationState.WAITING, OperationState.RUNNING], kind__in=EXCLUSIVE
        )
        return {pk: kind for pk, kind in rows.values_list("town_id", "kind") if pk is not None}


def describe(group: Group) -> list[str]:
    """What `--plan` prints for a group: each migration and how it would run."""
    ways = {True: "par lot", False: "commune par commune"}
    return [f"{name_of(migration)} ({ways[_same_everywhere(migration)]})" for migration in group.missing]
