"""Make an import of a file that has arrived, once."""

import logging
from contextlib import ExitStack

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.invoices import services
from tenant_apps.invoices.errors import NotTaken, WrongState
from tenant_apps.invoices.inbox import telling
from tenant_apps.invoices.inbox.sorting import Group, plain
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.states import ARRIVAL_EDGES, ArrivalState
from tenants.work.intake import MOST_ATTEMPTS
from toolkit import clock
from toolkit.files.folders import Changed, taken
from toolkit.files.storage import StorageSilent

log = logging.getLogger(__name__)
# Imports that no longer count: the same file may come again.
_FORGOTTEN = (BatchState.DISCARDED, BatchState.FAILED, BatchState.TAKEN_BACK)


class Refused(Exception):
    """No import is made of it; `str()` is the sentence, `batch` an earlier import of the same file."""

    def __init__(self, sentence: str, batch: Batch | None = None) -> None:
        super().__init__(sentence)
        self.batch = batch


def take(source: Source, arrival: Arrival, group: Group) -> None:
    """Import `group`, which is whole; or refuse it, and tell the clerk. Whatever happens, it is done once.

    Raises StorageSilent, and then nothing has happened.
    """
    if arrival.attempts >= MOST_ATTEMPTS:
        refuse(arrival, _("Le traitement a été interrompu trois fois de suite."))
        return
    _count(arrival, arrival.attempts + 1)
    try:
        _import(source, arrival, group)
    except Refused as refused:
        refuse(arrival, str(refused), earlier=refused.batch)
    except Changed:
        arrival.seen, arrival.seen_at, arrival.attempts = {}, clock.now(), 0
        arrival.save(update_fields=["seen", "seen_at", "attempts"])
    except WrongState:
        _count(arrival, arrival.attempts - 1)  # the town is about to close: the file stays where it is
    except StorageSilent:
        _count(arrival, arrival.attempts - 1)  # no fault of the file
        raise
    except Exception:
        log.exception("a file of a folder could not be taken", extra={"file": str(arrival.uuid)})
        if arrival.attempts >= MOST_ATTEMPTS:
            refuse(
                arrival, _("Le traitement s'est arrêté trois fois sur une erreur : prévenez l'exploitant.")
            )


def _count(arrival: Arrival, attempts: int) -> None:
    arrival.attempts = attempts
    arrival.save(update_fields=["attempts"])


def _import(source: Source, arrival: Arrival, group: Group) -> None:
    clerk = source.clerk
    assert clerk is not None  # `looking` looks at no other source
    _check(group)
    folder = inboxes.folder_of(source)
    with ExitStack() as files:
        rows, digest = files.enter_context(taken(folder + group.rows.name, etag=group.rows.etag))
        documents, theirs = None, ""
        if group.documents is not None:
            documents, theirs = files.enter_context(
                taken(folder + group.documents.name, etag=group.documents.etag)
            )
        _refuse_the_same(source, digest, theirs)
        # No transaction begins before the files are stored: `create_batch` asks the database nothing until then.
        with transaction.atomic():
            try:
                batch = services.create_batch(
                    actor=audit.SYSTEM,
                    rows_file=rows,
                    rows_name=plain(group.rows.name),
                    source=source,
                    documents_file=documents,
                    documents_name=plain(group.documents.name) if group.documents else "",
                )
            except NotTaken as error:
                raise Refused(str(error)) from None
            _attach(arrival, batch, clerk)


def _check(group: Group) -> None:
    if group.twins:
        names = ", ".join(plain(name)[:60] for name in (group.rows.name, *group.twins[:3]))
        raise Refused(
            _(
                "Plusieurs fichiers portent le nom de l'archive de PDF, et on ne sait pas lequel elle accompagne : "
                "%(names)s."
            )
            % {"names": names}
        )
    if not group.rows.size:
        raise Refused(_("Le fichier est vide."))
    if group.size > settings.UPLOAD_MAX_BYTES:
        most = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
        raise Refused(
            _("Le fichier et ses PDF dépassent %(most)d Mo : découpez-les en plusieurs envois.")
            % {"most": most}
        )


def _refuse_the_same(source: Source, rows: str, documents: str) -> None:
    """Raise Refused when this file was imported already. The same one with other PDFs is another send."""
    same = Batch.objects.filter(source=source, rows_sha256=rows).exclude(state__in=_FORGOTTEN)
    if documents:
        same = same.filter(documents_sha256=documents)
    earlier = same.order_by("-id").first()
    if earlier is not None:
        raise Refused(
            _("Le même fichier a déjà été reçu : il n'a pas été importé une seconde fois."), earlier
        )


def _attach(arrival: Arrival, batch: Batch, clerk: Account) -> None:
    """In the transaction that makes the import: the file is taken, within the limits of its clerk."""
    locked = Arrival.objects.select_for_update().get(pk=arrival.pk)
    move(locked, ArrivalState.TAKEN)
    locked.batch = batch.uuid
    locked.save(update_fields=["state", "batch"])
    batch.limited_to = batch.product_ids = clerk.scope.listed
    batch.save(update_fields=["limited_to", "product_ids"])
    audit.record(
        "batch.arrived",
        actor=audit.SYSTEM,
        obj=f"batch:{batch.uuid}",
        new={"file": batch.rows_name, "told": clerk.name, "account": str(clerk.uuid)},
    )
    arrival.state, arrival.batch = locked.state, locked.batch


def move(arrival: Arrival, to: ArrivalState) -> None:
    """The only setter of its state; the caller holds the row and saves it."""
    assert (ArrivalState(arrival.state), to) in ARRIVAL_EDGES, (arrival.state, to)
    arrival.state = to


@transaction.atomic
def refuse(arrival: Arrival, sentence: str, *, earlier: Batch | None = None) -> None:
    """No import is made of it: say why, once. A second call changes nothing."""
    locked = (
        Arrival.objects.select_for_update(of=("self",)).select_related("source__clerk").get(pk=arrival.pk)
    )
    if locked.state != ArrivalState.WAITING:
        return
    move(locked, ArrivalState.REFUSED)
    locked.reason = sentence[:300]
    locked.save(update_fields=["state", "reason"])
    telling.tell_not_taken(locked, earlier)
    arrival.state, arrival.reason = locked.state, locked.reason
