"""Personal data in a town: what each room gives to a person, erases at their request, and deletes after some months.

A room declares, in its `AppConfig` beside `town_data`, what each of its models is to a person:

    person_data = {"Message": given("messages"), "Product": not_personal("what the town sells")}

An undeclared model of a town fails the build. The same `AppConfig` registers in `ready` which functions read and
erase, and which rows are kept for some months only. Django reads this module before models exist: it imports none.
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
    """The `sections` of the person's copy that hold it, or `why` none does.

    `keeps`: the columns where the address of an erased person may stay, each with its reason.
    """

    sections: tuple[str, ...] = ()
    why: str = ""
    keeps: Mapping[str, str] = field(default_factory=dict)


def given(*sections: str, keeps: Mapping[str, str] = NONE) -> Declared:
    """The person's copy holds it in these sections."""
    return Declared(sections=sections, keeps=keeps)


def not_personal(why: str) -> Declared:
    """It is about no resident; `why` says so."""
    return Declared(why=why)


def withheld(why: str, *, keeps: Mapping[str, str] = NONE) -> Declared:
    """It may mention residents but is not given to them; `why` says so."""
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
    """Rows deleted some months after `since` (a column); `townhall.keep_<name>` is the number of months."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    since: str
    then: Callable[[], None] | None = None


_give: dict[str, Give] = {}
_erase: dict[str, tuple[int, Erase]] = {}
_kept: dict[str, Kept] = {}


def register(room: str, *, give: Give | None = None, erase: Erase | None = None, late: int = 0) -> None:
    """Register how a room reads (`give(account, addresses)`) and deletes (`erase`) what it holds of a person.

    `erase` runs in the caller's transaction and returns the number of rows per kind. `addresses`: lower case.

    Rooms erase from the lowest to the highest, so that payments are locked before the rows that depend on them go;
    `late` ones come after all others, because running work may still write in them.
    """
    if give is not None:
        _give[room] = give
    if erase is not None:
        _erase[room] = (late, erase)


def keep(
    name: str, rows: Callable[[], QuerySet[Any]], *, since: str, then: Callable[[], None] | None = None
) -> None:
    """Register rows kept for as many months as the town says; `then` runs in each transaction that deletes some."""
    _kept[name] = Kept(name, rows, since, then)


def sections_of(account: Any, addresses: frozenset[str]) -> Iterator[Section]:
    """Everything that the rooms give to a person, room by room; rows are read lazily."""
    for give in _give.values():
        yield from give(account, addresses)


def erase(account: Any, addresses: frozenset[str]) -> dict[str, int]:
    """Have every room erase a person. Returns how many rows of each kind were deleted."""
    gone: dict[str, int] = {}
    for _late, room in sorted(_erase.values(), key=lambda pair: pair[0]):
        gone.update(room(account, addresses))
    return gone


def kept() -> list[Kept]:
    """The rows that are kept for some months only."""
    return list(_kept.values())


def declared() -> dict[str, Declared]:
    """`app.Model` → its declaration."""
    ours = {
        f"{config.label}.{name}": said
        for config in apps.get_app_configs()
        for name, said in getattr(config, "person_data", {}).items()
    }
    return OTHERS | ours


def town_models() -> dict[str, type[Model]]:
    """`app.Model` → every model with a table in a town; a many-to-many table follows the model with the field."""
    return {
        model._meta.label: model
        for model in concrete_models()
        if model._meta.app_config.name in settings.TENANT_APPS and not model._meta.auto_created
    }


def problems() -> list[str]:
    """A sentence per undeclared model and per wrong declaration."""
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
