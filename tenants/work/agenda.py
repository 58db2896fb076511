"""Which towns have work due: a public table, so that an idle town costs nothing (decision 0003).

A room registers a Celery task for a kind of work in `AppConfig.ready`; a service says when it is due.
The row is the truth; the task it starts is only a hint, so the task must look again.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.db import InterfaceError, connection, transaction
from django.db import OperationalError as Silent
from django.utils import timezone
from django_tenants.utils import tenant_context
from kombu.exceptions import OperationalError

from tenants.current import PUBLIC, current_schema, current_town, in_shard, registry, shard_aliases
from tenants.databases.outages import first_sqlstate
from tenants.models import AgendaItem, Town
from tenants.schema.readiness import can_serve

if TYPE_CHECKING:  # Celery's Task is generic for the type checker only
    from celery import Task

    AnyTask = Task[..., object]

_tasks: "dict[str, AnyTask]" = {}
_gathering: "ContextVar[dict[str, AnyTask] | None]" = ContextVar("gathering", default=None)
RETRY = timedelta(minutes=5)
NUDGE = timedelta(seconds=30)
FROZEN = timedelta(hours=1)
_CHECKED = "SET CONSTRAINTS ALL IMMEDIATE"
log = logging.getLogger(__name__)


def register(kind: str, task: "AnyTask") -> None:
    """Register the Celery task (no arguments, run in the town) that does the work of `kind`."""
    _tasks[kind] = task


def plan(kind: str, due_at: datetime) -> None:
    """Schedule `kind` for the current town at `due_at`, unless it is already scheduled earlier."""
    if kind not in _tasks:
        raise LookupError(f"no task is registered for {kind!r}")
    _plan(current_town().pk, kind, due_at)


def _plan(town_id: int, kind: str, due_at: datetime) -> None:
    cast(Any, connection).before_commit(_write, (town_id, kind), due_at)


def _write(planned: Mapping[tuple[int, str], datetime]) -> None:
    """Write what a transaction has planned: last, and in a fixed order, because transactions share these rows.

    Check foreign keys first: they may wait for another transaction that waits for a row of the agenda.
    """
    rows = sorted((town, kind, due_at) for (town, kind), due_at in planned.items())
    places = ", ".join(["(%s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        # `public.` is explicit: the connection may be in the town's transaction and must stay there.
        cursor.execute(
            f"{_CHECKED}; INSERT INTO public.tenants_agendaitem (town_id, kind, due_at) VALUES {places} "  # noqa: S608
            "ON CONFLICT (town_id, kind) DO UPDATE SET due_at = LEAST(tenants_agendaitem.due_at, EXCLUDED.due_at); "
            "SET CONSTRAINTS ALL DEFERRED",
            [value for row in rows for value in row],
        )


def wake(kind: str) -> None:
    """Schedule `kind` for the current town, as soon as this transaction commits.

    The task is sent on commit. If the broker is down or forgets it, beat sends it half a minute later. The public
    schema has no agenda: there the broker alone counts.
    """
    if current_schema() == PUBLIC:
        transaction.on_commit(partial(hint, _tasks[kind]))
        return
    plan(kind, timezone.now() + NUDGE)
    transaction.on_commit(partial(_hint_of, current_town(), _tasks[kind]))


def _hint_of(town: Town, task: "AnyTask") -> None:
    """The hint names its town, because the commit may happen outside the town (when it is opened)."""
    with tenant_context(town):
        hint(task)


@contextmanager
def gathered() -> Iterator[None]:
    """Send the hints of the block at its end, each once: settling a hundred payments sends one hint.

    For one town. If the process dies inside, the agenda's row is enough.
    """
    waiting: dict[str, AnyTask] = {}
    token = _gathering.set(waiting)
    try:
        yield
    finally:
        _gathering.reset(token)
        for task in waiting.values():
            hint(task)


def hint(task: "AnyTask", *args: object) -> None:
    """Send the task to the worker. Ignore a broker that does not answer: a row says what is due."""
    waiting = _gathering.get()
    if waiting is not None and not args:
        waiting[task.name] = task
        return
    try:
        task.apply_async(args, retry=False)
    except OperationalError:
        log.warning("the broker cannot be reached; the agenda will start the task", exc_info=True)


def run(limit: int = 500) -> int:
    """Start the task of every item due, at most `limit` per database; return how many. Beat calls it.

    An item is moved `RETRY` into the future instead of deleted: the task deletes or re-plans it when
    it has looked (`finish`), so a task that died starts again. Items of a town that is not served are frozen
    until `release`; a town that waits for a migration is looked at again later.
    """
    started = 0
    for shard in shard_aliases():
        try:
            started += _run_at(shard, limit)
        except (Silent, InterfaceError) as error:  # its towns wait; those of the other databases do not
            state = first_sqlstate(error)
            log.error("the agenda of the database %s waits: %s %s", shard, type(error).__name__, state)
    return started


def _run_at(shard: str, limit: int) -> int:
    present = timezone.now()
    with in_shard(shard):
        due = list(AgendaItem.objects.filter(due_at__lte=present).order_by("due_at")[:limit])
        if not due:
            return 0
        with registry():
            known = Town.objects.in_bulk({item.town_id for item in due})
        strays = [item for item in due if item.town_id in known and known[item.town_id].shard != shard]
        due = [item for item in due if item not in strays]
        towns = {pk: town for pk, town in known.items() if town.is_served and town.read_only_since is None}
        ready = {pk for pk, town in towns.items() if can_serve(town)}
        later = {True: RETRY, False: FROZEN}
        with transaction.atomic():
            mine = _lock_due(item.pk for item in due)
            due = [item for item in due if item.pk in mine]
            for wait in (RETRY, FROZEN):
                rows = [item.pk for item in due if later[item.town_id in towns] == wait]
                if rows:
                    AgendaItem.objects.filter(pk__in=rows).update(due_at=present + wait)
    for item in strays:
        _send_to_shard(item, known[item.town_id].shard, found_at=shard)
    started = [item for item in due if item.town_id in ready and item.kind in _tasks]
    for item in started:
        with tenant_context(towns[item.town_id]):
            hint(_tasks[item.kind])
    return len(started)


def _lock_due(rows: Iterable[int]) -> set[int]:
    """Lock the items that nobody is planning or finishing now; the others come back later."""
    found = AgendaItem.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=list(rows))
    return set(found.values_list("pk", flat=True))


def _send_to_shard(item: AgendaItem, shard: str, *, found_at: str) -> None:
    """Copy an item to the town's database: a request longer than the move planned it in the old one."""
    with in_shard(shard):
        _plan(item.town_id, item.kind, item.due_at)
    with in_shard(found_at):
        AgendaItem.objects.filter(pk=item.pk).delete()


