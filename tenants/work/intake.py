"""Files that wait for the worker: one at a time under the town's worker lock, three attempts, and never in a loop.

A room keeps its own rows and says in an `Intake` which of them wait, how one is worked on and how one is given up.
Its model has `attempts`, `next_try_at` and `beat_at`, and `step`, `done` and `total` for what `show` and `beat` say.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from tenants.databases.postgresql.limits import cancelling
from tenants.work import agenda
from tenants.work.worker_lock import held
from toolkit.files.storage import StorageSilent

if TYPE_CHECKING:  # Celery's Task is generic for the type checker only
    from celery import Task

M = TypeVar("M", bound=Model)
log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
AGAIN = timedelta(seconds=20)  # between a failure that may pass and the next attempt
LOOK_AGAIN = timedelta(seconds=20)  # while something waits


@dataclass(frozen=True)
class Sentences:
    """Why a file was given up, for its page (gettext_noop)."""

    gone: str  # from the storage
    killed: str  # its worker died each time
    stopped: str  # on an error each time
    too_long: str = ""  # for the task's time limit; empty: the next task goes on where this one was


def _never() -> None:
    return None


@dataclass(frozen=True)
class Intake(Generic[M]):
    """One kind of files that wait. `lock` names what one worker at a time may hold; `work` and `fail` do the rest."""

    kind: str  # in the agenda
    waiting: Callable[[], QuerySet[M]]
    lock: Callable[[M], str]
    work: Callable[[M], object]
    fail: Callable[[M, str], object]
    sentences: Sentences
    later: Callable[[], datetime | None] = _never  # when something else begins to wait; None: nothing does

    def process_next(self) -> bool:
        """Bring the next file that waits as far as it can go; False when none waits that no other worker holds.

        One that was begun and not ended comes after the others: it holds nobody up.
        """
        due = Q(next_try_at=None) | Q(next_try_at__lte=timezone.now())
        for row in self.waiting().filter(due).order_by("attempts", "id"):
            with held(self.lock(row)) as mine:
                if mine and self.attempt(row):
                    return True
        return False

    def attempt(self, row: M) -> bool:
        """Try a file whose lock the caller holds; what stops it ends with a sentence on its page.

        False when it must wait: it was ended meanwhile, an error may pass, or the storage is silent, which is no fault
        of the file.
        """
        row.refresh_from_db()
        if not self._waits(row):
            return False
        if _attempts(row) >= MOST_ATTEMPTS:
            self.fail(row, self.sentences.killed)
            return True
        _update(row, attempts=F("attempts") + 1, beat_at=timezone.now(), next_try_at=None)
        row.refresh_from_db()
        about = {"kind": self.kind, "file": str(row.pk)}
        try:
            with cancelling(SoftTimeLimitExceeded):
                self.work(row)
        except StorageSilent:
            log.warning("the storage is silent; a file waits", extra=about, exc_info=True)
            # Not below zero: a file that has made progress since has begun to count anew.
            uncounted = Greatest(F("attempts") - 1, Value(0))
            _update(row, attempts=uncounted, next_try_at=timezone.now() + AGAIN)
            return False
        except FileNotFoundError:
            self.fail(row, self.sentences.gone)
        except Exception as error:
            if isinstance(error, SoftTimeLimitExceeded) and self.sentences.too_long:
                self.fail(row, self.sentences.too_long)
                return True
            log.exception("a file could not be processed", extra=about)
            self._stopped(row)
            return False
        return True

    def until_done(self, row: M, *, seconds: float) -> M:
        """Bring `row` to a state that waits for a person, here or in the worker that holds it; for a command.

        Gives up after `seconds`: the file still waits then.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # Under the lock, because a worker leaves a state that waits for a person and goes on to publish.
            with held(self.lock(row)) as mine:
                done = mine and self._waits(row) and self.attempt(row)
                if mine and not self._waits(row):
                    break
            if not done:
                time.sleep(0.2)
        row.refresh_from_db()
        return row

    def run(self, task: "Task[..., object]", process_next: Callable[[], bool]) -> None:
        """The body of the worker's task: one file, then another task does the next.

        One a task: the time it may take is its own, and the next goes on.
        """
        more = process_next()
        agenda.finish(
            self.kind, lambda: timezone.now() + LOOK_AGAIN if self.waiting().exists() else self.later()
        )
        if more and self.waiting().exists():
            agenda.hint(task)

    def _waits(self, row: M) -> bool:
        return self.waiting().filter(pk=row.pk).exists()

    def _stopped(self, row: M) -> None:
        row.refresh_from_db()
        if _attempts(row) >= MOST_ATTEMPTS and self._waits(row):
            self.fail(row, self.sentences.stopped)
        else:
            _update(row, next_try_at=timezone.now() + AGAIN)


def show(row: Model, step: str, **values: Any) -> None:
    """A new step of the work on a file, for its page, with what `beat` may write besides."""
    beat(row, step=step, done=0, **values)


def beat(row: Model, **values: Any) -> None:
    """A sign of life, and how far it is. Only these columns are written."""
    values["beat_at"] = timezone.now()
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def _attempts(row: Model) -> int:
    return int(row.attempts)  # type: ignore[attr-defined]


def _update(row: Model, **values: Any) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**values)
