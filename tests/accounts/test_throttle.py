"""Tries are taken all or none, before the look; a counter always ends; nothing can be read."""

import gc
import inspect
import re

import pytest
from django.core.cache import cache
from django.test import override_settings

from sandbox.home import REPOSITORY
from shared_apps.accounts import errors
from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.throttle import Limit, take
from tenants.models import Town
from tests.throttling import tries_of

FEW = Limit("few", 2)
MANY = Limit("many", 5, seconds=60, success_forgets=True, error=errors.ShutOut)


def seconds_left(limit: Limit, who: str) -> int:
    client = cache._cache.get_client(None)  # type: ignore[attr-defined]
    return int(client.ttl(cache.make_key(throttle._key(limit.kind, who))))


def test_all_or_none(town: Town) -> None:
    for n in (1, 2):
        assert take((FEW, "a"), (MANY, "b")).counts == [n, n]
    with pytest.raises(errors.TooManyTries) as refused:
        take((MANY, "b"), (FEW, "a"))
    assert type(refused.value) is errors.TooManyTries
    assert 0 < refused.value.wait <= FEW.seconds
    assert (tries_of(FEW, "a"), tries_of(MANY, "b")) == (2, 2)


def test_the_limit_that_is_reached_says_so_in_its_own_words(town: Town) -> None:
    for _ in range(MANY.most):
        take((MANY, "a"))
    with pytest.raises(errors.ShutOut):
        take((FEW, "a"), (MANY, "a"))


def test_what_is_raised_stays_counted(town: Town) -> None:
    with pytest.raises(ZeroDivisionError), take((FEW, "a")):
        raise ZeroDivisionError
    assert tries_of(FEW, "a") == 1


def test_a_success_gives_back_its_own_or_forgets_all(town: Town) -> None:
    take((FEW, "a"), (MANY, "a"))
    take((MANY, "a"))
    with take((FEW, "a"), (MANY, "a")) as tries:
        tries.succeed()
    assert (tries_of(FEW, "a"), tries_of(MANY, "a")) == (1, 0)


def test_nothing_was_looked_at(town: Town) -> None:
    take((MANY, "a"))
    with pytest.raises(errors.TooBusy), take((MANY, "a")):
        raise errors.TooBusy
    assert tries_of(MANY, "a") == 1


def test_a_window_begins_with_the_first_and_always_ends(town: Town) -> None:
    take((MANY, "a"))
    client, key = cache._cache.get_client(None), cache.make_key(throttle._key("many", "a"))  # type: ignore[attr-defined]
    client.expire(key, 30)
    take((MANY, "a"))
    assert 0 < seconds_left(MANY, "a") <= 30
    client.persist(key)  # however it came to have no end
    take((MANY, "a"))
    assert 0 < seconds_left(MANY, "a") <= MANY.seconds


def test_given_back_after_its_end(town: Town) -> None:
    """No counter below zero, and none without an end: both would be tries for ever."""
    with take((FEW, "a")) as tries:
        cache.clear()
        tries.succeed()
    assert tries_of(FEW, "a") == 0
    assert seconds_left(FEW, "a") == -2  # absent


def test_redis_is_silent(town: Town) -> None:
    silent = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9",
        }
    }
    with override_settings(CACHES=silent):
        for _ in range(FEW.most + 1):
            with take((FEW, "a")) as tries:
                assert tries.counts == [0]


def test_nobody_can_read_a_counter() -> None:
    """« How many were there » followed by a look is the order that let forty in; so there is no such question."""
    own = {
        name
        for name, each in vars(throttle).items()
        if inspect.isfunction(each) and each.__module__ == throttle.__name__ and not name.startswith("_")
    }
    assert own == {"take", "clear", "first_in", "client_address"}
    for folder in ("shared_apps", "tenant_apps", "tenants", "src"):
        for file in (REPOSITORY / folder).rglob("*.py"):
            if file.name != "throttle.py":
                found = re.findall(
                    r"cache\.(?:incr|decr|get_or_set)\(|throttle:|throttle\._", file.read_text()
                )
                assert not found, (file, found)


def test_no_two_limits_share_a_counter() -> None:
    """Two doors that counted under one name would shut each other."""
    import config.urls.admin
    import config.urls.town  # noqa: F401 - every door

    limits = {id(each): each for each in gc.get_objects() if type(each) is Limit}.values()
    kinds = [each.kind for each in limits if each not in (FEW, MANY)]
    assert len(kinds) == len(set(kinds)) > 20
