"""Start payments and ask the provider about them. Only `settling.settle` books the money."""

import contextlib
import logging
import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.erasing import lock_present
from shared_apps.accounts.errors import AccountErased
from shared_apps.accounts.models import Account
from shared_apps.accounts.throttling import throttle
from shared_apps.audit import services as audit
from tenant_apps.invoices.locking import lock_invoices
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.books.locking import lock_attempt_alone, lock_attempts
from tenant_apps.payments.control.auditing import plan_audit
from tenant_apps.payments.errors import (
    Busy,
    NotPayable,
    ProductRefused,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from tenant_apps.payments.models import Attempt, AttemptInvoice, Declaration
from tenant_apps.payments.online.asking import fingerprint_of, new_token, request_of, route
from tenant_apps.payments.online.baskets import Basket, by_product, of_the_set
from tenant_apps.payments.online.going_live import check_test_payments
from tenant_apps.payments.online.moves import move
from tenant_apps.payments.online.refused_products import close_refused_product
from tenant_apps.payments.online.resuming import is_fresh, once_opened, own_attempt, page_of
from tenant_apps.payments.online.settling import settle
from tenant_apps.payments.payability.deciding import What, busy_until, waits_for_a_word
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.payability.reasons import WhyNot
from tenant_apps.payments.providers.base import PaymentRequest, Started
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.products import references
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda
from toolkit.words import kept

log = logging.getLogger(__name__)
S = AttemptState
ENOUGH = 3  # calls without an answer, one after the other, after which the poller stops this run
ASK_EVERY = 3  # seconds between two questions about one attempt from pages that wait


@dataclass(frozen=True)
class StartedPayment:
    """An open attempt, and the address `url` where the payer pays."""

    attempt: Attempt
    url: str


def start_payment(*, actor: Account, invoice: Invoice) -> StartedPayment:
    """Open an attempt on one invoice, and return where to send the payer.

    The view has checked that the actor may see the invoice. The attempt is committed before the provider is called.
    Raises NotPayable (or its subclass Busy), ProviderRefused or ProviderUnavailable. After the last two the invoice
    can be paid again at once.
    """
    return start_payment_of(actor=actor, invoices=[invoice])


def start_payment_of(*, actor: Account, invoices: Sequence[Invoice]) -> StartedPayment:
    """`start_payment` of one or several invoices of one product: all of them or none (decision 0029).

    If the actor has an attempt on exactly these invoices whose page is not opened yet, it is resumed (decision 0052).
    """
    ids = {invoice.pk for invoice in invoices}
    own = own_attempt(actor, ids)
    if own is not None and (resumed := _resume(own)):
        return resumed
    _refresh_live(invoices)
    try:
        attempt, token = _prepare(actor, invoices)
    except Busy:
        own = own_attempt(actor, ids)  # a second click at the same moment
        if own is None or not (resumed := _resume(own)):
            raise
        return resumed
    try:
        started = provider(attempt.provider).start(_request(attempt, token))
    except ProviderError as error:
        _close(attempt, error)
        raise
    _open(attempt, started)
    return StartedPayment(attempt, started.url)


def resume_payment(*, actor: Account, invoice: Invoice) -> StartedPayment | None:
    """« Reprendre mon paiement »: resume the actor's attempt on this invoice, alone or with others.

    Returns None when there is no attempt to resume.
    """
    found = Attempt.objects.filter(account=actor, parts__invoice=invoice, parts__live=True).first()
    return _resume(found) if found else None


def _resume(attempt: Attempt) -> StartedPayment | None:
    """Raises NotPayable when the call to the provider of this attempt has just failed."""
    if attempt.state == S.CREATED:
        attempt = once_opened(attempt)
        if attempt.state in (S.FAILED, S.EXPIRED):
            raise NotPayable(_(attempt.reason))
    elif attempt.state == S.STARTED and not is_fresh(attempt):
        with contextlib.suppress(ProviderUnavailable):
            attempt = ask(attempt=attempt, source="start")
    url = page_of(attempt)
    return StartedPayment(attempt, url) if url else None


def _refresh_live(invoices: Sequence[Invoice]) -> None:
    """Ask the provider about the live attempts on `invoices`: one may have ended. Stop at the first that has not."""
    live = Attempt.objects.filter(parts__invoice__in=invoices, parts__live=True).distinct().order_by("pk")
    for attempt in live:
        if attempt.state != S.STARTED or attempt.operation is None:
            continue
        try:
            if ask(attempt=attempt, source="start").state in LIVE:
                return
        except ProviderUnavailable:
            log.info("the provider does not answer about a live attempt")
            return


@atomic_again
def _prepare(actor: Account, invoices: Sequence[Invoice]) -> tuple[Attempt, str]:
    try:
        lock_present(actor)
    except AccountErased as error:
        raise NotPayable(str(error)) from None
    wanted = {invoice.pk for invoice in invoices}
    locked = lock_invoices(Invoice.objects.select_related("product").filter(pk__in=wanted))
    _make_way(locked)
    found = by_product(locked)
    if len(locked) < len(wanted):
        raise NotPayable(_("Une de ces factures a été retirée par le service de facturation."))
    if len(found) != 1:
        raise NotPayable(_("Choisissez les factures d'un même service."))
    if not found[0].can:
        why = found[0].items[0].why
        raise NotPayable(why.sentence if len(locked) == 1 and why else found[0].problem)
    attempt, token = _create(actor, found[0])
    return attempt, token


def _make_way(locked: Sequence[Invoice]) -> None:
    """Raises Busy when another attempt reserves one of the locked invoices. Expire an attempt whose call was lost."""
    live = AttemptInvoice.objects.filter(invoice__in=locked, live=True).order_by("-invoice_id")
    invoice_of = {part.attempt_id: part.invoice_id for part in live}
    # They are read again: an attempt may open or end without a lock on its invoices.
    for other in lock_attempts(invoice_of):
        if other.state == S.CREATED and other.free_at <= timezone.now():
            move(other, S.EXPIRED, source="start", reason=_lost(other))
        elif other.state in LIVE:
            sentence = _busy(other)
            if len(locked) > 1:
                invoice = next(one for one in locked if one.pk == invoice_of[other.pk])
                sentence = of_the_set(invoice, sentence)
            raise Busy(sentence, other.free_at)


def _busy(attempt: Attempt) -> str:
    code = {S.REPORTED: WhyNot.ANNOUNCED, S.REVIEW: WhyNot.EXAMINED}.get(AttemptState(attempt.state))
    name = attempt.provider
    return (waits_for_a_word(code, name) if code else busy_until(attempt.free_at, name)).sentence


def _create(actor: Account, basket: Basket) -> tuple[Attempt, str]:
    """Create the attempt and the one-use token of a provider that needs one, else an empty token.

    The payer comes back to the page of the first invoice.
    """
    invoices, product, present = [item.invoice for item in basket.items], basket.product, timezone.now()
    first, public_id, several = invoices[0], uuid.uuid4(), len(invoices) > 1
    found = provider(product.protocol)
    token, reserved_until = new_token(found), present + found.schedule.lost_call
    attempt = Attempt.objects.create(
        uuid=public_id,
        invoice=first,
        several=several,
        account=actor,
        product=product,
        provider=found.name,
        merchant=product.numcli,
        fiscal_year=str(max(invoice.fiscal_year for invoice in invoices)),
        reference=references.of_several(public_id) if several else first.reference,
        label=f"{len(invoices)} factures" if several else f"Facture {first.number}",
        amount=basket.amount,
        email=actor.email,
        mode=product.mode,
        callback_hash=fingerprint_of(token),
        free_at=reserved_until,
        next_check_at=reserved_until,
    )
    if several:  # a trigger writes the part of an attempt on one invoice
        AttemptInvoice.objects.bulk_create(
            AttemptInvoice(attempt=attempt, invoice=one, amount=one.balance) for one in invoices
        )
    route(found.name, token)
    agenda.plan("payments", attempt.free_at)
    plan_audit()
    ids = [str(invoice.uuid) for invoice in invoices]
    new: dict[str, object] = {"invoices": ids} if several else {"invoice": ids[0]}
    audit.record("attempt.created", actor=actor, obj=f"attempt:{attempt.uuid}", new=new)
    return attempt, token


def _request(attempt: Attempt, token: str) -> PaymentRequest:
    back = f"/factures/{attempt.invoice.uuid}/retour/"
    return request_of(attempt, label=attempt.label, token=token, back=back)


@atomic_again
def _open(attempt: Attempt, started: Started) -> None:
    locked, found = lock_attempt_alone(attempt.pk), provider(attempt.provider)
    locked.operation = started.operation
    locked.started_at = timezone.now()
    locked.free_at = locked.started_at + found.schedule.reserved_for
    locked.next_check_at = found.schedule.next_check(locked.started_at, locked.started_at)
    if locked.state != S.CREATED:
        # The poller expired the attempt before the provider answered. Nobody got this operation, nobody pays it.
        raise ProviderUnavailable(_(found.reasons.too_slow))
    move(locked, S.STARTED, source="start")
    route(found.name, started.operation)
    agenda.plan("payments", locked.next_check_at or locked.free_at)
    attempt.refresh_from_db()


def _close(attempt: Attempt, error: ProviderError) -> None:
    """End an attempt that the provider refused or did not answer. Nobody got an operation, so nobody can pay it."""
    final = isinstance(error, ProviderRefused)
    with transaction.atomic():
        locked = lock_attempt_alone(attempt.pk)
        if locked.state != S.CREATED:
            return
        locked.next_check_at = None
        raw = {"code": error.code, "detail": error.detail[:300], "error": type(error).__name__}
        move(
            locked,
            S.FAILED if final else S.EXPIRED,
            source="start",
            reason=kept(error.sentence)[:300],
            raw=raw,
        )
        if isinstance(error, ProductRefused):
            close_refused_product(locked.product, code=error.code, detail=error.detail)
    log.warning("an attempt did not open: %s", error.code or type(error).__name__)


def ask(*, attempt: Attempt, source: str) -> Attempt:
    """Ask the provider about an attempt and apply its answer. Raises ProviderUnavailable."""
    found = provider(attempt.provider)
    if attempt.operation is None or not found.capabilities.can_be_asked:
        return attempt
    status = found.fetch_status(attempt.operation)
    return settle(attempt_id=attempt.pk, status=status, source=source)


def check_now(*, actor: Account, attempt: Attempt) -> Attempt:
    """Ask about an attempt for « Vérifier maintenant » and for the page that waits, at most every ASK_EVERY seconds.

    When the provider does not answer, return the attempt as it is: the poller asks again later.
    """
    if not throttle.first_in("asked", str(attempt.uuid), ASK_EVERY):
        attempt.refresh_from_db()
        return attempt
    try:
        return ask(attempt=attempt, source="staff" if actor.is_town_staff else "return")
    except ProviderUnavailable:
        attempt.refresh_from_db()
        return attempt


def check_due(limit: int = 100) -> int:
    """The poller: ask about every attempt that is due, one after the other. Returns how many it asked about."""
    present = timezone.now()
    with transaction.atomic():
        due = list(
            Attempt.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(next_check_at__lte=present)
            .order_by("next_check_at")[:limit]
        )
        # They are due again later, for another poller or for this one after a crash.
        Attempt.objects.filter(pk__in=[attempt.pk for attempt in due]).update(
            next_check_at=present + timedelta(minutes=10)
        )
    silent = 0
    with agenda.gathered():
        for attempt in due:
            silent = 0 if _check(attempt) else silent + 1
            if silent >= ENOUGH:
                log.warning("the provider is silent: the other attempts are looked at later")
                break
    return len(due) + check_test_payments()


def _check(attempt: Attempt) -> bool:
    """Ask about one attempt. False when the provider did not answer."""
    if attempt.operation is None or not provider(attempt.provider).capabilities.can_be_asked:
        _expire_unasked(attempt)
        return True
    try:
        ask(attempt=attempt, source="poller")
    except ProviderUnavailable as error:
        log.warning("the provider does not answer about an attempt: %s", error.code or error.detail[:80])
        Attempt.objects.filter(pk=attempt.pk, next_check_at__isnull=False).update(
            checks=F("checks") + 1,
            next_check_at=timezone.now()
            + min(_after_failure(attempt), timedelta(minutes=2 * (1 + attempt.checks))),
        )
        return False
    except Exception as error:
        # An attempt that cannot be settled must not stop the others. It is due again later.
        # The text of a database error quotes the row with its operation, so we log only its type and place.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "attempt %s not settled: %s, %s:%s", attempt.uuid, type(error).__name__, place.name, place.lineno
        )
        Attempt.objects.filter(pk=attempt.pk, next_check_at__isnull=False).update(
            checks=F("checks") + 1, next_check_at=timezone.now() + _after_failure(attempt)
        )
    return True


