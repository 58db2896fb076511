"""« Mes factures »: the filters, order and page that the address asks for, the rows, and the figures around them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from tenant_apps.invoices.documents.archives import FILES
from tenant_apps.invoices.queries import Status
from tenant_apps.payments.payability.reading import decided
from tenant_apps.payments.payability.resident_list import (
    Order,
    Share,
    Wanted,
    lines_of_resident,
    shares_of_resident,
)
from tenant_apps.payments.payability.words import Apart, apart
from tenant_apps.portal.lists.rows import ListRow, rows_of
from toolkit import clock
from toolkit.typed import words_of

STATUSES: dict[str, Status] = {"toutes": "all", "non-reglees": "unpaid", "reglees": "paid"}
ORDERS: dict[str, Order] = {
    "": "-issued_on",
    "date": "issued_on",
    "echeance": "due_on",
    "echeance-lointaine": "-due_on",
    "montant": "amount",
    "montant-fort": "-amount",
}
A_PAGE = 50
PRINTED = 1000  # rows on a printed page


@dataclass(frozen=True)
class Asked:
    """The query string of the list, read. An unknown value counts as no filter."""

    etat: str = "toutes"
    q: str = ""
    annee: int | None = None
    dossier: str = ""
    tri: str = ""
    page: int = 1
    imprimer: str = ""  # the list to print: longer pages

    @classmethod
    def read(cls, address: QueryDict) -> "Asked":
        etat, tri = address.get("etat", ""), address.get("tri", "")
        return cls(
            etat=etat if etat in STATUSES else "toutes",
            q=words_of(address, "q"),
            annee=_number(address.get("annee", ""), 4),
            dossier=address.get("dossier", "") if _uuid(address.get("dossier", "")) else "",
            tri=tri if tri in ORDERS else "",
            page=_number(address.get("page", ""), 6) or 1,
            imprimer="1" if "imprimer" in address else "",
        )

    @property
    def wanted(self) -> Wanted:
        return Wanted(STATUSES[self.etat], self.q, self.annee, _uuid(self.dossier), ORDERS[self.tri])

    @property
    def size(self) -> int:
        """How many rows a page has."""
        return PRINTED if self.imprimer else A_PAGE

    @property
    def is_narrow(self) -> bool:
        """Whether a filter other than the state is set."""
        return bool(self.q or self.annee or self.dossier)

    def address(self, **changes: Any) -> str:
        """The query string of this list with `changes`; it leads to the first page unless they name another."""
        asked = vars(self) | {"page": 1} | changes
        kept = {name: value for name, value in asked.items() if value not in ("", None)}
        if kept["page"] == 1:
            del kept["page"]
        return "?" + urlencode(kept)


@dataclass(frozen=True)
class Sum:
    """« Vous avez 2 factures à régler, 47,50 € »: what can be paid now, in euros, and the other invoices beside it."""

    number: int
    total: Decimal
    late: int
    soon: int
    apart: list[Apart]

    @property
    def apart_number(self) -> int:
        return sum(one.number for one in self.apart)


def sum_of(shares: Iterable[Share]) -> Sum:
    """Add up all `shares`."""
    each = list(shares)
    rest = [pair for share in each for pair in zip(share.apart or (), share.apart_amounts or (), strict=True)]
    return Sum(
        number=sum(share.due for share in each),
        total=sum((share.due_amount for share in each), Decimal("0.00")),
        late=sum(share.late for share in each),
        soon=sum(share.soon for share in each),
        apart=apart(rest) if rest else [],
    )


@dataclass(frozen=True)
class Pages:
    """Links from one page of a list to its neighbours; an empty address where there is none."""

    number: int
    of: int
    newer: str
    older: str


def distinct_names(payers: Iterable[tuple[str, str, int]]) -> dict[int, str]:
    """(name, reference, id) of payers → id: name. Empty for a single payer. Payers of the same name get their
    reference.
    """
    known = set(payers)
    if len(known) < 2:
        return {}
    namesakes = Counter(name for name, _reference, _id in known)
    return {
        key: f"{name} ({reference})" if namesakes[name] > 1 else name
        for name, reference, key in sorted(known)
    }


@dataclass(frozen=True)
class Year:
    """A year of invoices: how many, and its ZIPs of PDFs."""

    year: int
    number: int
    documents: int

    @property
    def archives(self) -> list[tuple[str, int]]:
        """Its ZIPs: (address, number of the part). The number is 0 when one ZIP holds the whole year."""
        parts = -(-self.documents // FILES)
        if parts < 2:
            return [(reverse("portal:year-archive", args=[self.year]), 0)] if parts else []
        return [(reverse("portal:year-archive-part", args=[self.year, n]), n) for n in range(1, parts + 1)]


@dataclass(frozen=True)
class Listing:
    """What the page shows."""

    asked: Asked
    today: date
    shares: list[Share]
    rows: list[ListRow] = field(default_factory=list)
    pages: int = 1

    @cached_property
    def sum(self) -> "Sum":
        """What is to be paid, whatever the filters."""
        return sum_of(self.shares)

    @property
    def first(self) -> int:
        """The position of this page's first row in the filtered list, from 1."""
        return (self.asked.page - 1) * self.asked.size + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def wanted(self) -> int:
        """How many invoices pass the filters."""
        return sum(share.wanted for share in self.shares)

    @cached_property
    def names(self) -> dict[int, str]:
        """Payer's id → name, when this list holds invoices of several payers; else empty."""
        return distinct_names((s.payer_name, s.payer_reference, s.payer_id) for s in self.shares)

    @property
    def payers(self) -> dict[str, str]:
        """Public id → name of the same payers, for the filter."""
        public = {share.payer_id: str(share.payer) for share in self.shares}
        return {public[key]: name for key, name in self.names.items()}

    @cached_property
    def years(self) -> list[Year]:
        """The years that have invoices, the latest first."""
        return [
            Year(year, sum(s.number for s in shares), sum(s.documents for s in shares))
            for year, shares in ((y, list(g)) for y, g in groupby(self.shares, key=lambda s: s.year))
        ]

    @property
    def groups(self) -> Iterator[tuple[int | None, list[ListRow]]]:
        """Rows grouped by year when they are in the order of their dates; else one group without a year."""
        if ORDERS[self.asked.tri].endswith("issued_on") and len(self.years) > 1:
            return ((year, list(rows)) for year, rows in groupby(self.rows, key=lambda row: row.year))
        return iter([(None, self.rows)])

    @property
    def heads(self) -> list[dict[str, str]]:
        """The three columns that can be sorted (docs/manual.md, M6), and the address that a click on each opens."""
        sorts = {"issued": ("", "date"), "due": ("echeance", "echeance-lointaine")}
        sorts["amount"] = ("montant-fort", "montant")
        labels = {"issued": _("Date"), "due": _("Echéance"), "amount": _("Montant")}
        return [self._head(name, labels[name], *pair) for name, pair in sorts.items()]

    def _head(self, name: str, label: str, first: str, other: str) -> dict[str, str]:
        here = self.asked.tri in (first, other)
        down = ORDERS[self.asked.tri].startswith("-")
        return {
            "name": name,
            "label": label,
            "href": self.asked.address(tri=other if self.asked.tri == first else first),
            "sort": ("descending" if down else "ascending") if here else "",
        }

    @property
    def orders(self) -> list[tuple[str, str]]:
        """(value, label) of each order, for phones, which show no column titles."""
        labels = (
            *(_("Date, récentes d'abord"), _("Date, anciennes d'abord")),
            *(_("Échéance, proches d'abord"), _("Échéance, lointaines d'abord")),
            *(_("Montant, petits d'abord"), _("Montant, grands d'abord")),
        )
        return list(zip(ORDERS, labels, strict=True))

    @property
    def states(self) -> list[tuple[str, str, bool]]:
        """(address, label, chosen) of the three filters by state (docs/manual.md)."""
        labels = (_("Toutes les factures"), _("Factures non réglées"), _("Factures réglées"))
        return [
            (self.asked.address(etat=etat), label, etat == self.asked.etat)
            for etat, label in zip(STATUSES, labels, strict=True)
        ]

    @property
    def printable(self) -> str:
        return self.asked.address(imprimer="1")

    @property
    def where(self) -> Pages:
        """Links to the pages around this one."""
        here = self.asked.page
        newer = self.asked.address(page=here - 1) if here > 1 else ""
        return Pages(here, self.pages, newer, self.asked.address(page=here + 1) if here < self.pages else "")


def listing(account: Account, asked: Asked) -> Listing:
    """The list in two statements, however long it is: one for the figures, one for the rows of the page."""
    today = clock.today()
    shares = shares_of_resident(account, asked.wanted, today=today)
    wanted = sum(share.wanted for share in shares)
    pages = max(1, -(-wanted // asked.size))
    asked = replace(asked, page=min(asked.page, pages))
    found = Listing(asked, today, shares, pages=pages)
    if not wanted:
        return found
    start = (asked.page - 1) * asked.size
    lines = lines_of_resident(account, asked.wanted, start=start, size=asked.size)
    return replace(found, rows=rows_of(decided(lines, reader=account).values(), payers=found.names))


def _number(text: str, digits: int) -> int | None:
    return int(text) if re.fullmatch(rf"[0-9]{{1,{digits}}}", text) else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
