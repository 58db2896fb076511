"""The only place that records and announces facts.

A room that must react to a fact of a lower room registers a listener in its `AppConfig.ready` (docs/architecture.md).
So no import goes up.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Protocol

from django.db import transaction

from shared_apps.audit import verbs
from shared_apps.audit.models import AuditEntry

SYSTEM = "system"
TREASURY = "treasury"
EVERY = "*"  # as the verb of a listener: all verbs


class HasAuditName(Protocol):
    """An object that can be an actor."""

    @property
    def audit_name(self) -> str: ...


Actor = HasAuditName | str
Listener = Callable[[AuditEntry], None]
_listeners: defaultdict[str, list[Listener]] = defaultdict(list)


def listen(verb: str, listener: Listener) -> None:
    """Call `listener` for each `verb` (EVERY: all), in the transaction that records it.

    When the listener raises, the fact is undone too.
    """
    if listener not in _listeners[verb]:
        _listeners[verb].append(listener)


def stop_listening(verb: str, listener: Listener) -> None:
    """Undo `listen`."""
    _listeners[verb].remove(listener)


def record(
    verb: str,
    *,
    actor: Actor,
    obj: str = "",
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Record the fact and call its listeners, in the caller's transaction.

    `old` and `new` hold JSON values only, and no secret. Raises TransactionManagementError outside of a transaction
    (the fact and its act must be saved together), and UnknownFact as `verbs.check` does.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(f"{verb} must be recorded in the act's transaction")
    old, new = dict(old or {}), dict(new or {})
    verbs.check(verb, old, new, obj)
    name = actor if isinstance(actor, str) else actor.audit_name
    entry = AuditEntry.objects.create(actor=name, verb=verb, object=obj, old=old, new=new)
    for listener in (*_listeners[verb], *_listeners[EVERY]):
        listener(entry)
    return entry
