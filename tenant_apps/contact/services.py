"""The only writers of messages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.throttling import throttle
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenant_apps.contact import mails, spam
from tenant_apps.contact.errors import Changed
from tenant_apps.contact.files.attachments import Attachment, File
from tenant_apps.contact.files.stored import store
from tenant_apps.contact.models import Author, Message
from tenant_apps.contact.queries import last_of
from tenant_apps.invoices.models import Invoice
from tenant_apps.products.queries import contact_address
from toolkit.words import current_language

A_DAY = 24 * 3600
Attachments = Sequence[Attachment]


def send_message(
    *,
    actor: Account | None,
    email: str,
    subject: str,
    body: str,
    invoice: Invoice | None = None,
    attachments: Attachments = (),
    wants_copy: bool = False,
    public_id: UUID | None = None,
) -> Message:
    """Store a resident's message (docs/manual.md, M13), and mail it to the service of the invoice or of the town.

    Twice with the same `public_id` makes one message. The view has checked that the actor may see `invoice`.
    A stranger's message full of links is stored for staff to check, and not mailed. Raises emails.BadAddress.
    """
    public_id = public_id or uuid4()
    message = Message(
        uuid=public_id,
        account=actor,
        email=email,
        invoice=invoice,
        subject=subject.strip(),
        body=body.strip(),
        files=_rows(store(public_id, attachments)),
        sent_to=contact_address(invoice.product if invoice else None),
        held=actor is None and spam.has_too_many_links(subject, body),
        last_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            message.save(force_insert=True)
            audit.record("message.sent", actor=actor or "visitor", obj=f"message:{message.uuid}")
            if not message.held:
                _mail_to_the_service(message)
            if wants_copy and not message.held:
                _mail_to_the_writer(message)
    except IntegrityError:
        return Message.objects.get(uuid=public_id)  # sent already; any other error is raised here
    return message


def reply_to_message(
    *, actor: Account, message: Message, body: str, attachments: Attachments = (), key: UUID
) -> Message:
    """The resident replies, which reopens the thread. Twice with the same `key` makes one reply. Raises Changed."""
    files = store(key, attachments)
    with transaction.atomic():
        root = _locked(message)
        reply, is_new = _add(
            root, key, files, author=Author.RESIDENT, account=actor, body=body, sent_to=root.sent_to
        )
        if is_new:
            root.handled_at, root.handled_by = None, ""
            root.save(update_fields=["handled_at", "handled_by"])
            audit.record("message.replied", actor=actor, obj=f"message:{root.uuid}")
            _mail_to_the_service(reply)
    return reply


def answer_message(
    *, actor: Account, message: Message, body: str, seen: UUID, attachments: Attachments = (), key: UUID
) -> Message:
    """Answer: mail the full answer to the resident, and close the thread. Twice with the same `key` answers once.

    `seen` is the last message that the clerk read. Raises Changed when there is a newer one, and
    NotWhileImpersonating for an operator in somebody's place.
    """
    refuse_impersonator(actor)
    files = store(key, attachments)
    with transaction.atomic():
        root = _locked(message)
        if not Message.objects.filter(uuid=key).exists() and last_of(root) != seen:
            raise Changed(
                _(
                    "Un autre message est arrivé dans cet échange pendant que vous écriviez. "
                    "Relisez-le ci-dessus, puis envoyez votre réponse si elle convient toujours."
                )
            )
        answer, is_new = _add(
            root, key, files, author=Author.STAFF, account=actor, body=body, sent_to=root.email
        )
        if is_new:
            root.handled_at, root.handled_by, root.held = timezone.now(), actor.audit_name, False
            root.save(update_fields=["handled_at", "handled_by", "held"])
            audit.record("message.answered", actor=actor, obj=f"message:{root.uuid}")
            _mail_the_answer(root, answer)
    return answer


@transaction.atomic
def mark_handled(*, actor: Account, message: Message) -> None:
    """Staff close the thread. Twice changes nothing."""
    changed = Message.objects.filter(pk=message.pk, handled_at=None).update(
        handled_at=timezone.now(), handled_by=actor.audit_name
    )
    if changed:
        audit.record("message.handled", actor=actor, obj=f"message:{message.uuid}")


@transaction.atomic
def reopen_message(*, actor: Account, message: Message) -> None:
    """Staff reopen the thread. Twice changes nothing."""
    changed = Message.objects.filter(pk=message.pk, handled_at__isnull=False).update(
        handled_at=None, handled_by=""
    )
    if changed:
        audit.record("message.reopened", actor=actor, obj=f"message:{message.uuid}")


@transaction.atomic
def release_message(*, actor: Account, message: Message) -> None:
    """A message was not spam: mail it to the service. Twice changes nothing."""
    if Message.objects.filter(pk=message.pk, held=True).update(held=False):
        audit.record("message.released", actor=actor, obj=f"message:{message.uuid}")
        _mail_to_the_service(message)


def mark_read(*, message: Message, reader: Author) -> None:
    """Note that the other side has opened the thread's last message; a newer message stays unread."""
    if message.read_at is None and message.last_author != reader:
        present = timezone.now()
        same = Message.objects.filter(pk=message.pk, last_at=message.last_at, read_at=None)
        if same.update(read_at=present):
            message.read_at = present


def _locked(message: Message) -> Message:
    return (
        Message.objects.select_for_update(of=("self",))
        .select_related("invoice__product", "account")
        .get(pk=message.pk)
    )


def _add(root: Message, key: UUID, files: list[File], **fields: Any) -> tuple[Message, bool]:
    """Add a message to a locked thread; False when it was there already.

    Raises Changed for a `key` that is used elsewhere, which our pages never send.
    """
    present = timezone.now()
    known = Message.objects.filter(uuid=key).first()
    if known is not None and (known.thread_id, known.author) == (root.pk, fields["author"]):
        return known, False
    if known is not None:
        raise Changed(_("Cette page n'est plus à jour : ouvrez-la de nouveau, puis recommencez."))
    fields["body"] = fields["body"].strip()
    added = Message.objects.create(
        uuid=key,
        thread=root,
        email=root.email,
        invoice=root.invoice,
        subject=root.subject,
        files=_rows(files),
        last_at=present,
        **fields,
    )
    root.last_at, root.last_author, root.read_at = present, fields["author"], None
    root.save(update_fields=["last_at", "last_author", "read_at"])
    return added, True


def _rows(files: list[File]) -> list[dict[str, Any]]:
    return [file.row() for file in files]


def _product_of(message: Message) -> int | None:
    return message.invoice.product_id if message.invoice else None


def _mail_to_the_service(message: Message) -> None:
    notify(
        mails.TO_THE_SERVICE.about(message=message).of(_product_of(message)),
        to=message.sent_to,
        language=settings.LANGUAGE_CODE,  # staff read French, whatever the resident reads
        reply_to=message.email,
        once={"message": message.uuid},
    )


def _mail_to_the_writer(message: Message) -> None:
    if message.account is None and not throttle.first_in("contact-receipt", message.email, A_DAY):
        return  # the operator acts in the place of a member of staff
    said, once = mails.COPY.about(message=message).of(_product_of(message)), {"message": message.uuid}
    notify(said, to=message.email, language=current_language(), once=once)


def _mail_the_answer(root: Message, answer: Message) -> None:
    account = root.reader
    notify(
        mails.ANSWER.about(message=answer, root=root, has_account=account is not None).of(_product_of(root)),
        to=account.email if account else root.email,
        language=account.reads if account else settings.LANGUAGE_CODE,
        reply_to=contact_address(root.invoice.product if root.invoice else None),
        once={"answer": answer.uuid},
    )
