"""What was written to residents, for staff: the door has checked the role."""

from django.db.models import QuerySet

from shared_apps.mail import notices
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice


def mails_about(invoice: Invoice) -> QuerySet[OutgoingMail]:
    """The messages that told of `invoice` (put online, reminders) and of its payments (receipts), newest first.

    They are found by their exact keys, which hold the fact and the address: no table is searched through.
    """
    keys = [key for notice in notices.every() if notice.keys_about for key in notice.keys_about(invoice)]
    return OutgoingMail.objects.filter(key__in=keys).order_by("-id")
