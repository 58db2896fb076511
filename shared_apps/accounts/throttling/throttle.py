"""Slow down password guessing and mail flooding, across processes, through Redis (decision 43).

Take a try **before** the check, so that a hundred simultaneous guesses count as a hundred. One cannot ask
how many tries there were, so nobody can write a check that counts afterwards.

    with throttle.take((ACCOUNT, email), (ADDRESS, ip)) as tries:  # raises TooManyTries
        look()                                                     # whatever is raised here stays counted
        tries.succeed()                                            # gives back what a success gives back

Where every call counts (messages sent, links asked for), use `take` alone.

Keys carry the town through the cache's key function. Names are hashed: Redis holds no personal data.
When Redis does not answer, nothing is counted and a warning is logged: residents can still sign in.
"""

import hashlib
import logging
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from shared_apps.accounts import errors

WINDOW = 15 * 60
UNBOUNDED = 2**31
log = logging.getLogger(__name__)

# KEYS; ARGV: maximum and seconds of each. → the count of each, this try included; or, when one is full and
# none is taken, {-its position, seconds until it is free}.
_TAKE = """
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    return {-i, redis.call('TTL', key)}
  end
end
local counts = {}
for i, key in ipairs(KEYS) do
  counts[i] = redis.call('INCR', key)
  if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, ARGV[2 * i]) end
end
return counts
"""
# KEYS; ARGV: what to do with each. An expired key is left alone.
_SETTLE = """
for i, key in ipairs(KEYS) do
  local count = tonumber(redis.call('GET', key) or '0')
  if ARGV[i] == 'back' and count > 0 then redis.call('DECR', key) end
  if ARGV[i] == 'forget' then redis.call('DEL', key) end
end
return 0
"""


@dataclass(frozen=True)
class Limit:
    """At most `most` tries of a kind per name, within `seconds` of the first one.

    A success returns its own try, or forgets all of them. `error` is raised when there are too many.
    """

    kind: str
    most: int
    seconds: int = WINDOW
    success_forgets: bool = False
    error: type[errors.TooManyTries] = errors.TooManyTries


Taken = tuple[Limit, str]  # a limit, and who is counted


@dataclass
class Tries:
    """One try taken from each limit. `counts`: the counts with it; zeros when Redis does not answer."""

    taken: tuple[Taken, ...]
    counts: list[int]
    _fate: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._fate = ["keep"] * len(self.taken)

    def succeed(self) -> None:
        """The check succeeded: return the try or forget all tries, as each limit says."""
        self._fate = ["forget" if limit.success_forgets else "back" for limit, _who in self.taken]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """One call to Redis in every case: the time taken does not reveal whether the guess was right."""
        if isinstance(error, errors.TooBusy):  # nothing was checked
            self._fate = ["back"] * len(self.taken)
        _settle(self.taken, self._fate)


def take(*wanted: Taken) -> Tries:
    """Take one try from each limit, all or none. Raises the `error` of a full limit (TooManyTries)."""
    numbers = [number for limit, _who in wanted for number in (limit.most, limit.seconds)]
    found = _run(_TAKE, wanted, numbers)
    if found is None:
        return Tries(wanted, [0] * len(wanted))
    if found[0] < 0:
        limit, _who = wanted[-found[0] - 1]
        _settle(wanted, ["keep"] * len(wanted))  # a refusal takes as long as a check
        raise limit.error(wait=found[1])
    return Tries(wanted, found)


def clear(limit: Limit, who: str) -> None:
    """Forget the tries of `who`, who has proven their identity in another way."""
    _settle(((limit, who),), ["forget"])


def first_in(kind: str, who: str, seconds: int) -> bool:
    """True for the first call within `seconds`, and for every call when Redis does not answer."""
    try:
        return bool(cache.add(_key(kind, who), 1, seconds))
    except RedisError:
        return True


def client_address(request: HttpRequest) -> str:
    """The IP address to count: the last one that our own proxy wrote, else the peer's."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return str(forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))


def _key(kind: str, who: str) -> str:
    return f"throttle:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"


def _settle(taken: tuple[Taken, ...], fate: list[str]) -> None:
    _run(_SETTLE, taken, fate)


def _run(script: str, taken: tuple[Taken, ...], arguments: list[Any]) -> Any:
    """Run the script on the keys of `taken`; None when Redis does not answer."""
    keys = [cache.make_key(_key(limit.kind, who)) for limit, who in taken]
    try:
        # A script, because Django's `incr` reads, then adds, and may leave a counter that never expires.
        client = cache._cache.get_client(None, write=True)  # type: ignore[attr-defined]
        return client.eval(script, len(keys), *keys, *arguments)
    except RedisError:
        log.warning("throttling is off: Redis does not answer")
        return None
