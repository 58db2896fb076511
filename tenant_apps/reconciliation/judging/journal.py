"""The lines of the Treasury's journal."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.states import AttemptState
from tenant_apps.reconciliation.judging.common import S, Taken, billed, is_to_come, near, say, say_invoice
from tenant_apps.reconciliation.judging.returns import say_returned
from tenant_apps.reconciliation.models import Line
from toolkit.money import format_euros

NEAR = timedelta(days=10)  # how far the journal's day may be from ours for the same reference and amount


@dataclass(frozen=True)
class _Found:
    """What one chunk of a journal may be about."""

    by_idop: dict[str, Payment]
    by_reference: defaultdict[str, list[Payment]]
    attempts_by_idop: dict[str, Attempt]
    unpaid: defaultdict[str, list[Attempt]]  # by reference; the Treasury has an idOp for each
    reported: defaultdict[str, list[Attempt]]
    invoices: dict[str, Invoice]
    elsewhere: defaultdict[str, list[Payment]]  # booked without us, by the reference of what they pay


def judge(lines: Sequence[Line], taken: Taken) -> None:
    """Set state, reason and what was found on each of `lines`, in memory."""
    found = _find(lines, taken)
    for line in lines:
        if is_to_come(line):
            sentence = _("Sa date est à venir : rien n'est enregistré avant ce jour. Vérifiez le fichier.")
            say(line, S.DOUBTFUL, sentence)
        elif line.returned or line.outgoing:
            say_returned(line, _taken_back(line, found), invoice=found.invoices.get(line.reference.upper()))
        else:
            _judge(line, found, taken)
        if line.doubt and line.state != S.DUPLICATE:
            line.state, line.reason = S.DOUBTFUL, line.doubt


def _find(lines: Sequence[Line], taken: Taken) -> _Found:
    idops = {line.idop for line in lines if line.idop}
    references = {
        text for line in lines if line.reference for text in (line.reference, line.reference.upper())
    }
    operations = list(Attempt.objects.filter(operation__in=idops).select_related("payment"))
    operations += Attempt.objects.filter(reference__in=references).select_related("payment")
    payments, attempts = [], []
    for attempt in {attempt.pk: attempt for attempt in operations}.values():
        if hasattr(attempt, "payment"):
            attempt.payment.attempt = attempt  # the other way, without asking again
            payments.append(attempt.payment)
        else:
            attempts.append(attempt)
    invoices = {invoice.reference.upper(): invoice for invoice in billed().filter(reference__in=references)}
    taken.recall(payments)
    found = _Found(
        by_idop={p.attempt.operation: p for p in payments if p.attempt is not None and p.attempt.operation},
        by_reference=defaultdict(list),
        attempts_by_idop={a.operation: a for a in attempts if a.operation},
        unpaid=defaultdict(list),
        reported=defaultdict(list),
        invoices=invoices,
        elsewhere=_booked_without_us(lines, invoices),
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
    lines: Sequence[Line], invoices: dict[str, Invoice]
) -> defaultdict[str, list[Payment]]:
    """For what is taken back: payments that an earlier line of a journal booked. Asked for only when there is one."""
    found: defaultdict[str, list[Payment]] = defaultdict(list)
    asked = {line.reference.upper() for line in lines if line.returned or line.outgoing}
    wanted = [invoice for reference, invoice in invoices.items() if reference in asked]
    if wanted:
        online = (Means.CARD, Means.DEBIT, Means.TRANSFER)
        known = Line.objects.filter(kind="journal", state=S.MATCHED, returned=False, invoice__in=wanted)
        known = known.filter(payment__attempt=None, payment__means__in=online)
        for line in known.select_related("payment", "invoice"):
            if line.payment is not None and line.invoice is not None:
                found[line.invoice.reference.upper()].append(line.payment)
    return found


def _taken_back(line: Line, found: _Found) -> list[Payment]:
    """The payments that a line may take back: by operation, or by reference and amount."""
    payment = found.by_idop.get(line.idop) if line.idop else None
    if payment is not None:
        return [payment]
    reference = line.reference.upper()
    known = [p for p in found.by_reference[reference] if _same_town_number(line, p.attempt)]
    known = [p for p in known if not _other_operation(line, p.attempt)] + found.elsewhere[reference]
    equal = [p for p in known if p.amount == line.amount]
    signed = [p for p in equal if line.authorization and p.authorization == line.authorization]
    return signed or equal


def _judge(line: Line, found: _Found, taken: Taken) -> None:
    payment = found.by_idop.get(line.idop) if line.idop else None
    if payment is not None:
        _same_operation(line, payment, taken)
    elif line.idop and line.idop in found.attempts_by_idop:
        _attempt_without_money(line, found.attempts_by_idop[line.idop])
    elif line.reference:
        _by_reference(line, found, taken)
    else:
        say(line, S.UNMATCHED, _("Ni l'opération ni la référence ne permettent de la retrouver."))


def _same_operation(line: Line, payment: Payment, taken: Taken) -> None:
    if line.amount != payment.amount:
        sentence = _("Même opération, mais nous avons enregistré %(amount)s.")
        say(line, S.DOUBTFUL, sentence % {"amount": format_euros(payment.amount)}, payment=payment)
    else:
        taken.give(line, payment, _("Même opération (idOp) et même montant."))


def _attempt_without_money(line: Line, attempt: Attempt) -> None:
    if attempt.state == AttemptState.REPORTED and line.amount == attempt.amount:
        say(line, S.DOUBTFUL, _("Paiement annoncé chez nous : ce journal le confirme."), attempt=attempt)
        return
    sentence = _("Chez nous, cet essai est « %(state)s ». Le Trésor public est interrogé de nouveau.")
    words = sentence % {"state": attempt.get_state_display()}
    say(line, S.DOUBTFUL, words, attempt=attempt)


def _by_reference(line: Line, found: _Found, taken: Taken) -> None:
    reference = line.reference.upper()
    known = [p for p in found.by_reference[reference] if _same_town_number(line, p.attempt)]
    same = [p for p in known if not _other_operation(line, p.attempt)]
    equal = [p for p in same if p.amount == line.amount]
    if line.authorization and any(p.authorization == line.authorization for p in equal):
        equal = [p for p in equal if p.authorization == line.authorization]
    else:
        equal = [p for p in equal if near(p.paid_on, line.booked_on, NEAR)]
    free = [p for p in equal if p.pk not in taken.payments]
    exact = [p for p in free if p.paid_on == line.booked_on]
    reported = _like(line, found.reported[reference])
    unpaid = [] if line.idop else _like(line, found.unpaid[reference])
    if len(free) == 1 or len(exact) == 1:
        taken.give(line, (exact or free)[0], _("Même référence, même montant, à quelques jours près."))
    elif free:
        say(line, S.DOUBTFUL, _("Plusieurs règlements ont cette référence et ce montant : choisissez."))
    elif len(reported) == 1:
        words = _("Paiement annoncé chez nous : ce journal le confirme.")
        say(line, S.DOUBTFUL, words, attempt=reported[0])
    elif unpaid:  # it may be that one, which nobody has told us yet: booking it here would book it twice
        _attempt_without_money(line, max(unpaid, key=lambda a: a.pk))
    elif equal:
        words = _("Une autre ligne du journal correspond déjà à ce règlement.")
        say(line, S.DUPLICATE, words, payment=equal[0], invoice=found.invoices.get(reference))
    elif same:
        words = _("Même référence, mais le montant ou la date diffère de ce que nous avons enregistré.")
        say(line, S.DOUBTFUL, words, payment=same[0], invoice=found.invoices.get(reference))
    elif known:
        _another_operation(line, found.invoices.get(reference))
    elif reference in found.invoices:
        say_invoice(line, found.invoices[reference])
    else:
        say(line, S.UNMATCHED, _("Cette référence n'est celle d'aucune de nos factures."))


def _another_operation(line: Line, invoice: Invoice | None) -> None:
    if invoice is not None and (invoice.is_paid or not invoice.balance):
        sentence = _(
            "Même référence, mais une autre opération (idOp) que celle que nous avons : la facture %(number)s a pu "
            "être payée deux fois. Enregistrez cette somme en trop-perçu."
        )
        say(line, S.DOUBTFUL, sentence % {"number": invoice.number}, invoice=invoice)
    else:
        words = _("Même référence, mais une autre opération (idOp) que celle que nous avons : vérifiez.")
        say(line, S.DOUBTFUL, words, invoice=invoice)


def _same_town_number(line: Line, attempt: Attempt | None) -> bool:
    return not line.numcli or attempt is None or attempt.merchant == line.numcli


def _other_operation(line: Line, attempt: Attempt | None) -> bool:
    """Both say their operation, and it is not the same: all attempts on an invoice share the rest."""
    return bool(line.idop and attempt is not None and attempt.operation and attempt.operation != line.idop)


def _like(line: Line, attempts: Iterable[Attempt]) -> list[Attempt]:
    return [a for a in attempts if a.amount == line.amount and _same_town_number(line, a)]
