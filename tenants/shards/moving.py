"""Move a town to another database (docs/decisions/0014).

    freeze   the registry says « read-only »; wait until the other processes know it
    close    the database refuses any write to the town's tables
    copy     a draft on the target: complete, compared, not served
    switch   one row of the registry: from now on the town lives there
    settle   the agenda and the routes follow; wait until the other processes know it
    release  the town accepts writes in its new database; what it left is dropped later (leftovers)

After a kill it starts again from the registry's row, which alone says where the town lives. Before the
switch a failure restores everything; after it, nothing can be undone or lost.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django_tenants.utils import tenant_context

from tenants import facts
from tenants.current import in_shard, shard_aliases
from tenants.current import registry as in_registry
from tenants.databases import direct, mirrors
from tenants.databases.outages import SILENCE
from tenants.errors import ShardSilent, TownError, WrongState
from tenants.hosts import registry
from tenants.models import Operation, Town
from tenants.schema import versions
from tenants.shards import barrier, leftovers, rows
from tenants.states import TownState
from tenants.work import agenda, operations
from tenants.work.operations import Progress

KIND = "move"
MOVABLE = (TownState.OPEN, TownState.SUSPENDED, TownState.CLOSING)
MARGIN = 1.2  # times the life of another process's cache
log = logging.getLogger(__name__)


def move_town(
    *,
    town: Town,
    to: str,
    actor: facts.Actor = facts.SYSTEM,
    watch: Callable[[Operation], None] = lambda operation: None,
) -> Operation | None:
    """Move it in the foreground; None when it lives there already. Raises TownError with a sentence."""
    if _has_nothing_to_do(town, to):
        return None
    return operations.run(
        kind=KIND, subject=town.slug, town=town, actor=actor, arguments={"to": to}, watch=watch
    )


def request_move(*, town: Town, to: str, actor: facts.Actor) -> Operation | None:
    """Ask the worker to move it; None when it lives there already. Raises TownError with a sentence."""
    if _has_nothing_to_do(town, to):
        return None
    return operations.request(kind=KIND, subject=town.slug, town=town, actor=actor, arguments={"to": to})


def _has_nothing_to_do(town: Town, to: str) -> bool:
    """True when it lives there and accepts writes. (Moving a town that a move left read-only frees it.)"""
    check(town, to)
    return bool(town.shard == to and town.read_only_since is None and operations.live_on(town) is None)


def check(town: Town, to: str) -> None:
    """Raise TownError when the move makes no sense."""
    if to not in shard_aliases():
        raise TownError(f"Aucune base « {to} ». Bases connues : {', '.join(shard_aliases())}.")
    if town.state not in MOVABLE:
        raise WrongState(f"{town.name} est {town.get_state_display()} : impossible pour l'instant.")


def work(operation: Operation, progress: Progress) -> Mapping[str, Any]:
    """The work of the operation. It starts from where the registry says that the town lives."""
    town, to = operation.town, str(operation.arguments["to"])
    if town is None:  # not by its address, which another town may have by now
        raise WrongState("Cette commune n'existe plus.")
    check(town, to)
    found: dict[str, Any] = dict(operation.result)
    if town.shard != to:
        try:
            found |= _bring(town, to, operation, progress)
        except Exception as error:
            silent = _silent_one(town.shard, to) if isinstance(error, SILENCE) else None
            if _put_back(town, to) and silent:
                raise ShardSilent(silent) from error
            raise
    if town.read_only_since is not None:
        _settle(town, progress)
    found["settled"] = True
    operation.result = found
    with in_registry():
        operation.save(update_fields=["result"])
    _leave_behind(town, progress)
    return found


def _bring(town: Town, to: str, operation: Operation, progress: Progress) -> dict[str, Any]:
    """Every step up to the switch. Updates `town`."""
    source = town.shard
    _freeze(town, operation.requested_by)
    progress.step("Passage en lecture seule")
    _wait_for_the_others()
    progress.step("Fermeture des tables à l'écriture")
    barrier.close(
        source, town.schema_name, partial(progress.step, "Attente de la fin des écritures en cours")
    )
    version, copied = _copy(town, to, progress)
    mirrors.mirror(town, on=to)  # a process that learns of the switch may plan work there at once
    progress.step("Bascule vers la nouvelle base")
    _switch(town, to, version, operation.requested_by)
    return {"from": source, "to": to, "tables": len(copied), "rows": sum(copied.values())}


def _freeze(town: Town, actor: str) -> None:
    if town.read_only_since is None:
        with in_registry(), transaction.atomic():
            locked = Town.objects.select_for_update().get(pk=town.pk)
            locked.read_only_since = timezone.now()
            locked.save(update_fields=["read_only_since"])
            facts.record("town.held", town=locked, actor=actor, new={"shard": locked.shard})
        town.read_only_since = locked.read_only_since
        mirrors.mirror(town)
    registry.forget()


def _wait_for_the_others() -> None:
    """Wait until every process has looked the town up again."""
    registry.forget()
    time.sleep(registry.SECONDS * MARGIN)


def _copy(town: Town, to: str, progress: Progress) -> tuple[str, dict[str, int]]:
    """Copy the draft to the target. Returns its version, and the number of rows per table.

    Raises TownError when the two sides differ.
    """
    schema = town.schema_name
    progress.step("Préparation de la nouvelle base")
    with in_shard(town.shard, schema):
        names = list(versions.applied_names())
    with in_shard(to):
        rows.drop_schema(schema)
        version = rows.make_schema(schema, names)
    copied: dict[str, int] = {}
    with direct.snapshot(town.shard, schema) as here, direct.connect(to, schema) as there:
        tables, digests = rows.tables(here), {}
        with rows.loading(there) as into:
            for done, table in enumerate(tables):
                progress.step("Copie des lignes", done, len(tables))
                with into(table) as write:
                    digests[table.name] = digest = _Digest(write)
                    copied[table.name] = rows.copy_out(here, table, digest)
        rows.set_sequences(there, rows.sequences(here))
        for done, table in enumerate(tables):
            progress.step("Comparaison des deux bases", done, len(tables))
            again = _Digest()
            if rows.copy_out(there, table, again) != copied[table.name] or again != digests[table.name]:
                raise TownError(f"La copie de la table « {table.name} » diffère de l'original.")
    return version, copied


class _Digest:
    """Passes rows on to `write` and computes their checksum."""

    def __init__(self, write: rows.Write = lambda piece: None) -> None:
        self._write, self._sum = write, hashlib.sha256()

    def __call__(self, piece: bytes) -> None:
        self._sum.update(piece)
        self._write(piece)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Digest) and self._sum.digest() == other._sum.digest()


def _switch(town: Town, to: str, version: str, actor: str) -> None:
    with in_registry(), transaction.atomic():
        locked = Town.objects.select_for_update().get(pk=town.pk)
        # If another worker put the town back meanwhile, it has accepted writes since the copy.
        if locked.read_only_since is None or locked.shard != town.shard:
            raise TownError(f"{town.name} n'est plus en lecture seule : recommencez le déménagement.")
        old, locked.shard, locked.schema_version = locked.shard, to, version
        locked.save(update_fields=["shard", "schema_version"])
        facts.record("town.moved", town=locked, actor=actor, old={"shard": old}, new={"shard": to})
    town.shard, town.schema_version = to, version
    registry.forget()


def _settle(town: Town, progress: Progress) -> None:
    """After the switch: move what refers to the town, then allow writes once every process knows."""
    progress.step("Les autres serveurs apprennent la nouvelle adresse")
    mirrors.mirror(town)
    leftovers.carry(town)
    _wait_for_the_others()
    _release(town)


def _release(town: Town) -> None:
    with in_registry(), transaction.atomic():
        # A switch waits for this lock: either it came first and nothing is opened, or it finds the town writable.
        locked = Town.objects.select_for_update().get(pk=town.pk)
        if locked.shard != town.shard:
            raise TownError(f"{town.name} vient d'être basculée ailleurs.")
        barrier.open_again(town.shard, town.schema_name)
        locked.read_only_since = None
        locked.save(update_fields=["read_only_since"])
    town.read_only_since = None
    mirrors.mirror(town)
    agenda.release(town)
    registry.forget()


def _leave_behind(town: Town, progress: Progress) -> None:
    """Plan to drop what it left, once no request or task can still use it."""
    with tenant_context(town):
        agenda.plan("leftovers", timezone.now() + timedelta(seconds=settings.MOVED_ROWS_SECONDS))
    if settings.MOVED_ROWS_SECONDS == 0:
        progress.step("Effacement de l'ancienne copie")
        drop_leftovers(town)


def drop_leftovers(town: Town) -> None:
    """The work of this agenda kind. Called too early, it plans itself again."""
    due = _time_to_drop(town)
    if due is None and not leftovers.clear(town):
        due = timezone.now() + timedelta(minutes=10)
    with tenant_context(town):
        agenda.finish("leftovers", lambda: due)


def _time_to_drop(town: Town) -> datetime | None:
    """When it may be dropped; None when now. (A resumed town's agenda is due at once.)"""
    with in_registry():
        last = Operation.objects.filter(town=town, kind=KIND).aggregate(last=Max("finished_at"))["last"]
    due: datetime | None = last and last + timedelta(seconds=settings.MOVED_ROWS_SECONDS)
    return due if due and due > timezone.now() else None


def _put_back(town: Town, to: str) -> bool:
    """Undo a move that failed before the switch: allow writes where the town lives. Never raises.

    False when this failed too, or when it is unknown whether the switch was done: the move must then
    run again.
    """
    try:
        with in_registry():
            fresh = Town.objects.get(pk=town.pk)
        if fresh.shard == to:
            return False
        _release(fresh)
    except Exception:
        log.exception("%s stays read-only until its move is done again", town.slug)
        return False
    with suppress(Exception):  # else the next move drops it
        leftovers.clear_shard(to, fresh)
    return True


def _silent_one(*shard_aliases: str) -> str | None:
    """The alias of the database that does not answer."""
    for shard in shard_aliases:
        try:
            direct.open_to(shard).close()
        except psycopg.OperationalError:
            return shard
    return None
