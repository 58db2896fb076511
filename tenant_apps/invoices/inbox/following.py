"""Follow the import of a file: publish it where the source wants so, tell the clerk, and put the files away."""

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.inbox import telling
from tenant_apps.invoices.inbox.sorting import plain
from tenant_apps.invoices.inbox.taking import move
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.states import ArrivalState
from tenants.current import current_town
from tenants.work import agenda
from toolkit import clock
from toolkit.files.folders import put_away
from toolkit.files.storage import inbox_key

KIND = "inbox"
# After these facts of an import there may be something to do for the file that brought it.
SIGNS = ("batch.ready", "batch.refused", "batch.failed", "batch.published", "batch.discarded")
_BAD = (BatchState.REFUSED, BatchState.FAILED)


def hear(entry: AuditEntry) -> None:
    """A fact of an import: wake the work of folders when one of them brought it.

    Also when one is watched: a copy of a town has no agenda, and begins again here.
    """
    if inboxes.watched().exists() or inboxes.is_followed(entry.object.removeprefix("batch:")):
        agenda.wake(KIND)


def settings_changed(_entry: AuditEntry) -> None:
    """A folder was switched on or off: look again at what is to be looked at."""
    agenda.wake(KIND)


def follow(source: Source) -> None:
    """Bring every file of `source` that is no longer arriving as far as it can go. Raises StorageSilent."""
    for arrival in inboxes.live().filter(source=source).select_related("source__clerk").order_by("id"):
        if arrival.state == ArrivalState.TAKEN:
            _conclude(arrival)
        if arrival.state in (ArrivalState.DONE, ArrivalState.REFUSED):
            _put_away(arrival)


def _conclude(arrival: Arrival) -> None:
    batch = Batch.objects.filter(uuid=arrival.batch).first() if arrival.batch else None
    if batch is not None and batch.state in processing.WAITING:
        return
    if batch is not None and _is_for_nobody(arrival.source, batch):
        try:
            services.publish_batch(actor=audit.SYSTEM, batch=batch)
            return
        except WrongState:
            batch.refresh_from_db()
            if batch.state in processing.WAITING:
                return
    _end(arrival, batch)


def _is_for_nobody(source: Source, batch: Batch) -> bool:
    """Whether a ready import is published without a person: it is sound and new, and changes nothing that is known."""
    if batch.state != BatchState.READY or not batch.brings_something:
        return False
    if not source.publishes_alone or not inboxes.may_import(source.clerk):
        return False
    touches = batch.change_count or batch.amended_count or batch.question_count
    if touches or batch.refused_count or batch.error_count or telling.doubtful(batch):
        return False
    return not services.waits_for_answers(batch)


@transaction.atomic
def _end(arrival: Arrival, batch: Batch | None) -> None:
    """Nothing more happens by itself: the file is done or refused, and the clerk told where a person is needed."""
    locked = (
        Arrival.objects.select_for_update(of=("self",)).select_related("source__clerk").get(pk=arrival.pk)
    )
    if locked.state != ArrivalState.TAKEN:
        return
    is_bad = batch is not None and batch.state in _BAD
    move(locked, ArrivalState.REFUSED if is_bad else ArrivalState.DONE)
    locked.save(update_fields=["state"])
    if batch is not None and is_bad:
        telling.tell_refused(locked, batch)
    elif batch is not None and _waits(batch):
        telling.tell_to_check(locked, batch)
    arrival.state = locked.state


def _waits(batch: Batch) -> bool:
    over = (BatchState.PUBLISHED, BatchState.TAKEN_BACK, BatchState.DISCARDED)
    if batch.state == BatchState.READY and not batch.brings_something and not telling.doubtful(batch):
        return False  # everything in it is online as it is
    return batch.state not in over


def _put_away(arrival: Arrival) -> None:
    """Move its files to their last place. After a kill it is done again, with the same result."""
    folder = inboxes.DONE if arrival.state == ArrivalState.DONE else inboxes.REFUSED
    place = f"{folder}{arrival.arrived_at:%Y-%m-%d}-{arrival.uuid.hex[:8]}/"
    source, town = arrival.source.uuid, current_town().uuid
    for name, (_size, etag) in arrival.seen.items():
        to = inbox_key(town=town, source=source, name=place + plain(name))
        put_away(inbox_key(town=town, source=source, name=name), to, etag=etag)
    arrival.put_away_at = clock.now()
    arrival.save(update_fields=["put_away_at"])
