"""A copy must not repeat what the living town will do: each room registers here how it cancels waiting work."""

from collections.abc import Callable

Calm = Callable[[], None]
_listeners: list[Calm] = []


def calm(act: Calm) -> None:
    """Register `act()`. It runs inside each copy once its rows are there, so that no message leaves twice."""
    if act not in _listeners:
        _listeners.append(act)


def announce() -> None:
    """Run all registered acts in the current town, which is a copy. Uses the caller's transaction."""
    for act in _listeners:
        act()
