"""« De nouvelles factures »: one message per address for all that a batch put online (docs/manual.md, M14)."""

from collections import defaultdict
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Choice, Example, Notice, On, Said, Setting, declare
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.notices.examples import made_up
from tenant_apps.notices.services import plan_for
from tenant_apps.notices.words import SHOWN, Payabilities, of_invoice, why
from tenant_apps.payments.payability.deciding import Payability
from tenant_apps.payments.payability.reading import payabilities_of, total
from tenant_apps.residents.models import Access, PayerEmail, RemovedEmail
from tenant_apps.townhall.models import AlertAudience, TownHall
from tenant_apps.townhall.queries import current_townhall
from toolkit.money import format_euros


def _words(
    sender: Sender, *, invoices: list[Invoice], payabilities: Payabilities, has_account: bool
) -> Content:
    n = len(invoices)
    lines = [
        _("%(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % of_invoice(invoice, invoice.amount, payabilities[invoice.pk])
        for invoice in invoices[:SHOWN]
    ]
    if n > SHOWN:
        lines.append(_("… et %(n)d autres.") % {"n": n - SHOWN})
    return Content(
        subject=ngettext("Une nouvelle facture – %(town)s", "%(n)d nouvelles factures – %(town)s", n)
        % {"n": n, "town": sender.town},
        sentence=_announced([payabilities[invoice.pk] for invoice in invoices]),
        button_label=_("Voir mes factures") if has_account else _("Activer mon compte"),
        button_url=f"{sender.address}/factures/" if has_account else f"{sender.address}/activation/",
        more=tuple(lines),
        why=why(has_account),
    )


def _announced(payabilities: list[Payability]) -> str:
    n, awaited = len(payabilities), [one for one in payabilities if one.what.is_awaited]
    words = {"n": n, "total": format_euros(total(awaited))}
    if not awaited:
        sentence = ngettext(
            "Une nouvelle facture est sur le portail. Vous n'avez rien à régler pour l'instant.",
            "%(n)d nouvelles factures sont sur le portail. Vous n'avez rien à régler pour l'instant.",
            n,
        )
    elif len(awaited) < n:
        sentence = _("%(n)d nouvelles factures vous attendent sur le portail, dont %(total)s à régler.")
    else:
        sentence = ngettext(
            "Une nouvelle facture vous attend sur le portail : %(total)s.",
            "%(n)d nouvelles factures vous attendent sur le portail, pour un total de %(total)s.",
            n,
        )
    return sentence % words


def _plan(entry: AuditEntry) -> None:
    plan_new_invoice_notices(batch=UUID(entry.object.removeprefix("batch:")))


def plan_new_invoice_notices(*, batch: UUID) -> int:
    """Plan one notice per address for all new invoices of `batch`. Returns how many.

    In the caller's transaction.
    """
    audience = current_townhall().alert_audience
    if audience == AlertAudience.NOBODY:
        return 0
    payers = Invoice.objects.filter(batch__uuid=batch, state=InvoiceState.PUBLISHED).values("payer_id")
    told = {}
    if audience == AlertAudience.KNOWN:
        known = PayerEmail.objects.filter(payer__in=payers).values_list("email", flat=True)
        told.update(dict.fromkeys(known, settings.LANGUAGE_CODE))
    accounts = Account.objects.filter(
        accesses__payer__in=payers, accesses__ended_at=None, is_active=True, activated_at__isnull=False
    ).distinct()
    told.update({account.email: account.reads for account in accounts})
    return plan_for(NEW_INVOICES, about=batch, told=told)


def _tell(batch: UUID, addresses: list[str]) -> dict[str, Said]:
    """Address → its message. An address whose invoices were all taken back meanwhile is left out."""
    invoices = _by_address(batch, addresses)
    active = set(
        Account.objects.filter(email__in=addresses, activated_at__isnull=False).values_list(
            "email", flat=True
        )
    )
    payabilities = payabilities_of(
        {invoice.pk: invoice for told in invoices.values() for invoice in told}.values()
    )
    return {
        email: NEW_INVOICES.about(invoices=told, payabilities=payabilities, has_account=email in active).of(
            *(invoice.product_id for invoice in told)
        )
        for email, told in invoices.items()
        if told
    }


def _by_address(batch: UUID, addresses: list[str]) -> dict[str, list[Invoice]]:
    """Address → the published invoices of the batch that it may be told about. A fixed number of queries."""
    payers: defaultdict[int, set[str]] = defaultdict(set)
    accounts = Access.objects.filter(account__email__in=addresses, ended_at=None)
    for payer, email in accounts.values_list("payer_id", "account__email"):
        payers[payer].add(email)
    for payer, email in PayerEmail.objects.filter(email__in=addresses).values_list("payer_id", "email"):
        payers[payer].add(email)
    found: dict[str, list[Invoice]] = {address: [] for address in addresses}
    invoices = Invoice.objects.filter(batch__uuid=batch, state=InvoiceState.PUBLISHED, payer__in=list(payers))
    for invoice in invoices.order_by("due_on", "id"):
        for address in payers[invoice.payer_id]:
            found[address].append(invoice)
    return found


def _keys_about(invoice: Invoice) -> list[str]:
    if invoice.batch is None:
        return []
    known = PayerEmail.objects.filter(payer_id=invoice.payer_id).values_list("email", flat=True)
    gone = RemovedEmail.objects.filter(payer_id=invoice.payer_id).values_list("email", flat=True)
    accounts = Account.objects.filter(accesses__payer_id=invoice.payer_id).values_list("email", flat=True)
    batch = invoice.batch.uuid
    return [NEW_INVOICES.key_of(about=batch, email=email) for email in {*known, *gone, *accounts}]


def _example() -> Said:
    invoices, payabilities = made_up((20, "37.50"), (20, "12.00"))
    return NEW_INVOICES.about(invoices=invoices, payabilities=payabilities, has_account=True)


def _offered(townhall: TownHall) -> str | None:
    if townhall.alert_audience == AlertAudience.NOBODY:
        return None
    return _("de nouvelles factures sont mises en ligne")


NEW_INVOICES = declare(
    Notice(
        kind="alert-new-invoices",
        title=gettext_lazy("Nouvelles factures"),
        audience=Audience.PAYER,
        when="a batch is put online",
        words=_words,
        key="new_invoices:{about}:{email}",
        choices=(
            Choice(
                "new_invoices",
                gettext_lazy("de nouvelles factures sont mises en ligne"),
                10,
                offered=_offered,
            ),
        ),
        settings=(
            Setting(
                "alert_audience",
                gettext_lazy("Qui prévenir quand de nouvelles factures sont en ligne"),
                error=gettext_lazy("Choisissez une réponse de la liste."),
                rank=10,
            ),
        ),
        examples=(Example(gettext_lazy("De nouvelles factures"), "new_invoices", _example),),
        on=On("batch.published", _plan, _tell),
        unsubscribe=True,
        called_off=True,
        keys_about=_keys_about,
    )
)
