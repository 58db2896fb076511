"""What may be recorded: each verb of the trail with its values and its words, and the kinds of objects; declared once.

A room declares its facts in its module `facts`, which is found automatically. Nothing else is recorded: a test reads
every call. In tests and with DEBUG, an unknown verb or key raises (decision 55).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from shared_apps.audit.models import AuditEntry

SUBMODULE = "facts"
Say = Callable[[Any], str]
log = logging.getLogger(__name__)


class UnknownFact(Exception):
    """A verb or a kind of object that no room declares, or a key that its verb does not have."""


@dataclass(frozen=True)
class Key:
    """One value of a fact, before or after: its label, and how to put its JSON value into words.

    A key without label, such as an id, is for programs and is not shown.
    """

    name: str
    label: "StrPromise | str" = ""
    say: Say = str


@dataclass(frozen=True)
class Fact:
    """One verb. `before` and `after` are the keys of an entry's `old` and `new`; an entry may lack some.

    `more` returns the key for any other name, or None. It is for settings, whose names are the fields of a model.
    """

    verb: str  # "payment.cancelled": never change it
    title: "StrPromise"
    before: tuple[Key, ...] = ()
    after: tuple[Key, ...] = ()
    more: Callable[[str], Key | None] | None = None
    room: str = ""  # the module that declares it; set by `declare`

    def key(self, name: str, *, before: bool) -> Key | None:
        """The key of that name on that side; None when the verb has none."""
        for key in self.before if before else self.after:
            if key.name == name:
                return key
        return self.more(name) if self.more else None


class Change(NamedTuple):
    """One value of an entry in words, before and after; empty when there is none. `label` may not be empty."""

    label: str
    was: str
    now: str
    is_changed: bool  # both sides have it, and they differ


_facts: dict[str, Fact] = {}
_kinds: dict[str, "StrPromise"] = {}
_strict = False


def declare(*facts: Fact, room: str, objects: Mapping[str, "StrPromise"] | None = None) -> None:
    """Declare facts, and the kinds of `objects` that they are about, each with its word: {"invoice": _("facture")}.

    `room` is the calling module. Raises ValueError for a verb or a kind that is declared already.
    """
    for fact in facts:
        if fact.verb in _facts:
            raise ValueError(f"the verb {fact.verb} is declared twice")
        _facts[fact.verb] = Fact(fact.verb, fact.title, fact.before, fact.after, fact.more, room)
    for kind, word in (objects or {}).items():
        if kind in _kinds:
            raise ValueError(f"the kind of object {kind} is declared twice")
        _kinds[kind] = word


def load() -> None:
    """Import the declarations of every room."""
    autodiscover_modules(SUBMODULE)


def every() -> Iterator[Fact]:
    """All facts, sorted by verb."""
    return iter([_facts[verb] for verb in sorted(_facts)])


def find(verb: str) -> Fact | None:
    """The fact of that verb; None when no room declares it (any more)."""
    return _facts.get(verb)


def kinds() -> Mapping[str, "StrPromise"]:
    """Kind of object → its word: « facture »."""
    return dict(_kinds)


def named(obj: str) -> tuple[str, str]:
    """(kind, key) of the object of an entry: ("invoice", "<uuid>"). Of two names it is the last, the person's."""
    kind, _colon, key = obj.rpartition(" as ")[2].partition(":")
    return kind, key


def be_strict() -> None:
    """From now on, `check` raises in this process instead of logging."""
    global _strict
    _strict = True


def check(verb: str, old: Iterable[str], new: Iterable[str], obj: str = "") -> None:
    """Raise UnknownFact when the verb, a key or the kind of the object is not declared.

    In production it is only logged: no act must fail for that.
    """
    fact = find(verb)
    kind, key = named(obj)
    if fact is None:
        wrong = f"the verb {verb} is not declared"
    elif key and kind not in _kinds:
        wrong = f"the kind of object {kind} is not declared"
    else:
        names = [name for name in old if fact.key(name, before=True) is None]
        names += [name for name in new if fact.key(name, before=False) is None]
        if not names:
            return
        wrong = f"the verb {verb} has no {', '.join(names)}"
    if _strict or settings.DEBUG:
        raise UnknownFact(wrong)
    log.error("%s", wrong)


# --- in words -----------------------------------------------------------------------------------


def title(verb: str) -> str:
    """« Règlement annulé », in the reader's language."""
    fact = find(verb)
    return str(fact.title) if fact else verb


def sentence(entry: "AuditEntry", *, who: str = "") -> str:
    """« Règlement annulé par Jeanne Martin : montant : 12,50 € ; motif : chèque impayé », as far as known."""
    said = title(entry.verb)
    if who:
        said = _("%(fact)s par %(who)s") % {"fact": said, "who": who}
    if details := changes(entry):
        said = _("%(fact)s : %(details)s") % {"fact": said, "details": details}
    return said


def each_change(entry: "AuditEntry") -> list[Change]:
    """The values of the entry that have a label, in the order of their declaration."""
    fact = find(entry.verb)
    found = []
    for name in _in_order(fact, entry.old, entry.new):
        was, now = _value(fact, entry.old, name, before=True), _value(fact, entry.new, name, before=False)
        label = _label(fact, name)
        if label and (was or now):
            found.append(Change(label, was, now, name in entry.old and name in entry.new and was != now))
    return found


def changes(entry: "AuditEntry") -> str:
    """« état : ouverte → suspendue ; motif : … »: the values of the entry, old → new."""
    pieces = []
    for label, was, now, is_changed in each_change(entry):
        value = f"{was or _('rien')} → {now or _('rien')}" if is_changed else now or was
        pieces.append(_("%(label)s : %(value)s") % {"label": label, "value": value})
    return reduce(
        lambda said, piece: _("%(said)s ; %(piece)s") % {"said": said, "piece": piece}, pieces or [""]
    )


def _in_order(fact: Fact | None, old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """The keys in the order of their declaration, then the others (jsonb keeps no order)."""
    declared = [key.name for key in (*fact.before, *fact.after)] if fact else []
    present = {**old, **new}
    return [
        *dict.fromkeys(name for name in declared if name in present),
        *sorted(present.keys() - set(declared)),
    ]


def _label(fact: Fact | None, name: str) -> str:
    if fact is None:
        return name
    key = fact.key(name, before=False) or fact.key(name, before=True)
    return str(key.label) if key else name


def _value(fact: Fact | None, side: Mapping[str, Any], name: str, *, before: bool) -> str:
    if name not in side or side[name] in (None, ""):
        return ""
    key = fact.key(name, before=before) if fact else None
    try:
        return (key.say if key else str)(side[name])
    except (
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ):  # an older version wrote another kind of value
        return str(side[name])
