"""Queue a message in the caller's transaction; deliver it from the worker."""

import re
import smtplib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.audit import services as audit
from shared_apps.mail.content import Content
from shared_apps.mail.errors import TooOld
from shared_apps.mail.models import MailState, OutgoingMail
from tenants import agenda
from tenants.current import PUBLIC, current_schema, current_town

BATCH = 50
# The last word to somebody who was erased: once it has left, or was given up, its row no longer says to whom.
FAREWELL = "account-erased"
STUCK = timedelta(minutes=10)
SECRET_LIFE = timedelta(hours=24)  # as long as a `?LIEN=` serves (accounts.services.LINK_LIFE)
SECRET_LIVES = {"code": timedelta(minutes=10)}  # of another kind of message (accounts.codes.LIFE)
# Minutes before each new try; after the last one the message is a failure that staff see.
BACK_OFF = [1, 5, 15, 60, 240, 720]


def queue_mail(
    *,
    kind: str,
    to: str,
    content: Content,
    surroundings: Mapping[str, object],
    key: str | None = None,
    reply_to: str = "",
    secret: bool = False,
    then_wake: bool = True,
) -> OutgoingMail | None:
    """Write one message to the outbox and ask the worker to send it once the transaction commits.

    `surroundings` are the town's name, colours and address (townhall.queries.letterhead). With a `key` that
    exists already nothing is written and None is returned. Whoever queues many in one transaction passes
    `then_wake=False` and calls `wake` once.
    """
    mail = compose(
        kind=kind,
        to=to,
        content=content,
        surroundings=surroundings,
        key=key,
        reply_to=reply_to,
        secret=secret,
    )
    if key is None:
        mail.save()
    else:
        OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
        if not OutgoingMail.objects.filter(uuid=mail.uuid).exists():
            return None
    if then_wake:
        wake()
    return mail


def compose(
    *,
    kind: str,
    to: str,
    content: Content,
    surroundings: Mapping[str, object],
    key: str | None = None,
    reply_to: str = "",
    secret: bool = False,
) -> OutgoingMail:
    """A message in the reader's language, not written anywhere yet (`queue_mail`, `queue_all`)."""
    context = {**surroundings, "content": content}
    return OutgoingMail(
        kind=kind,
        key=key,
        to=to,
        reply_to=reply_to,
        subject=_one_line(content.subject)[:200],
        text=render_to_string("mail/message.txt", context).strip() + "\n",
        html=render_to_string("mail/message.html", context),
        unsubscribe_url=content.unsubscribe_url,
        secret=secret,
        next_try_at=timezone.now(),
    )


def queue_all(mails: Iterable[OutgoingMail]) -> None:
    """Write many composed messages to the outbox in one statement, and ask the worker to send them once committed.

    One whose key exists already is left out.
    """
    OutgoingMail.objects.bulk_create(mails, ignore_conflicts=True)
    wake()


@transaction.atomic
def requeue_mail(*, actor: audit.Actor, mail: OutgoingMail) -> OutgoingMail:
    """« Renvoyer »: a failed message waits again, with all its tries before it. Any other one is left alone.

    Raises TooOld when it holds a `?LIEN=` or a code that has expired: the person must ask for a new one.
    """
    locked = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
    if locked.state != MailState.FAILED:
        return locked
    if not locked.to:
        raise TooOld(_("La personne a été effacée : son adresse n'est plus connue."))
    life = SECRET_LIVES.get(locked.kind, SECRET_LIFE)
    if locked.secret and locked.created_at <= timezone.now() - life:
        raise TooOld(
            _(
                "Ce message contient un lien qui n'est plus valable, ou un code trop ancien : "
                "la personne peut en demander un autre."
            )
        )
    locked.state, locked.tries, locked.next_try_at = MailState.QUEUED, 0, timezone.now()
    locked.save(update_fields=["state", "tries", "next_try_at"])
    audit.record("mail.requeued", actor=actor, obj=f"mail:{locked.uuid}")
    wake()
    return locked


def hold_back_waiting() -> None:
    """The town is a copy of another that lives: what waits is the other's to send. In the caller's transaction."""
    OutgoingMail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING]).update(
        state=MailState.FAILED, last_error=gettext_noop("Non envoyé : cette commune est une copie.")
    )


