"""Slow down whoever guesses passwords or floods mailboxes, across processes, through Redis.

Keys carry the town through the cache's key function. Addresses are hashed: Redis holds no personal data.
"""

import hashlib

from django.core.cache import cache

WINDOW = 15 * 60


def _key(kind: str, who: str) -> str:
    return f"throttle:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"


def count(kind: str, who: str) -> int:
    """Note one more event for `who` and say how many there were in the window."""
    key = _key(kind, who)
    cache.add(key, 0, WINDOW)
    try:
        return int(cache.incr(key))
    except ValueError:  # expired between the two calls
        cache.set(key, 1, WINDOW)
        return 1


def seen(kind: str, who: str) -> int:
    """How many events for `who` in the window."""
    return int(cache.get(_key(kind, who), 0))


def clear(kind: str, who: str) -> None:
    """Forget `who`, after a success."""
    cache.delete(_key(kind, who))
