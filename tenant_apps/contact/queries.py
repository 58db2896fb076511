"""Readers of residents' messages, for staff: the door has checked the role."""

from uuid import UUID

from django.db.models import QuerySet

from tenant_apps.contact.models import Message


def messages(*, handled: bool | None = None) -> QuerySet[Message]:
    """The messages of residents, newest first; `handled` keeps those that were dealt with, or the others."""
    found = Message.objects.select_related("invoice").order_by("-id")
    return found if handled is None else found.filter(handled_at__isnull=not handled)


def message(public_id: UUID) -> Message:
    """One message. Raises Message.DoesNotExist."""
    return Message.objects.select_related("invoice__payer", "account").get(uuid=public_id)
