"""Read the trail. The caller knows who may: a manager all of it, other staff what is about an object they see."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from shared_apps.audit.models import AuditEntry
from toolkit import clock

OPERATORS = "operator:"  # how an operator's name begins, in the town as in somebody's place


def entries(
    *,
    by: Q | None = None,
    verbs: Collection[str] | None = None,
    objects: Collection[str] | None = None,
    first: date | None = None,
    last: date | None = None,
) -> QuerySet[AuditEntry]:
    """The facts, newest first. None filters nothing, an empty collection leaves nothing; days are those of Paris."""
    found = AuditEntry.objects.order_by("-id")
    if by is not None:
        found = found.filter(by)
    if verbs is not None:
        found = found.filter(verb__in=verbs)
    if objects is not None:
        found = found.filter(object__in=objects)
    if first is not None:
        found = found.filter(at__gte=_midnight(first))
    if last is not None:
        found = found.filter(at__lt=_midnight(last + timedelta(days=1)))
    return found


def by_person(account: str) -> Q:
    """What `account:<uuid>` did, and what an operator did in their place. The index of the actors serves both."""
    in_their_place = Q(actor__startswith=OPERATORS, actor__endswith=f" as {account}")
    return Q(actor=account) | in_their_place


def by_operators() -> Q:
    """What operators did in the town, in somebody's place or from the console."""
    return Q(actor__startswith=OPERATORS)


def by_accounts_except(accounts: Collection[str]) -> Q:
    """What people with an account did, except these: the residents, when these are the staff."""
    return Q(actor__startswith="account:") & ~Q(actor__in=accounts)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.PARIS)
