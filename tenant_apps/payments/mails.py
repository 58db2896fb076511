"""The mails about corrected payments, declarations without money, and products that the Treasury refuses."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare
from tenant_apps.invoices.documents.naming import named
from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.payments.models import Attempt, Declaration, Payment
from tenant_apps.payments.payability.reading import payabilities_of
from tenant_apps.payments.providers.registry import labels_of
from tenant_apps.products.models import Product
from toolkit.money import format_euros


def _payment_cancelled(
    sender: Sender, *, payment: Payment, attempt: Attempt, invoices: list[Invoice]
) -> Content:
    """Say that the invoices are not paid after all, and what to do."""
    numbers = ", ".join(named(invoice) for invoice in invoices) or attempt.label
    place = "reglements" if attempt.several else f"factures/{attempt.invoice.uuid}"
    return Content(
        subject=_("Votre règlement n'a pas abouti – %(town)s") % {"town": sender.town},
        sentence=_("Votre règlement de %(amount)s (%(numbers)s) a été annulé : %(reason)s.")
        % {
            "amount": format_euros(payment.amount),
            "numbers": numbers,
            "reason": payment.cancel_reason.rstrip(". "),
        },
        button_label=_("Voir mes factures à régler") if attempt.several else _("Voir la facture"),
        button_url=f"{sender.address}/{place}/",
        more=(_what_now(invoices, several=attempt.several),),
        why=_("Vous recevez ce message parce que vous avez réglé en ligne."),
    )


def _what_now(invoices: list[Invoice], *, several: bool) -> str:
    """What to do now. An invoice may have been paid another way or cancelled meanwhile."""
    if invoices and not any(one.what.is_awaited for one in payabilities_of(invoices).values()):
        return _(
            "Vous n'avez rien à régler pour l'instant. En cas de doute, écrivez-nous depuis « Contact »."
        )
    if several:
        return _("Ces factures sont de nouveau à régler. En cas de doute, écrivez-nous depuis « Contact ».")
    return _("La facture est de nouveau à régler. En cas de doute, écrivez-nous depuis « Contact ».")


def _invoice_credited(sender: Sender, *, invoice: Invoice, credit: Credit) -> Content:
    """Say that the amount of the invoice has changed, or that it is cancelled."""
    words = {
        "number": named(invoice),
        "amount": format_euros(credit.amount),
        "rest": format_euros(invoice.balance),
        "reason": credit.reason.rstrip(". "),
    }
    if credit.cancels:
        sentence = _("La facture n° %(number)s a été annulée : %(reason)s. Vous n'avez rien à régler.")
    else:
        sentence = _(
            "La facture n° %(number)s a été réduite de %(amount)s : %(reason)s. Il reste %(rest)s à régler."
        )
    return Content(
        subject=_("Votre facture n° %(number)s a changé – %(town)s")
        % {"number": invoice.number, "town": sender.town},
        sentence=sentence % words,
        button_label=_("Voir la facture"),
        button_url=f"{sender.address}/factures/{invoice.uuid}/",
        why=_("Vous recevez ce message parce que cette facture est dans votre compte."),
    )


def _declaration_refused(sender: Sender, *, declaration: Declaration) -> Content:
    invoice = declaration.invoice
    return Content(
        subject=_("Votre règlement n'a pas été retrouvé – %(town)s") % {"town": sender.town},
        sentence=_("Vous avez indiqué avoir réglé la facture n° %(number)s. Voici notre réponse : %(answer)s")
        % {"number": named(invoice), "answer": declaration.answer},
        button_label=_("Voir la facture"),
        button_url=f"{sender.address}/factures/{invoice.uuid}/",
        why=_("Vous recevez ce message parce que vous avez appuyé sur « J'ai réglé »."),
    )


def _product_closed(sender: Sender, *, product: Product, code: str) -> Content:
    return Content(
        subject=_("Paiement en ligne interrompu : %(label)s") % {"label": product.label},
        sentence=str(labels_of(product.protocol).refused_product)
        % {"merchant": product.numcli, "code": code, "label": product.label},
        button_label=_("Vérifier ce numéro"),
        button_url=f"{sender.address}/gestion/reglages/regies/{product.pk}/mise-en-service/",
        why=_("Vous recevez ce message parce que cette adresse est celle du service."),
    )


PAYMENT_CANCELLED = declare(
    Notice(
        kind="payment-cancelled",
        title=gettext_lazy("Règlement annulé"),
        audience=Audience.PERSON,
        when="staff cancel a payment that was made online, or the bank rejects it",
        words=_payment_cancelled,
        key="payment-cancelled:{payment}",
    )
)
INVOICE_CREDITED = declare(
    Notice(
        kind="invoice-credited",
        title=gettext_lazy("Facture réduite ou annulée"),
        audience=Audience.PAYER,
        when="an avoir reduces or cancels an invoice: the accounts that see it are told",
        words=_invoice_credited,
        quotes=True,
        key="invoice-credited:{credit}:{account}",
    )
)
DECLARATION_REFUSED = declare(
    Notice(
        kind="declaration-refused",
        title=gettext_lazy("Règlement non retrouvé"),
        audience=Audience.PERSON,
        when="staff answer « J'ai réglé » that no money was found",
        words=_declaration_refused,
        key="declaration-refused:{declaration}:{declared_at}",
    )
)
PRODUCT_CLOSED = declare(
    Notice(
        kind="product-closed",
        title=gettext_lazy("Paiement en ligne interrompu"),
        audience=Audience.SERVICE,
        when="the provider refuses the number of a product",
        words=_product_closed,
        key="product-closed:{finding}:{times}",
    )
)
