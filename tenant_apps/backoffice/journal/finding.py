"""Find the objects of the trail that somebody means by a few words: a number, a name, a file."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Q, QuerySet

from shared_apps.accounts.models import Account
from tenant_apps.contact.queries import messages
from tenant_apps.invoices.models import Batch
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.readers import deposits, invoices_for_staff, payments_for_staff
from tenant_apps.products.queries import SEARCHED, products_for_staff
from tenant_apps.reconciliation.queries import statements
from tenant_apps.residents.queries import access_requests_for_staff, payers_for_staff
from toolkit import clock
from toolkit.scope import Scope

MOST = 500  # of each kind
WORDS = 6


def objects_named(scope: Scope, words: str) -> list[str]:
    """The objects that match all of `words`, as the trail names them: one statement per kind, `MOST` of each."""
    return [f"{kind}:{key}" for kind, find in FINDERS.items() for key in find(scope, words)]


def _each(words: str, *fields: str) -> Q:
    """Each word is in one of the fields."""
    wanted = Q()
    for word in words.split()[:WORDS]:
        one = Q()
        for field in fields:
            one |= Q(**{f"{field}__icontains": word})
        wanted &= one
    return wanted


def _uuids(rows: QuerySet[Any]) -> Iterator[object]:
    return iter(rows.values_list("uuid", flat=True)[:MOST])


def _products(scope: Scope, words: str) -> Iterator[object]:
    rows = products_for_staff(scope).filter(_each(words, *SEARCHED))
    return iter(rows.values_list("code", flat=True)[:MOST])


def _deposits(scope: Scope, words: str) -> Iterator[object]:
    found = re.fullmatch(r"([0-9]{4})-([0-9]{1,6})", words.strip())
    if not found:
        return iter(())
    return _uuids(deposits(scope).filter(year=int(found[1]), number=int(found[2])))


def _attempts(scope: Scope, words: str) -> Iterator[object]:
    invoices = invoices_for_staff(scope, today=clock.today(), words=words, state="")
    rows = scope.of(Attempt.objects.filter(parts__invoice__in=invoices.order_by().values("pk")))
    return _uuids(rows.order_by("-id").distinct())


FINDERS: dict[str, Callable[[Scope, str], Iterator[object]]] = {
    "invoice": lambda scope, words: _uuids(
        invoices_for_staff(scope, today=clock.today(), words=words, state="")
    ),
    "payment": lambda scope, words: _uuids(payments_for_staff(scope, words=words)),
    "attempt": _attempts,
    "payer": lambda scope, words: _uuids(payers_for_staff(scope, words=words)),
    "claim": lambda scope, words: _uuids(
        access_requests_for_staff(scope).filter(
            _each(words, "payer__last_name", "payer__first_name", "number", "email")
        )
    ),
    "batch": lambda scope, words: _uuids(
        scope.all_in(Batch.objects.filter(_each(words, "rows_name")).order_by("-id"))
    ),
    "deposit": _deposits,
    "statement": lambda scope, words: _uuids(statements(scope).filter(_each(words, "name"))),
    "message": lambda scope, words: _uuids(messages(scope, words=words)),
    "account": lambda _scope, words: _uuids(Account.objects.filter(_each(words, "name", "email"))),
    "product": _products,
}
