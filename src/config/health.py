"""Is this process alive, and may it be given requests?"""

from collections.abc import Callable
from functools import partial

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from tenants.current import REGISTRY, at, homes


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"live": True})


def ready(request: HttpRequest) -> JsonResponse:
    """The registry and Redis answer too; 503 otherwise, naming the silent part.

    Not the shards: a process goes on serving the towns of the others when one of them is silent.
    """
    return _tell({"postgresql": partial(_database, REGISTRY), "redis": _redis})


def databases(request: HttpRequest) -> JsonResponse:
    """Each home by its alias, for whoever watches; 503 when one is silent, which means towns that are."""
    return _tell({home: partial(_database, home) for home in homes()})


def _tell(probes: dict[str, Callable[[], None]]) -> JsonResponse:
    state = {name: _answers(probe) for name, probe in probes.items()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _answers(probe: Callable[[], None]) -> bool:
    try:
        probe()
    except Exception:
        return False
    return True


def _database(home: str) -> None:
    with at(home), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    cache.set("healthz", 1, 5)
