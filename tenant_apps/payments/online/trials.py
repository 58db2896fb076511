"""Payments made to open a product: T tries, then X, then W (docs/payfip.md §2, « going live »).

A trial is a record of its own: no invoice and no Payment hang on it, so test money can pay nothing.
"""

import logging
from collections.abc import Collection, Mapping
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.treasury import services as treasury
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Means, Trial
from tenant_apps.payments.providers import schedule
from tenant_apps.payments.providers.base import (
    Outcome,
    PaymentRequest,
    ProviderError,
    ProviderUnavailable,
    Started,
    Status,
)
from tenant_apps.payments.providers.registry import payfip, provider, tipi
from tenant_apps.payments.states import TrialState
from tenant_apps.products.models import Mode, Product, ProductKind, Protocol
from tenant_apps.products.services import advance_product, confirm_number
from tenants.current import current_town
from tenants.databases.postgresql.again import atomic_again
from tenants.hosts import registry
from tenants.work import agenda
from toolkit import clock
from toolkit.secrecy import secrets
from toolkit.words import kept

log = logging.getLogger(__name__)
S = TrialState
AMOUNT = Decimal("1.00")
# What clients in the field use for debts that do not exist (docs/payfip.md §3).
NO_DEBT = ("9999", "999900000000999999")
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


class NotYet(PaymentError):
    """A step of going live whose conditions are not met; the sentence says which."""


def ask_label(product: Product) -> tuple[str, ...]:
    """« Vérifier ce numéro »: the Treasury's lines for the numcli, empty ones left out.

    Raises ProviderRefused (unknown number), ProviderUnavailable, or NotYet for a product without a numcli.
    """
    if product.protocol == Protocol.NONE or not product.numcli:
        raise NotYet(_("Ce produit n'a pas d'identifiant au Trésor public."))
    return tuple(line for line in payfip().client_details(product.numcli) if line)


def recognise(*, actor: Account, product: Product, label: str) -> Product:
    """« C'est bien nous »: what the manager saw is asked for again, and must be the same. Raises NotYet."""
    lines = "\n".join(ask_label(product))
    if not lines or lines != label.replace("\r\n", "\n"):
        raise NotYet(_("Le libellé du Trésor public a changé entre-temps : vérifiez-le de nouveau."))
    return confirm_number(actor=actor, product=product, label=lines)


def start_trial(*, actor: Account, product: Product) -> str:
    """Open a payment of 1 € in the product's present mode; returns where to send the manager.

    The row is committed before the Treasury is called. Raises NotYet, ProviderRefused or ProviderUnavailable.
    """
    if product.mode == Mode.PRODUCTION or product.protocol == Protocol.NONE:
        raise NotYet(_("Les paiements d'essai servent à ouvrir un produit : celui-ci est déjà en service."))
    if product.checked_at is None:
        raise NotYet(_("Vérifiez d'abord le numéro."))
    token = secrets.new_lien() if product.protocol == Protocol.TIPI else ""
    trial = _create(actor, product, token)
    try:
        started = provider(trial.provider).start(_request(trial, token))
    except ProviderError as error:
        _end(trial.pk, S.FAILED, kept(error.sentence), was=(S.CREATED,))
        raise
    _open(trial.pk, started)
    return started.url


@atomic_again
def _open(pk: int, started: Started) -> None:
    """The Treasury has opened it. Raises ProviderUnavailable when our own clean-up was quicker."""
    trial = _locked(pk)
    if trial.state != S.CREATED:
        raise ProviderUnavailable(_("Le paiement a mis trop de temps à s'ouvrir. Recommencez."))
    trial.idop, trial.state = started.idop, S.STARTED
    asked = schedule.next_check(trial.started_at, timezone.now()) if started.idop else None
    trial.next_check_at = asked or trial.started_at + schedule.HOLD  # a redirect cannot be asked about
    trial.save(update_fields=["idop", "state", "next_check_at"])
    if started.idop:
        treasury.add_route(kind="payfip", token=started.idop)
    agenda.plan("payments", trial.next_check_at)


