"""Judge the rows of the Treasury's PES return: each names a titre, and says how its money came."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop as _  # kept in rows: see toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Allocation, Payment
from tenant_apps.payments.services import JOURNAL
from tenant_apps.reconciliation.judging import journal
from tenant_apps.reconciliation.judging.common import (
    S,
    Taken,
    billed,
    is_no_income,
    is_to_come,
    near,
    say,
    say_invoice,
    words_of,
)
from tenant_apps.reconciliation.models import StatementRow
from tenant_apps.reconciliation.reading.debts import SETTLED, Debt, agree, bare
from tenant_apps.reconciliation.reading.xml import money
from tenant_apps.residents.models import Source
from toolkit.scope import Scope

NEAR = timedelta(
    days=60
)  # from the counter's booking to the accountant's writing, for the same invoice and amount


def judge(rows: Sequence[StatementRow], taken: Taken) -> None:
    """Set state, reason and what was found on each of `rows`, in memory.

    What was paid online is judged like a row of the journal. What came otherwise is never an online attempt.
    """
    debts = [Debt.of(dict(row.raw)) for row in rows]
    invoices = _invoices(debts, taken.scope)
    alike = _alike([debt for debt, found in zip(debts, invoices, strict=True) if not found], taken.scope)
    online = []
    for row, debt, found in zip(rows, debts, invoices, strict=True):
        invoice = found[0] if len(found) == 1 else None
        if invoice is not None:
            row.reference = invoice.reference  # from here on the row cites it as we do
        if len(found) > 1:
            say(row, S.DOUBTFUL, _("Plusieurs de nos factures peuvent être ce titre : choisissez."))
        elif is_no_income(row):
            _say_no_income(row, invoice)
        elif is_to_come(row) or row.outgoing or row.returned or (debt.online and row.reference):
            online.append(row)
        elif invoice is not None:
            say_invoice(row, invoice)
        elif len(maybe := alike[debt.year, debt.total, bare(debt.debtor)]) == 1:
            sentence = _(
                "La trésorerie ne donne pas de numéro que nous connaissons. La facture %(number)s a le même débiteur "
                "et le même montant : vérifiez, puis enregistrez."
            )
            say(row, S.DOUBTFUL, sentence % {"number": maybe[0].number}, invoice=maybe[0])
        else:
            say(row, S.UNMATCHED, _("Ce titre n'est aucune de nos factures."))
    journal.judge(online, taken)
    _booked_already(rows, debts, taken)
    for row in rows:
        if row.doubt and row.state not in (S.DUPLICATE, S.IGNORED):
            row.state, row.reason = S.DOUBTFUL, row.doubt


def _say_no_income(row: StatementRow, invoice: Invoice | None) -> None:
    """A rejected titre waits for a person beside its invoice. One that is settled for both sides needs nobody."""
    if row.pay_state == SETTLED and invoice is not None and invoice.is_paid:
        say(row, S.IGNORED, _("Soldé à la trésorerie, et réglé chez nous."), invoice=invoice)
    else:
        say(row, S.DOUBTFUL, row.doubt, invoice=invoice)


def _booked_already(rows: Sequence[StatementRow], debts: Sequence[Debt], taken: Taken) -> None:
    """Match rows to payments that came without an attempt: at the counter, or from a row of the Treasury's journal."""
    waiting = [
        (row, debt, row.invoice)
        for row, debt in zip(rows, debts, strict=True)
        if row.state in (S.UNMATCHED, S.DOUBTFUL)
        and row.invoice is not None
        and not (row.payment or row.attempt or row.returned or row.outgoing or is_no_income(row))
    ]
    known: defaultdict[int, list[Payment]] = defaultdict(list)
    allocations = Allocation.objects.filter(
        invoice__in=[invoice for _row, _debt, invoice in waiting],
        payment__attempt=None,
        payment__cancelled_at=None,
    )
    for one in allocations.select_related("payment") if waiting else ():
        known[one.invoice_id].append(one.payment)
    taken.recall([payment for group in known.values() for payment in group])
    for row, debt, invoice in waiting:
        same = [
            payment
            for payment in known[invoice.pk]
            if payment.amount == row.amount
            and near(payment.paid_on, row.booked_on, NEAR)
            and payment.pk not in taken.payments
            and (payment.provider == JOURNAL or not debt.online)
        ]
        if len(same) == 1:
            taken.give(row, same[0], _("Même facture et même montant que ce règlement."))
        elif same:
            say(
                row,
                S.DOUBTFUL,
                _("Plusieurs règlements de cette facture ont ce montant : choisissez."),
                invoice=invoice,
            )


