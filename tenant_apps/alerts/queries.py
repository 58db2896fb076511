"""What was written to residents, for staff: the door has checked the role."""

from django.db.models import QuerySet
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.mail.models import OutgoingMail
from tenant_apps.alerts.models import Alert
from tenant_apps.alerts.reminders import KINDS, mail_key
from tenant_apps.alerts.services import NEW_INVOICES, RECEIPT
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from tenant_apps.residents.models import PayerEmail, RemovedEmail


def mails_about(invoice: Invoice) -> QuerySet[OutgoingMail]:
    """The messages that told of `invoice` (put online, reminders) and of its payments (receipts), newest first.

    They are found by their exact keys, which hold the fact and the address: no table is searched through.
    """
    known = PayerEmail.objects.filter(payer_id=invoice.payer_id).values_list("email", flat=True)
    gone = RemovedEmail.objects.filter(payer_id=invoice.payer_id).values_list("email", flat=True)
    accounts = Account.objects.filter(accesses__payer_id=invoice.payer_id).values_list("email", flat=True)
    keys = []
    if invoice.batch is not None:
        keys += [f"{NEW_INVOICES}:{invoice.batch.uuid}:{email}" for email in {*known, *gone, *accounts}]
    receipts = Payment.objects.filter(attempt__invoices=invoice).values_list("uuid", "attempt__email")
    keys += [f"{RECEIPT}:{payment}:{email}" for payment, email in receipts]
    reminders = Alert.objects.filter(subject_uuid=invoice.uuid, kind__in=KINDS)
    for email, moment in reminders.values_list("email", "queued_at"):
        keys.append(mail_key(timezone.localdate(moment), email))
    return OutgoingMail.objects.filter(key__in=keys).order_by("-id")
