"""Several people at the same instant, on real connections."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django_tenants.utils import tenant_context

from tenants.models import Town

SEATS = 16  # in a crowd


def at_once(town: Town, *acts: Callable[[], Any]) -> list[BaseException]:
    """Each act in a thread with its own connection, all let go together; what they raised."""
    barrier = threading.Barrier(len(acts))
    raised: list[BaseException] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            _together(town, barrier, act, raised)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "an act never ended"
    return raised


@contextmanager
def crowd(town: Town) -> Iterator[Callable[..., list[BaseException]]]:
    """`at_once` for round after round: threads that keep their connections, as a server's do, to the end of the block.

    Opening a dozen a round costs more than what is done over them.
    """
    with ThreadPoolExecutor(SEATS) as seats:

        def go(*acts: Callable[[], Any]) -> list[BaseException]:
            assert len(acts) <= SEATS
            barrier = threading.Barrier(len(acts))
            raised: list[BaseException] = []
            for going in [seats.submit(_together, town, barrier, act, raised) for act in acts]:
                going.result(120)
            return raised

        try:
            yield go
        finally:
            everybody = threading.Barrier(SEATS)
            for leaving in [seats.submit(_leave, everybody) for _ in range(SEATS)]:
                leaving.result(120)


def _together(
    town: Town, barrier: threading.Barrier, act: Callable[[], Any], raised: list[BaseException]
) -> None:
    try:
        with tenant_context(town):
            barrier.wait(60)
            act()
    except BaseException as error:
        raised.append(error)


def _leave(everybody: threading.Barrier) -> None:
    everybody.wait(60)  # so that each thread comes here once
    connection.close()
