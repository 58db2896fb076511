"""How passwords are hashed, and how many at once (decision 43).

A hash is costly on purpose, and anybody can cause one by trying to sign in. So a process makes
one at a time, for sign-ins, new passwords, commands and tasks alike. Others wait for their turn, but not
for long.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.contrib.auth.hashers import Argon2PasswordHasher

from shared_apps.accounts.errors import TooBusy

PATIENCE = 5.0  # seconds to wait for a turn; a hash takes some hundredths
_turn = threading.Semaphore(1)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


class PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the first parameters that OWASP recommends: 19 MiB, two passes, one lane.

    Raises TooBusy when no turn came. A hash with other parameters is checked with them, and made again at the next
    sign-in (accounts.backends).
    """

    memory_cost = 19_456  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _one_at_a_time():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _one_at_a_time():
            return super().verify(password, encoded)


def _return_memory_at_once() -> None:
    """Make glibc return a hash's 19 MiB to the system. By default each thread keeps them: freed blocks are later taken
    from the thread's own heap, which is never returned. A fixed threshold (4 MiB) prevents that; the other
    number is glibc's matching trim threshold. Other C libraries need nothing."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 4 << 20)
        mallopt(_TRIM_THRESHOLD, 8 << 20)


_return_memory_at_once()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _turn.acquire(timeout=PATIENCE):
        raise TooBusy
    try:
        yield
    finally:
        _turn.release()
