"""What the platform says about itself, cached by each process."""

import time
from threading import Lock

from django.db import DatabaseError
from django.http import HttpRequest

from shared_apps.console.models import Platform
from tenants.current import registry

SECONDS = 30  # how long another process may show old values
_lock = Lock()
_kept: list[tuple[float, Platform]] = []


def current() -> Platform:
    """The platform's settings. Never raises, because error pages show them too."""
    present = time.monotonic()
    with _lock:
        if _kept and _kept[0][0] > present:
            return _kept[0][1]
    try:
        with registry():
            found = Platform.objects.filter(pk=1).first() or Platform()
    except DatabaseError:  # also: a transaction is open on another shard
        return Platform()
    with _lock:
        _kept[:] = [(present + SECONDS, found)]
    return found


def shown_name(request: HttpRequest) -> str:
    """The platform's name, for unfold's frame."""
    return current().name


def forget() -> None:
    """Empty this process's cache, after a change."""
    with _lock:
        _kept.clear()
