"""What the console reads from the registry, in a fixed number of statements for any number of towns."""

from datetime import timedelta
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from shared_apps.console.models import TownFigures
from tenants.models import LIVE, Domain, Operation, OperationState, Town
from tenants.schema import versions
from tenants.states import TownState
from toolkit import clock

SHOWN = 8
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


def attention() -> dict[str, Any]:
    """The rows of the first screen: a few of each kind, and one more when there are more."""
    present = clock.now()
    figures = TownFigures.objects.select_related("town")
    return {
        "failed_mails": list(figures.filter(failed_mails__gt=0).order_by("-failed_mails")[: SHOWN + 1]),
        "late_imports": list(
            figures.filter(import_since__lt=present - LATE).order_by("import_since")[: SHOWN + 1]
        ),
        "waiting": list(
            figures.filter(waiting_since__lt=present - LATE).order_by("waiting_since")[: SHOWN + 1]
        ),
        "held": list(figures.filter(held_attempts__gt=0).order_by("-held_attempts")[: SHOWN + 1]),
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
