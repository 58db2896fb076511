"""What staff decide of a line. Money is booked and cancelled by payments' own services, never here."""

import logging
from decimal import Decimal
from uuid import uuid5

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.invoices.locking import lock_invoice
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import JOURNAL, Paper, book_payment
from tenant_apps.payments.counter.booking import Line as Part
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.online.bells import hear_payfip_bell
from tenant_apps.payments.online.paying import ask
from tenant_apps.payments.online.review import confirm_attempt, reject_debit
from tenant_apps.payments.providers.base import ProviderUnavailable
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.judging.matcher import Matcher
from tenant_apps.reconciliation.judging.totals import Total, payments_of
from tenant_apps.reconciliation.locking import lock_lines
from tenant_apps.reconciliation.models import Kind, Line, LinePayment, Statement
from tenant_apps.reconciliation.states import EDGES, OPEN, LineState, StatementState
from toolkit import clock
from toolkit.money import format_euros

log = logging.getLogger(__name__)
S = LineState
VERBS = {
    S.MATCHED: "line.matched",
    S.UNMATCHED: "line.unmatched",
    S.DOUBTFUL: "line.doubtful",
    S.DUPLICATE: "line.duplicate",
    S.IGNORED: "line.ignored",
    S.KNOWN: "line.known",
}
ASKED = 3  # attempts on an invoice about which the Treasury is asked before a line is booked


# --- what the worker does after a reading ---------------------------------------------------------


def confirm_announced(*, actor: audit.Actor, statement: Statement) -> int:
    """Payments that TIPI announced and this journal lists are booked by `review.confirm_attempt`, each by itself.

    What an online payment's own look-up can settle is asked again at the Treasury. Returns how many were booked;
    called again it goes on where it stopped.
    """
    booked = 0
    waiting = statement.lines.filter(
        *(Q(state=S.DOUBTFUL), Q(attempt__isnull=False), Q(doubt="", returned=False, outgoing=False)),
        booked_on__lte=clock.today(),
    ).select_related("attempt")
    for line in waiting.order_by("attempt__invoice_id", "id"):
        attempt = line.attempt
        assert attempt is not None
        if attempt.state != AttemptState.REPORTED:
            if attempt.idop:
                hear_payfip_bell(attempt.idop, {})
            continue
        if attempt.amount != line.amount:
            continue
        try:
            with transaction.atomic():
                locked = _lock(line, while_reading=True)
                done = confirm_attempt(actor=actor, attempt=attempt, paid_on=line.booked_on)
                payment = Payment.objects.get(attempt=done)
                locked.used = True
                _settle(locked, actor, payment, gettext_noop("Paiement annoncé, confirmé par ce journal."))
        except (PaymentError, NotPossible):
            log.info("an announced payment was settled by somebody else meanwhile")
            continue
        booked += 1
    return booked


# --- money in -------------------------------------------------------------------------------------


@transaction.atomic
def match_line(*, actor: Account, line: Line, payment: Payment) -> Line:
    """Staff's word: this line is that payment. Raises NotPossible."""
    locked = _lock(line)
    _refuse_outgoing(locked)
    chosen = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
    if chosen.cancelled_at is not None:
        raise NotPossible(_("Ce règlement est annulé."))
    same_kind = Line.objects.filter(kind=locked.kind, payment=chosen, state=S.MATCHED, returned=False)
    if same_kind.exists() or (
        locked.kind == Kind.BANK and LinePayment.objects.filter(payment=chosen).exists()
    ):
        raise NotPossible(_("Ce règlement est déjà rapproché d'une autre ligne."))
    reason = gettext_noop("Rapprochée par un agent.")
    if locked.amount != chosen.amount:
        reason = gettext_noop("Rapprochée par un agent, malgré un montant différent.")
    return _settle(locked, actor, chosen, reason)


@transaction.atomic
def match_total(*, actor: Account, line: Line, total: Total) -> Line:
    """This line is the sum of those payments, all of them. Raises NotPossible when that is no longer its amount."""
    locked = _lock(line)
    _refuse_outgoing(locked)
    if locked.kind != Kind.BANK:
        raise NotPossible(_("Seule une ligne de relevé de compte peut être un total."))
    wanted = list(payments_of(total.day, total.product, total.means).values_list("pk", flat=True))
    payments = list(
        Payment.objects.select_for_update(no_key=True).filter(pk__in=wanted, cancelled_at=None).order_by("pk")
    )
    if not payments or sum(payment.amount for payment in payments) != locked.amount:
        raise NotPossible(_("Ce total a changé entre-temps : cherchez de nouveau."))
    LinePayment.objects.bulk_create([LinePayment(line=locked, payment=payment) for payment in payments])
    locked.payment = None
    return _write(locked, actor, S.MATCHED, _("Total de %(what)s.") % {"what": total.words})


