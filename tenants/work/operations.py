"""Long work on a town that somebody asked for: open, rename, move, export, restore, erase.

The row is the truth and the task only a hint: a command performs it in the foreground, the worker
performs it in the background, and the sweep restarts what a kill -9 left RUNNING. So the work of a kind must
check what is done already and go on from there; doing it twice changes nothing.

A room registers the work of a kind in `AppConfig.ready`.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants import facts
from tenants.current import REGISTRY, registry
from tenants.databases import direct
from tenants.errors import Busy, TownError
from tenants.models import LIVE, Operation, OperationState, Town
from tenants.work import agenda

if TYPE_CHECKING:
    from tenants.work.agenda import AnyTask

TRIES = 5
AGAIN = timedelta(minutes=1)  # times the number of tries, after a temporary failure
SILENCE = timedelta(seconds=30)  # without a sign of life: the sweep then checks whether it died
_LOCK_CLASS = 0x4D46  # of our advisory locks, beside the operation's key
log = logging.getLogger(__name__)


class Progress:
    """The progress of the work, stored for the console; `watch` receives it too (a command's screen)."""

    def __init__(self, operation: Operation, watch: Callable[[Operation], None]) -> None:
        self._operation, self._watch = operation, watch

    def step(self, words: str, done: int = 0, total: int = 0) -> None:
        """Report « Copie des lignes », 3 of 40, in French, for the operator. Not inside the work's transaction."""
        self._operation.step, self._operation.done, self._operation.total = words[:120], done, total
        self._operation.due_at = timezone.now() + SILENCE
        with registry():
            self._operation.save(update_fields=["step", "done", "total", "due_at"])
        self._watch(self._operation)


# The work may fill `operation.result` (JSON values), and raises TownError for a final refusal.
Work = Callable[[Operation, Progress], Mapping[str, Any] | None]
_works: dict[str, Work] = {}
_task: "list[AnyTask]" = []


def register(kind: str, work: Work) -> None:
    """Register `work(operation, progress)`, which does an operation of `kind` and returns its result."""
    _works[kind] = work


def knows(kind: str) -> bool:
    """Whether a room has registered that kind of work; otherwise it is not offered."""
    return kind in _works


def perform_with(task: "AnyTask") -> None:
    """Set the Celery task that calls `perform`; `tasks`, which imports this module, calls it."""
    _task[:] = [task]


def request(
    *, kind: str, subject: str, actor: facts.Actor, arguments: Mapping[str, Any], town: Town | None = None
) -> Operation:
    """Ask for an operation on the town whose slug is `subject`; the worker starts it on commit.

    Raises Busy while another operation on that slug is waiting or running.
    """
    operation = _ask(kind, subject, actor, arguments, town, due_at=timezone.now())
    with registry():
        _start(operation.pk)
    return operation


def _ask(
    kind: str,
    subject: str,
    actor: facts.Actor,
    arguments: Mapping[str, Any],
    town: Town | None,
    due_at: datetime,
) -> Operation:
    with registry():
        try:
            with transaction.atomic():
                return Operation.objects.create(
                    kind=kind,
                    subject=subject,
                    town=town,
                    arguments=dict(arguments),
                    requested_by=actor if isinstance(actor, str) else actor.audit_name,
                    due_at=due_at,
                )
        except IntegrityError:
            raise Busy(
                f"Une opération sur « {subject} » est déjà en cours : attendez qu'elle finisse."
            ) from None


def retry(operation: Operation) -> None:
    """Try a failed operation again from where it stopped. Raises Busy. Does nothing to one that has not failed."""
    with registry():
        try:
            with transaction.atomic():
                found = Operation.objects.filter(pk=operation.pk, state=OperationState.FAILED).update(
                    state=OperationState.WAITING, attempts=0, due_at=timezone.now(), finished_at=None
                )
        except IntegrityError:
            raise Busy(
                "Une autre opération sur cette commune est en cours : attendez qu'elle finisse."
            ) from None
        if found:
            _start(operation.pk)


def perform(
    pk: int,
    *,
    watch: Callable[[Operation], None] = lambda operation: None,
    at_once: bool = False,
    arguments: Mapping[str, Any] | None = None,
) -> Operation:
    """Do it, unless it is done, not due yet (ignored with `at_once`), or being done elsewhere.

    `arguments` replace those it was asked with, once no other process works on it.
    Never raises for the work's own failure.
    """
    with registry(), _alone(pk) as alone:
        operation = Operation.objects.select_related("town").get(pk=pk)
        if alone and operation.state in LIVE and (at_once or operation.due_at <= timezone.now()):
            if arguments is not None:
                operation.arguments = dict(arguments)
                operation.save(update_fields=["arguments"])
            _perform(operation, Progress(operation, watch))
    return operation


def run(
    *,
    kind: str,
    subject: str,
    actor: facts.Actor,
    arguments: Mapping[str, Any],
    town: Town | None = None,
    watch: Callable[[Operation], None] = lambda operation: None,
) -> Operation:
    """Request the operation and do it in the foreground, or go on with one of the same kind that a kill left.

    Raises TownError with the sentence of its failure, and Busy when another operation is live.
    """
    with registry():
        operation = Operation.objects.filter(subject=subject, kind=kind, state__in=LIVE).first()
        if operation is None:
            due_at = timezone.now() + SILENCE  # the worker waits that long before it takes over
            operation = _ask(kind, subject, actor, arguments, town, due_at)
    done = perform(operation.pk, watch=watch, at_once=True, arguments=arguments)
    if done.state in LIVE:
        raise Busy(done.error or f"Une opération sur « {subject} » est en cours : {done.step or done.kind}.")
    if done.state == OperationState.FAILED:
        raise TownError(done.error)
    return done


def sweep() -> int:
    """Start what waits or was left by a kill -9. Beat calls it; one query when there is nothing."""
    with registry():
        due = list(
            Operation.objects.filter(state__in=LIVE, due_at__lte=timezone.now()).values_list("pk", flat=True)
        )
        for pk in due:
            _start(pk)
    return len(due)


def live_on(town: Town) -> Operation | None:
    """The operation that is waiting or running on that town."""
    with registry():
        return Operation.objects.filter(subject=town.slug, state__in=LIVE).first()


def _start(pk: int) -> None:
    if _task:
        transaction.on_commit(partial(agenda.hint, _task[0], pk))


def _perform(operation: Operation, progress: Progress) -> None:
    operation.state, operation.due_at = OperationState.RUNNING, timezone.now() + SILENCE
    operation.attempts += 1
    operation.save(update_fields=["state", "due_at", "attempts"])
    try:
        result = _works[operation.kind](operation, progress)
    except TownError as error:
        _end(operation, OperationState.FAILED, str(error))
    except Exception as error:
        log.exception("operation %s (%s) on %s failed", operation.pk, operation.kind, operation.subject)
        place = traceback.extract_tb(error.__traceback__)[-1]
        words = f"Panne inattendue ({type(error).__name__}, {place.name}) à l'étape « {operation.step} »."
        if operation.attempts >= TRIES:
            _end(operation, OperationState.FAILED, words)
        else:
            operation.state, operation.error = OperationState.WAITING, words
            operation.due_at = timezone.now() + AGAIN * operation.attempts
            operation.save(update_fields=["state", "error", "due_at"])
    else:
        operation.result = dict(result or {})
        _end(operation, OperationState.DONE, "")


def _end(operation: Operation, state: OperationState, error: str) -> None:
    operation.state, operation.error, operation.finished_at = state, error, timezone.now()
    operation.save(update_fields=["state", "error", "finished_at", "result"])


@contextmanager
def _alone(pk: int) -> Iterator[bool]:
    """Try to take a lock that the server releases when this process dies; True when we have it.

    The lock has its own connection: the work's may switch databases, or be closed.
    """
    with direct.open_to(REGISTRY) as server:
        row = server.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, pk]).fetchone()
        yield bool(row and row[0])
