"""Join a payer to an account with a paper invoice: ask, confirm, decide, withdraw (decision 36).

`invoices.claiming` checks the paper invoice; this module writes the result. The account's
row lock orders simultaneous requests of one person; the claim's row lock orders those of staff.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Min, Q
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts import services as accounts
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.audit import services as audit
from tenant_apps.residents.activation import OFTEN, settle_in
from tenant_apps.residents.claims import messages as tell
from tenant_apps.residents.emails.billing import hold_still
from tenant_apps.residents.emails.stopping import taken_away
from tenant_apps.residents.errors import ClaimClosed, PaperGone
from tenant_apps.residents.models import Access, Claim
from tenant_apps.residents.states import CLAIM_EDGES, ClaimState
from tenant_apps.townhall import queries as townhall
from tenant_apps.townhall.models import PayerClaims
from tenants.work import agenda

LIFE = timedelta(days=60)  # for a claim that nobody decides
UNCONFIRMED = timedelta(days=2)  # for a claim whose address is not confirmed: longer than its link
Holds = Callable[[Claim], bool]
log = logging.getLogger(__name__)
VERBS = {
    ClaimState.WAITING: "claim.waiting",
    ClaimState.ACCEPTED: "claim.accepted",
    ClaimState.REFUSED: "claim.refused",
    ClaimState.WITHDRAWN: "claim.withdrawn",
    ClaimState.EXPIRED: "claim.expired",
}


class Outcome(StrEnum):
    """The result of a valid paper invoice."""

    JOINED = "joined"
    WAITING = "waiting"
    ALREADY = "already"
    GONE = "gone"  # the payer was erased between the message and its link


@transaction.atomic
def open_claim(*, actor: Account, payer_id: int, invoice: UUID, number: str) -> Outcome:
    """A signed-in resident has a valid paper invoice: join the payer, or leave it to staff. Twice changes nothing.

    Raises NotWhileImpersonating.
    """
    accounts.refuse_impersonator(actor)
    hold_still()
    account = Account.objects.select_for_update(no_key=True).get(pk=actor.pk)
    claim = Claim(account=account, payer_id=payer_id, email=account.email, invoice=invoice, number=number)
    return _settle(claim, account, holds=True)


@transaction.atomic
def ask_by_mail(*, email: str, payer_id: int | None, invoice: UUID | None, number: str) -> None:
    """Somebody without a session asks: write a row, with no payer when the paper is wrong. The worker goes on."""
    Claim.objects.create(email=email, payer_id=payer_id, invoice=invoice, number=number)
    agenda.wake("claims")


def handle_claims() -> int:
    """Send the links of waiting requests, and end old claims. Returns how many requests were handled."""
    handled, failed = 0, list[int]()
    while (claim := _answer_next(failed)) is not None:
        handled += claim not in failed
    _end_old()
    return handled


def _answer_next(failed: list[int]) -> int | None:
    """The id of the request that was answered, or added to `failed`; None when none waits."""
    claim = None
    try:
        with transaction.atomic():
            waiting = Claim.objects.select_for_update(skip_locked=True).filter(_UNHANDLED)
            claim = waiting.exclude(pk__in=failed).order_by("id").first()
            if claim is None:
                return None
            pk: int = claim.pk
            _answer(claim)
    except (OperationalError, InterfaceError):  # the database's, not one request's
        raise
    except Exception:
        if claim is None:
            raise
        log.exception("a claim could not be answered; it is tried again until it is %s old", UNCONFIRMED)
        failed.append(pk)
    return pk


_UNHANDLED = Q(state=ClaimState.ASKED, account=None)


def next_due() -> datetime | None:
    """When the worker next has work with claims."""
    if Claim.objects.filter(_UNHANDLED).exists():
        return timezone.now()
    oldest = Claim.objects.aggregate(
        waiting=Min("asked_at", filter=Q(state=ClaimState.WAITING)),
        asked=Min("asked_at", filter=Q(state=ClaimState.ASKED)),
    )
    lives = {"waiting": LIFE, "asked": UNCONFIRMED}
    return min((since + lives[name] for name, since in oldest.items() if since), default=None)


def _answer(claim: Claim) -> None:
    """Send a link to the typed address if the paper was valid; otherwise delete the request."""
    account = None if claim.payer_id is None or _asked_a_moment_ago(claim) else _account_of(claim.email)
    if account is None:
        claim.delete()
        return
    link = accounts.ask_link(purpose=LinkPurpose.CLAIM, email=claim.email, account=account)
    claim.account, claim.link = account, link
    claim.save(update_fields=["account", "link"])
    tell.confirm(claim, account, token=accounts.make_token(link=link))


def _asked_a_moment_ago(claim: Claim) -> bool:
    same = Claim.objects.filter(email=claim.email, payer=claim.payer, state=ClaimState.ASKED)
    return same.filter(account__isnull=False, asked_at__gte=claim.asked_at - OFTEN).exists()


def _account_of(email: str) -> Account | None:
    """The resident of that address, created if needed; None when the address is not a resident's."""
    # Locked: after a simultaneous erasure the address belongs to nobody.
    account = Account.objects.select_for_update(no_key=True).filter(email=email).first()
    if account is None:
        return accounts.create_account(actor=audit.SYSTEM, email=email, role=Role.RESIDENT)
    return account if account.is_active and account.role == Role.RESIDENT else None


