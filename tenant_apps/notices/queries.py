"""The messages to residents, for staff: the caller has checked the role."""

from django.db.models import QuerySet

from shared_apps.mail import notices
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice


def mails_about(invoice: Invoice) -> QuerySet[OutgoingMail]:
    """The messages about `invoice` (put online, reminders) and its payments (receipts), newest first.

    Found by their exact keys, which contain the fact and the address, so that no table is scanned.
    """
    keys = [key for notice in notices.every() if notice.keys_about for key in notice.keys_about(invoice)]
    return OutgoingMail.objects.filter(key__in=keys).order_by("-id")