def release(town: Town) -> None:
    """Make the frozen items of the town due now."""
    with in_shard(town.shard), transaction.atomic():
        frozen = AgendaItem.objects.filter(town_id=town.pk, due_at__gt=timezone.now())
        list(
            frozen.select_for_update(no_key=True).order_by("town_id", "kind").values_list("pk")
        )  # as `_write` does
        frozen.update(due_at=timezone.now())


def finish(kind: str, next_due: Callable[[], datetime | None]) -> None:
    """End a task of `kind`: plan its item at `next_due()`, or delete it when that is None.

    `next_due` runs while the item is locked. A transaction that plans at the same time has either committed, and
    is seen, or waits and plans after us. So no plan is lost.
    """
    town = current_town()
    with transaction.atomic(), connection.cursor() as cursor:
        where = "WHERE town_id = %s AND kind = %s"
        cursor.execute(f"SELECT 1 FROM public.tenants_agendaitem {where} FOR UPDATE", [town.pk, kind])  # noqa: S608
        due_at = next_due()
        if due_at is None:
            cursor.execute(f"DELETE FROM public.tenants_agendaitem {where}", [town.pk, kind])  # noqa: S608
        else:
            cursor.execute(
                f"UPDATE public.tenants_agendaitem SET due_at = %s {where}",  # noqa: S608
                [due_at, town.pk, kind],
            )
