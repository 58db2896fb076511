"""The message after an online payment. Never call it a « quittance » (docs/payfip.md §5)."""

from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.audit.models import AuditEntry
from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Choice, Notice, On, Said, declare
from tenant_apps.invoices.documents.naming import named
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from tenant_apps.payments.naming import receipt_reference
from tenants.work import agenda
from toolkit import clock
from toolkit.money import format_euros

CHOICE = Choice(
    "receipt",
    gettext_lazy("un règlement en ligne est enregistré"),
    40,
    offered=lambda townhall: _("un de mes règlements en ligne est enregistré"),
)
KEY = "receipt:{about}:{email}"


def _words(sender: Sender, *, payment: Payment) -> Content:
    allocations = list(payment.allocations.all())
    numbers = ", ".join(named(allocation.invoice) for allocation in allocations)
    attempt = payment.attempt
    url = (
        f"{sender.address}/factures/{allocations[0].invoice.uuid}/"
        if allocations
        else f"{sender.address}/factures/"
    )
    return Content(
        subject=_("Votre règlement est enregistré – %(town)s") % {"town": sender.town},
        sentence=_("Nous avons bien enregistré votre règlement de %(amount)s. Merci.")
        % {"amount": format_euros(payment.amount)},
        button_label=_("Voir la facture"),
        button_url=url,
        more=(
            _("Facture : %(numbers)s") % {"numbers": numbers or _("à affecter par le service")},
            _("Date : %(date)s") % {"date": clock.in_words(payment.paid_on)},
            _("Référence du règlement : %(reference)s") % {"reference": receipt_reference(payment)},
            *(
                [_("Référence de paiement : %(reference)s") % {"reference": attempt.reference}]
                if attempt is not None and attempt.several
                else []
            ),
        ),
        why=_("Vous recevez ce message parce que cette adresse a été donnée au moment du paiement."),
    )


def _plan(entry: AuditEntry) -> None:
    plan_receipt(payment=UUID(entry.object.removeprefix("payment:")))


def plan_receipt(*, payment: UUID) -> None:
    """Plan the receipt of an online payment, when the payer wants one and was not erased since.

    One SQL statement, because the caller's transaction holds the lock of an invoice.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notices_alert (kind, key, email, language, subject_uuid, created_at) "
            "SELECT %s, left(%s || t.email, 200), t.email, COALESCE(NULLIF(a.language, ''), %s), p.uuid, now() "
            "FROM payments_payment p "
            "JOIN payments_attempt t ON t.id = p.attempt_id LEFT JOIN accounts_account a ON a.id = t.account_id "
            "WHERE p.uuid = %s AND t.email <> '' AND (a.id IS NULL OR NOT a.refused_alerts ? %s) "
            "ON CONFLICT (key) DO NOTHING",
            [
                *(CHOICE.name, KEY.format(about=payment, email=""), settings.LANGUAGE_CODE),
                *(payment, CHOICE.name),
            ],
        )
        if cursor.rowcount:
            agenda.wake("notices")


def _tell(uuid: UUID, addresses: list[str]) -> dict[str, Said]:
    payment = (
        Payment.objects.select_related("attempt").prefetch_related("allocations__invoice").get(uuid=uuid)
    )
    return dict.fromkeys(addresses, RECEIPT.about(payment=payment).of(payment.product_id))


def _keys_about(invoice: Invoice) -> list[str]:
    paid = Payment.objects.filter(attempt__invoices=invoice).values_list("uuid", "attempt__email")
    return [RECEIPT.key_of(about=payment, email=email) for payment, email in paid]


RECEIPT = declare(
    Notice(
        kind="receipt",
        title=gettext_lazy("Règlement enregistré"),
        audience=Audience.PERSON,
        when="a payment online is recorded: the address that was given to pay is told",
        words=_words,
        key=KEY,
        choices=(CHOICE,),
        on=On("payment.received", _plan, _tell),
        keys_about=_keys_about,
    )
)
