"""How passwords are hashed, and how many at once (decision 43).

A hash costs memory and a processor on purpose, and anybody may ask for one by trying to sign in. So a process makes
one at a time, whoever asks: signing in, choosing a password, a command, a task. The others wait for their turn, not
for long.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.contrib.auth.hashers import Argon2PasswordHasher

from shared_apps.accounts.errors import TooBusy

PATIENCE = 5.0  # seconds to wait for one's turn; a hash takes some hundredths of one
_turn = threading.Semaphore(1)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h


class PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the first parameters of OWASP's Password Storage advice: 19 MiB, two passes, one lane.

    Raises TooBusy when no turn came. A hash of other parameters is checked with its own, and made again at the next
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
    """glibc would keep the 19 MiB of a hash in each thread that ever made one: blocks that it has seen freed are taken
    from the thread's own heap next time, which is not given back. A fixed threshold (4 MiB) stops that; the other
    number is what glibc would trim at beside it. Elsewhere than on glibc there is nothing to set."""
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
