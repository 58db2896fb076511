"""« Qui sera prévenu »: what a publication will tell, or has told, and whom it cannot reach. For staff.

The caller has found the batch in its scope. Each function runs a fixed number of SQL statements.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.notices.told import statement
from tenant_apps.notices.told.statement import AMENDED
from tenant_apps.townhall.queries import current_townhall

# States in which the invoices of an import, and what its file says about payers, are known.
KNOWN = (BatchState.READY, BatchState.PUBLISHING, BatchState.PUBLISHED, BatchState.TAKEN_BACK)
_CHUNK = 2000


class Why(models.TextChoices):
    """Why a payer gets no message."""

    ADDRESS = "address", _("aucune adresse e-mail")
    ACCOUNT = "account", _("une adresse est connue, mais aucun compte n'est activé")
    REFUSED = "refused", _("ne veut pas de ces courriels")
    LATE = "late", _("l'adresse est arrivée après la publication")
    NOBODY = "nobody", _("la commune ne prévient personne")


@dataclass(frozen=True)
class Forecast:
    """Figures. One message goes to each address; `amended`: those about changes of online invoices."""

    messages: int = 0
    amended: int = 0
    payers: int = 0
    told: int = 0  # payers about whom somebody will be told
    done: int = 0  # payers about whom somebody was told already
    why: Mapping[Why, int] = field(default_factory=dict)  # the others

    @property
    def untold(self) -> int:
        """How many payers get no message."""
        return sum(self.why.values())

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why, in words, and how many, the most frequent first."""
        return [(str(why.label), n) for why, n in sorted(self.why.items(), key=lambda one: -one[1])]


@dataclass(frozen=True)
class Bill:
    """An invoice of a letter."""

    number: str
    reference: str
    subject: str
    amount: Decimal
    due_on: date
    hold: str  # an OnlineHold
    product_id: int


@dataclass(frozen=True)
class Untold:
    """A payer who gets no message, as the town will know it after the publication."""

    uuid: UUID
    code: str
    is_new: bool
    title: str
    first_name: str
    last_name: str
    address: str
    postcode: str
    city: str
    why: Why
    invoices: int
    amount: Decimal
    bills: list[Bill] = field(default_factory=list)

    @property
    def name(self) -> str:
        """`Mme Jeanne MARTIN`, or the code when billing gave no name."""
        return " ".join(filter(None, [self.title, self.first_name, self.last_name])) or self.code

    @property
    def street(self) -> str:
        """The postal address on one line."""
        return ", ".join(filter(None, [*self.address.splitlines(), f"{self.postcode} {self.city}".strip()]))


