"""What a town holds of a person: what each room gives to them, erases at their request, and lets go of with time.

A room says of each of its models, in its `AppConfig` and beside `town_data`, what it is to a person:

    person_data = {"Message": given("messages"), "Product": not_personal("what the town sells")}

The build fails for a model of a town that nobody declared. The same `AppConfig` registers in `ready` who reads, who
erases, and which rows are only kept for some months. This module is read before there are models: it imports none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model, QuerySet

from tenants.declarations import concrete_models

NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Declared:
    """`sections` hold it in the person's copy; else `why` not.

    `keeps`: the columns where the address of an erased person may stay, each with its reason.
    """

    sections: tuple[str, ...] = ()
    why: str = ""
    keeps: Mapping[str, str] = field(default_factory=dict)


def given(*sections: str, keeps: Mapping[str, str] = NONE) -> Declared:
    """The person's copy holds it in these sections."""
    return Declared(sections=sections, keeps=keeps)


def not_personal(why: str) -> Declared:
    """It is about no resident, and why."""
    return Declared(why=why)


def withheld(why: str, *, keeps: Mapping[str, str] = NONE) -> Declared:
    """It may speak of residents but is not given to one of them, and why."""
    return Declared(why=why, keeps=keeps)


OTHERS: dict[str, Declared] = {  # of apps that are not ours
    "sessions.Session": withheld("sealed, and opens nothing once it has ended; « appareils » says where"),
}


@dataclass(frozen=True)
class Section:
    """One list of a person's copy: `columns` are (name for programs, title for people), rows in their order."""

    name: str
    title: str
    columns: Sequence[tuple[str, str]]
    rows: Iterable[Sequence[object]]


Give = Callable[[Any, frozenset[str]], Iterable[Section]]
Erase = Callable[[Any, frozenset[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Kept:
    """Rows that go some months after `since` (a column): `townhall.keep_<name>` says how many."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    since: str
    then: Callable[[], None] | None = None


_give: dict[str, Give] = {}
_erase: dict[str, tuple[int, Erase]] = {}
_kept: dict[str, Kept] = {}


def register(room: str, *, give: Give | None = None, erase: Erase | None = None, late: int = 0) -> None:
    """`give(account, addresses)` reads what the room holds of a person; `erase` takes it away, in the caller's
    transaction, and says how many rows of what. `addresses` are the account's, in lower case.

    Rooms erase from the lowest to the highest, so that payments are held still before what they announce goes; the
    `late` ones after all others, because what somebody is doing meanwhile may still reach them.
    """
    if give is not None:
        _give[room] = give
    if erase is not None:
        _erase[room] = (late, erase)


def keep(
    name: str, rows: Callable[[], QuerySet[Any]], *, since: str, then: Callable[[], None] | None = None
) -> None:
    """These rows are kept for as many months as the town says; `then`, in the transaction that let some go."""
    _kept[name] = Kept(name, rows, since, then)


def sections_of(account: Any, addresses: frozenset[str]) -> Iterator[Section]:
    """Everything that the rooms give to a person, room by room; rows are read as they are iterated."""
    for give in _give.values():
        yield from give(account, addresses)


def erase(account: Any, addresses: frozenset[str]) -> dict[str, int]:
    """Have every room erase a person. Returns how many rows of what went."""
    gone: dict[str, int] = {}
    for _late, room in sorted(_erase.values(), key=lambda pair: pair[0]):
        gone.update(room(account, addresses))
    return gone


def kept() -> list[Kept]:
    """What is kept for some months only."""
    return list(_kept.values())


def declared() -> dict[str, Declared]:
    """`app.Model` → what was said of it."""
    ours = {
        f"{config.label}.{name}": said
        for config in apps.get_app_configs()
        for name, said in getattr(config, "person_data", {}).items()
    }
    return OTHERS | ours


def town_models() -> dict[str, type[Model]]:
    """`app.Model` → each model whose table a town has; a many-to-many's own table follows the model with the field."""
    return {
        model._meta.label: model
        for model in concrete_models()
        if model._meta.app_config.name in settings.TENANT_APPS and not model._meta.auto_created
    }


def problems() -> list[str]:
    """A sentence for each model that nobody declared, and each declaration that is wrong."""
    said, models = declared(), town_models()
    found = [
        f"{label} is not declared: say in person_data of {model._meta.app_config.__class__.__name__} "
        "whether a person's copy holds it, and what stays of them once they are erased."
        for label, model in models.items()
        if label not in said
    ]
    for label, declaration in said.items():
        if label not in models:
            found.append(f"{label} is declared but there is no such model any more: take its line away.")
            continue
        if not declaration.sections and not declaration.why:
            found.append(f"{label} is in no section of a person's copy: say why.")
        columns = {column.column for column in models[label]._meta.concrete_fields}
        found += [
            f"{label} keeps an address in « {column} »: there is no such column, or no reason."
            for column, why in declaration.keeps.items()
            if column not in columns or not why
        ]
    return found
