"""Open a product for online payment: test payments in mode T, then in X, then mode W (docs/payfip.md §2).

A test payment is a row of its own table, without invoice or Payment, so test money cannot pay anything.
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.payments.errors import NotYet, ProviderError, ProviderUnavailable
from tenant_apps.payments.models import Means, TestPayment
from tenant_apps.payments.online.agreements import ask_number, same_lines
from tenant_apps.payments.online.asking import (
    differences_of,
    fingerprint_of,
    key_of,
    new_token,
    request_of,
    route,
)
from tenant_apps.payments.online.moves import bounded
from tenant_apps.payments.providers.base import Outcome, PaymentRequest, Provider, Started, Status
from tenant_apps.payments.providers.registry import provider
from tenant_apps.payments.states import TestPaymentState
from tenant_apps.products import protocols
from tenant_apps.products.errors import ProductError
from tenant_apps.products.models import Mode, Product, ProductKind
from tenant_apps.products.services import advance_product, confirm_number
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda
from toolkit import clock
from toolkit.words import kept

log = logging.getLogger(__name__)
S = TestPaymentState
AMOUNT = Decimal("1.00")
CLAIMED = timedelta(minutes=30)  # when another poller, or this one after a crash, asks again
_ENDS = {
    Outcome.PAID_CARD: S.PAID,
    Outcome.PAID_DEBIT: S.PAID,
    Outcome.REFUSED_CARD: S.REFUSED,
    Outcome.REFUSED_DEBIT: S.REFUSED,
    Outcome.ABANDONED: S.ABANDONED,
    Outcome.TOO_OLD: S.EXPIRED,
    Outcome.USED: S.EXPIRED,
    Outcome.OTHER: S.REVIEW,
}


def ask_label(product: Product) -> tuple[str, ...]:
    """« Vérifier ce numéro »: the lines of text that the provider shows for the product's number, without empty ones.

    Raises ProviderRefused (unknown number), ProviderUnavailable, or NotYet for a product without a number.
    """
    return ask_number(product.protocol, product.numcli)


def recognise(*, actor: audit.Actor, product: Product, label: str) -> Product:
    """« C'est bien nous »: confirm the number, if the provider still shows the `label` that the manager saw.

    Raises NotYet.
    """
    lines = same_lines(product.protocol, product.numcli, label)
    try:
        return confirm_number(actor=actor, product=product, label=lines)
    except ProductError as error:
        raise NotYet(str(error)) from None


def start_test_payment(*, actor: Account, product: Product) -> str:
    """Open a test payment of 1 € in the product's mode, and return the address where the manager pays.

    The row is committed before the provider is called. Raises NotYet, ProviderRefused or ProviderUnavailable.
    """
    if product.mode == Mode.PRODUCTION or product.protocol == protocols.NONE:
        raise NotYet(_("Les paiements d'essai servent à mettre en service : c'est déjà fait."))
    if product.ended_at is not None:
        raise NotYet(_("Cette régie est fermée : rouvrez-la d'abord."))
    if product.checked_at is None:
        raise NotYet(_("Vérifiez d'abord le numéro."))
    found = provider(product.protocol)
    token = new_token(found)
    test_payment = _create(actor, product, found, token)
    try:
        started = found.start(_request(test_payment, token))
    except ProviderError as error:
        _end(test_payment.pk, S.FAILED, kept(error.sentence), was=(S.CREATED,))
        raise
    _open(test_payment.pk, started)
    return started.url


@atomic_again
def _open(pk: int, started: Started) -> None:
    """Save the operation that the provider gave. Raises ProviderUnavailable if the poller expired the row before."""
    test_payment = _locked(pk)
    if test_payment.state != S.CREATED:
        raise ProviderUnavailable(_(provider(test_payment.provider).reasons.too_slow))
    schedule = provider(test_payment.provider).schedule
    test_payment.operation, test_payment.state = started.operation, S.STARTED
    asked = schedule.next_check(test_payment.started_at, timezone.now()) if started.operation else None
    # Without an operation we cannot ask.
    test_payment.next_check_at = asked or test_payment.started_at + schedule.reserved_for
    test_payment.save(update_fields=["operation", "state", "next_check_at"])
    route(test_payment.provider, started.operation)
    agenda.plan("payments", test_payment.next_check_at)


def _locked(pk: int) -> TestPayment:
    return TestPayment.objects.select_for_update(no_key=True).get(pk=pk)


@transaction.atomic
def _create(actor: Account, product: Product, found: Provider, token: str) -> TestPayment:
    year, reference = found.test_debt or ("", "")
    check_at = timezone.now() + found.schedule.lost_call
    test_payment = TestPayment.objects.create(
        product=product,
        provider=found.name,
        mode=product.mode,
        merchant=product.numcli,
        fiscal_year=year,
        reference=reference,
        amount=AMOUNT,
        email=actor.email,
        callback_hash=fingerprint_of(token),
        started_by=actor.audit_name,
        next_check_at=check_at,
    )
    agenda.plan("payments", check_at)
    if product.kind == ProductKind.REGIE or not reference:  # the town chooses the references of a régie
        test_payment.fiscal_year, test_payment.reference = (
            str(clock.today().year),
            f"ESSAI{test_payment.pk:010}",
        )
        test_payment.save(update_fields=["fiscal_year", "reference"])
    route(found.name, token)
    audit.record(
        "trial.created", actor=actor, obj=f"trial:{test_payment.uuid}", new={"mode": test_payment.mode}
    )
    return test_payment


def _request(test_payment: TestPayment, token: str) -> PaymentRequest:
    back = f"/gestion/reglages/regies/{test_payment.product_id}/mise-en-service/"
    return request_of(test_payment, label="Paiement d'essai", token=token, back=back)


def check_test_payments(limit: int = 20) -> int:
    """Ask about the test payments that are due, at most `limit`. Returns how many it asked about."""
    present = timezone.now()
    with transaction.atomic():
        waiting = TestPayment.objects.select_for_update(skip_locked=True, no_key=True)
        due = list(waiting.filter(next_check_at__lte=present).order_by("next_check_at")[:limit])
        # They are due again later, for another poller or for this one after a crash.
        claimed = TestPayment.objects.filter(pk__in=[test_payment.pk for test_payment in due])
        claimed.update(next_check_at=present + CLAIMED)
    for test_payment in due:
        try:
            check_test_payment(test_payment)
        except Exception as error:  # one error must not stop the others
            log.error("test payment %s not settled: %s", test_payment.uuid, type(error).__name__)
    return len(due)


def check_test_payment(test_payment: TestPayment) -> None:
    """Ask the provider about a test payment and apply the answer. Without an answer, ask again later.

    A test payment that we cannot ask about expires: its call was lost, or nobody came back from the redirect.
    """
    if test_payment.operation is None or not provider(test_payment.provider).capabilities.can_be_asked:
        _end(
            test_payment.pk,
            S.EXPIRED,
            gettext_noop("Aucune réponse n'est arrivée."),
            was=(S.CREATED, S.STARTED),
        )
        return
    try:
        status = provider(test_payment.provider).fetch_status(test_payment.operation)
    except ProviderUnavailable:
        _wait(test_payment.pk)
        return
    _settle(test_payment.pk, status)


def check_test_payment_soon(found: Provider, token: str) -> None:
    """Make a test payment due at once, after a notification about `token`."""
    open_ones = TestPayment.objects.filter(**key_of(found, token), state=S.STARTED)
    open_ones.update(next_check_at=timezone.now())


def read_test_payment_report(*, found: Provider, token: str, status: Status) -> bool:
    """Apply `status` to the test payment of `token`. False when no test payment has this token."""
    test_payment = TestPayment.objects.filter(**key_of(found, token)).first()
    if test_payment is None:
        return False
    _settle(test_payment.pk, status)
    return True


@atomic_again
def _settle(pk: int, status: Status) -> None:
    test_payment = _locked(pk)
    if test_payment.state != S.STARTED:
        _leave(test_payment)
        return
    found, present = provider(test_payment.provider), timezone.now()
    schedule = found.schedule
    test_payment.outcome, test_payment.answer = status.outcome, bounded(status.raw)
    test_payment.next_check_at = (
        schedule.next_check(test_payment.started_at, present) if test_payment.operation else None
    )
    to = _ENDS.get(status.outcome)
    if status.outcome == Outcome.USED and present < test_payment.started_at + schedule.opened:
        to = None  # the page is open and may be paid (decision 0030)
    if to is None and present >= test_payment.started_at + schedule.reserved_for:
        to = S.EXPIRED
    if to == S.PAID and differences_of(test_payment, status):
        to, test_payment.reason = S.REVIEW, found.reasons.test_differs
    if to is not None:
        test_payment.state, test_payment.next_check_at = to, None
        if to == S.PAID:
            test_payment.means = Means.CARD if status.outcome == Outcome.PAID_CARD else Means.DEBIT
        audit.record(
            "trial.ended", actor=audit.TREASURY, obj=f"trial:{test_payment.uuid}", new={"state": str(to)}
        )
    test_payment.save()


@atomic_again
def _end(pk: int, to: TestPaymentState, reason: str, *, was: Collection[TestPaymentState]) -> None:
    """End a test payment without an operation whose state is in `was`. Otherwise leave it as it is."""
    test_payment = _locked(pk)
    if test_payment.state not in was or test_payment.operation is not None:
        return
    test_payment.state, test_payment.reason, test_payment.next_check_at = to, reason[:300], None
    test_payment.save(update_fields=["state", "reason", "next_check_at"])
    audit.record(
        "trial.ended", actor=audit.TREASURY, obj=f"trial:{test_payment.uuid}", new={"state": str(to)}
    )


@atomic_again
def _wait(pk: int) -> None:
    """Ask again later, because the provider did not answer; not if the test payment has ended meanwhile."""
    test_payment = _locked(pk)
    if test_payment.state == S.STARTED:
        test_payment.next_check_at = timezone.now() + provider(test_payment.provider).schedule.after_failure
        test_payment.save(update_fields=["next_check_at"])
    else:
        _leave(test_payment)


def _leave(test_payment: TestPayment) -> None:
    """Stop asking about a test payment that has ended."""
    if test_payment.state != S.CREATED and test_payment.next_check_at is not None:
        test_payment.next_check_at = None
        test_payment.save(update_fields=["next_check_at"])


def missing(product: Product, *, without_debit: bool = False) -> list[str]:
    """What is missing for the next mode, in sentences; empty when the product may go forward."""
    paid = set(
        TestPayment.objects.filter(
            product=product, merchant=product.numcli, mode=product.mode, state=S.PAID
        ).values_list("means", flat=True)
    )
    lacking = []
    if product.ended_at is not None:
        lacking.append(_("Cette régie est fermée."))
    if product.checked_at is None:
        lacking.append(_("Le numéro n'est pas encore vérifié."))
    if product.closed_at is not None:
        lacking.append(_("Ce numéro est refusé : vérifiez-le de nouveau."))
    if product.mode == Mode.TEST and not paid:
        lacking.append(_("Aucun paiement d'essai n'a encore réussi."))
    if product.mode == Mode.ACTIVATION:
        wanted = provider(product.protocol).capabilities.opening_means
        if Means.CARD in wanted and Means.CARD not in paid:
            lacking.append(_("Il manque un paiement d'activation par carte."))
        if Means.DEBIT in wanted and Means.DEBIT not in paid and not without_debit:
            lacking.append(_("Il manque un paiement d'activation par prélèvement."))
    return lacking


@atomic_again
def go_forward(*, actor: Account, product: Product, without_debit: bool = False) -> Product:
    """Go one step from T to X or from X to W. The conditions are checked again under the product's lock.

    Raises NotYet.
    """
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    lacking = missing(locked, without_debit=without_debit)
    if lacking or locked.mode == Mode.PRODUCTION or locked.mode != product.mode:
        raise NotYet(" ".join(lacking) or _("Cette régie a déjà changé d'étape."))
    to = Mode.ACTIVATION if locked.mode == Mode.TEST else Mode.PRODUCTION
    if to == Mode.PRODUCTION and without_debit:
        audit.record("product.without_debit", actor=actor, obj=f"product:{locked.code}")
    return advance_product(actor=actor, product=locked, to=to)