def _invoices(debts: Sequence[Debt], scope: Scope) -> list[list[Invoice]]:
    """The invoices that each debt may be: by its payment reference, else by its number.

    A number is not the Treasury's own: it counts only when the amount and the person agree. So does a reference that
    an invoice of a régie may have too.
    """
    rules = Source.objects.exclude(rules={}).values_list("rules", flat=True)
    prefixes = ["", *dict.fromkeys(filter(None, (one.get("prefix", "") for one in rules)))]
    references = {text for debt in debts for text in (*debt.references(prefixes), *debt.like_references())}
    numbers = {text for debt in debts for text in debt.numbers(prefixes)}
    years = {int(debt.year) for debt in debts if debt.year.isdecimal() and len(debt.year) == 4}
    by_reference: defaultdict[str, list[Invoice]] = defaultdict(list)
    by_number: defaultdict[tuple[str, str], list[Invoice]] = defaultdict(list)
    asked = Q(reference__in=references) | Q(number__in=numbers, fiscal_year__in=years)
    for invoice in billed(scope).filter(asked).select_related("payer"):
        by_reference[invoice.reference.upper()].append(invoice)
        by_number[str(invoice.fiscal_year), invoice.number].append(invoice)
    return [_of_one(debt, prefixes, by_reference, by_number) for debt in debts]


def _alike(debts: Sequence[Debt], scope: Scope) -> defaultdict[tuple[str, str, str], list[Invoice]]:
    """(year, amount, code of the debtor) → the invoices that have them: for a person to look at, never certain."""
    found: defaultdict[tuple[str, str, str], list[Invoice]] = defaultdict(list)
    asked = [
        debt for debt in debts if debt.debtor and debt.year.isdecimal() and money(debt.total) is not None
    ]
    if not asked:
        return found
    wanted = billed(scope).filter(
        fiscal_year__in={int(debt.year) for debt in asked if len(debt.year) == 4},
        amount__in={money(debt.total) for debt in asked},
        payer__reference__in={debt.debtor for debt in asked},
    )
    for invoice in wanted.select_related("payer"):
        key = (str(invoice.fiscal_year), f"{invoice.amount}", bare(invoice.payer.reference))
        found[key].append(invoice)
    return found


def _of_one(
    debt: Debt,
    prefixes: Sequence[str],
    by_reference: defaultdict[str, list[Invoice]],
    by_number: defaultdict[tuple[str, str], list[Invoice]],
) -> list[Invoice]:
    found = [one for text in debt.references(prefixes) for one in by_reference[text]]
    if not found:
        alike = [one for text in debt.like_references() for one in by_reference[text]]
        alike += [one for text in debt.numbers(prefixes) for one in by_number[debt.year, text]]
        found = [one for one in alike if _agrees(debt, one)]
    return list({one.pk: one for one in found}.values())


def _agrees(debt: Debt, invoice: Invoice) -> bool:
    """Whether the amount is the invoice's, and the code or the whole name is its payer's."""
    if money(debt.total) not in (invoice.amount, invoice.original_amount):
        return False
    if debt.debtor and agree(debt.debtor, invoice.payer.reference):
        return True
    name = words_of(f"{invoice.payer.last_name} {invoice.payer.first_name}")
    return bool(name) and name <= words_of(debt.name)