@transaction.atomic
def confirm_claim(*, token: str, password: str, holds: Holds) -> Outcome:
    """Use up the link, which proves the address too. An account that was never activated gets its password.

    Without `holds` (the paper is no longer valid) staff decide. Raises the link errors, and WeakPassword.
    """
    hold_still()
    link = accounts.find_link(token)
    if link.account is None or link.purpose != LinkPurpose.CLAIM or not link.account.is_active:
        raise errors.LinkUnknown
    account = _proven(link, token, password)
    claim = Claim.objects.select_for_update(of=("self",)).filter(link=link, state=ClaimState.ASKED).first()
    if claim is None:
        return Outcome.GONE
    return _settle(claim, account, holds=holds(claim))


def _proven(link: Link, token: str, password: str) -> Account:
    if link.account is not None and link.account.activated_at is None:
        rule = townhall.password_rule()
        account = accounts.set_password_from_link(token=token, password=password, rule=rule)
        settle_in(account=account)
        return account
    link, account = accounts.lock_link(token, LinkPurpose.CLAIM)
    accounts.use_up(link)
    return account


def _settle(claim: Claim, account: Account, *, holds: bool) -> Outcome:
    """Join the payer, or leave it to staff. The account is locked, so a second request sees the first one's result."""
    between = Q(account=account, payer_id=claim.payer_id)
    found = None
    if Access.objects.filter(between, ended_at=None).exists():
        found = Outcome.ALREADY
    elif Claim.objects.filter(between, state=ClaimState.WAITING).exists():
        found = Outcome.WAITING
    if found is not None:
        if claim.pk is not None:
            claim.delete()
        return found
    at_once = holds and townhall.current_townhall().payer_claims == PayerClaims.AT_ONCE
    claim.save()
    audit.record("claim.asked", actor=account, obj=_name(claim), new={"number": claim.number})
    if at_once and not _staff_said_no(between, claim):
        _join(claim, actor=audit.SYSTEM)
        return Outcome.JOINED
    _move(claim, ClaimState.WAITING, actor=account)
    agenda.plan("claims", claim.asked_at + LIFE)
    return Outcome.WAITING


def _staff_said_no(between: Q, claim: Claim) -> bool:
    """Whether staff cut this access, refused this claim, or took the asking address (or the one that opened the
    access) from the payer: a paper invoice alone does not undo that.
    """
    assert claim.account is not None
    assert claim.payer_id is not None
    refused = Claim.objects.filter(between, state=ClaimState.REFUSED)
    ended = list(Access.objects.filter(between, ended_at__isnull=False).values_list("lapsed", "through"))
    addresses = {claim.email, claim.account.email, *(through for _lapsed, through in ended)}
    cut = any(not lapsed for lapsed, _through in ended)
    return cut or refused.exists() or taken_away(claim.payer_id, *addresses)


