"""Judge the rows of a bank statement."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext_noop as _  # kept in rows: see toolkit.words

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
from tenant_apps.reconciliation.models import StatementRow
from toolkit.scope import Scope

NEAR = timedelta(days=7)
DEPOSIT_NEAR = timedelta(days=15)
BACK = timedelta(days=400)  # a debtor may ask for a direct debit back during thirteen months
_BACK_MEANS = (Means.CHEQUE, Means.TRANSFER, Means.DEBIT, Means.CARD)


@dataclass(frozen=True)
class _Found:
    """What the rows of one chunk may be about. Payments, deposits and totals are grouped by amount, in euros."""

    transfers: defaultdict[Decimal, list[Payment]]
    dockets: defaultdict[Decimal, list[Deposit]]
    totals: dict[Decimal, list[Total]]
    invoices: dict[str, Invoice]
    tokens: dict[int, list[str]]  # index of the row in the chunk → possible references in its label
    back: defaultdict[Decimal, list[Payment]]


def judge(rows: Sequence[StatementRow], taken: Taken) -> None:
    """Set state, reason and what was found on each of `rows`, in memory."""
    days = [row.booked_on for row in rows if row.booked_on]
    if not days:
        return
    found = _find(rows, min(days), max(days), taken)
    for place, row in enumerate(rows):
        if is_to_come(row):
            sentence = _("Sa date est à venir : rien n'est enregistré avant ce jour. Vérifiez le fichier.")
            say(row, S.DOUBTFUL, sentence)
        elif row.outgoing:
            _judge_outgoing(row, found, found.tokens[place])
        else:
            _judge(row, found, taken, found.tokens[place])
        if row.doubt and row.state != S.DUPLICATE:
            row.state, row.reason = S.DOUBTFUL, row.doubt


def _find(rows: Sequence[StatementRow], first: date, last: date, taken: Taken) -> _Found:
    amounts = {row.amount for row in rows if row.amount and not row.outgoing}
    span = (first - DEPOSIT_NEAR, last + NEAR)
    transfers = (
        taken.scope.of(
            Payment.objects.filter(
                means=Means.TRANSFER, amount__in=amounts, paid_on__range=span, cancelled_at=None
            )
        )
        .select_related("payer", "attempt")
        .prefetch_related("allocations__invoice")
    )
    dockets = taken.scope.of(Deposit.objects.filter(total__in=amounts, deposited_on__range=span))
    cited = {place: tokens(row.label) for place, row in enumerate(rows)}
    asked = {token for found in cited.values() for token in found}
    invoices: dict[str, Invoice] = {}
    for invoice in billed(taken.scope).filter(Q(reference__in=asked) | Q(number__in=asked)):
        invoices[invoice.reference.upper()] = invoices[invoice.number.upper()] = invoice
    found = _Found(
        transfers=_by_amount(transfers),
        dockets=defaultdict(list),
        totals=totals_of(taken.scope, amounts, first, last) if amounts else {},
        invoices=invoices,
        tokens=cited,
        back=_back(taken.scope, rows, first, last, invoices, asked),
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
    scope: Scope,
    rows: Sequence[StatementRow],
    first: date,
    last: date,
    invoices: dict[str, Invoice],
    asked: set[str],
) -> defaultdict[Decimal, list[Payment]]:
    """The payments that outgoing rows may take back: the label gives a reference, or the payment's own number."""
    outgoing = [row for row in rows if row.outgoing]
    if not outgoing:
        return defaultdict(list)
    words = {word for row in outgoing for word in row.label.upper().split() if len(word) >= SHORT_NUMBER}
    amounts = {row.amount for row in outgoing}
    payments = (
        scope.of(Payment.objects.filter(means__in=_BACK_MEANS, paid_on__lte=last))
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


def _judge_outgoing(row: StatementRow, found: _Found, cited: Sequence[str]) -> None:
    """Money that left the account: one of our payments taken back, or something that is not ours."""
    invoice = next((found.invoices[token] for token in cited if token in found.invoices), None)
    payments = [one for one in found.back[row.amount or Decimal(0)] if cites(one, row, cited)]
    if not payments and row.returned:
        payments = [one for group in found.back.values() for one in group if cites(one, row, cited)]
    if payments or row.returned:
        row.returned = True
        say_returned(row, payments, invoice=invoice)
    else:
        say(row, S.IGNORED, _("Sortie d'argent : ce n'est pas un encaissement."))


def _judge(row: StatementRow, found: _Found, taken: Taken, cited: Sequence[str]) -> None:
    amount = row.amount or Decimal(0)
    same = [one for one in found.transfers[amount] if near(one.paid_on, row.booked_on, NEAR)]
    free = [one for one in same if one.pk not in taken.payments]
    certain = [one for one in free if cites(one, row, cited)] or [one for one in free if names(one, row)]
    dockets = [
        one
        for one in found.dockets[amount]
        if one.pk not in taken.deposits
        and row.booked_on is not None
        and timedelta(0) <= row.booked_on - one.deposited_on <= DEPOSIT_NEAR
    ]
    totals = chosen(row, found.totals.get(amount, ()))
    invoice = next((found.invoices[token] for token in cited if token in found.invoices), None)
    if len(certain) == 1:
        reason = _("Virement de ce montant, dont le libellé donne la référence ou le nom.")
        taken.give(row, certain[0], reason)
    elif len(dockets) == 1 and not free and not totals and not row.doubt:
        taken.deposits.add(dockets[0].pk)
        sentence = _("Total de la remise n° %(number)s.")
        say(row, S.MATCHED, sentence % {"number": dockets[0].label}, deposit=dockets[0])
    elif len(totals) == 1 and not free and not dockets:
        sentence = _("C'est le total de %(what)s : confirmez-les ensemble.")
        say(row, S.DOUBTFUL, sentence % {"what": totals[0].words})
    elif free or dockets or totals:
        words = _("Même montant, à quelques jours près, mais rien d'autre ne le confirme : choisissez.")
        only = free[0] if len(free) == 1 and not dockets and not totals else None
        say(row, S.DOUBTFUL, words, payment=only)
    elif invoice is not None:
        say_invoice(row, invoice)
    elif same:
        say(row, S.DUPLICATE, _("Une autre ligne correspond déjà à ce virement."), payment=same[0])
    else:
        say(row, S.UNMATCHED, _("Aucun règlement ni aucune remise de ce montant à cette date."))
