"""Look at the folders of a town: what has arrived, what is whole. One request to S3 a folder and look."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from tenant_apps.invoices.inbox.following import follow
from tenant_apps.invoices.inbox.sorting import Group, groups
from tenant_apps.invoices.inbox.taking import take
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.states import ArrivalState
from tenants.current import current_town
from tenants.life import town_closure
from tenants.work.worker_lock import held
from toolkit import clock
from toolkit.files.folders import MOST, look
from toolkit.files.storage import StorageSilent

ALONE = timedelta(hours=1)  # a ZIP waits that long for its billing file
SOON = timedelta(seconds=30)  # what is to be followed or put away, and was not yet
log = logging.getLogger(__name__)


def work() -> None:
    """Follow what was taken, and look at each folder whose turn it is; one worker a folder."""
    for source in Source.objects.select_related("clerk").order_by("id"):
        if source.is_watched or inboxes.live().filter(source=source).exists():
            with held(f"inbox:{source.pk}") as mine:
                if mine:
                    _work_on(source)


def _work_on(source: Source) -> None:
    source.refresh_from_db()
    try:
        follow(source)
        if is_due(source):
            _look_at(source)
            follow(source)  # what was refused at once is put away
    except StorageSilent:
        log.warning("the folder of a source is silent", extra={"source": str(source.uuid)}, exc_info=True)
        inboxes.looked(source, failed=True)


def is_due(source: Source) -> bool:
    """Whether the folder is to be looked at now. A town that closes takes nothing more."""
    if not source.is_watched or not inboxes.may_import(source.clerk):
        return False
    if town_closure.is_last_call(current_town()):
        return False
    return source.looked_at is None or source.looked_at + inboxes.wait_of(source) <= clock.now()


def next_due() -> datetime | None:
    """When there is something to do again in this town; None when it watches no folder and follows no file."""
    moments = [(source.looked_at or clock.now()) + inboxes.wait_of(source) for source in inboxes.watched()]
    # The end of an import wakes us; the rest is for a wake that was lost.
    if inboxes.live().exists():
        moments.append(clock.now() + inboxes.EVERY)
    return max(min(moments), clock.now() + SOON) if moments else None


def _look_at(source: Source) -> None:
    files = look(inboxes.folder_of(source))
    inboxes.looked(source, failed=False)
    arriving = Arrival.objects.filter(source=source, put_away_at=None)
    known = {one.name: one for one in arriving.select_related("source__clerk")}
    found = groups(files)
    if len(files) < MOST:
        gone = set(known) - {group.rows.name for group in found}
        arriving.filter(name__in=gone, state=ArrivalState.WAITING).delete()
    for group in found:
        arrival = known.get(group.rows.name) or _noted(source, group)
        if arrival is not None and arrival.state == ArrivalState.WAITING and _is_whole(arrival, group):
            take(source, arrival, group)


def _noted(source: Source, group: Group) -> Arrival | None:
    documents = group.documents.name if group.documents else ""
    try:
        with transaction.atomic():
            return Arrival.objects.create(
                source=source,
                name=group.rows.name,
                documents=documents,
                seen=group.seen,
                seen_at=clock.now(),
            )
    except IntegrityError:  # another worker, whose connection was lost, still writes
        return None


def _is_whole(arrival: Arrival, group: Group) -> bool:
    """Whether nothing is still being written: a mark says so, or it is as it was at the look before."""
    present = clock.now()
    if arrival.seen != group.seen:
        arrival.seen, arrival.seen_at, arrival.attempts = group.seen, present, 0
        arrival.documents = group.documents.name if group.documents else ""
        arrival.save(update_fields=["seen", "seen_at", "attempts", "documents"])
    if group.marks and not group.twins:
        return True
    still = present - arrival.seen_at
    if group.is_archive_alone:
        return still >= ALONE
    return still >= inboxes.EVERY / 2
