"""Slow down whoever guesses passwords or floods mailboxes, across processes, through Redis (decision 43).

A door takes its try **before** it looks, so a hundred guesses at once are a hundred guesses. There is no way to ask
how many there were: a look that is counted afterwards cannot be written.

    with throttle.take((ACCOUNT, email), (ADDRESS, ip)) as tries:  # raises TooManyTries
        look()                                                     # whatever is raised here stays counted
        tries.succeed()                                            # gives back what a success gives back

Where every call counts (messages sent, links asked for), `take` stands alone.

Keys carry the town through the cache's key function. Names are hashed: Redis holds no personal data.
With Redis silent nothing is counted and a warning is logged: a town hall must not close because a counter is down.
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

# KEYS; ARGV: most, seconds of each. → how many there are of each with this one; or, when one of them is full and
# nothing is taken, {-its place, seconds until it is free}.
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
# KEYS; ARGV: what to do with each. A key that has expired meanwhile is left alone.
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
    """At most `most` tries of a kind by one name in `seconds`, which the first of them begins.

    A success gives its own try back, or forgets all of them. `error` is raised when there are too many.
    """

    kind: str
    most: int
    seconds: int = WINDOW
    success_forgets: bool = False
    error: type[errors.TooManyTries] = errors.TooManyTries


Taken = tuple[Limit, str]  # a limit, and who is counted


@dataclass
class Tries:
    """One try that was taken of each limit. `counts`: how many there are with it; zeros while Redis is silent."""

    taken: tuple[Taken, ...]
    counts: list[int]
    _fate: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._fate = ["keep"] * len(self.taken)

    def succeed(self) -> None:
        """It was right: the try is given back, or all of them are forgotten, as each limit says."""
        self._fate = ["forget" if limit.success_forgets else "back" for limit, _who in self.taken]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """One call to Redis whatever came of it: a clock tells nobody whether the guess was right."""
        if isinstance(error, errors.TooBusy):  # nothing was looked at
            self._fate = ["back"] * len(self.taken)
        _settle(self.taken, self._fate)


def take(*wanted: Taken) -> Tries:
    """Take one try of each, all or none, at once. Raises the `error` of the limit that is reached (TooManyTries)."""
    numbers = [number for limit, _who in wanted for number in (limit.most, limit.seconds)]
    found = _run(_TAKE, wanted, numbers)
    if found is None:
        return Tries(wanted, [0] * len(wanted))
    if found[0] < 0:
        limit, _who = wanted[-found[0] - 1]
        _settle(wanted, ["keep"] * len(wanted))  # a refusal costs as much as a look
        raise limit.error(wait=found[1])
    return Tries(wanted, found)


def clear(limit: Limit, who: str) -> None:
    """Forget the tries of `who`, who has proven otherwise to be the right person."""
    _settle(((limit, who),), ["forget"])


def first_in(kind: str, who: str, seconds: int) -> bool:
    """True for the first call in `seconds`, and for every call while Redis is silent."""
    try:
        return bool(cache.add(_key(kind, who), 1, seconds))
    except RedisError:
        return True


def client_address(request: HttpRequest) -> str:
    """The address that is counted: the last one that our own proxy wrote, else the peer's."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return str(forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))


def _key(kind: str, who: str) -> str:
    return f"throttle:{kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"


def _settle(taken: tuple[Taken, ...], fate: list[str]) -> None:
    _run(_SETTLE, taken, fate)


def _run(script: str, taken: tuple[Taken, ...], arguments: list[Any]) -> Any:
    """What the script answers, run on the keys of `taken`; None while Redis is silent."""
    keys = [cache.make_key(_key(limit.kind, who)) for limit, who in taken]
    try:
        # A script: Django's own `incr` looks, then adds, and may leave a counter that never ends.
        client = cache._cache.get_client(None, write=True)  # type: ignore[attr-defined]
        return client.eval(script, len(keys), *keys, *arguments)
    except RedisError:
        log.warning("throttling is off: Redis does not answer")
        return None