def _after_failure(attempt: Attempt) -> timedelta:
    return provider(attempt.provider).schedule.after_failure


def _lost(attempt: Attempt) -> str:
    return provider(attempt.provider).reasons.lost


def _expire_unasked(attempt: Attempt) -> None:
    """Expire an attempt that we cannot ask about: its call was lost, or nobody came back from the redirect."""
    with transaction.atomic():
        locked = lock_attempt_alone(attempt.pk)
        locked.next_check_at = None
        if locked.state == S.CREATED:
            move(locked, S.EXPIRED, source="poller", reason=_lost(locked))
        elif locked.state == S.STARTED and locked.free_at <= timezone.now():
            no_return = provider(locked.provider).reasons.no_return
            move(locked, S.EXPIRED, source="poller", reason=no_return)
        else:
            locked.next_check_at = locked.free_at if locked.state == S.STARTED else None
            locked.save(update_fields=["next_check_at"])


@atomic_again
def declare_paid(*, actor: Account, invoice: Invoice) -> Declaration:
    """Record « J'ai réglé » (docs/manual.md, M10), which staff see. It is not money. Raises NotPayable.

    Declaring twice changes nothing. After staff refused a declaration, the resident may declare again, and staff
    check again. The trail keeps the first declaration and the answer.
    """
    payability = payability_of(invoice)
    if not payability.may_declare and payability.what != What.DECLARED:
        raise NotPayable(_("Cette facture n'attend pas de déclaration."))
    declaration, created = Declaration.objects.get_or_create(invoice=invoice, defaults={"account": actor})
    again = Declaration.objects.filter(pk=declaration.pk, refused_at__isnull=False).update(
        account=actor, declared_at=timezone.now(), refused_at=None, refused_by="", answer=""
    )
    if created or again:
        audit.record("invoice.declared_paid", actor=actor, obj=f"invoice:{invoice.uuid}")
    return declaration
