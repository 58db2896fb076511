"""Slow down whoever guesses passwords or floods mailboxes, across processes, through Redis.

Keys carry the town through the cache's key function. Addresses are hashed: Redis holds no personal data.
With Redis silent nothing is counted and a warning is logged: a town hall must not close because a counter is down.
"""

import hashlib
import logging

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

WINDOW = 15 * 60
log = logging.getLogger(__name__)


def _key(kind: str, who: str) -> str:
    return f"throttle:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"


def client_address(request: HttpRequest) -> str:
    """The address that is counted: the last one that our own proxy wrote, else the peer's."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return str(forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))


def count(kind: str, who: str, *, seconds: int = WINDOW) -> int:
    """Note one more event for `who` and say how many there were in the window, which the first of them began."""
    key = _key(kind, who)
    try:
        cache.add(key, 0, seconds)
        return int(cache.incr(key))
    except ValueError:  # expired between the two calls
        return 1
    except RedisError:
        log.warning("throttling is off: Redis does not answer")
        return 0


def seen(kind: str, who: str) -> int:
    """How many events for `who` in the window."""
    try:
        return int(cache.get(_key(kind, who), 0))
    except RedisError:
        log.warning("throttling is off: Redis does not answer")
        return 0


def clear(kind: str, who: str) -> None:
    """Forget `who`, after a success."""
    try:
        cache.delete(_key(kind, who))
    except RedisError:
        log.warning("a throttle was not cleared: Redis does not answer")


def first_in(kind: str, who: str, seconds: int) -> bool:
    """True for the first call in `seconds`, and for every call while Redis is silent."""
    try:
        return bool(cache.add(_key(kind, who), 1, seconds))
    except RedisError:
        return True
