"""What the console reads from the registry, in a fixed number of statements for any number of towns."""

from datetime import timedelta
from functools import reduce
from operator import add, or_
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When

from shared_apps.console.models import TownFigures
from tenants.models import LIVE, Domain, Operation, OperationState, Town
from tenants.schema import versions
from tenants.states import TownState
from toolkit import clock

SHOWN = 8
SHOWN_TOWNS = 12
LATE = timedelta(minutes=15)  # an import without a sign of life, or overdue work
STUCK = timedelta(minutes=5)  # an operation writes every few seconds
LATELY = timedelta(days=7)


def towns() -> QuerySet[Town]:
    """The towns with their figures and their primary host, in one statement."""
    primary = Domain.objects.filter(tenant_id=OuterRef("pk"), is_primary=True).values("domain")[:1]
    found: QuerySet[Town] = Town.objects.select_related("figures").annotate(host=Subquery(primary))
    return found


def is_late(town: Town) -> bool:
    """Whether its schema waits for `migrate_towns`."""
    return bool(town.schema_version != versions.wanted().version)


def late_towns() -> QuerySet[Town]:
    """The towns whose schema is not the code's."""
    found: QuerySet[Town] = Town.objects.exclude(state__in=(TownState.OPENING, TownState.CLOSED)).exclude(
        schema_version=versions.wanted().version
    )
    return found


def troubles() -> dict[str, tuple[Q, int]]:
    """The troubles that figures show: name → its condition, and how much it weighs in the order of the towns."""
    late = clock.now() - LATE
    return {
        "relais": (Q(stuck_mails__gt=0), 16),
        "file": (Q(waiting_since__lt=late), 8),
        "import": (Q(import_since__lt=late), 8),
        "imports": (Q(failed_imports__gt=0), 4),
        "paiements": (Q(held_attempts__gt=0), 2),
        "adresses": (Q(bounced_mails__gt=0), 1),
    }


def troubled_towns() -> QuerySet[TownFigures]:
    """The figures of the towns in trouble, the worst first."""
    every = troubles().values()
    weights = (Case(When(found, then=weight), default=0) for found, weight in every)
    return (
        TownFigures.objects.select_related("town")
        .filter(reduce(or_, (found for found, _weight in every)))
        .exclude(town__state=TownState.CLOSED)
        .annotate(weight=reduce(add, weights, Value(0)))
        .order_by("-weight", F("waiting_since").asc(nulls_last=True), "-stuck_mails", "town__name")
    )


def waiting_mails() -> dict[str, int]:
    """Problem → how many messages of all towns it holds back, to be tried again. One statement."""
    found: dict[str, int] = {}
    for problems in TownFigures.objects.filter(stuck_mails__gt=0).values_list("mail_problems", flat=True):
        for problem, of in problems.items():
            found[problem] = found.get(problem, 0) + of["waiting"]
    return found


def attention() -> dict[str, Any]:
    """The rows of the first screen: a few of each kind, and one more when there are more."""
    return {
        "towns": list(troubled_towns()[: SHOWN_TOWNS + 1]),
        "operations": list(troubled_operations()[: SHOWN + 1]),
        "late": list(late_towns()[: SHOWN + 1]),
    }


def troubled_operations() -> QuerySet[Operation]:
    """Recent failures with no later operation on the same town, and operations that make no progress."""
    present = clock.now()
    since = Operation.objects.filter(subject=OuterRef("subject"), pk__gt=OuterRef("pk")).values("pk")[:1]
    failed = Q(state=OperationState.FAILED, finished_at__gt=present - LATELY, later=None)
    stuck = Q(state__in=LIVE) & (Q(due_at__lt=present - STUCK) | Q(attempts__gt=1))
    return Operation.objects.annotate(later=Subquery(since)).filter(failed | stuck)


def operations_of(town: Town) -> QuerySet[Operation]:
    """Operations on that town, newest first, under its present and former addresses."""
    return Operation.objects.filter(Q(town=town) | Q(subject=town.slug))


def live_operations() -> QuerySet[Operation]:
    """Operations that wait or run."""
    return Operation.objects.filter(state__in=LIVE)


def domains_of(town: Town) -> QuerySet[Domain]:
    """Its hosts, the primary one first."""
    found: QuerySet[Domain] = Domain.objects.filter(tenant=town).order_by(F("is_primary").desc(), "domain")
    return found
