"""The fixed form of a figure, and the clock."""

import time
from collections.abc import Callable


def line(name: str, ours: float, beside: float, goal: str, what: str, *, unit: str = "s") -> str:
    """One figure where less is better; the ratio says how many times better ours is."""
    return f"{name} ours={ours:.3f} beside={beside:.3f} unit={unit} ratio={beside / ours:.2f} goal={goal} ({what})"


def timed(act: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
