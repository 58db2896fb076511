"""What the throttle has counted, and limits that a test reaches at once."""

from dataclasses import replace

from django.core.cache import cache

from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.throttle import Limit


def tries_of(limit: Limit, who: str) -> int:
    """How many tries are taken in the current town."""
    return int(cache.get(throttle._key(limit.kind, who), 0))


def at_most(limit: Limit, most: int) -> Limit:
    """The same limit, lower."""
    return replace(limit, most=most)
