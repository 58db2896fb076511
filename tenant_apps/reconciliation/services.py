"""What staff decide about a row. Only the services of payments book and cancel money."""

import logging
from decimal import Decimal
from uuid import uuid5

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.invoices.locking import lock_invoice
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.payments.errors import PaymentError, ProviderUnavailable
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.services import (
    JOURNAL,
    PaymentDetails,
    ask,
    ask_soon,
    book_payment,
    confirm_attempt,
)
from tenant_apps.payments.services import CounterRow as Part
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.reconciliation.errors import NotPossible
from tenant_apps.reconciliation.judging.matcher import Matcher
from tenant_apps.reconciliation.judging.totals import Total, payments_of
from tenant_apps.reconciliation.models import TREASURY, Kind, Statement, StatementRow, StatementRowPayment
from tenant_apps.reconciliation.statement_rows.setters import (
    lock,
    lock_any,
    name_of,
    refuse_what_is_no_income,
    settle,
    write,
)
from tenant_apps.reconciliation.states import StatementRowState
from toolkit import clock

log = logging.getLogger(__name__)
S = StatementRowState
ASKED = 3  # at most so many attempts of an invoice are looked up at the Treasury before a booking


# --- what the worker does after a reading ---------------------------------------------------------


def confirm_announced(*, actor: audit.Actor, statement: Statement) -> int:
    """Confirm the TIPI payments that were announced and that this file of the Treasury lists, each in a transaction.

    An online payment that a look-up can settle is looked up again at the Treasury. Returns how many were confirmed.
    Called again, it continues.
    """
    booked = 0
    waiting = statement.rows.filter(
        *(Q(state=S.DOUBTFUL), Q(attempt__isnull=False), Q(doubt="", returned=False, outgoing=False)),
        booked_on__lte=clock.today(),
    ).select_related("attempt")
    for row in waiting.order_by("attempt__invoice_id", "id"):
        attempt = row.attempt
        assert attempt is not None
        if attempt.state != AttemptState.REPORTED:
            ask_soon(attempt)
            continue
        if attempt.amount != row.amount:
            continue
        try:
            with transaction.atomic():
                locked = lock(row, while_reading=True)
                done = confirm_attempt(actor=actor, attempt=attempt, paid_on=row.booked_on)
                payment = Payment.objects.get(attempt=done)
                locked.used = True
                settle(
                    locked, actor, payment, gettext_noop("Paiement annoncé, confirmé par le Trésor public.")
                )
        except (PaymentError, NotPossible):
            log.info("an announced payment was settled by somebody else meanwhile")
            continue
        booked += 1
    return booked


# --- money in -------------------------------------------------------------------------------------


@transaction.atomic
def match_row(*, actor: Account, row: StatementRow, payment: Payment) -> StatementRow:
    """A person says: this row is that payment. Raises NotPossible."""
    locked = lock(row)
    refuse_what_is_no_income(locked)
    chosen = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
    if chosen.cancelled_at is not None:
        raise NotPossible(_("Ce règlement est annulé."))
    same_kind = StatementRow.objects.filter(kind=locked.kind, payment=chosen, state=S.MATCHED, returned=False)
    if same_kind.exists() or (
        locked.kind == Kind.BANK and StatementRowPayment.objects.filter(payment=chosen).exists()
    ):
        raise NotPossible(_("Ce règlement est déjà rapproché d'une autre ligne."))
    reason = gettext_noop("Rapprochée par un agent.")
    if locked.amount != chosen.amount:
        reason = gettext_noop("Rapprochée par un agent, malgré un montant différent.")
    return settle(locked, actor, chosen, reason)


@transaction.atomic
def match_total(*, actor: Account, row: StatementRow, total: Total) -> StatementRow:
    """This row is the sum of all those payments. Raises NotPossible when their sum is no longer its amount."""
    locked = lock(row)
    refuse_what_is_no_income(locked)
    if locked.kind != Kind.BANK:
        raise NotPossible(_("Seule une ligne de relevé de compte peut être un total."))
    wanted = list(payments_of(total.day, total.product, total.means).values_list("pk", flat=True))
    payments = list(
        Payment.objects.select_for_update(no_key=True).filter(pk__in=wanted, cancelled_at=None).order_by("pk")
    )
    if not payments or sum(payment.amount for payment in payments) != locked.amount:
        raise NotPossible(_("Ce total a changé entre-temps : cherchez de nouveau."))
    StatementRowPayment.objects.bulk_create(
        [StatementRowPayment(row=locked, payment=payment) for payment in payments]
    )
    locked.payment = None
    return write(locked, actor, S.MATCHED, _("Total de %(what)s.") % {"what": total.words})


def book_row(*, actor: Account, row: StatementRow, invoice: Invoice, means: Means) -> StatementRow:
    """Book the money of a row for `invoice`; what exceeds the balance stays unallocated.

    For a paid or cancelled invoice all of it stays unallocated, with the same payer. The online attempts that it may
    be are looked up at the Treasury first. The row's uuid is the key of the payment, so a second call books nothing.
    Raises NotPossible. Do not call it in a transaction.
    """
    if invoice.state not in (InvoiceState.PUBLISHED, InvoiceState.CANCELLED):
        raise NotPossible(_("Cette facture n'est pas en ligne : publiez-la d'abord."))
    if row.kind in TREASURY and row.amount is not None:
        _ask_first(invoice, row.amount)
    return _book(actor, row, invoice, means)


