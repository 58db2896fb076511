"""Is this process alive, and may it be given requests?"""

from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from tenants.current import at, homes


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"live": True})


def ready(request: HttpRequest) -> JsonResponse:
    """PostgreSQL and Redis answer too; 503 otherwise, naming the silent part."""
    parts = {"postgresql": _postgresql, "redis": _redis}
    state = {name: _answers(probe) for name, probe in parts.items()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _answers(probe: Callable[[], None]) -> bool:
    try:
        probe()
    except Exception:
        return False
    return True


def _postgresql() -> None:
    """Every home: a shard that is silent means towns that are."""
    for home in homes():
        with at(home), connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def _redis() -> None:
    cache.set("healthz", 1, 5)
