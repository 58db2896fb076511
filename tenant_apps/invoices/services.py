"""The only writers of invoices and batches. Residents see a batch as a whole or not at all."""

import hashlib
import logging
from typing import Any, BinaryIO

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
from tenant_apps.invoices.errors import AlreadyPaid, NotTaken, WrongState
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.format import HEAD, Format
from tenant_apps.invoices.importing.run import publishing
from tenant_apps.invoices.locking import lock_invoice, lock_without_reading
from tenant_apps.invoices.models import Batch, Credit, Document, Invoice, PayerUpdate
from tenant_apps.invoices.states import BATCH_EDGES, Answer, Asked, BatchState, InvoiceState, OnlineHold
from tenant_apps.residents.models import Source
from tenant_apps.residents.sources import default_source
from tenants.current import current_town
from tenants.databases.postgresql.again import atomic_again
from tenants.life import town_closure
from tenants.work import agenda
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
) -> Batch:
    """Store the files of an import in S3, then its row; the worker checks it. Streamed: memory does not grow.

    The payers' codes are those of `source`, or of the town's first source. Raises WrongState when the town is about
    to close, and NotTaken for files that no format takes.
    """
    if town_closure.is_last_call(current_town()):
        raise WrongState(_("Ce portail ferme : plus rien n'y est mis en ligne."))
    kind = _format_of(rows_file, rows_name)
    limits = actor.scope.listed if isinstance(actor, Account) else []
    batch = Batch(
        format=kind.name,
        created_by=actor if isinstance(actor, str) else actor.audit_name,
        source=source or default_source(),
        rows_name=rows_name[:200],
        documents_name=documents_name[:200],
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
    with transaction.atomic():
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


def move(batch: Batch, to: BatchState) -> None:
    """The only setter of a batch's state, along `BATCH_EDGES`. The caller holds the row's lock. Raises WrongState."""
    if (BatchState(batch.state), to) not in BATCH_EDGES:
        raise WrongState(_("Cet import est « %(state)s ».") % {"state": batch.get_state_display()})
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
    move(locked, BatchState.PUBLISHING)
    locked.attempts = 0
    locked.save(update_fields=["attempts"])
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
    if publishing.has_changed(locked):
        move(locked, BatchState.CHECKING)
        return False
    published = publishing.publish_drafts(locked)
    locked.published_at = timezone.now()
    locked.save(update_fields=["published_at"])
    move(locked, BatchState.PUBLISHED)
    audit.record(
        "batch.published",
        actor=_asked_by(locked),
        obj=f"batch:{locked.uuid}",
        new={"invoices": published, "payers": locked.change_count, "documents": locked.late_count},
    )
    return True


def _asked_by(batch: Batch) -> str:
    """Who asked for the publication, which the worker then does."""
    asked = entries(verbs=["batch.publication_asked"], objects=[f"batch:{batch.uuid}"]).first()
    return asked.actor if asked else batch.created_by


@atomic_again
def take_back_batch(*, actor: audit.Actor, batch: Batch) -> Batch:
    """Hide a published batch again.

    Raises AlreadyPaid when one of its invoices was paid or is being paid, and WrongState when one has an avoir: what
    was cancelled or reduced stays so, and stays visible.
    """
    locked = lock(batch)
    if locked.state == BatchState.TAKEN_BACK:
        return locked
    # Lock them in the order of their ids, like everybody: no payment and no avoir can begin meanwhile.
    lock_without_reading(Invoice.objects.filter(batch=locked))
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
    move(locked, BatchState.DISCARDED)
    keys = drop_drafts(locked)
    audit.record("batch.discarded", actor=actor, obj=f"batch:{locked.uuid}")
    keys += [key for key in (locked.rows_key, locked.documents_key) if key]
    transaction.on_commit(lambda: delete_files(keys))
    return locked


def drop_drafts(batch: Batch) -> list[str]:
    """Delete what a batch has staged. Returns the keys of the files, to delete after the commit.

    Its new payers stay, as drafts without a name: another import may be about to use them.
    """
    drafts = Invoice.objects.filter(batch=batch, state=InvoiceState.DRAFT)
    if batch.published_at:  # they were visible once: somebody may be about to pay several of them
        lock_without_reading(drafts)
    drafts.delete()
    PayerUpdate.objects.filter(batch=batch, applied_at=None).delete()
    unused = Document.objects.filter(batch=batch, invoices=None)
    keys = list(unused.values_list("key", flat=True))
    unused.delete()
    return keys


def open_questions(batch: Batch) -> QuerySet[PayerUpdate]:
    """The payers of `batch` whose question has no answer."""
    return PayerUpdate.objects.filter(batch=batch, answer="", applied_at=None).exclude(asks="")


@transaction.atomic
def answer_question(*, actor: audit.Actor, update: PayerUpdate, answer: Answer) -> PayerUpdate:
    """Answer « C'est bien la même personne » or « une autre ». It may be changed until the publication is asked for.

    Raises WrongState.
    """
    batch = lock(update.batch)
    locked = PayerUpdate.objects.select_for_update(of=("self",)).select_related("payer").get(pk=update.pk)
    if batch.state != BatchState.READY or not locked.asks or locked.applied_at is not None:
        raise WrongState(_("Cette question n'attend plus de réponse."))
    if answer == Answer.OTHER and locked.asks != Asked.CODE:
        raise WrongState(_("Abandonnez cet import et corrigez le code dans votre logiciel de facturation."))
    if locked.answer != answer:
        _answer(actor, batch, [locked], answer)
    return locked


@transaction.atomic
def recognise_alike(*, actor: audit.Actor, batch: Batch) -> int:
    """Answer « Ce sont les mêmes personnes » for every open code that looks like a known one of the same name.

    Returns how many. Raises WrongState.
    """
    locked = lock(batch)
    if locked.state != BatchState.READY:
        raise WrongState(_("Cette question n'attend plus de réponse."))
    alike = open_questions(locked).filter(
        asks=Asked.CODE, reasons__contains=[{"why": "looks", "alike": True}]
    )
    updates = list(alike.select_for_update(of=("self",)).select_related("payer"))
    _answer(actor, locked, updates, Answer.SAME)
    return len(updates)


def _answer(actor: audit.Actor, batch: Batch, updates: list[PayerUpdate], answer: Answer) -> None:
    name = actor if isinstance(actor, str) else actor.audit_name
    PayerUpdate.objects.filter(pk__in=[update.pk for update in updates]).update(
        answer=answer, answered_by=name, answered_at=timezone.now()
    )
    for update in updates:
        audit.record(
            "batch.payer_answered",
            actor=actor,
            obj=f"batch:{batch.uuid}",
            old={"name": _named(update.was), "answer": update.answer},
            new={
                **{"payer": str(update.payer.uuid), "code": update.payer.reference},
                **{"name": _named(update.said), "answer": answer},
            },
        )
        update.answer = answer


def _named(said: dict[str, Any]) -> str:
    return " ".join(filter(None, [said.get("first_name"), said.get("last_name")]))


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
