"""The only writers of invoices and batches. Residents see a batch as a whole or not at all."""

import hashlib
import logging
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.audit.queries import entries
from tenant_apps.invoices.corrections import amending
from tenant_apps.invoices.errors import AlreadyPaid, NotTaken, WrongState
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.format import HEAD, Format
from tenant_apps.invoices.importing.run import publishing
from tenant_apps.invoices.locking import lock_invoice, lock_without_reading
from tenant_apps.invoices.models import Amendment, Batch, Credit, Document, Invoice, PayerUpdate, RefusedRow
from tenant_apps.invoices.states import (
    BATCH_EDGES,
    BatchState,
    InvoiceState,
    OnlineHold,
)
from tenant_apps.residents.models import Source
from tenant_apps.residents.sources import default_source
from tenants.current import current_town
from tenants.databases.postgresql.again import atomic_again
from tenants.life import town_closure
from tenants.work import agenda
from toolkit.files.opening import opened
from toolkit.files.storage import upload_key
from toolkit.reading.errors import FileError

log = logging.getLogger(__name__)


def create_batch(
    *,
    actor: audit.Actor,
    rows_file: BinaryIO,
    rows_name: str,
    source: Source | None = None,
    documents_file: BinaryIO | None = None,
    documents_name: str = "",
    publish_when_ready: bool = False,
    replaces: Batch | None = None,
) -> Batch:
    """Store the files of an import in S3, then its row; the worker checks it. Streamed: memory does not grow.

    The payers' codes are those of `source`, or of the town's first source. `replaces`: an import that was not
    published, which this one takes the place of; without `documents_file` its PDFs are used again. Raises WrongState
    when the town is about to close, and NotTaken for files that no format takes.
    """
    if town_closure.is_last_call(current_town()):
        raise WrongState(_("Ce portail ferme : plus rien n'y est mis en ligne."))
    if replaces is not None and replaces.published_at is not None:
        raise wrong_state(replaces)
    kind = _format_of(rows_file, rows_name)
    limits = actor.scope.listed if isinstance(actor, Account) else []
    batch = Batch(
        format=kind.name,
        created_by=actor if isinstance(actor, str) else actor.audit_name,
        source=source or default_source(),
        rows_name=rows_name[:200],
        documents_name=documents_name[:200],
        sets_aside=replaces is not None and replaces.sets_aside,
        publish_when_ready=publish_when_ready,
        limited_to=limits,
        product_ids=limits,
    )
    if documents_file is not None and kind.documents is None:
        sentence = _("Rien n'accompagne un fichier %(format)s : envoyez-le seul.")
        raise NotTaken(sentence % {"format": kind.label})
    batch.rows_key, batch.rows_sha256 = _keep(batch, f"rows{kind.extensions[0]}", rows_file)
    if documents_file is not None and kind.documents is not None:
        name = f"documents{kind.documents.extensions[0]}"
        batch.documents_key, batch.documents_sha256 = _keep(batch, name, documents_file)
    elif replaces is not None and replaces.documents_key and kind.documents is not None:
        with opened(replaces.documents_key) as kept:
            name = f"documents{kind.documents.extensions[0]}"
            batch.documents_key, batch.documents_sha256 = _keep(batch, name, kept)
        batch.documents_name = replaces.documents_name
    with transaction.atomic():
        if replaces is not None:
            discard_batch(actor=actor, batch=replaces)
        batch.save()
        new = {"file": rows_name, "format": kind.name, "source": batch.source.name}
        audit.record("batch.uploaded", actor=actor, obj=f"batch:{batch.uuid}", new=new)
        agenda.wake("imports")
    return batch


def _format_of(stream: BinaryIO, name: str) -> Format:
    head = stream.read(HEAD)
    stream.seek(0)
    try:
        return registry.recognised(head, name)
    except FileError as error:
        raise NotTaken(str(error)) from None