def book_line(*, actor: Account, line: Line, invoice: Invoice, means: Means) -> Line:
    """The money came without us: book it for `invoice`; what exceeds the balance stays unallocated.

    All of it for an invoice that is paid already, or cancelled by an avoir: it is left over, of the same payer.
    The Treasury is asked first about the online attempts that it may be. The line's own id is the payment's key,
    so twice books once. Raises NotPossible. Not in a transaction.
    """
    if invoice.state not in (InvoiceState.PUBLISHED, InvoiceState.CANCELLED):
        raise NotPossible(_("Cette facture n'est pas en ligne : publiez-la d'abord."))
    if line.kind == Kind.JOURNAL and line.amount is not None:
        _ask_first(invoice, line.amount)
    return _book(actor, line, invoice, means)


def _ask_first(invoice: Invoice, amount: Decimal) -> None:
    """What the journal lists may be an attempt that the poller has yet to hear of: it would be booked twice."""
    tried = Attempt.objects.filter(invoices=invoice, amount=amount)
    for attempt in tried.exclude(state=AttemptState.PAID).filter(idop__isnull=False).order_by("-id")[:ASKED]:
        try:
            ask(attempt=attempt, source="staff")
        except ProviderUnavailable:
            raise NotPossible(
                _("Un essai de paiement en ligne est à vérifier d'abord, et le Trésor public ne répond pas.")
            ) from None
        attempt.refresh_from_db()
        if attempt.state == AttemptState.PAID:
            raise NotPossible(
                _("Le Trésor public confirme un paiement en ligne de cette facture : cherchez de nouveau.")
            )
    if tried.filter(state__in=LIVE).exists():
        raise NotPossible(_("Un paiement en ligne de cette facture est en cours, ou à examiner d'abord."))


@transaction.atomic
def _book(actor: Account, line: Line, invoice: Invoice, means: Means) -> Line:
    locked = _lock(line)
    _refuse_outgoing(locked)
    if locked.amount is None or locked.booked_on is None:
        raise NotPossible(_("Cette ligne ne se lit pas : elle n'a pas de montant ou pas de date."))
    if locked.booked_on > clock.today():
        raise NotPossible(_("La date de cette ligne est à venir : rien ne s'enregistre avant ce jour."))
    locked_invoice = lock_invoice(invoice)
    balance = locked_invoice.balance
    provider = JOURNAL if locked.kind == Kind.JOURNAL else "offline"
    key = locked.uuid
    while earlier := Payment.objects.filter(provider=provider, provider_reference=str(key)).first():
        if earlier.cancelled_at is None:
            raise NotPossible(_("Cette ligne est déjà enregistrée : annulez d'abord ce règlement."))
        key = uuid5(key, "again")  # booked by mistake, cancelled since
    payment, _new = book_payment(
        actor=actor,
        lines=[Part(locked_invoice, min(locked.amount, balance) if balance > 0 else locked.amount)],
        received=locked.amount,
        means=means,
        paid_on=locked.booked_on,
        paper=Paper(number=(locked.authorization or locked.reference)[:40], drawer=locked.payer_name[:80]),
        key=key,
        provider=provider,
    )
    locked.invoice, locked.used = invoice, True
    reason = gettext_noop("Enregistrée depuis cette ligne.")
    if not balance:
        reason = gettext_noop("Enregistrée en trop-perçu depuis cette ligne : aucune facture ne la prend.")
    return _settle(locked, actor, payment, reason)


# --- money taken back -----------------------------------------------------------------------------


