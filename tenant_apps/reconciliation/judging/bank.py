"""The lines of a bank's statement."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Deposit, Means, Payment
from tenant_apps.reconciliation.judging.common import (
    SHORT_NUMBER,
    S,
    Taken,
    billed,
    cites,
    is_to_come,
    names,
    near,
    say,
    say_invoice,
    tokens,
)
from tenant_apps.reconciliation.judging.returns import say_returned
from tenant_apps.reconciliation.judging.totals import Total, chosen, totals_of
from tenant_apps.reconciliation.models import Line

NEAR = timedelta(days=7)
DEPOSIT_NEAR = timedelta(days=15)
BACK = timedelta(days=400)  # a debtor may have a debit paid back for thirteen months
_BACK_MEANS = (Means.CHEQUE, Means.TRANSFER, Means.DEBIT, Means.CARD)


@dataclass(frozen=True)
class _Found:
    """What one chunk of a statement may be about; payments and dockets by amount."""

    transfers: defaultdict[Decimal, list[Payment]]
    dockets: defaultdict[Decimal, list[Deposit]]
    totals: dict[Decimal, list[Total]]
    invoices: dict[str, Invoice]
    tokens: dict[int, list[str]]  # by place in the chunk
    back: defaultdict[Decimal, list[Payment]]


def judge(lines: Sequence[Line], taken: Taken) -> None:
    """Set state, reason and what was found on each of `lines`, in memory."""
    days = [line.booked_on for line in lines if line.booked_on]
    if not days:
        return
    found = _find(lines, min(days), max(days), taken)
    for place, line in enumerate(lines):
        if is_to_come(line):
            sentence = _("Sa date est à venir : rien n'est enregistré avant ce jour. Vérifiez le fichier.")
            say(line, S.DOUBTFUL, sentence)
        elif line.outgoing:
            _judge_outgoing(line, found, found.tokens[place])
        else:
            _judge(line, found, taken, found.tokens[place])
        if line.doubt and line.state != S.DUPLICATE:
            line.state, line.reason = S.DOUBTFUL, line.doubt


def _find(lines: Sequence[Line], first: date, last: date, taken: Taken) -> _Found:
    amounts = {line.amount for line in lines if line.amount and not line.outgoing}
    span = (first - DEPOSIT_NEAR, last + NEAR)
    transfers = (
        Payment.objects.filter(
            means=Means.TRANSFER, amount__in=amounts, paid_on__range=span, cancelled_at=None
        )
        .select_related("payer", "attempt")
        .prefetch_related("allocations__invoice")
    )
    dockets = Deposit.objects.filter(total__in=amounts, deposited_on__range=span)
    cited = {place: tokens(line.label) for place, line in enumerate(lines)}
    asked = {token for found in cited.values() for token in found}
    invoices: dict[str, Invoice] = {}
    for invoice in billed().filter(Q(reference__in=asked) | Q(number__in=asked)):
        invoices[invoice.reference.upper()] = invoices[invoice.number.upper()] = invoice
    found = _Found(
        transfers=_by_amount(transfers),
        dockets=defaultdict(list),
        totals=totals_of(amounts, first, last) if amounts else {},
        invoices=invoices,
        tokens=cited,
        back=_back(lines, first, last, invoices, asked),
    )
    for docket in dockets:
        found.dockets[docket.total].append(docket)
    taken.recall(
        [one for group in found.transfers.values() for one in group],
        [one for group in found.dockets.values() for one in group],
    )
    return found


def _by_amount(payments: Iterable[Payment]) -> defaultdict[Decimal, list[Payment]]:
    found: defaultdict[Decimal, list[Payment]] = defaultdict(list)
    for payment in payments:
        found[payment.amount].append(payment)
    return found


def _back(
    lines: Sequence[Line], first: date, last: date, invoices: dict[str, Invoice], asked: set[str]
) -> defaultdict[Decimal, list[Payment]]:
    """The payments that outgoing lines may take back: those that their labels cite, or a paper of that number."""
    outgoing = [line for line in lines if line.outgoing]
    if not outgoing:
        return defaultdict(list)
    words = {word for line in outgoing for word in line.label.upper().split() if len(word) >= SHORT_NUMBER}
    amounts = {line.amount for line in outgoing}
    payments = (
        Payment.objects.filter(means__in=_BACK_MEANS, paid_on__lte=last)
        .filter(
            Q(allocations__invoice__in=list(invoices.values()))
            | Q(attempt__reference__in=asked)
            | Q(number__in=words, amount__in=amounts, paid_on__gte=first - BACK)
        )
        .select_related("payer", "attempt")
        .prefetch_related("allocations__invoice")
        .distinct()
    )
    return _by_amount(payments)


def _judge_outgoing(line: Line, found: _Found, cited: Sequence[str]) -> None:
    """Money that left: one of our payments taken back, or no business of ours."""
    invoice = next((found.invoices[token] for token in cited if token in found.invoices), None)
    payments = [one for one in found.back[line.amount or Decimal(0)] if cites(one, line, cited)]
    if not payments and line.returned:
        payments = [one for group in found.back.values() for one in group if cites(one, line, cited)]
    if payments or line.returned:
        line.returned = True
        say_returned(line, payments, invoice=invoice)
    else:
        say(line, S.IGNORED, _("Sortie d'argent : ce n'est pas un encaissement."))


def _judge(line: Line, found: _Found, taken: Taken, cited: Sequence[str]) -> None:
    amount = line.amount or Decimal(0)
    same = [one for one in found.transfers[amount] if near(one.paid_on, line.booked_on, NEAR)]
    free = [one for one in same if one.pk not in taken.payments]
    certain = [one for one in free if cites(one, line, cited)] or [one for one in free if names(one, line)]
    dockets = [
        one
        for one in found.dockets[amount]
        if one.pk not in taken.deposits
        and line.booked_on is not None
        and timedelta(0) <= line.booked_on - one.deposited_on <= DEPOSIT_NEAR
    ]
    totals = chosen(line, found.totals.get(amount, ()))
    invoice = next((found.invoices[token] for token in cited if token in found.invoices), None)
    if len(certain) == 1:
        reason = _("Virement de ce montant, dont le libellé donne la référence ou le nom.")
        taken.give(line, certain[0], reason)
    elif len(dockets) == 1 and not free and not totals and not line.doubt:
        taken.deposits.add(dockets[0].pk)
        sentence = _("Total de la remise n° %(number)s.")
        say(line, S.MATCHED, sentence % {"number": dockets[0].label}, deposit=dockets[0])
    elif len(totals) == 1 and not free and not dockets:
        sentence = _("C'est le total de %(what)s : confirmez-les ensemble.")
        say(line, S.DOUBTFUL, sentence % {"what": totals[0].words})
    elif free or dockets or totals:
        words = _("Même montant, à quelques jours près, mais rien d'autre ne le confirme : choisissez.")
        only = free[0] if len(free) == 1 and not dockets and not totals else None
        say(line, S.DOUBTFUL, words, payment=only)
    elif invoice is not None:
        say_invoice(line, invoice)
    elif same:
        say(line, S.DUPLICATE, _("Une autre ligne correspond déjà à ce virement."), payment=same[0])
    else:
        say(line, S.UNMATCHED, _("Aucun règlement ni aucune remise de ce montant à cette date."))
