"""What happens to each table when a town is exported, copied or erased. An undeclared table fails the build.

A room says it in its `AppConfig`, beside the tables:

    town_data = {"Invoice": HELD, "Document": held(keys={"key": MUST_BE_THERE})}

Django reads this module before models exist, so it imports none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import cast

from django.apps import apps
from django.db import models


class Erased(Enum):
    """When its rows are erased."""

    WITH_TOWN = "with the town"
    WITH_PERSON = "with the person it is about, or with the town"
    KEPT = "never: kept after the town"


@dataclass(frozen=True)
class Declaration:
    """`why` is required for what is left out or kept; `keys` are the columns that name files in S3."""

    exported: bool
    erased: Erased
    why: str = ""
    keys: Mapping[str, bool] = field(default_factory=dict)


MUST_BE_THERE, MAY_BE_GONE = True, False  # of the file that a column names

HELD = Declaration(exported=True, erased=Erased.WITH_TOWN)
HELD_OF_A_PERSON = Declaration(exported=True, erased=Erased.WITH_PERSON)


def held(*, keys: Mapping[str, bool], erased: Erased = Erased.WITH_TOWN) -> Declaration:
    """Exported, with the files that its columns `keys` name."""
    return Declaration(exported=True, erased=erased, keys=keys)


def left_out(why: str, *, erased: Erased = Erased.WITH_TOWN) -> Declaration:
    """Not exported, and why."""
    return Declaration(exported=False, erased=erased, why=why)


def of_the_platform(why: str) -> Declaration:
    """Not data of a town: neither exported nor erased with it."""
    return Declaration(exported=False, erased=Erased.KEPT, why=why)


_NO_TOWN = "what the software is made of; the same in every installation"
OTHERS: dict[str, Declaration] = {  # of apps that are not ours
    "admin.LogEntry": of_the_platform("the console's own journal"),
    "auth.Group": of_the_platform("the console only"),
    "auth.Permission": of_the_platform("the console only"),
    "contenttypes.ContentType": of_the_platform(_NO_TOWN),
    "sessions.Session": left_out("whoever is signed in signs in again", erased=Erased.WITH_PERSON),
}


def declared() -> dict[str, Declaration]:
    """`app.Model` → its declaration."""
    ours = {
        f"{config.label}.{name}": declaration
        for config in apps.get_app_configs()
        for name, declaration in getattr(config, "town_data", {}).items()
    }
    return OTHERS | ours


def concrete_models() -> Iterator[type[models.Model]]:
    """Every model that has a table, the tables of many-to-many fields too."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy and model._meta.managed:
            yield model


def by_table() -> dict[str, Declaration]:
    """Table → the declaration of its model; a many-to-many table follows the model that has the field."""
    said = declared()
    found = {}
    for model in concrete_models():
        owner = cast(type[models.Model], model._meta.auto_created or model)
        if owner._meta.label in said:
            found[model._meta.db_table] = said[owner._meta.label]
    return found


def problems() -> list[str]:
    """A sentence per undeclared model and per wrong declaration."""
    said = declared()
    labels = {model._meta.label: model for model in concrete_models() if not model._meta.auto_created}
    found = [
        f"{label} is not declared: say in town_data of {model._meta.app_config.__class__.__name__} "
        "whether a town's export holds it and how it is erased (tenants/declarations.py)."
        for label, model in labels.items()
        if label not in said
    ]
    for label, declaration in said.items():
        if label not in labels:
            found.append(f"{label} is declared but there is no such model any more: take its line away.")
            continue
        if not declaration.why and (not declaration.exported or declaration.erased is Erased.KEPT):
            found.append(f"{label} is left out or kept: say why.")
        columns = {column.column for column in labels[label]._meta.concrete_fields}
        found += [
            f"{label} declares files in « {key} », which is no column."
            for key in declaration.keys
            if key not in columns
        ]
    return found