def drop_waiting(*, kinds: Collection[str], to: Collection[str]) -> list[OutgoingMail]:
    """What has not left for these addresses does not leave, now or by « Renvoyer ». In the caller's transaction.

    Returns them, as they were. One that is leaving at this very moment has left.
    """
    if not to:
        return []
    found = OutgoingMail.objects.filter(to__in=to, kind__in=kinds).exclude(state=MailState.SENT)
    waiting = list(found.select_for_update().only("kind", "key", "state", "to"))
    OutgoingMail.objects.filter(pk__in=[mail.pk for mail in waiting]).delete()
    if waiting:
        audit.record(
            "mail.dropped", actor=audit.SYSTEM, new={"messages": len(waiting), "kinds": sorted(kinds)}
        )
    return waiting


def wake() -> None:
    """Have the outbox looked at as soon as this transaction commits."""
    agenda.wake("mail")


def deliver_outbox() -> int:
    """Send what is due, a batch at a time over one SMTP connection. Returns how many were accepted.

    A row is marked `sending` and committed before the message leaves, and `sent` after: a worker killed in
    between leaves one row that is tried again after `STUCK`, marked `maybe_twice`.
    """
    sent = 0
    while True:
        mails = _take()
        if not mails:
            return sent
        backend = get_connection()
        try:
            for mail in mails:
                sent += _deliver(mail, backend)
        finally:
            backend.close()


def _take() -> list[OutgoingMail]:
    present = timezone.now()
    with transaction.atomic():
        mails = list(
            OutgoingMail.objects.select_for_update(skip_locked=True)
            .filter(state__in=[MailState.QUEUED, MailState.SENDING], next_try_at__lte=present)
            .order_by("next_try_at")[:BATCH]
        )
        for mail in mails:
            mail.maybe_twice = mail.maybe_twice or mail.state == MailState.SENDING
            mail.state = MailState.SENDING
            mail.tries += 1
            mail.next_try_at = present + STUCK
        OutgoingMail.objects.bulk_update(mails, ["maybe_twice", "state", "tries", "next_try_at"])
    return mails


def _deliver(mail: OutgoingMail, backend: BaseEmailBackend) -> int:
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        _sender(),
        [mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        connection=backend,
        headers=_headers(mail),
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        backend.close()
        _note_failure(mail, error)
        return 0
    mail.state, mail.sent_at, mail.last_error = MailState.SENT, timezone.now(), ""
    if mail.secret:
        mail.text = mail.html = ""
    _write(mail, "sent_at")
    return 1


def _headers(mail: OutgoingMail) -> dict[str, str]:
    """With what may be refused, the one click of RFC 8058 that mail readers show beside the message."""
    headers = {"Message-ID": f"<{mail.uuid}@{settings.BASE_DOMAIN}>", "Auto-Submitted": "auto-generated"}
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _write(mail: OutgoingMail, *more: str) -> None:
    """Note what became of a message; one that was erased while it left (accounts.erasing) is not written again."""
    if mail.kind == FAREWELL and mail.state in (MailState.SENT, MailState.FAILED):
        mail.to = mail.text = mail.html = mail.last_error = ""
    fields = ("state", "last_error", "text", "html", "to", *more)
    OutgoingMail.objects.filter(pk=mail.pk).update(**{name: getattr(mail, name) for name in fields})


def _note_failure(mail: OutgoingMail, error: Exception) -> None:
    final = isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        500 <= code < 600 for code, _answer in error.recipients.values()
    )
    if final or mail.tries > len(BACK_OFF):
        mail.state = MailState.FAILED
    else:
        mail.state = MailState.QUEUED
        mail.next_try_at = timezone.now() + timedelta(minutes=BACK_OFF[mail.tries - 1])
    mail.last_error = _one_line(f"{type(error).__name__}: {error}")[:300]
    with transaction.atomic():
        _write(mail, "next_try_at")
        if mail.state == MailState.FAILED:
            audit.record("mail.failed", actor=audit.SYSTEM, obj=f"mail:{mail.uuid}")


def next_due() -> datetime | None:
    """When the outbox next wants a look, for the agenda; None when nothing waits."""
    return (
        OutgoingMail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING])
        .order_by("next_try_at")
        .values_list("next_try_at", flat=True)
        .first()
    )


def _sender() -> str:
    """The platform's address under the town's name: the domain that signs is ours, the name is the town's."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((name if current_schema() == PUBLIC else current_town().name, address))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
