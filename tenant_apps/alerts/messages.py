"""What the alerts say. Call under the reader's language."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.mail.content import Content
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.naming import named
from tenant_apps.payments.models import Payment
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.payments.standing.deciding import Standing
from tenant_apps.payments.standing.reading import total
from tenant_apps.payments.standing.words import told_in_mail
from toolkit import clock
from toolkit.money import format_euros

SHOWN = 10
Standings = Mapping[int, Standing]  # by the ids of the invoices


def new_invoices(
    *,
    invoices: list[Invoice],
    standings: Standings,
    town: str,
    address: str,
    has_account: bool,
    unsubscribe_url: str,
) -> Content:
    """One message for all the new invoices of an address (docs/manual.md, M14)."""
    n = len(invoices)
    lines = [
        _("%(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % _words(invoice, invoice.amount, standings[invoice.pk])
        for invoice in invoices[:SHOWN]
    ]
    if n > SHOWN:
        lines.append(_("… et %(n)d autres.") % {"n": n - SHOWN})
    return Content(
        subject=ngettext("Une nouvelle facture – %(town)s", "%(n)d nouvelles factures – %(town)s", n)
        % {"n": n, "town": town},
        sentence=_announced([standings[invoice.pk] for invoice in invoices]),
        button_label=_("Voir mes factures") if has_account else _("Activer mon compte"),
        button_url=f"{address}/factures/" if has_account else f"{address}/activation/",
        more=tuple(lines),
        why=_why(has_account),
        unsubscribe_url=unsubscribe_url,
    )


def _announced(standings: list[Standing]) -> str:
    n, awaited = len(standings), [one for one in standings if one.what.is_awaited]
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


def reminder(
    *,
    standings: Standings,
    soon: list[Invoice],
    late: list[Invoice],
    town: str,
    address: str,
    has_account: bool,
    unsubscribe_url: str,
) -> Content:
    """One message for all that a person must be reminded of that day: due in some days, or due already."""
    invoices = [*late, *soon]
    only = invoices[0] if len(invoices) == 1 else None
    lines = [
        _("En retard : %(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % _words(invoice, invoice.balance, standings[invoice.pk])
        for invoice in late[:SHOWN]
    ]
    lines += [
        _("%(subject)s, n° %(number)s : %(amount)s, %(what)s")
        % _words(invoice, invoice.balance, standings[invoice.pk])
        for invoice in soon[:SHOWN]
    ]
    if len(invoices) > len(lines):
        lines.append(_("… et %(n)d autres.") % {"n": len(invoices) - len(lines)})
    lines.append(
        _("Si vous venez de régler, ne tenez pas compte de ce message : il a pu croiser votre règlement.")
    )
    where = f"{address}/factures/{only.uuid}/" if only else f"{address}/factures/?etat=non-reglees"
    label = _("Voir la facture") if only else _("Voir mes factures à régler")
    return Content(
        subject=_reminder_subject(soon, late) % {"n": len(invoices), "town": town},
        sentence=_reminder_sentence(soon, late),
        button_label=label if has_account else _("Activer mon compte"),
        button_url=where if has_account else f"{address}/activation/",
        more=tuple(lines),
        why=_why(has_account),
        unsubscribe_url=unsubscribe_url,
    )


def _reminder_subject(soon: list[Invoice], late: list[Invoice]) -> str:
    n = len(soon) + len(late)
    if not late:
        return ngettext(
            "Rappel : une facture arrive à échéance – %(town)s",
            "Rappel : %(n)d factures arrivent à échéance – %(town)s",
            n,
        )
    return ngettext(
        "Rappel : une facture reste à régler – %(town)s",
        "Rappel : %(n)d factures restent à régler – %(town)s",
        n,
    )


def _reminder_sentence(soon: list[Invoice], late: list[Invoice]) -> str:
    n = len(soon) + len(late)
    values = {
        "late": len(late),
        "n": n,
        "total": _total([*soon, *late]),
        "due": clock.in_words(soon[0].due_on) if soon else "",
    }
    if not late:
        sentence = ngettext(
            "Une facture est à régler avant le %(due)s : %(total)s.",
            "%(n)d factures sont à régler, pour un total de %(total)s : la première avant le %(due)s.",
            n,
        )
    elif not soon:
        sentence = ngettext(
            "L'échéance d'une facture est passée, et son règlement ne nous est pas parvenu : %(total)s.",
            "L'échéance de %(n)d factures est passée, et leur règlement ne nous est pas parvenu : %(total)s.",
            n,
        )
    else:
        sentence = _(
            "%(n)d factures restent à régler, pour un total de %(total)s. L'échéance est passée pour %(late)d."
        )
    return sentence % values


def _why(has_account: bool) -> str:
    """An account may see invoices on somebody's invitation, which billing knows nothing of."""
    if has_account:
        return _("Vous recevez ce message parce que votre compte du portail donne accès à ces factures.")
    return _("Vous recevez ce message parce que cette adresse est connue de notre service de facturation.")


def _words(invoice: Invoice, amount: Decimal, standing: Standing) -> dict[str, str]:
    return {
        "subject": invoice.subject,
        "number": named(invoice),
        "amount": format_euros(amount),
        "what": told_in_mail(standing),
    }


def _total(invoices: list[Invoice]) -> str:
    return format_euros(sum((invoice.balance for invoice in invoices), Decimal(0)))


def receipt(*, payment: Payment, town: str, address: str) -> Content:
    """After an online payment. Never called a « quittance » (docs/payfip.md §5)."""
    allocations = list(payment.allocations.all())
    numbers = ", ".join(named(allocation.invoice) for allocation in allocations)
    attempt = payment.attempt
    url = f"{address}/factures/{allocations[0].invoice.uuid}/" if allocations else f"{address}/factures/"
    return Content(
        subject=_("Votre règlement est enregistré – %(town)s") % {"town": town},
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
