"""What each line is: by idOp, or by reference, amount and day. What is not certain is said to be doubtful, in words.

A chunk of lines costs a handful of statements, whatever its size; nothing is written here.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext_noop as _  # kept in rows: toolkit.words
from django.utils.translation import override

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.models import Attempt, Deposit, Means, Payment
from tenant_apps.payments.states import AttemptState
from tenant_apps.reconciliation.models import Kind, Line
from tenant_apps.reconciliation.states import LineState
from tenant_apps.townhall.queries import products
from toolkit.money import format_euros

S = LineState
NEAR = timedelta(days=10)  # how far the journal's day may be from ours for the same reference and amount
BANK_NEAR = timedelta(days=7)
DEPOSIT_NEAR = timedelta(days=15)
_NAMES_IT = 4  # signs of a transfer's own number below which a label holds it by chance
_LONG_ENOUGH = 6  # signs of a payment reference (payfip.md §2)


class Matcher:
    """Judges the lines of one kind; remembers what it has given away, so that no payment is on two lines."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._taken: set[int] = set()
        self._taken_deposits: set[int] = set()

    def judge(self, lines: Sequence[Line]) -> None:
        """Set state, reason and what was found on each of `lines`, in memory."""
        with override(settings.LANGUAGE_CODE):  # the reason stays in the row
            if self._kind == Kind.JOURNAL:
                self._judge_journal(lines)
            else:
                self._judge_bank(lines)

    # --- the Treasury's journal ---------------------------------------------------------------------

    def _judge_journal(self, lines: Sequence[Line]) -> None:
        idops = {line.idop for line in lines if line.idop}
        references = {
            text for line in lines if line.reference for text in (line.reference, line.reference.upper())
        }
        operations = list(Attempt.objects.filter(idop__in=idops).select_related("payment"))
        operations += Attempt.objects.filter(reference__in=references).select_related("payment")
        payments, attempts = [], []
        for attempt in {attempt.pk: attempt for attempt in operations}.values():
            if hasattr(attempt, "payment"):
                attempt.payment.attempt = attempt  # the other way, without asking again
                payments.append(attempt.payment)
            else:
                attempts.append(attempt)
        # By product first: that is how references are indexed.
        invoices = Invoice.objects.filter(
            product__in=list(products()), reference__in=references, state=InvoiceState.PUBLISHED
        )
        self._forget_known(payments, ())
        by_reference: defaultdict[str, list[Payment]] = defaultdict(list)
        for payment in payments:
            if payment.attempt is not None:
                by_reference[payment.attempt.reference.upper()].append(payment)
        found = _Journal(
            by_idop={p.attempt.idop: p for p in payments if p.attempt is not None and p.attempt.idop},
            by_reference=by_reference,
            attempts_by_idop={a.idop: a for a in attempts if a.idop},
            unpaid=[a for a in attempts if a.idop],
            reported=[a for a in attempts if a.state == AttemptState.REPORTED],
            invoices={invoice.reference.upper(): invoice for invoice in invoices},
        )
        for line in lines:
            self._journal_line(line, found)

    def _journal_line(self, line: Line, found: "_Journal") -> None:
        payment = found.by_idop.get(line.idop) if line.idop else None
        if payment is not None:
            self._same_operation(line, payment)
        elif line.idop and line.idop in found.attempts_by_idop:
            self._attempt_without_money(line, found.attempts_by_idop[line.idop])
        elif line.reference:
            self._by_reference(line, found)
        else:
            say(line, S.UNMATCHED, _("Ni l'opération ni la référence ne permettent de la retrouver."))

    def _same_operation(self, line: Line, payment: Payment) -> None:
        if line.amount != payment.amount:
            sentence = _("Même opération, mais nous avons enregistré %(amount)s.")
            say(line, S.DOUBTFUL, sentence % {"amount": format_euros(payment.amount)}, payment=payment)
        else:
            self._give(line, payment, _("Même opération (idOp) et même montant."))

    def _attempt_without_money(self, line: Line, attempt: Attempt) -> None:
        if attempt.state == AttemptState.REPORTED and line.amount == attempt.amount:
            say(line, S.DOUBTFUL, _("Paiement annoncé chez nous : ce journal le confirme."), attempt=attempt)
            return
        sentence = _("Chez nous, cet essai est « %(state)s ». Le Trésor public est interrogé de nouveau.")
        words = sentence % {"state": attempt.get_state_display()}
        say(line, S.DOUBTFUL, words, attempt=attempt)

    def _by_reference(self, line: Line, found: "_Journal") -> None:
        known = [p for p in found.by_reference[line.reference.upper()] if _same_town_number(line, p.attempt)]
        same = [p for p in known if not _other_operation(line, p.attempt)]
        equal = [p for p in same if p.amount == line.amount]
        if line.authorization and any(p.authorization == line.authorization for p in equal):
            equal = [p for p in equal if p.authorization == line.authorization]
        else:
            equal = [p for p in equal if _near(p.paid_on, line.booked_on, NEAR)]
        free = [p for p in equal if p.pk not in self._taken]
        exact = [p for p in free if p.paid_on == line.booked_on]
        reported, unpaid = _like(line, found.reported), [] if line.idop else _like(line, found.unpaid)
        if len(free) == 1 or len(exact) == 1:
            self._give(line, (exact or free)[0], _("Même référence, même montant, à quelques jours près."))
        elif free:
            say(line, S.DOUBTFUL, _("Plusieurs règlements ont cette référence et ce montant : choisissez."))
        elif len(reported) == 1:
            words = _("Paiement annoncé chez nous : ce journal le confirme.")
            say(line, S.DOUBTFUL, words, attempt=reported[0])
        elif unpaid:  # it may be that one, which nobody has told us yet: booking it here would book it twice
            self._attempt_without_money(line, max(unpaid, key=lambda a: a.pk))
        elif equal:
            words = _("Une autre ligne du journal correspond déjà à ce règlement.")
            say(line, S.DUPLICATE, words, payment=equal[0])
        elif same:
            words = _("Même référence, mais le montant ou la date diffère de ce que nous avons enregistré.")
            say(line, S.DOUBTFUL, words, payment=same[0])
        elif known:
            words = _(
                "Même référence, mais une autre opération (idOp) : la facture a pu être payée deux fois."
            )
            say(line, S.DOUBTFUL, words, invoice=found.invoices.get(line.reference.upper()))
        else:
            self._known_invoice(line, found.invoices.get(line.reference.upper()))

    def _known_invoice(self, line: Line, invoice: Invoice | None) -> None:
        if invoice is None:
            say(line, S.UNMATCHED, _("Cette référence n'est celle d'aucune de nos factures."))
            return
        sentence = _("Facture %(number)s : l'argent est arrivé sans passer par le portail. Enregistrez-le.")
        say(line, S.UNMATCHED, sentence % {"number": invoice.number}, invoice=invoice)

    # --- the bank -----------------------------------------------------------------------------------

    def _judge_bank(self, lines: Sequence[Line]) -> None:
        days = [line.booked_on for line in lines if line.booked_on]
        amounts = {line.amount for line in lines if line.amount}
        if not days:
            return
        span = (min(days) - DEPOSIT_NEAR, max(days) + BANK_NEAR)
        transfers = list(
            Payment.objects.filter(
                means=Means.TRANSFER, amount__in=amounts, paid_on__range=span, cancelled_at=None
            )
            .select_related("payer")
            .prefetch_related("allocations__invoice")
        )
        dockets = list(Deposit.objects.filter(total__in=amounts, deposited_on__range=span))
        self._forget_known(transfers, dockets)
        tokens = {token for line in lines for token in _tokens(line.label)}
        ours = Invoice.objects.filter(product__in=list(products()), state=InvoiceState.PUBLISHED)
        known = ours.filter(Q(reference__in=tokens) | Q(number__in=tokens))
        invoices: dict[str, Invoice] = {}
        for invoice in known:
            invoices[invoice.reference.upper()] = invoices[invoice.number.upper()] = invoice
        for line in lines:
            self._bank_line(line, transfers, dockets, invoices)

    def _bank_line(
        self, line: Line, transfers: list[Payment], dockets: list[Deposit], invoices: dict[str, Invoice]
    ) -> None:
        same = [
            p for p in transfers if p.amount == line.amount and _near(p.paid_on, line.booked_on, BANK_NEAR)
        ]
        free = [p for p in same if p.pk not in self._taken]
        named = [p for p in free if _is_named(p, line)]
        totals = [
            d
            for d in dockets
            if d.total == line.amount
            and d.pk not in self._taken_deposits
            and line.booked_on is not None
            and timedelta(0) <= line.booked_on - d.deposited_on <= DEPOSIT_NEAR
        ]
        invoice = next((invoices[token] for token in _tokens(line.label) if token in invoices), None)
        if len(named) == 1:
            self._give(
                line, named[0], _("Virement de ce montant, dont le libellé donne la référence ou le nom.")
            )
        elif len(totals) == 1 and not free:
            self._taken_deposits.add(totals[0].pk)
            sentence = _("Total de la remise n° %(number)s.")
            say(line, S.MATCHED, sentence % {"number": totals[0].label}, deposit=totals[0])
        elif free or totals:
            words = _("Même montant, à quelques jours près, mais rien d'autre ne le confirme : choisissez.")
            only = free[0] if len(free) == 1 and not totals else None
            say(line, S.DOUBTFUL, words, payment=only)
        elif invoice is not None:
            sentence = _("Le libellé cite la facture %(number)s : enregistrez ce virement.")
            say(line, S.DOUBTFUL, sentence % {"number": invoice.number}, invoice=invoice)
        elif same:
            say(line, S.DUPLICATE, _("Une autre ligne correspond déjà à ce virement."), payment=same[0])
        else:
            say(line, S.UNMATCHED, _("Aucun règlement ni aucune remise de ce montant à cette date."))

    # --- both ---------------------------------------------------------------------------------------

    def _give(self, line: Line, payment: Payment, reason: str) -> None:
        if payment.pk in self._taken:
            say(line, S.DUPLICATE, _("Une autre ligne correspond déjà à ce règlement."), payment=payment)
        elif payment.cancelled_at is not None:
            say(line, S.DOUBTFUL, _("Ce règlement est annulé chez nous."), payment=payment)
        else:
            self._taken.add(payment.pk)
            say(line, S.MATCHED, reason, payment=payment)

    def _forget_known(self, payments: Iterable[Payment], deposits: Iterable[Deposit]) -> None:
        """What earlier lines of this kind have already."""
        lines = Line.objects.filter(kind=self._kind, state=S.MATCHED)
        of_payments = lines.filter(payment__in=[one.pk for one in payments])
        self._taken.update(pk for pk in of_payments.values_list("payment_id", flat=True) if pk)
        of_deposits = lines.filter(deposit__in=[one.pk for one in deposits])
        self._taken_deposits.update(pk for pk in of_deposits.values_list("deposit_id", flat=True) if pk)