def _keep(batch: Batch, name: str, stream: BinaryIO) -> tuple[str, str]:
    digest = hashlib.sha256()
    while chunk := stream.read(1024 * 1024):
        digest.update(chunk)
    stream.seek(0)
    key = upload_key(town=current_town().uuid, batch=batch.uuid, name=name)
    storages["documents"].save(key, File(stream))
    return key, digest.hexdigest()


def wrong_state(batch: Batch) -> WrongState:
    """The error of an act that the state of `batch` does not allow."""
    return WrongState(_("Cet import est « %(state)s ».") % {"state": batch.get_state_display()})


def move(batch: Batch, to: BatchState) -> None:
    """The only setter of a batch's state, along `BATCH_EDGES`. The caller holds the row's lock. Raises WrongState."""
    if (BatchState(batch.state), to) not in BATCH_EDGES:
        raise wrong_state(batch)
    batch.state = to
    batch.save(update_fields=["state"])


def lock(batch: Batch) -> Batch:
    """The batch's row, locked until the transaction ends."""
    return Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)


@atomic_again
def publish_batch(*, actor: audit.Actor, batch: Batch) -> Batch:
    """Ask for the publication; the worker does it in one transaction. A second call changes nothing.

    Raises WrongState, also while a question about a payer has no answer.
    """
    locked = lock(batch)
    if locked.state in (BatchState.PUBLISHING, BatchState.PUBLISHED):
        return locked
    if locked.state == BatchState.READY and not locked.brings_something:
        raise WrongState(_("Il n'y a rien à publier : ces factures sont déjà en ligne."))
    if waiting := open_questions(locked).count():
        sentence = ngettext(
            "Répondez d'abord à la question sur un redevable ; la publication vient après.",
            "Répondez d'abord aux %(n)d questions sur des redevables ; la publication vient après.",
            waiting,
        )
        raise WrongState(sentence % {"n": waiting})
    if amending.waiting(locked).exists():
        raise WrongState(_("Répondez d'abord sur les factures qui changent ; la publication vient après."))
    move(locked, BatchState.PUBLISHING)
    locked.attempts, locked.publish_on = 0, None
    locked.save(update_fields=["attempts", "publish_on"])
    audit.record("batch.publication_asked", actor=actor, obj=f"batch:{locked.uuid}")
    agenda.wake("imports")
    return locked


@atomic_again
def finish_publication(*, batch: Batch) -> bool:
    """Make all drafts of the batch visible, with its payers and e-mail addresses.

    False when it was done before, or when what the batch was checked against has changed: it is then checked again.
    """
    locked = lock(batch)
    if locked.state != BatchState.PUBLISHING:
        return False
    # One import per source at a time: each sees the payers of the one before.
    Source.objects.select_for_update(no_key=True).get(pk=locked.source_id)
    amending.lock(locked)
    if publishing.has_changed(locked) or amending.has_changed(locked):
        move(locked, BatchState.CHECKING)
        return False
    actor = _asked_by(locked)
    published = publishing.publish_drafts(locked)
    amended = amending.apply(locked, actor=actor)
    locked.published_at = timezone.now()
    locked.save(update_fields=["published_at"])
    move(locked, BatchState.PUBLISHED)
    new = {"invoices": published, "payers": locked.change_count, "documents": locked.late_count}
    audit.record("batch.published", actor=actor, obj=f"batch:{locked.uuid}", new={**new, "amended": amended})
    if not locked.refused_count:
        keys = _drop_unused_documents(locked)
        transaction.on_commit(lambda: delete_files(keys))
    return True


def _asked_by(batch: Batch) -> str:
    """Who asked for the publication, which the worker then does."""
    asked = entries(verbs=["batch.publication_asked"], objects=[f"batch:{batch.uuid}"]).first()
    return asked.actor if asked else batch.created_by