def _ask_first(invoice: Invoice, amount: Decimal) -> None:
    """Look up the attempts that the row may be and that we have not settled yet: a booking would count them twice."""
    tried = Attempt.objects.filter(invoices=invoice, amount=amount)
    for attempt in (
        tried.exclude(state=AttemptState.PAID).filter(operation__isnull=False).order_by("-id")[:ASKED]
    ):
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
def _book(actor: Account, row: StatementRow, invoice: Invoice, means: Means) -> StatementRow:
    locked = lock(row)
    refuse_what_is_no_income(locked)
    if locked.amount is None or locked.booked_on is None:
        raise NotPossible(_("Cette ligne ne se lit pas : elle n'a pas de montant ou pas de date."))
    if locked.booked_on > clock.today():
        raise NotPossible(_("La date de cette ligne est à venir : rien ne s'enregistre avant ce jour."))
    locked_invoice = lock_invoice(invoice)
    balance = locked_invoice.balance
    provider = JOURNAL if locked.kind in TREASURY else "offline"
    key = locked.uuid
    while earlier := Payment.objects.filter(provider=provider, provider_reference=str(key)).first():
        if earlier.cancelled_at is None:
            raise NotPossible(_("Cette ligne est déjà enregistrée : annulez d'abord ce règlement."))
        key = uuid5(key, "again")  # an earlier booking was cancelled
    payment, _new = book_payment(
        actor=actor,
        lines=[Part(locked_invoice, min(locked.amount, balance) if balance > 0 else locked.amount)],
        received=locked.amount,
        means=means,
        paid_on=locked.booked_on,
        details=PaymentDetails(
            number=(locked.authorization or locked.reference)[:40], drawer=locked.payer_name[:80]
        ),
        key=key,
        provider=provider,
    )
    locked.invoice, locked.used = invoice, True
    reason = gettext_noop("Enregistrée depuis cette ligne.")
    if not balance:
        reason = gettext_noop("Enregistrée en trop-perçu depuis cette ligne : aucune facture ne la prend.")
    return settle(locked, actor, payment, reason)


# --- set aside, and open again -----------------------------------------------------------------------


@transaction.atomic
def ignore_row(*, actor: Account, row: StatementRow, reason: str) -> StatementRow:
    """Set a row aside, with a reason. Raises NotPossible."""
    if not reason.strip():
        raise NotPossible(_("Indiquez pourquoi cette ligne est écartée."))
    locked = lock(row)
    return write(locked, actor, S.IGNORED, reason.strip())


@transaction.atomic
def reopen_row(*, actor: Account, row: StatementRow) -> StatementRow:
    """Let the row wait again. A payment booked from it stays; it is cancelled on its own page. Raises NotPossible.

    An outgoing row that the reading set aside becomes DOUBTFUL: a person says that it takes a payment back.
    """
    locked = lock_any(row)
    if locked.state not in (S.MATCHED, S.IGNORED):
        return locked
    if locked.amount is None:
        raise NotPossible(_("Cette ligne ne se lit pas : elle ne peut être qu'écartée."))
    if locked.state == S.IGNORED and not locked.decided_by and not locked.outgoing:
        raise NotPossible(_("Cette ligne n'est pas un encaissement : elle ne peut être qu'écartée."))
    if locked.state == S.MATCHED and locked.returned:
        raise NotPossible(_("Le règlement que cette ligne reprend est annulé : cela ne se défait pas ici."))
    StatementRowPayment.objects.filter(row=locked).delete()
    locked.payment = locked.deposit = None
    if locked.outgoing:
        locked.returned = True
        reason = gettext_noop("Argent repris, selon un agent : cherchez le règlement.")
        return write(locked, actor, S.DOUBTFUL, reason)
    return write(locked, actor, S.UNMATCHED, gettext_noop("Remise en attente par un agent."))


@transaction.atomic
def same_operation(*, actor: Account, row: StatementRow) -> StatementRow:
    """« C'est la même opération » as in an earlier file: the row becomes KNOWN. Raises NotPossible."""
    locked = lock(row)
    if locked.twin_id is None:
        raise NotPossible(_("Aucun fichier précédent n'a cette opération."))
    _count(locked, known=1)
    return write(locked, actor, S.KNOWN, gettext_noop("Déjà apportée par un autre fichier, selon un agent."))


@transaction.atomic
def other_operation(*, actor: Account, row: StatementRow) -> StatementRow:
    """« C'est une autre opération » than the equal row of an earlier file: the row is judged like any other."""
    locked = lock_any(row)
    if locked.twin_id is None:
        return locked
    if locked.state == S.KNOWN:
        rank_apart(locked)
        _count(locked, known=-1)
        write(locked, actor, S.UNMATCHED, gettext_noop("Une autre opération, selon un agent."))
    locked.twin = None
    locked.state = S.UNMATCHED
    Matcher(locked.statement).judge([locked])
    locked.decided_by, locked.decided_at = name_of(actor), timezone.now()
    locked.save()
    return locked


def rank_apart(row: StatementRow) -> None:
    """Give a row, in memory, the next free rank among equal rows: it counts as an operation of its own."""
    known = StatementRow.objects.filter(checksum=row.checksum).exclude(state=S.KNOWN)
    row.rank = (known.aggregate(last=Max("rank"))["last"] or 0) + 1


def _count(row: StatementRow, *, known: int) -> None:
    file = row.statement
    file.known_count, file.new_count = file.known_count + known, file.new_count - known
    file.save(update_fields=["known_count", "new_count"])