@transaction.atomic
def take_back(*, actor: Account, line: Line, payment: Payment) -> Line:
    """This line takes that payment back: it is cancelled with the bank's reason, and its invoices are owed again.

    A payment that was cancelled already only finds its line. Raises NotPossible, and what payments raise.
    """
    locked = _lock(line)
    if not (locked.outgoing or locked.returned):
        raise NotPossible(_("Cette ligne ne reprend pas d'argent."))
    chosen = Payment.objects.get(pk=payment.pk)
    if locked.amount is not None and locked.amount < chosen.amount:
        sentence = _(
            "Cette ligne ne reprend que %(taken)s d'un règlement de %(amount)s : l'annuler en entier serait faux."
        )
        words = {"taken": format_euros(locked.amount), "amount": format_euros(chosen.amount)}
        raise NotPossible(sentence % words)
    if Line.objects.filter(kind=locked.kind, payment=chosen, state=S.MATCHED, returned=True).exists():
        raise NotPossible(_("Une autre ligne reprend déjà ce règlement."))
    locked.returned = True
    locked.used = chosen.cancelled_at is None
    # The line first: whoever hears of the cancellation finds the money taken back, and leaves its other lines alone.
    reason = gettext_noop("Règlement revenu impayé, annulé chez nous.")
    settled = _settle(locked, actor, chosen, reason)
    if locked.used:
        _cancel(actor, chosen, _why(locked))
    came = Line.objects.select_for_update(no_key=True).filter(
        payment=chosen, state=S.DOUBTFUL, returned=False
    )
    for line_ in came.order_by("pk"):
        _write(line_, actor, S.MATCHED, gettext_noop("Venue, puis reprise : ce règlement est annulé."))
    return settled


def _cancel(actor: Account, payment: Payment, reason: str) -> None:
    if payment.means == Means.DEBIT and payment.attempt is not None:
        reject_debit(actor=actor, attempt=payment.attempt, reason=reason)
    else:
        cancel_payment(actor=actor, payment=payment, reason=reason)


def _why(line: Line) -> str:
    """The reason that the payment keeps, and that its payer may read."""
    day = clock.in_figures(line.booked_on) if line.booked_on else ""
    if line.return_reason:
        return _("revenu impayé le %(day)s : %(reason)s") % {
            "day": day,
            "reason": line.return_reason.rstrip(". "),
        }
    return _("revenu impayé le %(day)s") % {"day": day}


@transaction.atomic
def lose_payment(*, actor: audit.Actor, payment: Payment) -> int:
    """A payment was cancelled: the lines that it explained wait again. Returns how many.

    Unless a line says that the money went back too: then both lines explain each other.
    """
    lock_lines()
    if Line.objects.filter(payment=payment, state=S.MATCHED, returned=True).exists():
        return 0
    reason = gettext_noop(
        "Le règlement de cette ligne a été annulé chez nous : l'argent est venu, et ne compte plus."
    )
    if payment.cancel_reason:
        reason += " " + gettext_noop("Motif : %(reason)s.") % {"reason": payment.cancel_reason.rstrip(". ")}
    lines = Line.objects.select_for_update(of=("self",), no_key=True).filter(
        Q(payment=payment) | Q(pk__in=LinePayment.objects.filter(payment=payment).values("line")),
        state=S.MATCHED,
        returned=False,
    )
    found = list(lines.order_by("pk"))
    for line in found:
        LinePayment.objects.filter(line=line).delete()
        line.payment = payment
        _write(line, actor, S.DOUBTFUL, reason)
    return len(found)


def lose_cancelled_payments() -> None:
    """The same for every payment that was cancelled and still explains a line."""
    lines = Line.objects.filter(state=S.MATCHED, payment=OuterRef("pk"))
    lost = Payment.objects.filter(
        Exists(lines.filter(returned=False)) | Exists(LinePayment.objects.filter(payment=OuterRef("pk"))),
        ~Exists(lines.filter(returned=True)),
        cancelled_at__isnull=False,
    )
    for payment in lost.order_by("pk"):
        lose_payment(actor=payment.cancelled_by, payment=payment)


# --- aside, and back ------------------------------------------------------------------------------


@transaction.atomic
def ignore_line(*, actor: Account, line: Line, reason: str) -> Line:
    """Set a line aside, with a reason. Raises NotPossible."""
    if not reason.strip():
        raise NotPossible(_("Indiquez pourquoi cette ligne est écartée."))
    locked = _lock(line)
    return _write(locked, actor, S.IGNORED, reason.strip())


@transaction.atomic
def reopen_line(*, actor: Account, line: Line) -> Line:
    """Undo: the line waits again. A payment that was booked from it stays; it is cancelled on its own page.

    An outgoing line that the reading set aside may take one of our payments back, after all.
    """
    locked = _held(line)
    if locked.state not in (S.MATCHED, S.IGNORED):
        return locked
    if locked.amount is None:
        raise NotPossible(_("Cette ligne ne se lit pas : elle ne peut être qu'écartée."))
    if locked.state == S.IGNORED and not locked.decided_by and not locked.outgoing:
        raise NotPossible(_("Cette ligne n'est pas un encaissement : elle ne peut être qu'écartée."))
    if locked.state == S.MATCHED and locked.returned:
        raise NotPossible(_("Le règlement que cette ligne reprend est annulé : cela ne se défait pas ici."))
    LinePayment.objects.filter(line=locked).delete()
    locked.payment = locked.deposit = None
    if locked.outgoing:
        locked.returned = True
        reason = gettext_noop("Argent repris, selon un agent : cherchez le règlement.")
        return _write(locked, actor, S.DOUBTFUL, reason)
    return _write(locked, actor, S.UNMATCHED, gettext_noop("Remise en attente par un agent."))


