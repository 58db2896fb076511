"""Liveness and readiness of this process. Details are for the operator (`config.web.inside`)."""

from collections.abc import Callable
from functools import partial

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from config.web.inside import insiders_only
from tenants.current import REGISTRY, in_shard, shard_aliases
from tenants.schema.versions import applied_names, wanted

_seen: set[str] = set()  # versions that the registry is known to have


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"live": True})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when the registry answers and has this code's tables; else 503. Redis is reported, not required:
    without it nothing is counted and the agenda starts the work, so web processes should go on.

    Shards are not checked: when one does not answer, the process still serves the towns of the others.
    """
    state = {"postgresql": _answers(partial(_database, REGISTRY)), "schema": _answers(_schema)}
    status = 200 if all(state.values()) else 503
    return JsonResponse({**state, "redis": _answers(_redis)}, status=status)


@insiders_only
def databases(request: HttpRequest) -> JsonResponse:
    """Each database by its alias, for the operator's monitoring; 503 when one does not answer."""
    state = {shard: _answers(partial(_database, shard)) for shard in shard_aliases()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _answers(probe: Callable[[], None]) -> bool:
    try:
        probe()
    except Exception:
        return False
    return True


def _database(shard: str) -> None:
    with in_shard(shard), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _schema() -> None:
    """Whether all migrations of this code have run in the registry. Once true, it is not asked again."""
    if wanted().version not in _seen:
        with in_shard(REGISTRY):
            missing = set(wanted().names) - applied_names()
        if missing:
            raise LookupError(missing)
        _seen.add(wanted().version)


def _redis() -> None:
    cache.set("healthz", 1, 5)
