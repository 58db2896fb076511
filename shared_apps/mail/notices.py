"""Every kind of message that the portal sends, declared once.

A room declares its kinds in its `mails` module, or in the files of its `mails` package: a new file there is found by
itself. The pages of choices, the page of the town's settings, the list of mails of the back office and the outbox read
this registry (decision 56). This module is read before there are models: it imports none.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec
from uuid import UUID

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from shared_apps.mail.content import Content, Sender

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from shared_apps.audit.models import Entry

P = ParamSpec("P")
SUBMODULE = "mails"
KEY_LENGTH = 200  # OutgoingMail.key
SECRET_LIFE = timedelta(hours=24)  # as long as a `?LIEN=` serves (accounts.services.LINK_LIFE)


class Audience(Enum):
    """Who may be told; the value is what the list of kinds says of them."""

    PERSON = "the person whom it concerns, at the address of their account"
    PAYER = "the accounts and the addresses of a payer"
    TYPED = "an address that somebody typed, of which nothing is proven yet"
    SERVICE = "the billing service"


@dataclass(frozen=True)
class Choice:
    """What a person may refuse: a box of « Être prévenu », and a line of « Ne plus recevoir ces messages »."""

    name: str  # kept in `refused_alerts`: it never changes
    label: "StrPromise"  # « M'écrire quand : … »
    rank: int  # the boxes stand in this order
    # TownHall → what the box says, or None when the town sends no such message. Without it: the label, always.
    offered: Callable[[Any], str | None] | None = None

    def box(self, townhall: Any) -> str | None:
        """What the box says in this town; None: there is no box."""
        return self.offered(townhall) if self.offered else str(self.label)


@dataclass(frozen=True)
class Setting:
    """A field of TownHall that governs a kind, as the town's page asks for it."""

    field: str
    label: "StrPromise"
    error: "StrPromise"  # whatever is wrong with the answer
    rank: int
    help: "StrPromise | str" = ""


@dataclass(frozen=True)
class On:
    """A kind that follows a fact of the trail.

    `plan` is called in the fact's transaction. What it plans (`notices.services.plan_for`) becomes a message in the
    worker: `tell` is given what it is about and the addresses, and says what each is told; one left out is told
    nothing. The key of such a kind has the parts `about` and `email`.
    """

    verb: str
    plan: Callable[["Entry"], None]
    tell: "Callable[[UUID, list[str]], Mapping[str, Said[Any]]] | None" = None


@dataclass(frozen=True)
class Said(Generic[P]):
    """A kind and what it says this time, not yet written in any language."""

    notice: "Notice[P]"
    write: Callable[[Sender], Content]


@dataclass(frozen=True)
class Notice(Generic[P]):
    """One kind of message. `words` writes it, under the reader's language: `notice.about(…)` takes what it needs."""

    kind: str  # kept in the outbox: it never changes
    title: "StrPromise"  # what staff read in the list of mails
    audience: Audience
    when: str  # for the list of kinds (docs/notices.md)
    words: Callable[Concatenate[Sender, P], Content]
    # « receipt:{payment}:{email} »: one with the same parts is never sent twice; empty: no limit.
    key: str = ""
    choices: tuple[Choice, ...] = ()
    settings: tuple[Setting, ...] = ()
    on: On | None = None
    unsubscribe: bool = False  # its foot and its headers hold « Ne plus recevoir ces messages » (RFC 8058)
    # It holds a link or a code that serves this long; the body is erased once sent.
    secret: timedelta | None = None
    # Dropped, or told anew, when the address is no longer the payer's (notices.calling_off).
    called_off: bool = False
    quotes: bool = (
        False  # its subject holds what a person wrote, or a number of theirs: the operator does not read it
    )
    farewell: bool = False  # the last word to somebody who was erased: its row forgets to whom
    # An invoice → the keys of the messages of this kind that told of it, for its page in the back office.
    keys_about: Callable[[Any], Iterable[str]] | None = None

    def about(self, *args: P.args, **facts: P.kwargs) -> Said[P]:
        """This kind, with what it is about."""
        return Said(self, lambda sender: self.words(sender, *args, **facts))

    def key_of(self, **parts: object) -> str:
        """The key of one message. Raises KeyError when a part of it is missing."""
        return self.key.format_map(parts)[:KEY_LENGTH]

    @property
    def planned_as(self) -> str:
        """What a planned row of this kind is called: its only choice, or the kind itself."""
        return self.choices[0].name if len(self.choices) == 1 else self.kind


_notices: dict[str, Notice[Any]] = {}


def declare(notice: Notice[P]) -> Notice[P]:
    """Make a kind known. Raises ValueError for a second one of that name."""
    if notice.kind in _notices:
        raise ValueError(f"the kind of message {notice.kind} is declared twice")
    _notices[notice.kind] = notice
    if notice.on is not None:
        from shared_apps.audit import services as audit  # has models: not before they are there

        audit.listen(notice.on.verb, notice.on.plan)
    return notice


def withdraw(notice: Notice[Any]) -> None:
    """Undo `declare`, for tests."""
    from shared_apps.audit import services as audit

    del _notices[notice.kind]
    if notice.on is not None:
        audit.stop_listening(notice.on.verb, notice.on.plan)


def load() -> None:
    """Read the declarations of every room."""
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, SUBMODULE):
            _load(import_module(f"{config.name}.{SUBMODULE}"))


def _load(module: ModuleType) -> None:
    for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
        import_module(f"{module.__name__}.{found.name}")


def every() -> Iterator[Notice[Any]]:
    """All kinds, by their names."""
    return iter([_notices[kind] for kind in sorted(_notices)])


def find(kind: str) -> Notice[Any] | None:
    """The kind of that name; None for one that is declared no longer, or never was."""
    return _notices.get(kind)


def is_declared(notice: Notice[Any]) -> bool:
    """Whether it is in the registry, and not only like one that is."""
    return _notices.get(notice.kind) is notice


def title(kind: str) -> str:
    """What staff read: its title, or nothing for a kind that is declared no longer."""
    notice = find(kind)
    return str(notice.title) if notice else ""


def planned(name: str) -> Notice[Any] | None:
    """The kind whose planned rows are called so (`Notice.planned_as`)."""
    return next((notice for notice in every() if notice.planned_as == name), None)


def choices() -> list[Choice]:
    """What a person may refuse, each once, in the order of the page."""
    found = {choice.name: choice for notice in every() for choice in notice.choices}
    return sorted(found.values(), key=lambda choice: (choice.rank, choice.name))


def choice(name: str) -> Choice:
    """The choice of that name. Raises KeyError."""
    return {one.name: one for one in choices()}[name]


def label(name: str) -> str:
    """What is refused, in words; its name when it is declared no longer."""
    return next((str(one.label) for one in choices() if one.name == name), name)


def settings() -> list[Setting]:
    """The fields of the town's page, each once, in its order."""
    found = {setting.field: setting for notice in every() for setting in notice.settings}
    return sorted(found.values(), key=lambda setting: (setting.rank, setting.field))
