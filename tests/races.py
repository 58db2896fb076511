"""Several people at the same instant, on real connections."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection
from django_tenants.utils import tenant_context

from tenants.models import Town


def at_once(town: Town, *acts: Callable[[], Any]) -> list[BaseException]:
    """Each act in a thread with its own connection, all let go together; what they raised."""
    barrier = threading.Barrier(len(acts))
    raised: list[BaseException] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            with tenant_context(town):
                barrier.wait(60)
                act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "an act never ended"
    return raised