def _locked(pk: int) -> Trial:
    return Trial.objects.select_for_update(no_key=True).get(pk=pk)


@transaction.atomic
def _create(actor: Account, product: Product, token: str) -> Trial:
    year, reference = NO_DEBT
    trial = Trial.objects.create(
        product=product,
        provider=product.protocol,
        mode=product.mode,
        numcli=product.numcli,
        fiscal_year=year,
        reference=reference,
        amount=AMOUNT,
        email=actor.email,
        callback_hash=secrets.fingerprint(token) if token else None,
        started_by=actor.audit_name,
        next_check_at=timezone.now() + schedule.LOST_CALL,
    )
    agenda.plan("payments", timezone.now() + schedule.LOST_CALL)
    if product.kind == ProductKind.REGIE:  # the references of a régie are the town's own
        trial.fiscal_year, trial.reference = str(clock.today().year), f"ESSAI{trial.pk:010}"
        trial.save(update_fields=["fiscal_year", "reference"])
    if token:
        treasury.add_route(kind="tipi", token=token)
    audit.record("trial.created", actor=actor, obj=f"trial:{trial.uuid}", new={"mode": trial.mode})
    return trial


def _request(trial: Trial, token: str) -> PaymentRequest:
    callback = registry.address(f"paiement.{settings.BASE_DOMAIN}")
    town = registry.address_of(current_town())
    return PaymentRequest(
        numcli=trial.numcli,
        fiscal_year=trial.fiscal_year,
        reference=trial.reference,
        label="Paiement d'essai",
        amount=trial.amount,
        email=trial.email,
        mode=trial.mode,
        notify_url=f"{callback}/tipi/{token}/" if token else f"{callback}/payfip/notification/",
        return_url=f"{town}/gestion/commune/produits/{trial.product_id}/mise-en-service/",
    )


def check_trials(limit: int = 20) -> int:
    """Ask about the trials whose time has come. Returns how many were looked at."""
    present = timezone.now()
    with transaction.atomic():
        waiting = Trial.objects.select_for_update(skip_locked=True, no_key=True)
        due = list(waiting.filter(next_check_at__lte=present).order_by("next_check_at")[:limit])
        # Claimed: another poller, or ourselves after a crash, comes back to them later.
        claimed = Trial.objects.filter(pk__in=[trial.pk for trial in due])
        claimed.update(next_check_at=present + schedule.AFTER_FAILURE)
    for trial in due:
        try:
            check_trial(trial)
        except Exception as error:  # one that cannot be looked at must not keep the others waiting
            log.error("trial %s not settled: %s", trial.uuid, type(error).__name__)
    return len(due)


def check_trial(trial: Trial) -> None:
    """Ask the Treasury what became of a trial; nothing happens while it is silent.

    One that cannot be asked about (its call was lost, or nobody came back from a redirect) ends here.
    """
    if trial.idop is None:
        _end(trial.pk, S.EXPIRED, gettext_noop("Aucune réponse n'est arrivée."), was=(S.CREATED, S.STARTED))
        return
    try:
        status = provider(trial.provider).fetch_status(trial.idop)
    except ProviderUnavailable:
        _wait(trial.pk)
        return
    _settle(trial.pk, status)


def hear_trial_bell(idop: str) -> None:
    """A notification about a trial: it is looked at now."""
    Trial.objects.filter(idop=idop, state=S.STARTED).update(next_check_at=timezone.now())


def read_trial_callback(*, token: str, fields: Mapping[str, str]) -> bool:
    """TIPI's return of a trial, if the token is one's."""
    trial = Trial.objects.filter(callback_hash=secrets.fingerprint(token)).first()
    if trial is None:
        return False
    _settle(trial.pk, tipi().read_notification(fields))
    return True


