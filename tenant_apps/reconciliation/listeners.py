"""What lines must hear of the rooms below."""

from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from shared_apps.audit.models import Entry
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation import services


def payment_cancelled(entry: Entry) -> None:
    """Its money is still on the account or in the journal, and pays nothing any more: somebody must look.

    Unless a line says that the money went back too: then both lines explain each other.
    """
    uuid = entry.object.removeprefix("payment:")
    payment = Payment.objects.filter(uuid=uuid).first()
    if payment is not None:
        services.lose_payment(
            actor=entry.actor,
            payment=payment,
            reason=_(
                "Le règlement de cette ligne a été annulé chez nous : l'argent est venu, et ne compte plus."
            )
            + (f" {_('Motif : %(reason)s.') % {'reason': payment.cancel_reason.rstrip('. ')}}"),
        )