@transaction.atomic
def same_operation(*, actor: Account, line: Line) -> Line:
    """« C'est la même opération » that an earlier file has. Raises NotPossible."""
    locked = _lock(line)
    if locked.twin_id is None:
        raise NotPossible(_("Aucun fichier précédent n'a cette opération."))
    _count(locked, known=1)
    return _write(locked, actor, S.KNOWN, gettext_noop("Déjà apportée par un autre fichier, selon un agent."))


@transaction.atomic
def other_operation(*, actor: Account, line: Line) -> Line:
    """« C'est une autre opération » than the equal one of an earlier file: it is judged as any line."""
    locked = _held(line)
    if locked.twin_id is None:
        return locked
    if locked.state == S.KNOWN:
        rank_apart(locked)
        _count(locked, known=-1)
        _write(locked, actor, S.UNMATCHED, gettext_noop("Une autre opération, selon un agent."))
    locked.twin = None
    locked.state = S.UNMATCHED
    Matcher(locked.kind).judge([locked])
    locked.decided_by, locked.decided_at = _name(actor), timezone.now()
    locked.save()
    return locked


def rank_apart(line: Line) -> None:
    """Give a line, in memory, the next rank among those that say the same: it is one of its own."""
    known = Line.objects.filter(checksum=line.checksum).exclude(state=S.KNOWN)
    line.rank = (known.aggregate(last=Max("rank"))["last"] or 0) + 1


def _count(line: Line, *, known: int) -> None:
    file = line.statement
    file.known_count, file.new_count = file.known_count + known, file.new_count - known
    file.save(update_fields=["known_count", "new_count"])


# --- the setters ----------------------------------------------------------------------------------


def _lock(line: Line, *, while_reading: bool = False) -> Line:
    locked = _held(line)
    if locked.statement.state == StatementState.READING and not while_reading:
        raise NotPossible(
            _("Le fichier de cette ligne est en cours de lecture : attendez qu'elle soit finie.")
        )
    if locked.state not in OPEN:
        sentence = _("Cette ligne est déjà « %(state)s ».")
        raise NotPossible(sentence % {"state": locked.get_state_display()})
    return locked


def _held(line: Line) -> Line:
    """The line as it is now, locked after its file: the order of everything that moves money (payments.locking)."""
    lock_lines()
    file = Statement.objects.select_for_update(no_key=True).get(pk=line.statement_id)
    locked = Line.objects.select_for_update(no_key=True).get(pk=line.pk)
    locked.statement = file
    return locked


def _refuse_outgoing(line: Line) -> None:
    if line.outgoing or line.returned:
        raise NotPossible(
            _("Cette ligne dit que l'argent est reparti : elle ne peut pas être un encaissement.")
        )


def _settle(line: Line, actor: audit.Actor, payment: Payment, reason: str) -> Line:
    line.payment = payment
    return _write(line, actor, S.MATCHED, reason)


def _write(line: Line, actor: audit.Actor, to: LineState, reason: str) -> Line:
    """The one setter of a line's state once it is kept."""
    old = LineState(line.state)
    if (old, to) not in EDGES:
        raise NotPossible(
            _("Une ligne « %(state)s » ne peut pas le devenir.") % {"state": line.get_state_display()}
        )
    before = line.reason
    line.state, line.reason = to, reason[:300]
    line.decided_by, line.decided_at = _name(actor), timezone.now()
    line.save(
        update_fields=[
            *("state", "reason", "payment", "deposit", "invoice", "returned", "used", "rank"),
            *("decided_by", "decided_at"),
        ]
    )
    audit.record(
        VERBS[to],
        actor=actor,
        obj=f"line:{line.uuid}",
        old={"state": str(old), "reason": before},
        new={
            "state": str(to),
            "reason": line.reason,
            "payment": str(line.payment.uuid) if line.payment else "",
        },
    )
    return line


def _name(actor: audit.Actor) -> str:
    return actor if isinstance(actor, str) else actor.audit_name
