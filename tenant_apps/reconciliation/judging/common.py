"""What the judging of journals and of bank statements shares."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _  # kept in rows: see toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Attempt, Deposit, Payment
from tenant_apps.products.queries import products_for_staff
from tenant_apps.reconciliation.models import TREASURY, Kind, StatementRow
from tenant_apps.reconciliation.reading.debts import NOT_INCOME
from tenant_apps.reconciliation.reading.words import plain
from tenant_apps.reconciliation.states import StatementRowState
from toolkit import clock
from toolkit.scope import Scope

S = StatementRowState
_LONG_ENOUGH = 6  # characters; the shortest payment reference (docs/payfip.md §2)
SHORT_NUMBER = 4  # characters; a shorter cheque or transfer number may be in a label by chance


class Taken:
    """The payments and deposits that rows of one kind already have, so that none is matched to two rows."""

    def __init__(self, kind: str, scope: Scope) -> None:
        self._kind = kind
        self.scope = scope  # of the file: its rows are about nothing else
        self.payments: set[int] = set()
        self.deposits: set[int] = set()

    def recall(self, payments: Iterable[Payment], deposits: Iterable[Deposit] = ()) -> None:
        """Read from the database which of these payments and deposits a row already has."""
        matched = StatementRow.objects.filter(kind=self._kind, state=S.MATCHED, returned=False)
        of_payments = matched.filter(payment__in=[one.pk for one in payments])
        self.payments.update(pk for pk in of_payments.values_list("payment_id", flat=True) if pk)
        of_deposits = matched.filter(deposit__in=[one.pk for one in deposits])
        self.deposits.update(pk for pk in of_deposits.values_list("deposit_id", flat=True) if pk)

    def give(self, row: StatementRow, payment: Payment, reason: str) -> None:
        """Match `row` to `payment`, or say in the row why a person must decide."""
        if payment.pk in self.payments:
            say(row, S.DUPLICATE, _("Une autre ligne correspond déjà à ce règlement."), payment=payment)
        elif payment.cancelled_at is not None:
            say(row, S.DOUBTFUL, _("Ce règlement est annulé chez nous."), payment=payment)
        elif row.doubt:
            say(row, S.DOUBTFUL, row.doubt, payment=payment)
        else:
            self.payments.add(payment.pk)
            say(row, S.MATCHED, reason, payment=payment)


def say(
    row: StatementRow,
    state: StatementRowState,
    reason: str,
    *,
    payment: Payment | None = None,
    deposit: Deposit | None = None,
    attempt: Attempt | None = None,
    invoice: Invoice | None = None,
) -> None:
    """Set state, reason and what was found on a row, in memory. The reason is cut at 300 characters."""
    row.state, row.reason = state, reason[:300]
    row.payment, row.deposit, row.attempt, row.invoice = payment, deposit, attempt, invoice


def billed(scope: Scope) -> QuerySet[Invoice]:
    """The invoices of `scope` that money may be about, cancelled ones too. Filtered by product, to use the index."""
    known = (InvoiceState.PUBLISHED, InvoiceState.CANCELLED)
    return Invoice.objects.filter(product__in=list(products_for_staff(scope)), state__in=known)


def say_invoice(row: StatementRow, invoice: Invoice) -> None:
    """The row names `invoice`, and none of our payments: say what the invoice's state is, and what to do."""
    words = {"number": invoice.number}
    if invoice.state == InvoiceState.CANCELLED:
        sentence = _(
            "La facture %(number)s est annulée par un avoir, et de l'argent est venu pour elle : "
            "enregistrez-le en trop-perçu."
        )
        say(row, S.DOUBTFUL, sentence % words, invoice=invoice)
    elif invoice.is_paid:
        sentence = _(
            "La facture %(number)s est déjà réglée par ailleurs : si cet argent vient en plus, "
            "enregistrez-le en trop-perçu."
        )
        say(row, S.DOUBTFUL, sentence % words, invoice=invoice)
    elif row.kind in TREASURY:
        sentence = _("Facture %(number)s : l'argent est arrivé sans passer par le portail. Enregistrez-le.")
        say(row, S.UNMATCHED, sentence % words, invoice=invoice)
    else:
        sentence = _("Le libellé cite la facture %(number)s : enregistrez ce virement.")
        say(row, S.DOUBTFUL, sentence % words, invoice=invoice)


def is_to_come(row: StatementRow) -> bool:
    """Whether the row's day is after today: an error of the source (docs/payfip.md §7), nothing is booked on it."""
    return row.booked_on is not None and row.booked_on > clock.today()


def is_no_income(row: StatementRow) -> bool:
    """Whether a PES return says that no money came: a rejected titre, a correction, an admission en non-valeur."""
    return row.kind == Kind.RETURN and row.pay_state in NOT_INCOME


def near(one: date | None, other: date | None, most: timedelta) -> bool:
    return one is not None and other is not None and abs(one - other) <= most


def tokens(label: str) -> list[str]:
    """The words of a label that may be a number or a reference of ours: as written, and without punctuation."""
    words = [word for word in re.split(r"[\s,;:/()]+", label.upper()) if any(sign.isdigit() for sign in word)]
    bare = [re.sub(r"[^A-Z0-9]", "", word) for word in words]
    return [token for token in dict.fromkeys([*words, *bare]) if len(token) >= _LONG_ENOUGH]


def words_of(text: str) -> set[str]:
    """The words of a label or a name, in capitals without accents."""
    return set(re.findall(r"[A-Z]{2,}", plain(text)))


def cites(payment: Payment, row: StatementRow, found: Sequence[str]) -> bool:
    """Whether the row gives a reference of what `payment` pays, or the payment's own number as a whole word.

    `found`: the `tokens` of the label.
    """
    invoices = [allocation.invoice for allocation in payment.allocations.all()]
    ours = {text.upper() for invoice in invoices for text in (invoice.number, invoice.reference)}
    if payment.attempt is not None:
        ours.add(payment.attempt.reference.upper())
    number = payment.number.upper()
    return bool(ours & set(found)) or (
        len(number) >= SHORT_NUMBER and re.search(rf"\b{re.escape(number)}\b", row.label.upper()) is not None
    )


def names(payment: Payment, row: StatementRow) -> bool:
    """Whether the row gives the whole name of the payer or of the drawer.

    One word alone may be another person's first name.
    """
    said = words_of(f"{row.label} {row.payer_name}")
    payer = payment.payer
    known = [payment.drawer]
    if payer is not None and payer.first_name:
        known.append(f"{payer.last_name} {payer.first_name}")
    elif payer is not None:
        known.append(payer.last_name)
    return any(len(parts) > 1 and parts <= said for parts in map(words_of, known))
