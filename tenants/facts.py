"""What happens to a town, for the trail: `shared_apps.audit` registers itself here."""

from collections.abc import Callable, Mapping
from typing import Any

from tenants.models import Town

Actor = Any  # the trail defines it
SYSTEM = "system"
Recorder = Callable[..., object]
_recorders: list[Recorder] = []


def listen(recorder: Recorder) -> None:
    """Register `recorder(verb, actor=…, obj=…, old=…, new=…)`, which is called inside each fact's transaction."""
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
    """Record a fact in the public schema, in the caller's transaction. JSON values only."""
    for recorder in _recorders:
        recorder(verb, actor=actor, obj=f"town:{town.uuid}", old=old, new={"slug": town.slug, **(new or {})})
