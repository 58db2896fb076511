"""What happens to a town, told to whoever keeps the trail: the audit registers itself here from above."""

from collections.abc import Callable, Mapping
from typing import Any

from tenants.models import Town

Actor = Any  # whatever the trail takes for an actor
SYSTEM = "system"
Recorder = Callable[..., object]
_recorders: list[Recorder] = []


def listen(recorder: Recorder) -> None:
    """`recorder(verb, actor=…, obj=…, old=…, new=…)` is called inside the transaction of each fact."""
    if recorder not in _recorders:
        _recorders.append(recorder)


def record(
    verb: str,
    *,
    town: Town,
    actor: Actor,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
) -> None:
    """Tell it, in the public schema and in the caller's transaction. JSON values only."""
    for recorder in _recorders:
        recorder(verb, actor=actor, obj=f"town:{town.uuid}", old=old, new={"slug": town.slug, **(new or {})})
