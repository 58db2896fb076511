"""Every home, its template and its towns, to the code's version (scale.md §2).

A migration that is only SQL runs once, on the template, and what it ran is kept (SchemaStep); towns are given
the same statements in one batch each, over a few connections side by side. A migration with Python in it runs
in each town the ordinary way. Each town is its own transaction and its version is written in it: whatever stops
the work, running it again goes on from there.
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

from tenants.current import REGISTRY, at, current_home, homes, registry
from tenants.databases import direct
from tenants.errors import HomeSilent, OtherHistory
from tenants.models import Operation, OperationState, SchemaSnapshot, SchemaStep, Town
from tenants.schema import batches, provisioning, versions
from tenants.schema.provisioning import TEMPLATE
from tenants.schema.readiness import names_at
from tenants.schema.versions import is_schema_only, name_of
from tenants.states import TownState

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
EXCLUSIVE = ("move", "restore", "erase")  # operations beside which a town is left alone


@dataclass
class Outcome:
    """What a run did: the towns brought up, and the sentence of each failure by slug."""

    migrated: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """Migrations in a row that go the same way: `steps` (name → statements) in a batch, or None town by town."""

    migrations: tuple[Migration, ...]
    steps: dict[str, list[str]] | None


@dataclass(frozen=True)
class Group:
    """Towns of one home at one version, and what they miss, in order."""

    home: str
    towns: tuple[Town, ...]
    missing: tuple[Migration, ...]


def migrate_towns(*, on_progress: Progress = lambda done, total: None) -> Outcome:
    """Bring the public schemas, the templates and every town to the code's version.

    One town's failure stops no other: it is left whole at a version of the past, and named; a silent home is
    named in the place of its towns. Raises OtherHistory. `on_progress(done, total)` is called from several threads.
    """
    versions.wanted.cache_clear()
    outcome = Outcome()
    silent = set()
    for home in homes():
        try:
            with at(home):
                migrate_public()
                migrate_template()
        except OperationalError as error:
            if _answers(home):
                raise
            log.warning("the database %s does not answer: %s", home, error)
            silent.add(home)
            outcome.failed[home] = str(HomeSilent(home))
    groups = [(group, runs_of(group)) for group in pending(besides=silent)]
    total = sum(len(group.towns) * len(runs) for group, runs in groups)
    done = count(1)
    for group, runs in groups:
        with at(group.home):
            _migrate_group(group, runs, outcome, lambda: on_progress(next(done), total))
    return outcome


def _answers(home: str) -> bool:
    try:
        direct.open_to(home).close()
    except psycopg.OperationalError:
        return False
    return True


def bring_forward(town: Town, names: Collection[str]) -> str:
    """One town that has the migrations `names`, to the code's version the ordinary way; returns that version."""
    wanted = versions.wanted()
    plan = [(migration, False) for migration in wanted.migrations if name_of(migration) not in names]
    with at(town.shard, town.schema_name):
        if plan:
            MigrationExecutor(connection).migrate(None, plan=plan)
    return wanted.version


def pending(*, besides: Collection[str] = ()) -> Iterator[Group]:
    """The towns that are not at the code's version, `besides` some homes. One query when there is none."""
    wanted = versions.wanted()
    with registry():
        behind = list(
            Town.objects.exclude(schema_version=wanted.version)
            .exclude(state__in=[TownState.CLOSED, TownState.OPENING])
            .exclude(shard__in=besides)
            .order_by("shard", "schema_version", "pk")
        )
    for (home, version), towns in groupby(behind, key=lambda town: (town.shard, town.schema_version)):
        members = tuple(towns)
        names = names_at(version, home, members[0].schema_name)
        yield Group(home, members, tuple(m for m in wanted.migrations if name_of(m) not in names))


def runs_of(group: Group) -> list[Run]:
    """How its migrations would run. Before the template has run them, what can be known of it."""
    with at(group.home):
        rows = SchemaStep.objects.filter(statements__isnull=False).values_list("name", "statements")
        kept: dict[str, list[str]] = {name: statements for name, statements in rows if statements is not None}
    runs = []
    for in_a_batch, members in groupby(group.missing, key=lambda migration: name_of(migration) in kept):
        run = tuple(members)
        runs.append(Run(run, {name_of(m): kept[name_of(m)] for m in run} if in_a_batch else None))
    return runs


def migrate_public() -> None:
    """The public schema of this home. Raises OtherHistory, before it changes anything."""
    applied = versions.applied_names()
    if not applied.issuperset(versions.wanted().names):
        try:
            call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        except InconsistentMigrationHistory as error:
            raise OtherHistory(current_home()) from error


def migrate_template() -> None:
    """The template of this home, one migration after the other, keeping what each one ran."""
    wanted = versions.wanted()
    if SchemaSnapshot.objects.filter(version=wanted.version).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{TEMPLATE}"')
    with at(current_home(), TEMPLATE):
        executor = MigrationExecutor(connection)
        state = None  # Django works it out from what the template has, then it goes from one to the next
        for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            state = _run_and_keep(executor, migration, state)
    provisioning.keep_snapshot()


def _run_and_keep(executor: MigrationExecutor, migration: Migration, state: Any) -> Any:
    """Run it; its statements and the template's own record of it are committed together."""
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
    """Only SQL, or nothing at all in a town's schema (an app that lives in public only)."""
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
    """Run by run: batches of kept SQL for all the towns at once, or Python town by town."""
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
    if not runs:  # they missed nothing: only the word for what they have was another one
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
    """Django's own executor in each town. Returns the sentence of each failure by the town's key."""
    failures: dict[int, str] = {}
    home = current_home()
    plan = [(migration, False) for migration in run]
    for town in towns:
        with at(home, town.schema_name):
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
    """The versions were written beside the schemas; on another shard the registry has still to learn them."""
    if current_home() == REGISTRY or not towns:
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
    """What `--plan` says of a group: each migration and the way it would run."""
    ways = {True: "par lot", False: "commune par commune"}
    return [f"{name_of(migration)} ({ways[_same_everywhere(migration)]})" for migration in group.missing]
