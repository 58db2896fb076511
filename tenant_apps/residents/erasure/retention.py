"""What no rule of accounting keeps is let go of after as many months as the town says, at most once a day.

Planned by signs that the town lives, then by itself for the day when the oldest row is due, a month ahead at most: a
town where nothing grows old costs next to nothing.
"""

from datetime import datetime, time, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from shared_apps.audit import services as audit
from shared_apps.audit.models import Entry
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
START, SPREAD = time(4, 30), 60  # Paris, after the audit of money; towns are spread over so many minutes


def town_lives(entry: Entry) -> None:
    """A fact of `SIGNS_OF_LIFE`: the coming night looks, also when the town has just chosen to keep less."""
    if current_schema() != PUBLIC:
        agenda.plan(KIND, _night(timezone.now()))


def apply_retention() -> dict[str, int]:
    """Let go of what is too old, some rows a transaction, each counted in the trail. Returns how many of what.

    A second run finds nothing. Sessions that have ended open nothing: they go without being counted.
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
    """Whoever uses a row at this moment keeps it for another night."""
    rows = kept.rows().filter(**{f"{kept.since}__lt": before}).order_by("pk")
    old = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:AT_ONCE])
    if old:
        rows.model._base_manager.filter(pk__in=old).delete()
        if kept.then is not None:
            kept.then()
        audit.record("retention.applied", actor=audit.SYSTEM, new={kept.name: len(old)})
    return len(old)


def next_look() -> datetime:
    """The night when the oldest row will be too old: tomorrow's at the earliest, within `LATEST` at the latest."""
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
