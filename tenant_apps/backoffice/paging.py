"""Pages of a long list, from a key on. The thousandth page costs as much as the first; nothing is counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from toolkit.scope import Scope

Row = TypeVar("Row", bound=Model)
Key = Literal["uuid", "pk"]
READ: Mapping[Key, Callable[[str], Any]] = {"uuid": UUID, "pk": int}
A_PAGE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of rows, and the key of the next page (empty on the last one)."""

    rows: list[Row]
    next_key: str
    is_first: bool


def page_of(
    rows: QuerySet[Row], after: str, scope: Scope, *, size: int = A_PAGE, key: Key = "uuid"
) -> Page[Row]:
    """The rows that follow the one whose public id (`key`) is `after`, in the order of the queryset.

    The order must end with the primary key, and its fields must not be null. An unknown `after` is the
    first page: an address kept from before a row was deleted still opens. Outside of `scope` all are unknown.
    """
    order = [str(term) for term in rows.query.order_by]
    # For who sees all, any row will do as a mark, also one that the filter of this list no longer keeps.
    last = _row(rows.model._default_manager.all() if scope.is_whole else rows, key, after)
    if last is not None:
        rows = rows.filter(_beyond(order, last))
    found = list(rows[: size + 1])
    more = found[size:]
    next_key = str(getattr(found[size - 1], key)) if more else ""
    return Page(found[:size], next_key, last is None)


def newest(rows: QuerySet[Row], most: int) -> tuple[list[Row], int]:
    """(the first `most` of `rows`, number of all rows), so that a page can say how many it leaves out."""
    found = list(rows[: most + 1])
    return found[:most], len(found) if len(found) <= most else rows.count()


def _row(rows: QuerySet[Row], key: Key, public_id: str) -> Row | None:
    try:
        return rows.filter(**{key: READ[key](public_id)}).first()
    except ValueError:
        return None


def _beyond(order: Sequence[str], last: Any) -> Q:
    """The condition for (a, b, c) after (x, y, z): a > x, or a = x and b > y, or a = x and b = y and c > z."""
    beyond, equal = Q(), Q()
    for term in order:
        name = term.removeprefix("-")
        value = getattr(last, name)
        beyond |= equal & Q(**{f"{name}__{'lt' if term.startswith('-') else 'gt'}": value})
        equal &= Q(**{name: value})
    return beyond
