"""Delete what no accounting rule keeps, after the number of months that the town chose, at most once per day.

Certain facts plan a run; each run plans the next one for the day when the oldest row is due, a month ahead at most.
So a town without old rows costs almost nothing.
"""

from datetime import datetime, time, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from shared_apps.audit import services as audit
from shared_apps.audit.models import AuditEntry
from shared_apps.privacy import personal
from shared_apps.privacy.personal import Kept
from tenant_apps.townhall.queries import current_townhall
from tenants.current import PUBLIC, current_schema, current_town
from tenants.work import agenda
from toolkit import clock

KIND = "retention"
SIGNS_OF_LIFE = ("townhall.created", "townhall.changed", "batch.published", "account.activated")
AT_ONCE = 1000  # rows in one transaction
LATEST = timedelta(days=30)
START, SPREAD = (
    time(4, 30),
    60,
)  # Paris time, after the nightly audit; towns are spread over that many minutes


def town_lives(entry: AuditEntry) -> None:
    """After a fact of `SIGNS_OF_LIFE`, plan a run for the coming night: the town may have chosen to keep less."""
    if current_schema() != PUBLIC:
        agenda.plan(KIND, _night(timezone.now()))


def apply_retention() -> dict[str, int]:
    """Delete what is too old, some rows per transaction, and record the numbers. Returns the number per kind.

    A second run finds nothing. Expired sessions are deleted without being counted.
    """
    townhall, present = current_townhall(), timezone.now()
    gone: dict[str, int] = {}
    for kept in personal.kept():
        before = clock.months_after(present, -getattr(townhall, f"keep_{kept.name}"))
        while number := _let_go(kept, before):
            gone[kept.name] = gone.get(kept.name, 0) + number
    Session.objects.filter(expire_date__lt=present).delete()
    return gone


@transaction.atomic
def _let_go(kept: Kept, before: datetime) -> int:
    """Delete some rows. A row that is locked now stays for another night."""
    rows = kept.rows().filter(**{f"{kept.since}__lt": before}).order_by("pk")
    old = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:AT_ONCE])
    if old:
        rows.model._base_manager.filter(pk__in=old).delete()
        if kept.then is not None:
            kept.then()
        audit.record("retention.applied", actor=audit.SYSTEM, new={kept.name: len(old)})
    return len(old)


def next_look() -> datetime:
    """The night when the oldest row will be too old: tomorrow's at the earliest, and within `LATEST`."""
    townhall, present = current_townhall(), timezone.now()
    latest = present + LATEST
    due = [latest]
    for kept in personal.kept():
        oldest = kept.rows().aggregate(oldest=Min(kept.since))["oldest"]
        if oldest is not None:
            due.append(clock.months_after(oldest, getattr(townhall, f"keep_{kept.name}")))
    return _night(max(present, min(due)))


def _night(after: datetime) -> datetime:
    local = after.astimezone(clock.PARIS)
    night = datetime.combine(local.date(), START, clock.PARIS) + timedelta(minutes=current_town().pk % SPREAD)
    return night if night > local else night + timedelta(days=1)