@atomic_again
def _settle(pk: int, status: Status) -> None:
    trial = _locked(pk)
    if trial.state != S.STARTED:
        _leave(trial)
        return
    trial.last_answer = {"outcome": status.outcome, **status.raw}
    present = timezone.now()
    trial.next_check_at = schedule.next_check(trial.started_at, present) if trial.idop else None
    to = _ENDS.get(status.outcome)
    if status.outcome == Outcome.USED and present < trial.started_at + schedule.OPENED:
        to = None  # the page is open: it may still be paid (decision 0030)
    if to is None and present >= trial.started_at + schedule.HOLD:
        to = S.EXPIRED
    asked = (trial.amount, trial.reference, trial.numcli, trial.mode)
    if to == S.PAID and asked != (status.amount, status.reference, status.numcli, status.mode):
        to, trial.reason = (
            S.REVIEW,
            gettext_noop("La réponse du Trésor public ne correspond pas à la demande."),
        )
    if to is not None:
        trial.state, trial.next_check_at = to, None
        if to == S.PAID:
            trial.means = Means.CARD if status.outcome == Outcome.PAID_CARD else Means.DEBIT
        audit.record("trial.ended", actor=audit.TREASURY, obj=f"trial:{trial.uuid}", new={"state": str(to)})
    trial.save()


@atomic_again
def _end(pk: int, to: TrialState, reason: str, *, was: Collection[TrialState]) -> None:
    """End one that is still `was`, and has no idOp: what opened or settled it meanwhile counts."""
    trial = _locked(pk)
    if trial.state not in was or trial.idop is not None:
        return
    trial.state, trial.reason, trial.next_check_at = to, reason[:300], None
    trial.save(update_fields=["state", "reason", "next_check_at"])
    audit.record("trial.ended", actor=audit.TREASURY, obj=f"trial:{trial.uuid}", new={"state": str(to)})


@atomic_again
def _wait(pk: int) -> None:
    """The Treasury is silent: asked again later, unless it ended meanwhile."""
    trial = _locked(pk)
    if trial.state == S.STARTED:
        trial.next_check_at = timezone.now() + schedule.AFTER_FAILURE
        trial.save(update_fields=["next_check_at"])
    else:
        _leave(trial)


def _leave(trial: Trial) -> None:
    """One that has ended is never asked about again."""
    if trial.state != S.CREATED and trial.next_check_at is not None:
        trial.next_check_at = None
        trial.save(update_fields=["next_check_at"])


def missing(product: Product, *, without_debit: bool = False) -> list[str]:
    """What the next mode still wants, in sentences; empty when the product may go forward."""
    paid = set(
        Trial.objects.filter(
            product=product, numcli=product.numcli, mode=product.mode, state=S.PAID
        ).values_list("means", flat=True)
    )
    lacking = []
    if product.checked_at is None:
        lacking.append(_("Le numéro n'est pas encore vérifié."))
    if product.closed_at is not None:
        lacking.append(_("Le Trésor public refuse ce numéro : vérifiez-le de nouveau."))
    if product.mode == Mode.TEST and not paid:
        lacking.append(_("Aucun paiement d'essai n'a encore réussi."))
    if product.mode == Mode.ACTIVATION:
        if Means.CARD not in paid:
            lacking.append(_("Il manque un paiement d'activation par carte."))
        if Means.DEBIT not in paid and not without_debit:
            lacking.append(_("Il manque un paiement d'activation par prélèvement."))
    return lacking


@atomic_again
def go_forward(*, actor: Account, product: Product, without_debit: bool = False) -> Product:
    """T → X → W, one step, its proofs looked at again under the product's lock. Raises NotYet."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    lacking = missing(locked, without_debit=without_debit)
    if lacking or locked.mode == Mode.PRODUCTION or locked.mode != product.mode:
        raise NotYet(" ".join(lacking) or _("Ce produit a déjà changé d'étape."))
    to = Mode.ACTIVATION if locked.mode == Mode.TEST else Mode.PRODUCTION
    if to == Mode.PRODUCTION and without_debit:
        audit.record("product.without_debit", actor=actor, obj=f"product:{locked.code}")
    return advance_product(actor=actor, product=locked, to=to)
