"""Readers of the outbox, for staff: the door has checked the role. Bodies are not for reading: some hold a link."""

from uuid import UUID

from django.db.models import QuerySet

from shared_apps.mail.models import MailState, OutgoingMail


def outgoing(*, state: str = "") -> QuerySet[OutgoingMail]:
    """The messages of the current schema, newest first, without their bodies."""
    mails = OutgoingMail.objects.defer("text", "html").order_by("-id")
    return mails.filter(state=state) if state else mails


def failed_mails() -> QuerySet[OutgoingMail]:
    """What could not be delivered and waits for a person."""
    return outgoing(state=MailState.FAILED)


def mail(public_id: UUID) -> OutgoingMail:
    """One message. Raises OutgoingMail.DoesNotExist."""
    return OutgoingMail.objects.get(uuid=public_id)
