"""When the worker last answered beat, which shows that worker, beat and broker are alive."""

import logging
from datetime import UTC, datetime

from django.core.cache import cache
from redis.exceptions import RedisError

KEY = "heartbeat"
log = logging.getLogger(__name__)


def note() -> None:
    """Note the present moment. Call it in the public schema, whose cache keys are the platform's."""
    try:
        cache.set(KEY, datetime.now(UTC).timestamp(), None)
    except RedisError:
        log.warning("the heartbeat was not written: Redis does not answer")


def last() -> datetime | None:
    """The last moment noted; None when unknown. Raises RedisError."""
    at = cache.get(KEY)
    return None if at is None else datetime.fromtimestamp(at, UTC)
