"""Is this process alive, and may it be given requests? What is more is for the operator (`config.web.inside`)."""

from collections.abc import Callable
from functools import partial

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from config.web.inside import insiders_only
from tenants.current import REGISTRY, at, homes
from tenants.schema.versions import applied_names, wanted

_seen: set[str] = set()  # versions that the registry was found to have


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"live": True})


def ready(request: HttpRequest) -> JsonResponse:
    """The registry answers and has the tables that this code wants; 503 otherwise. Redis is told, and is not needed:
    without it nothing is counted and the agenda starts the work, while a platform without a web process serves nobody.

    Not the shards: a process goes on serving the towns of the others when one of them is silent.
    """
    state = {"postgresql": _answers(partial(_database, REGISTRY)), "schema": _answers(_schema)}
    status = 200 if all(state.values()) else 503
    return JsonResponse({**state, "redis": _answers(_redis)}, status=status)


@insiders_only
def databases(request: HttpRequest) -> JsonResponse:
    """Each home by its alias, for the operator's monitoring; 503 when one is silent, which means towns that are."""
    state = {home: _answers(partial(_database, home)) for home in homes()}
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


def _schema() -> None:
    """Every migration of this code has run in the registry. Asked until it is so, then never again in this process."""
    if wanted().version not in _seen:
        with at(REGISTRY):
            missing = set(wanted().names) - applied_names()
        if missing:
            raise LookupError(missing)
        _seen.add(wanted().version)


def _redis() -> None:
    cache.set("healthz", 1, 5)
