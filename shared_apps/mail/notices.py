"""Every kind of message that the portal sends, declared once.

A room declares its kinds in its module `mails`, or in the modules of its package `mails`, which are found
automatically. The pages of choices, the town's settings, the list of mails of the back office and the outbox read
this registry (decision 56). This module is imported before models exist, so it imports none.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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

    from shared_apps.audit.models import AuditEntry

P = ParamSpec("P")
SUBMODULE = "mails"
KEY_LENGTH = 200  # OutgoingMail.key
SECRET_LIFE = timedelta(hours=24)  # a `?LIEN=` works that long (accounts.services.LINK_LIFE)


class Audience(Enum):
    """Who gets a kind of message; the value is the text in the list of kinds."""

    PERSON = "the person whom it concerns, at the address of their account"
    PAYER = "the accounts and the addresses of a payer"
    TYPED = "an address that somebody typed, of which nothing is proven yet"
    SERVICE = "the billing service"


@dataclass(frozen=True)
class Choice:
    """What a person can refuse: a box of « Être prévenu », and a line of « Ne plus recevoir ces messages »."""

    name: str  # saved in `refused_alerts`: never change it
    label: "StrPromise"  # « M'écrire quand : … »
    rank: int  # order of the boxes
    # TownHall → the text of the box, or None when the town sends no such message. Without it, always the label.
    offered: Callable[[Any], str | None] | None = None

    def box(self, townhall: Any) -> str | None:
        """The text of the box in this town; None when there is no box."""
        return self.offered(townhall) if self.offered else str(self.label)


@dataclass(frozen=True)
class Setting:
    """A field of TownHall that governs a kind, with its question on the town's page."""

    field: str
    label: "StrPromise"
    error: "StrPromise"  # the sentence for any wrong answer
    rank: int
    help: "StrPromise | str" = ""


@dataclass(frozen=True)
class On:
    """How a kind follows a fact of the trail.

    `plan` is called in the fact's transaction; it plans notices (`notices.services.plan_for`). Later the worker calls
    `tell` with their subject and their addresses. It returns address → message; an address that it leaves out gets
    nothing. The key of such a kind has the parts `about` and `email`.
    """

    verb: str
    plan: Callable[["AuditEntry"], None]
    tell: "Callable[[UUID, list[str]], Mapping[str, Said[Any]]] | None" = None


@dataclass(frozen=True)
class Said(Generic[P]):
    """A kind of message and its values, not yet written in any language."""

    notice: "Notice[P]"
    write: Callable[[Sender], Content]
    products: frozenset[int] | None = None  # the ids of those that it is about; None: not said

    def of(self, *products: int | None) -> "Said[P]":
        """The same, about these products: whoever works for some régies sees it when all of them are theirs."""
        return replace(self, products=frozenset(pk for pk in products if pk is not None))


@dataclass(frozen=True)
class Example:
    """A message of a kind with made-up values: managers read it on « Messages et rappels »."""

    label: "StrPromise"
    choice: str  # what a person would refuse not to get it; not sent while the town does not offer that
    make: "Callable[[], Said[Any]]"  # without a statement


@dataclass(frozen=True)
class Notice(Generic[P]):
    """One kind of message. `words` writes it in the reader's language; `about` takes the same arguments."""

    kind: str  # saved in the outbox: never change it
    title: "StrPromise"  # title in the list of mails of staff
    audience: Audience
    when: str  # for the list of kinds (docs/notices.md)
    words: Callable[Concatenate[Sender, P], Content]
    # « receipt:{payment}:{email} »: the same values are never sent twice. Empty: no limit.
    key: str = ""
    choices: tuple[Choice, ...] = ()
    settings: tuple[Setting, ...] = ()
    examples: tuple[Example, ...] = ()  # of a kind with settings
    on: On | None = None
    unsubscribe: bool = False  # its footer and headers have « Ne plus recevoir ces messages » (RFC 8058)
    # It contains a link or a code that works that long; the body is erased once sent.
    secret: timedelta | None = None
    # Dropped, or planned again, when the address is removed from the payer (notices.calling_off).
    called_off: bool = False
    # Its subject contains what a person wrote, or a number of theirs: the operator does not read it.
    quotes: bool = False
    forgets_address: bool = False  # the last message to an erased person: its row then forgets the address
    # An invoice → the keys of the messages of this kind about it, for its page in the back office.
    keys_about: Callable[[Any], Iterable[str]] | None = None

    def about(self, *args: P.args, **facts: P.kwargs) -> Said[P]:
        """This kind with its values: the arguments of `words`."""
        return Said(self, lambda sender: self.words(sender, *args, **facts))

    def key_of(self, **parts: object) -> str:
        """The key of one message. Raises KeyError when a part is missing."""
        return self.key.format_map(parts)[:KEY_LENGTH]

    @property
    def planned_as(self) -> str:
        """The `kind` of its planned notices: its only choice, or the kind itself."""
        return self.choices[0].name if len(self.choices) == 1 else self.kind


_notices: dict[str, Notice[Any]] = {}


def declare(notice: Notice[P]) -> Notice[P]:
    """Declare a kind. Raises ValueError for a second kind of that name."""
    if notice.kind in _notices:
        raise ValueError(f"the kind of message {notice.kind} is declared twice")
    _notices[notice.kind] = notice
    if notice.on is not None:
        # imports models, which do not exist yet when this module is imported
        from shared_apps.audit import services as audit

        audit.listen(notice.on.verb, notice.on.plan)
    return notice


def withdraw(notice: Notice[Any]) -> None:
    """Undo `declare`, for tests."""
    from shared_apps.audit import services as audit

    del _notices[notice.kind]
    if notice.on is not None:
        audit.stop_listening(notice.on.verb, notice.on.plan)


def load() -> None:
    """Import the declarations of every room."""
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, SUBMODULE):
            _load(import_module(f"{config.name}.{SUBMODULE}"))


def _load(module: ModuleType) -> None:
    for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
        import_module(f"{module.__name__}.{found.name}")


def every() -> Iterator[Notice[Any]]:
    """All kinds, sorted by name."""
    return iter([_notices[kind] for kind in sorted(_notices)])


def find(kind: str) -> Notice[Any] | None:
    """The kind of that name; None when it is not declared (any more)."""
    return _notices.get(kind)


def is_declared(notice: Notice[Any]) -> bool:
    """Whether this very object is in the registry."""
    return _notices.get(notice.kind) is notice


def title(kind: str) -> str:
    """Its title for staff; empty when the kind is not declared any more."""
    notice = find(kind)
    return str(notice.title) if notice else ""


def planned(name: str) -> Notice[Any] | None:
    """The kind whose planned notices have that `kind` (`Notice.planned_as`)."""
    return next((notice for notice in every() if notice.planned_as == name), None)


def choices() -> list[Choice]:
    """What a person can refuse, each once, in the order of the page."""
    found = {choice.name: choice for notice in every() for choice in notice.choices}
    return sorted(found.values(), key=lambda choice: (choice.rank, choice.name))


def choice(name: str) -> Choice:
    """The choice of that name. Raises KeyError."""
    return {one.name: one for one in choices()}[name]


def label(name: str) -> str:
    """The label of a choice; its name when it is not declared any more."""
    return next((str(one.label) for one in choices() if one.name == name), name)


def settings() -> list[Setting]:
    """The fields of the town's page, each once, in the order of the page."""
    found = {setting.field: setting for notice in every() for setting in notice.settings}
    return sorted(found.values(), key=lambda setting: (setting.rank, setting.field))