class _Journal:
    """What one chunk of a journal may be about."""

    def __init__(
        self,
        *,
        by_idop: dict[str, Payment],
        by_reference: defaultdict[str, list[Payment]],
        attempts_by_idop: dict[str, Attempt],
        reported: list[Attempt],
        unpaid: list[Attempt],
        invoices: dict[str, Invoice],
    ) -> None:
        self.by_idop, self.by_reference = by_idop, by_reference
        self.attempts_by_idop, self.reported, self.unpaid = attempts_by_idop, reported, unpaid
        self.invoices = invoices


def say(
    line: Line,
    state: LineState,
    reason: str,
    *,
    payment: Payment | None = None,
    deposit: Deposit | None = None,
    attempt: Attempt | None = None,
    invoice: Invoice | None = None,
) -> None:
    """Write a judgement on a line, in memory."""
    line.state, line.reason = state, reason[:300]
    line.payment, line.deposit, line.attempt, line.invoice = payment, deposit, attempt, invoice


def _near(one: date | None, other: date | None, most: timedelta) -> bool:
    return one is not None and other is not None and abs(one - other) <= most


def _same_town_number(line: Line, attempt: Attempt | None) -> bool:
    return not line.numcli or attempt is None or attempt.numcli == line.numcli


def _other_operation(line: Line, attempt: Attempt | None) -> bool:
    """Both say their operation, and it is not the same: all attempts on an invoice share the rest."""
    return bool(line.idop and attempt is not None and attempt.idop and attempt.idop != line.idop)


