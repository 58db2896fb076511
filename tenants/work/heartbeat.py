"""When the worker last did what beat asks: both are alive, and the broker between them."""

import logging
from datetime import UTC, datetime

from django.core.cache import cache
from redis.exceptions import RedisError

KEY = "heartbeat"
log = logging.getLogger(__name__)


def note() -> None:
    """Now. In the public schema, whose keys are the platform's."""
    try:
        cache.set(KEY, datetime.now(UTC).timestamp(), None)
    except RedisError:
        log.warning("the heartbeat was not written: Redis does not answer")


def last() -> datetime | None:
    """When; None when it is not known. Raises RedisError."""
    at = cache.get(KEY)
    return None if at is None else datetime.fromtimestamp(at, UTC)
