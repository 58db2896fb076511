"""The only writers of messages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.throttling import throttle
from shared_apps.audit import services as audit
from shared_apps.mail.services import queue_mail
from tenant_apps.contact import mails, spam
from tenant_apps.contact.errors import Changed
from tenant_apps.contact.files.attachments import Attachment, File
from tenant_apps.contact.files.stored import store
from tenant_apps.contact.models import Author, Message
from tenant_apps.contact.queries import last_of
from tenant_apps.invoices.models import Invoice
from tenant_apps.products.queries import contact_address
from tenant_apps.townhall.queries import letterhead

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
    """Keep what a resident wrote (M13) and mail it to the service of the invoice, or to the town's.

    Twice with one `public_id` is one message. `invoice` must be one that the actor may see; the door checked it.
    What a stranger fills with links is kept for staff to look at, and mailed to nobody. Raises emails.BadAddress.
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
        return Message.objects.get(uuid=public_id)  # sent already; anything else is a real fault, raised here
    return message


def reply_to_message(
    *, actor: Account, message: Message, body: str, attachments: Attachments = (), key: UUID
) -> Message:
    """The resident goes on with a thread, which is open again. Twice with one `key` is one reply. Raises Changed."""
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
    """The town's answer: the resident is told by mail, whole, and the thread is dealt with. Twice is once, by `key`.

    `seen` is the last message that the clerk read. Raises Changed when there is another one since, and
    NotWhileImpersonating for the operator in somebody's place.
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
    """Staff have dealt with it. Doing it twice changes nothing."""
    changed = Message.objects.filter(pk=message.pk, handled_at=None).update(
        handled_at=timezone.now(), handled_by=actor.audit_name
    )
    if changed:
        audit.record("message.handled", actor=actor, obj=f"message:{message.uuid}")


@transaction.atomic
def reopen_message(*, actor: Account, message: Message) -> None:
    """It is to deal with after all. Doing it twice changes nothing."""
    changed = Message.objects.filter(pk=message.pk, handled_at__isnull=False).update(
        handled_at=None, handled_by=""
    )
    if changed:
        audit.record("message.reopened", actor=actor, obj=f"message:{message.uuid}")


@transaction.atomic
def release_message(*, actor: Account, message: Message) -> None:
    """What looked like spam is none: it goes where it should have gone. Doing it twice changes nothing."""
    if Message.objects.filter(pk=message.pk, held=True).update(held=False):
        audit.record("message.released", actor=actor, obj=f"message:{message.uuid}")
        _mail_to_the_service(message)


def mark_read(*, message: Message, reader: Author) -> None:
    """The other side has opened the last message of the thread as it was read; one that came since is not read."""
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
    """A message at the end of a locked thread; False when it was there already. Raises Changed for a `key` that is
    taken elsewhere: no page of ours gives one."""
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


def _mail_to_the_service(message: Message) -> None:
    surroundings = letterhead()
    with translation.override(settings.LANGUAGE_CODE):  # whatever the resident reads
        queue_mail(
            kind="contact",
            to=message.sent_to,
            reply_to=message.email,
            content=mails.to_the_service(message=message, address=surroundings["address"]),
            surroundings=surroundings,
            key=f"contact:{message.uuid}",
        )


def _mail_to_the_writer(message: Message) -> None:
    surroundings = letterhead()
    town = surroundings["townhall"].name
    if message.account is not None:
        content = mails.copy(message=message, town=town, address=surroundings["address"])
    elif throttle.first_in("contact-receipt", message.email, A_DAY):
        content = mails.receipt(message=message, town=town)
    else:  # somebody may be writing in the name of others
        return
    queue_mail(
        kind="contact-copy",
        to=message.email,
        content=content,
        surroundings=surroundings,
        key=f"contact-copy:{message.uuid}",
    )


def _mail_the_answer(root: Message, answer: Message) -> None:
    surroundings, account = letterhead(), root.reader
    with translation.override(account.reads if account else settings.LANGUAGE_CODE):
        queue_mail(
            kind="contact-answer",
            to=account.email if account else root.email,
            reply_to=contact_address(root.invoice.product if root.invoice else None),
            content=mails.answer(
                message=answer,
                root=root,
                town=surroundings["townhall"].name,
                address=surroundings["address"],
                has_account=account is not None,
            ),
            surroundings=surroundings,
            key=f"contact-answer:{answer.uuid}",
        )