def _like(line: Line, attempts: Iterable[Attempt]) -> list[Attempt]:
    return [
        a
        for a in attempts
        if a.reference.upper() == line.reference.upper()
        and a.amount == line.amount
        and _same_town_number(line, a)
    ]


def _tokens(label: str) -> list[str]:
    """What in a label may be a number or a reference of ours: as written, and with its punctuation removed."""
    words = [word for word in re.split(r"[\s,;:/]+", label.upper()) if any(sign.isdigit() for sign in word)]
    bare = [re.sub(r"[^A-Z0-9]", "", word) for word in words]
    return [token for token in dict.fromkeys([*words, *bare]) if len(token) >= _LONG_ENOUGH]


def _is_named(payment: Payment, line: Line) -> bool:
    tokens = set(_tokens(line.label))
    invoices = [allocation.invoice for allocation in payment.allocations.all()]
    ours = {text.upper() for invoice in invoices for text in (invoice.number, invoice.reference)}
    words = set(re.split(r"[^A-ZÀ-Ý]+", f"{line.label} {line.payer_name}".upper()))
    name = payment.payer.last_name.upper() if payment.payer else ""
    number = payment.number.upper()
    return (
        bool(ours & tokens)
        or (
            len(number) >= _NAMES_IT
            and re.search(rf"\b{re.escape(number)}\b", line.label.upper()) is not None
        )
        or (bool(name) and name in words)
    )