@atomic_again
def take_back_batch(*, actor: audit.Actor, batch: Batch, unpaid_only: bool = False) -> Batch:
    """Hide a published batch again; with `unpaid_only`, those of its invoices that nobody paid or is paying.

    Without it, raises AlreadyPaid when one of its invoices was paid or is being paid, and WrongState when one has an
    avoir: what was cancelled or reduced stays so, and stays visible.
    """
    locked = lock(batch)
    if locked.state == BatchState.TAKEN_BACK:
        return locked
    # Lock them in the order of their ids, like everybody: no payment and no avoir can begin meanwhile.
    lock_without_reading(Invoice.objects.filter(batch=locked))
    if unpaid_only:
        return _take_back_unpaid(actor, locked)
    if locked.invoices.filter(Q(paid__gt=0) | Q(attempts__isnull=False)).exists():
        raise AlreadyPaid(
            _(
                "Une facture de cet import a été réglée ou est en cours de règlement : il ne peut plus être retiré."
            )
        )
    credited = Credit.objects.filter(invoice__batch=locked).order_by("pk").select_related("invoice").first()
    if credited is not None:
        raise WrongState(
            _(
                "La facture n° %(number)s de cet import a un avoir : l'import ne peut plus être retiré. Annulez une à "
                "une, par un avoir, les autres factures à retirer."
            )
            % {"number": credited.invoice.number}
        )
    if not locked.late_count and not locked.invoices.exists():
        raise WrongState(_("Cet import n'a mis aucune facture en ligne : il n'y a rien à retirer."))
    move(locked, BatchState.TAKEN_BACK)
    publishing.detach_late_documents(locked)
    published = Invoice.objects.filter(batch=locked, state=InvoiceState.PUBLISHED)
    count = published.update(state=InvoiceState.DRAFT, published_at=None)
    audit.record("batch.taken_back", actor=actor, obj=f"batch:{locked.uuid}", new={"invoices": count})
    return locked


def _take_back_unpaid(actor: audit.Actor, locked: Batch) -> Batch:
    """Hide the invoices of a published batch that nobody touched; they are kept, and can be published again."""
    if locked.state != BatchState.PUBLISHED:
        raise wrong_state(locked)
    touched = Q(paid__gt=0) | Q(attempts__isnull=False) | Q(credits__isnull=False)
    free = Invoice.objects.filter(batch=locked, state=InvoiceState.PUBLISHED).exclude(touched)
    count = Invoice.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
        state=InvoiceState.DRAFT, published_at=None
    )
    if not count:
        raise WrongState(_("Toutes les factures de cet import sont réglées ou en cours de règlement."))
    move(locked, BatchState.TAKEN_BACK)
    audit.record("batch.taken_back", actor=actor, obj=f"batch:{locked.uuid}", new={"invoices": count})
    return locked


@atomic_again
def fail_batch(*, batch: Batch, reason: str) -> Batch:
    """The worker gives up on an import, so that the next one goes on. `reason`: one sentence (gettext_noop)."""
    locked = lock(batch)
    move(locked, BatchState.FAILED)
    keys = drop_drafts(locked)
    locked.failure, locked.step, locked.attempts = reason[:300], "", 0
    locked.save(update_fields=["failure", "step", "attempts"])
    audit.record("batch.failed", actor=audit.SYSTEM, obj=f"batch:{locked.uuid}", new={"reason": reason})
    transaction.on_commit(lambda: delete_files(keys))
    return locked


@atomic_again
def retry_batch(*, actor: audit.Actor, batch: Batch) -> Batch:
    """« Réessayer »: start a failed import again from its files. Raises WrongState."""
    locked = lock(batch)
    if locked.state == BatchState.UPLOADED:
        return locked
    if locked.state != BatchState.FAILED:
        raise wrong_state(locked)
    move(locked, BatchState.UPLOADED)
    locked.failure, locked.beat_at = "", timezone.now()
    locked.save(update_fields=["failure", "beat_at"])
    audit.record("batch.retried", actor=actor, obj=f"batch:{locked.uuid}")
    agenda.wake("imports")
    return locked


