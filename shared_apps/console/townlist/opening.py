"""The operation « open-list »: open each town of a list, a few at a time.

Each town is an operation of its own (`console.opening`), so a town that a kill -9 left half open goes on by itself,
and the list goes on with what is missing. Opening the same list again changes nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from typing import Any

from django.db import connection

from shared_apps.audit import services as audit
from shared_apps.console import opening
from shared_apps.console.opening import NewTown
from shared_apps.console.townlist.outcomes import Outcome, What, counts_of, expected, of_line, of_problems
from shared_apps.console.townlist.reading import Line, Problem
from tenants.current import registry
from tenants.errors import Busy, TownError
from tenants.models import LIVE, Operation, OperationState, Town
from tenants.states import TownState
from tenants.work import operations
from tenants.work.operations import Progress

KIND = "open-list"
SUBJECT = "liste de communes"  # no slug: two lists wait for each other
AT_ONCE, MOST_AT_ONCE = 2, 8
PATIENCE = 60.0  # seconds that the end of the list waits for towns that another process is opening
STEP = "Ouverture des communes"


def request_list(*, actor: audit.Actor, lines: Sequence[Line], problems: Iterable[Problem] = ()) -> Operation:
    """Ask the worker to open the list. `problems` are the lines left out, for the report. Raises Busy."""
    return operations.request(
        kind=KIND, subject=SUBJECT, actor=actor, arguments=_arguments(lines, problems, AT_ONCE)
    )


def open_list_now(
    *,
    actor: audit.Actor,
    lines: Sequence[Line],
    problems: Iterable[Problem] = (),
    at_once: int = AT_ONCE,
    watch: Callable[[Operation], None] = lambda operation: None,
) -> Operation:
    """Open the list in the foreground, `at_once` towns at a time; go on with the same list after an interruption.

    Raises TownError; Busy while another list is waiting or being opened.
    """
    arguments = _arguments(lines, problems, at_once)
    with registry():
        left = Operation.objects.filter(subject=SUBJECT, state__in=LIVE).first()
    if left is not None and {**left.arguments, "at_once": arguments["at_once"]} != arguments:
        raise Busy("Une autre liste de communes est en cours d'ouverture : attendez qu'elle finisse.")
    return operations.run(kind=KIND, subject=SUBJECT, actor=actor, arguments=arguments, watch=watch)


def outcomes_of(operation: Operation) -> list[Outcome]:
    """What became of each line of a list that has ended, in the order of the file."""
    return [Outcome(*row) for row in operation.result.get("towns", [])]


def _arguments(lines: Sequence[Line], problems: Iterable[Problem], at_once: int) -> dict[str, Any]:
    return {
        "lines": [[line.number, line.new.slug, line.new.arguments] for line in lines],
        "refused": [[*asdict(outcome).values()] for outcome in of_problems(problems)],
        "at_once": min(max(at_once, 1), MOST_AT_ONCE),
    }


def work(operation: Operation, progress: Progress) -> Mapping[str, Any]:
    """Open each town that the registry does not refuse. A line that fails does not stop the others."""
    asked = operation.arguments
    lines = [Line(number, NewTown(slug=slug, **details)) for number, slug, details in asked["lines"]]
    before = {outcome.number: outcome for outcome in expected(lines)}
    wanted = [line for line in lines if before[line.number].what == What.NEW]
    found = {number: outcome for number, outcome in before.items() if outcome.what != What.NEW}
    progress.step(STEP, 0, len(wanted))
    for done, outcome in enumerate(_opened(wanted, operation, asked["at_once"]), 1):
        found[outcome.number] = outcome
        progress.step(f"{STEP} : {outcome.name}"[:120], done, len(wanted))
    _wait_for_others([line for line in wanted if found[line.number].what == What.WAITING], found, progress)
    ours = _opened_since(operation, lines)
    for number, outcome in found.items():
        if outcome.what == What.THERE and outcome.slug in ours:  # opened before an interruption of this list
            found[number] = Outcome(number, outcome.slug, outcome.name, What.OPENED.value)
    every = sorted(
        [*found.values(), *(Outcome(*row) for row in asked["refused"])], key=lambda outcome: outcome.number
    )
    return {**counts_of(every), "towns": [[*asdict(outcome).values()] for outcome in every]}


def _opened(lines: Sequence[Line], operation: Operation, at_once: int) -> Iterator[Outcome]:
    """Open them, `at_once` at a time, and yield what became of each as it ends."""
    actor = operation.requested_by
    if at_once == 1:
        yield from (_open(line, actor) for line in lines)
        return
    pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="open")
    try:
        for future in as_completed([pool.submit(_open_in_thread, line, actor) for line in lines]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _open_in_thread(line: Line, actor: str) -> Outcome:
    """A thread has its own connection, which grows with each schema that it copies: it is closed after each."""
    try:
        return _open(line, actor)
    finally:
        connection.close()


def _open(line: Line, actor: str) -> Outcome:
    try:
        opening.open_now(actor=actor, new=line.new)
    except Busy as error:
        return of_line(line, What.WAITING, f"{error} La plateforme la termine d'elle-même.")
    except TownError as error:
        return of_line(line, What.REFUSED, str(error))
    return of_line(line, What.OPENED)


def _wait_for_others(lines: Sequence[Line], found: dict[int, Outcome], progress: Progress) -> None:
    """Towns that another process was opening are opened, or not, after a moment."""
    until = time.monotonic() + PATIENCE
    waiting = list(lines)
    while waiting and time.monotonic() < until:
        with registry():
            slugs = [line.new.slug for line in waiting]
            opened = set(
                Town.objects.filter(slug__in=slugs)
                .exclude(state=TownState.OPENING)
                .values_list("slug", flat=True)
            )
            live = set(
                Operation.objects.filter(
                    kind=opening.KIND, subject__in=slugs, state=OperationState.RUNNING
                ).values_list("subject", flat=True)
            )
        for line in waiting:
            if line.new.slug in opened:
                found[line.number] = of_line(line, What.OPENED)
        waiting = [line for line in waiting if line.new.slug in live - opened]
        if waiting:
            progress.step("Attente de communes qu'un autre processus ouvre", 0, len(waiting))
            time.sleep(1)


def _opened_since(operation: Operation, lines: Sequence[Line]) -> set[str]:
    """The slugs of the lines that were opened after the list was asked for."""
    with registry():
        return set(
            Operation.objects.filter(
                kind=opening.KIND,
                state=OperationState.DONE,
                pk__gt=operation.pk,
                subject__in=[line.new.slug for line in lines],
            ).values_list("subject", flat=True)
        )
