"""Judge the rows of the Treasury's journal."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_noop as _  # kept in rows: see toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.states import AttemptState
from tenant_apps.reconciliation.judging.common import S, Taken, billed, is_to_come, near, say, say_invoice
from tenant_apps.reconciliation.judging.returns import say_returned
from tenant_apps.reconciliation.models import TREASURY, Kind, StatementRow
from toolkit.money import format_euros

NEAR = timedelta(
    days=10
)  # largest difference between the journal's day and ours, for the same reference and amount
LATER = timedelta(days=45)  # the same for a PES return, whose day is that of the accountant's writing


@dataclass(frozen=True)
class _Found:
    """What the rows of one chunk may be about."""

    by_idop: dict[str, Payment]
    by_reference: defaultdict[str, list[Payment]]
    attempts_by_idop: dict[str, Attempt]
    unpaid: defaultdict[str, list[Attempt]]  # by reference; attempts without payment that have an idOp
    reported: defaultdict[str, list[Attempt]]
    invoices: dict[str, Invoice]
    elsewhere: defaultdict[str, list[Payment]]  # booked from an earlier journal, by reference of the invoice


def judge(rows: Sequence[StatementRow], taken: Taken) -> None:
    """Set state, reason and what was found on each of `rows`, in memory."""
    found = _find(rows, taken)
    for row in rows:
        if is_to_come(row):
            sentence = _("Sa date est à venir : rien n'est enregistré avant ce jour. Vérifiez le fichier.")
            say(row, S.DOUBTFUL, sentence)
        elif row.returned or row.outgoing:
            say_returned(row, _taken_back(row, found), invoice=found.invoices.get(row.reference.upper()))
        else:
            _judge(row, found, taken)
        if row.doubt and row.state != S.DUPLICATE:
            row.state, row.reason = S.DOUBTFUL, row.doubt


def _find(rows: Sequence[StatementRow], taken: Taken) -> _Found:
    idops = {row.idop for row in rows if row.idop}
    references = {text for row in rows if row.reference for text in (row.reference, row.reference.upper())}
    ours = taken.scope.of(Attempt.objects.select_related("payment"))
    operations = [*ours.filter(operation__in=idops), *ours.filter(reference__in=references)]
    payments, attempts = [], []
    for attempt in {attempt.pk: attempt for attempt in operations}.values():
        if hasattr(attempt, "payment"):
            attempt.payment.attempt = attempt  # sets the other side of the relation too, without a query
            payments.append(attempt.payment)
        else:
            attempts.append(attempt)
    invoices = {
        invoice.reference.upper(): invoice for invoice in billed(taken.scope).filter(reference__in=references)
    }
    taken.recall(payments)
    found = _Found(
        by_idop={p.attempt.operation: p for p in payments if p.attempt is not None and p.attempt.operation},
        by_reference=defaultdict(list),
        attempts_by_idop={a.operation: a for a in attempts if a.operation},
        unpaid=defaultdict(list),
        reported=defaultdict(list),
        invoices=invoices,
        elsewhere=_booked_without_us(rows, invoices),
    )
    for payment in payments:
        if payment.attempt is not None:
            found.by_reference[payment.attempt.reference.upper()].append(payment)
    for attempt in attempts:
        if attempt.operation:
            found.unpaid[attempt.reference.upper()].append(attempt)
        if attempt.state == AttemptState.REPORTED:
            found.reported[attempt.reference.upper()].append(attempt)
    return found


def _booked_without_us(
    rows: Sequence[StatementRow], invoices: dict[str, Invoice]
) -> defaultdict[str, list[Payment]]:
    """Payments booked from an earlier journal row. Queried only when a row of the chunk takes money back."""
    found: defaultdict[str, list[Payment]] = defaultdict(list)
    asked = {row.reference.upper() for row in rows if row.returned or row.outgoing}
    wanted = [invoice for reference, invoice in invoices.items() if reference in asked]
    if wanted:
        online = (Means.CARD, Means.DEBIT, Means.TRANSFER)
        known = StatementRow.objects.filter(
            kind__in=TREASURY, state=S.MATCHED, returned=False, invoice__in=wanted
        )
        known = known.filter(payment__attempt=None, payment__means__in=online)
        for row in known.select_related("payment", "invoice"):
            if row.payment is not None and row.invoice is not None:
                found[row.invoice.reference.upper()].append(row.payment)
    return found


def _taken_back(row: StatementRow, found: _Found) -> list[Payment]:
    """The payments that a row may take back: by operation, or by reference and amount."""
    payment = found.by_idop.get(row.idop) if row.idop else None
    if payment is not None:
        return [payment]
    reference = row.reference.upper()
    known = [p for p in found.by_reference[reference] if _same_town_number(row, p.attempt)]
    known = [p for p in known if not _other_operation(row, p.attempt)] + found.elsewhere[reference]
    equal = [p for p in known if p.amount == row.amount]
    signed = [p for p in equal if row.authorization and p.authorization == row.authorization]
    return signed or equal


def _judge(row: StatementRow, found: _Found, taken: Taken) -> None:
    payment = found.by_idop.get(row.idop) if row.idop else None
    if payment is not None:
        _same_operation(row, payment, taken)
    elif row.idop and row.idop in found.attempts_by_idop:
        _attempt_without_money(row, found.attempts_by_idop[row.idop])
    elif row.reference:
        _by_reference(row, found, taken)
    else:
        say(row, S.UNMATCHED, _("Ni l'opération ni la référence ne permettent de la retrouver."))


def _same_operation(row: StatementRow, payment: Payment, taken: Taken) -> None:
    if row.amount != payment.amount:
        sentence = _("Même opération, mais nous avons enregistré %(amount)s.")
        say(row, S.DOUBTFUL, sentence % {"amount": format_euros(payment.amount)}, payment=payment)
    else:
        taken.give(row, payment, _("Même opération (idOp) et même montant."))


def _attempt_without_money(row: StatementRow, attempt: Attempt) -> None:
    if attempt.state == AttemptState.REPORTED and row.amount == attempt.amount:
        say(row, S.DOUBTFUL, _("Paiement annoncé chez nous : le Trésor public le confirme."), attempt=attempt)
        return
    sentence = _("Chez nous, cet essai est « %(state)s ». Le Trésor public est interrogé de nouveau.")
    words = sentence % {"state": attempt.get_state_display()}
    say(row, S.DOUBTFUL, words, attempt=attempt)


def _by_reference(row: StatementRow, found: _Found, taken: Taken) -> None:
    reference = row.reference.upper()
    known = [p for p in found.by_reference[reference] if _same_town_number(row, p.attempt)]
    same = [p for p in known if not _other_operation(row, p.attempt)]
    equal = [p for p in same if p.amount == row.amount]
    if row.authorization and any(p.authorization == row.authorization for p in equal):
        equal = [p for p in equal if p.authorization == row.authorization]
    else:
        equal = [
            p for p in equal if near(p.paid_on, row.booked_on, LATER if row.kind == Kind.RETURN else NEAR)
        ]
    free = [p for p in equal if p.pk not in taken.payments]
    exact = [p for p in free if p.paid_on == row.booked_on]
    reported = _like(row, found.reported[reference])
    unpaid = [] if row.idop else _like(row, found.unpaid[reference])
    if len(free) == 1 or len(exact) == 1:
        taken.give(row, (exact or free)[0], _("Même référence, même montant, à quelques jours près."))
    elif free:
        say(row, S.DOUBTFUL, _("Plusieurs règlements ont cette référence et ce montant : choisissez."))
    elif len(reported) == 1:
        words = _("Paiement annoncé chez nous : le Trésor public le confirme.")
        say(row, S.DOUBTFUL, words, attempt=reported[0])
    elif unpaid:  # perhaps paid, and we do not know yet: a booking here would count the money twice
        _attempt_without_money(row, max(unpaid, key=lambda a: a.pk))
    elif equal:
        words = _("Une autre ligne du journal correspond déjà à ce règlement.")
        say(row, S.DUPLICATE, words, payment=equal[0], invoice=found.invoices.get(reference))
    elif same:
        words = _("Même référence, mais le montant ou la date diffère de ce que nous avons enregistré.")
        say(row, S.DOUBTFUL, words, payment=same[0], invoice=found.invoices.get(reference))
    elif known:
        _another_operation(row, found.invoices.get(reference))
    elif reference in found.invoices:
        say_invoice(row, found.invoices[reference])
    else:
        say(row, S.UNMATCHED, _("Cette référence n'est celle d'aucune de nos factures."))


def _another_operation(row: StatementRow, invoice: Invoice | None) -> None:
    if invoice is not None and (invoice.is_paid or not invoice.balance):
        sentence = _(
            "Même référence, mais une autre opération (idOp) que celle que nous avons : la facture %(number)s a pu "
            "être payée deux fois. Enregistrez cette somme en trop-perçu."
        )
        say(row, S.DOUBTFUL, sentence % {"number": invoice.number}, invoice=invoice)
    else:
        words = _("Même référence, mais une autre opération (idOp) que celle que nous avons : vérifiez.")
        say(row, S.DOUBTFUL, words, invoice=invoice)


def _same_town_number(row: StatementRow, attempt: Attempt | None) -> bool:
    return not row.numcli or attempt is None or attempt.merchant == row.numcli


def _other_operation(row: StatementRow, attempt: Attempt | None) -> bool:
    """Whether both have an idOp and these differ. Attempts on one invoice share reference and amount."""
    return bool(row.idop and attempt is not None and attempt.operation and attempt.operation != row.idop)


def _like(row: StatementRow, attempts: Iterable[Attempt]) -> list[Attempt]:
    return [a for a in attempts if a.amount == row.amount and _same_town_number(row, a)]
