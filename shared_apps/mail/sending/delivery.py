"""Send the outbox, from the worker: a message that fails does not stop the others."""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone

from shared_apps.audit import services as audit
from shared_apps.mail import notices
from shared_apps.mail.content import one_line
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.sending.problems import Diagnosis, NothingTaken, diagnose, in_words
from tenants.current import PUBLIC, current_schema, current_town

PER_CONNECTION = 50  # messages; servers may close a connection that lasts
IN_A_ROW = 3  # messages without a server; then the run ends, and the others keep their tries
STUCK = timedelta(minutes=10)  # much longer than one message takes: its worker is dead
# Minutes before each new try; after the last one, staff see the message as failed.
BACK_OFF = [1, 5, 15, 60, 240, 720]
WAITING = (MailState.QUEUED, MailState.SENDING)
log = logging.getLogger(__name__)


def deliver_outbox() -> int:
    """Send what is due, one message after another. Returns how many were accepted.

    A row is committed as `sending` just before its message leaves, and as `sent` after. A worker killed in
    between leaves that one row, which is tried again after `STUCK` and marked `maybe_twice`; other rows are not
    affected. Any error counts for its message only.
    """
    sent = without_server = 0
    server = _ServerConnection()
    try:
        while without_server < IN_A_ROW and (mail := _take()) is not None:
            problem = _deliver(mail, server)
            sent += problem is None
            without_server = without_server + 1 if problem == MailProblem.SERVER else 0
    finally:
        server.close()
    return sent


def next_due() -> datetime | None:
    """When the outbox has work next, for the agenda; None when nothing waits."""
    return (
        OutgoingMail.objects.filter(state__in=WAITING)
        .order_by("next_try_at")
        .values_list("next_try_at", flat=True)
        .first()
    )


class _ServerConnection:
    """The connection to the mail server: reused for some messages, opened again after an error."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._carried = 0

    def backend(self) -> BaseEmailBackend:
        """A connection ready for one more message. It may raise anything."""
        if self._carried >= PER_CONNECTION:
            self.close()
        if self._backend is None:
            self._backend = get_connection()
        self._carried += 1
        return self._backend

    def close(self) -> None:
        """Close the connection, in any state."""
        backend, self._backend, self._carried = self._backend, None, 0
        if backend is not None:
            with suppress(Exception):
                backend.close()


def _take() -> OutgoingMail | None:
    """The next message that is due, marked as being sent."""
    present = timezone.now()
    with transaction.atomic():
        mail = (
            OutgoingMail.objects.select_for_update(skip_locked=True)
            .filter(state__in=WAITING, next_try_at__lte=present)
            .order_by("next_try_at")
            .first()
        )
        if mail is None:
            return None
        mail.maybe_twice = mail.maybe_twice or mail.state == MailState.SENDING
        mail.state = MailState.SENDING
        mail.tries += 1
        mail.next_try_at = present + STUCK
        mail.save(update_fields=["maybe_twice", "state", "tries", "next_try_at"])
    return mail


def _deliver(mail: OutgoingMail, server: _ServerConnection) -> MailProblem | None:
    """Send one message and note the result. Returns the problem, if any."""
    if mail.tries > len(BACK_OFF) + 1:  # every try died with its worker
        return _note_failure(mail, Diagnosis(MailProblem.CUT, final=True), "")
    message = None
    try:
        message = _message(mail)
        message.connection = server.backend()
        if not message.send():
            raise NothingTaken
    except Exception as error:  # a provider's library may raise anything
        server.close()
        diagnosis = diagnose(error, message)
        if diagnosis.problem in (MailProblem.CONTENT, MailProblem.OTHER):
            log.exception("a message of kind %s could not be sent", mail.kind)
        return _note_failure(mail, diagnosis, in_words(error))
    mail.state, mail.sent_at, mail.last_error, mail.problem = MailState.SENT, timezone.now(), "", ""
    if mail.secret:
        mail.text = mail.html = ""
    _write(mail, "sent_at")
    return None


def _message(mail: OutgoingMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        _sender(),
        [mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers=_headers(mail),
    )
    message.attach_alternative(mail.html, "text/html")
    return message


def _headers(mail: OutgoingMail) -> dict[str, str]:
    """The headers. For messages that may be refused, the one-click unsubscription of RFC 8058."""
    headers = {"Message-ID": f"<{mail.uuid}@{settings.BASE_DOMAIN}>", "Auto-Submitted": "auto-generated"}
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _note_failure(mail: OutgoingMail, diagnosis: Diagnosis, words: str) -> MailProblem:
    final = diagnosis.final or mail.tries > len(BACK_OFF)
    if final:
        mail.state = MailState.FAILED
    else:
        mail.state = MailState.QUEUED
        mail.next_try_at = timezone.now() + timedelta(minutes=BACK_OFF[mail.tries - 1])
    mail.problem, mail.last_error = diagnosis.problem, words[:300]
    mail.maybe_twice = mail.maybe_twice or diagnosis.may_have_left
    with transaction.atomic():
        _write(mail, "next_try_at", "maybe_twice")
        if final:
            audit.record("mail.failed", actor=audit.SYSTEM, obj=f"mail:{mail.uuid}")
    return diagnosis.problem


def _write(mail: OutgoingMail, *more: str) -> None:
    """Note what became of a message; one that was erased while it left (accounts.erasing) is not written again."""
    notice = notices.find(mail.kind)
    if notice and notice.forgets_address and mail.state in (MailState.SENT, MailState.FAILED):
        mail.to = mail.text = mail.html = mail.last_error = ""
    fields = ("state", "problem", "last_error", "text", "html", "to", *more)
    OutgoingMail.objects.filter(pk=mail.pk).update(**{name: getattr(mail, name) for name in fields})


def _sender() -> str:
    """The sender: the platform's address (our domain signs) under the town's name."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((name if current_schema() == PUBLIC else one_line(current_town().name), address))
