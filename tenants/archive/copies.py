"""What a copy of a living town must not do again: rooms above register here how they calm what was waiting."""

from collections.abc import Callable

Calm = Callable[[], None]
_listeners: list[Calm] = []


def calm(act: Calm) -> None:
    """`act()` is called inside each copy, once its rows are there: nothing that waited may go out twice."""
    if act not in _listeners:
        _listeners.append(act)


def announce() -> None:
    """The current town is a copy. In the caller's transaction."""
    for act in _listeners:
        act()
