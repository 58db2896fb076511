"""What a member of staff works for: every régie of the town, or some. Whoever reads for staff takes one.

A reader that is handed a scope gives what lies in it, and nothing else: what lies outside looks exactly like what
does not exist (decision 62).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Scope:
    """`ids` are those of the products (régies) of the scope; None is every one of the town, those to come too."""

    ids: frozenset[int] | None = None

    @property
    def is_whole(self) -> bool:
        """Nothing is hidden."""
        return self.ids is None

    def q(self, path: str = "product") -> Q:
        """The condition of `of`, to be combined with others."""
        return Q() if self.ids is None else Q(**{f"{path}__in": self.ids})

    def of(self, rows: QuerySet[M], path: str = "product") -> QuerySet[M]:
        """Those of `rows` whose product is in the scope; `path` is the lookup that leads to it (`pk` of products).

        One that leads to several rows of another table is for `q`, inside a subquery.
        """
        return rows if self.ids is None else rows.filter(self.q(path))

    def all_in(self, rows: QuerySet[M], column: str = "product_ids") -> QuerySet[M]:
        """Those of `rows` whose JSON list of products, in `column`, has some, and none outside of the scope.

        A list that is empty or NULL says that nobody knows: only the whole scope has it.
        """
        if self.ids is None:
            return rows
        return rows.filter(**{f"{column}__contained_by": self.listed}).exclude(**{column: []})

    def has(self, product: int | None) -> bool:
        """Whether the product of that id is in the scope."""
        return self.ids is None or product in self.ids

    def covers(self, ids: Collection[int]) -> bool:
        """`all_in` for one list."""
        return self.ids is None or (bool(ids) and self.ids.issuperset(ids))

    @property
    def listed(self) -> list[int]:
        """As a row keeps it: the ids, or an empty list for every régie."""
        return sorted(self.ids or ())

    @classmethod
    def kept(cls, ids: list[int]) -> "Scope":
        """The scope that a row keeps as `listed`."""
        return cls(frozenset(ids)) if ids else EVERYTHING


EVERYTHING = Scope()
NOTHING = Scope(frozenset())