@atomic_again
def discard_batch(*, actor: audit.Actor, batch: Batch) -> Batch:
    """Discard an import: delete its drafts, and its files after the commit. Raises WrongState."""
    locked = lock(batch)
    if locked.state == BatchState.DISCARDED:
        return locked
    if locked.state == BatchState.PUBLISHED and not locked.refused_count:
        raise wrong_state(locked)
    if locked.published_at is not None and (
        locked.state != BatchState.TAKEN_BACK or locked.invoices.exclude(state=InvoiceState.DRAFT).exists()
    ):
        return _give_up_rest(actor, locked)
    move(locked, BatchState.DISCARDED)
    keys = drop_drafts(locked)
    RefusedRow.objects.filter(batch=locked).delete()
    audit.record("batch.discarded", actor=actor, obj=f"batch:{locked.uuid}")
    keys += [key for key in (locked.rows_key, locked.documents_key) if key]
    transaction.on_commit(lambda: delete_files(keys))
    return locked


def _give_up_rest(actor: audit.Actor, locked: Batch) -> Batch:
    """Give up the rows that were kept aside, or taken back; what the import still has online stays."""
    if locked.state != BatchState.PUBLISHED:
        move(locked, BatchState.PUBLISHED)
    keys = drop_drafts(locked)
    RefusedRow.objects.filter(batch=locked).delete()
    locked.refused_count = 0
    locked.save(update_fields=["refused_count"])
    audit.record("batch.rows_given_up", actor=actor, obj=f"batch:{locked.uuid}")
    transaction.on_commit(lambda: delete_files(keys))
    return locked


def drop_drafts(batch: Batch, *, keep_documents: bool = False) -> list[str]:
    """Delete what a batch has staged. Returns the keys of the files, to delete after the commit.

    Its new payers stay, as drafts without a name: another import may be about to use them. With `keep_documents`, its
    stored PDFs stay for the next reading of the same files.
    """
    drafts = Invoice.objects.filter(batch=batch, state=InvoiceState.DRAFT)
    if batch.published_at:  # they were visible once: somebody may be about to pay several of them
        lock_without_reading(drafts)
    drafts.delete()
    PayerUpdate.objects.filter(batch=batch, applied_at=None).delete()
    Amendment.objects.filter(batch=batch, applied_at=None).delete()
    if keep_documents:
        # One that was attached to another import's invoice is not this reading's any more.
        Document.objects.filter(batch=batch, invoices=None).exclude(late_for=[]).update(late_for=[])
        return []
    return _drop_unused_documents(batch)


def _drop_unused_documents(batch: Batch) -> list[str]:
    of_amendments = Amendment.objects.exclude(document=None).values("document")
    before = Amendment.objects.exclude(document_before=None).values("document_before")
    unused = Document.objects.filter(batch=batch, invoices=None).exclude(pk__in=of_amendments)
    unused = unused.exclude(pk__in=before)
    keys = list(unused.values_list("key", flat=True))
    Document.objects.filter(key__in=keys).delete()
    return keys


def waits_for_answers(batch: Batch) -> bool:
    """Whether `batch` asks something, about a payer or about an online invoice, that nobody has answered."""
    return open_questions(batch).exists() or amending.waiting(batch).exists()


def open_questions(batch: Batch) -> QuerySet[PayerUpdate]:
    """The payers of `batch` whose question has no answer."""
    return PayerUpdate.objects.filter(batch=batch, answer="", applied_at=None).exclude(asks="")


def delete_files(keys: list[str]) -> None:
    """Delete files in S3. A failure is only logged, because no row names these files any more."""
    for key in keys:
        try:
            storages["documents"].delete(key)
        except Exception:
            log.warning("a file could not be removed: %s", key, exc_info=True)


@atomic_again
def set_online_hold(*, actor: audit.Actor, invoice: Invoice, hold: str) -> Invoice:
    """Set why `invoice` cannot be paid online (an OnlineHold), or "" when it can. The same value changes nothing."""
    locked = lock_invoice(invoice)
    old = locked.online_hold
    if old != hold:
        locked.online_hold = OnlineHold(hold) if hold else ""
        locked.save(update_fields=["online_hold"])
        audit.record(
            "invoice.held", actor=actor, obj=f"invoice:{locked.uuid}", old={"hold": old}, new={"hold": hold}
        )
    return locked