_STATUS = """,
will AS (SELECT DISTINCT payer_id FROM todo),
done AS (
  SELECT f.payer_id FROM fresh f JOIN told t ON t.item = f.item UNION
  SELECT p.payer_id FROM people p JOIN told t ON t.email = p.email WHERE t.item IS NULL
),
reached AS (SELECT payer_id, bool_or(counts) AS counts FROM people GROUP BY payer_id),
status AS (
  SELECT f.payer_id, count(*) AS invoices, sum(f.amount) AS amount,
         CASE WHEN %(state)s = 'draft' AND w.payer_id IS NOT NULL THEN 'told'
              WHEN d.payer_id IS NOT NULL THEN 'done' WHEN NOT %(accounts)s THEN 'nobody'
              WHEN w.payer_id IS NOT NULL THEN 'late' WHEN r.counts THEN 'refused'
              WHEN r.payer_id IS NOT NULL THEN 'account' ELSE 'address' END AS why
    FROM fresh f LEFT JOIN will w USING (payer_id) LEFT JOIN done d USING (payer_id)
    LEFT JOIN reached r USING (payer_id)
   GROUP BY f.payer_id, w.payer_id, d.payer_id, r.payer_id, r.counts
)
"""
_FIGURES = """{known}{status}
SELECT why, count(*) FROM status GROUP BY why UNION ALL SELECT 'messages', count(DISTINCT email) FROM todo
"""
_AMENDED = "{known} SELECT count(DISTINCT email) FROM todo"
_PAGE = """{known}{status},
spoken_first AS (SELECT DISTINCT ON (payer_id) payer_id, said FROM spoken ORDER BY payer_id, borrowed, line DESC),
page AS (
  SELECT p.id, p.uuid, p.reference, p.is_draft, COALESCE(s.said->>'title', p.title) AS title,
         COALESCE(s.said->>'first_name', p.first_name) AS first_name,
         COALESCE(s.said->>'last_name', p.last_name) AS last_name, COALESCE(s.said->>'address', p.address) AS address,
         COALESCE(s.said->>'postcode', p.postcode) AS postcode, COALESCE(s.said->>'city', p.city) AS city,
         t.why, t.invoices, t.amount
    FROM status t JOIN residents_payer p ON p.id = t.payer_id LEFT JOIN spoken_first s ON s.payer_id = p.id
   WHERE t.why NOT IN ('told', 'done')
   ORDER BY last_name, first_name, p.reference, p.id LIMIT %(most)s OFFSET %(offset)s
)
"""
_ROWS = "SELECT page.* FROM page ORDER BY last_name, first_name, reference, id"
_WITH_BILLS = """
SELECT page.*, b.bills FROM page JOIN (
  SELECT f.payer_id, jsonb_agg(jsonb_build_array(i.number, i.reference, i.subject, f.amount::text, f.due_on,
                                                i.online_hold, i.product_id) ORDER BY f.due_on, i.id) AS bills
    FROM fresh f JOIN invoices_invoice i ON i.id = f.id
   WHERE f.payer_id IN (SELECT id FROM page) GROUP BY f.payer_id
) AS b ON b.payer_id = page.id ORDER BY last_name, first_name, reference, id
"""


def forecast(batch: Batch) -> Forecast:
    """The figures of a batch in one of the states `KNOWN`.

    Three SQL statements, and three more when online invoices change, beside those that set up the planner.
    """
    with statement.hashed(), connection.cursor() as cursor:
        cursor.execute(_FIGURES.format(known=statement.WITH_NEW, status=_STATUS), _values(batch))
        found = dict(cursor.fetchall())
        amended = 0
        if batch.amended_count:
            cursor.execute(_AMENDED.format(known=statement.WITH_AMENDED), _values(batch, choice=AMENDED))
            (amended,) = cursor.fetchone()
    messages, told, done = (found.pop(name, 0) for name in ("messages", "told", "done"))
    why = {Why(name): n for name, n in found.items()}
    is_over = batch.state == BatchState.PUBLISHED
    return Forecast(
        messages=0 if is_over else messages,
        amended=0 if is_over else amended,
        payers=told + done + sum(why.values()),
        told=told,
        done=done,
        why=why,
    )


def untold(
    batch: Batch, *, offset: int = 0, most: int | None = None, with_bills: bool = False
) -> Iterator[Untold]:
    """The payers of `batch` who get no message, by name, read in pieces."""
    query = (_PAGE + (_WITH_BILLS if with_bills else _ROWS)).format(known=statement.WITH_NEW, status=_STATUS)
    values = {**_values(batch), "offset": offset, "most": most}
    opened: AbstractContextManager[Any] = connection.chunked_cursor()
    with statement.hashed(), opened as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(_CHUNK):
            yield from (_untold(row) for row in rows)


def _untold(row: tuple[Any, ...]) -> Untold:
    _id, uuid, code, is_new, title, first, last, address, postcode, city, why, invoices, amount, *bills = row
    place = (address, postcode, city)
    found = [_bill(*one) for given in bills for one in json.loads(given)]
    return Untold(uuid, code, is_new, title, first, last, *place, Why(why), invoices, amount, found)


def _bill(
    number: str, reference: str, subject: str, amount: str, due_on: str, hold: str, product: int
) -> Bill:
    return Bill(number, reference, subject, Decimal(amount), date.fromisoformat(due_on), hold, product)


def _values(batch: Batch, **more: Any) -> dict[str, Any]:
    state = "published" if batch.state == BatchState.PUBLISHED else "draft"
    audience = current_townhall().alert_audience
    return statement.values(batch.pk, batch.uuid, audience, state=state, **more)
