"""Report the progress of a long copy without writing it every time."""

import time

from tenants.work.operations import Progress

EVERY = 0.5  # seconds


class Teller:
    """`tell(words, done, total)`: write a new step at once, and its progress at most twice per second."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._words, self._next = progress, "", 0.0

    def __call__(self, words: str, done: int = 0, total: int = 0) -> None:
        if words != self._words or time.monotonic() >= self._next:
            self._words, self._next = words, time.monotonic() + EVERY
            self._progress.step(words, done, total)