@transaction.atomic
def accept_claim(*, actor: audit.Actor, claim: Claim, holds: Holds) -> Claim:
    """Staff let the account see the payer, and everybody concerned gets a message. Twice changes nothing.

    Raises ClaimClosed when it ended otherwise, PaperGone when its invoice no longer belongs to that payer.
    """
    locked = _lock(claim)
    if locked.state == ClaimState.ACCEPTED:
        return locked
    _must_wait(locked)
    if not holds(locked):
        raise PaperGone
    _join(locked, actor=actor)
    tell.accepted(locked)
    return locked


@transaction.atomic
def refuse_claim(*, actor: audit.Actor, claim: Claim, reason: str) -> Claim:
    """Staff refuse, in words that the resident reads. Twice changes nothing. Raises ClaimClosed."""
    locked = _lock(claim)
    if locked.state == ClaimState.REFUSED:
        return locked
    _must_wait(locked)
    locked.reason = reason.strip()[:300]
    _move(locked, ClaimState.REFUSED, actor=actor)
    tell.refused(locked)
    return locked


@transaction.atomic
def withdraw_claim(*, actor: Account, claim: Claim) -> Claim:
    """The person who asked gives up. Twice changes nothing. Raises ClaimClosed, NotWhileImpersonating."""
    accounts.refuse_impersonator(actor)
    locked = _lock(claim)
    if locked.state == ClaimState.WITHDRAWN:
        return locked
    _must_wait(locked)
    _move(locked, ClaimState.WITHDRAWN, actor=actor)
    return locked


def withdraw_since(*, account: Account, since: datetime) -> None:
    """Withdraw the claims made while somebody else had the account's address. Uses the caller's transaction."""
    for claim in Claim.objects.filter(account=account, state=ClaimState.WAITING, asked_at__gte=since):
        locked = _lock(claim)
        if locked.state == ClaimState.WAITING:
            _move(locked, ClaimState.WITHDRAWN, actor=account)


def _end_old() -> None:
    """Delete old unconfirmed claims; end old undecided ones and tell the person who asked."""
    present = timezone.now()
    Claim.objects.filter(state=ClaimState.ASKED, asked_at__lte=present - UNCONFIRMED).delete()
    old = Claim.objects.filter(state=ClaimState.WAITING, asked_at__lte=present - LIFE)
    for claim in old.order_by("id"):
        with transaction.atomic():
            locked = _lock(claim)
            if locked.state == ClaimState.WAITING:
                _move(locked, ClaimState.EXPIRED, actor=audit.SYSTEM)
                tell.expired(locked)


def _lock(claim: Claim) -> Claim:
    claims = Claim.objects.select_for_update(of=("self",)).select_related("account", "payer")
    return claims.get(pk=claim.pk)


def _must_wait(claim: Claim) -> None:
    if claim.state != ClaimState.WAITING:
        raise ClaimClosed


def _join(claim: Claim, *, actor: audit.Actor) -> None:
    assert claim.account is not None
    assert claim.payer is not None
    Access.objects.bulk_create([Access(account=claim.account, payer=claim.payer)], ignore_conflicts=True)
    _move(claim, ClaimState.ACCEPTED, actor=actor)
    audit.record(
        "access.granted",
        actor=actor,
        obj=claim.account.audit_name,
        new={"payers": [claim.payer_id], "claim": str(claim.uuid)},
    )
    tell.joined(claim)


def _move(claim: Claim, to: ClaimState, *, actor: audit.Actor) -> None:
    """The only setter of a claim's state. The claim is locked or new."""
    old = ClaimState(claim.state)
    if (old, to) not in CLAIM_EDGES:
        raise ClaimClosed
    claim.state = to
    if to != ClaimState.WAITING:
        claim.decided_at = timezone.now()
        claim.decided_by = actor if isinstance(actor, str) else actor.audit_name
    claim.save(update_fields=["state", "account", "decided_at", "decided_by", "reason"])
    audit.record(VERBS[to], actor=actor, obj=_name(claim), old={"state": str(old)}, new=_said(claim))


def _said(claim: Claim) -> dict[str, object]:
    said: dict[str, object] = {"state": str(claim.state), "payer": claim.payer_id}
    return {**said, "reason": claim.reason} if claim.reason else said


def _name(claim: Claim) -> str:
    return f"claim:{claim.uuid}"
