"""Join a payer to an account with a paper invoice: ask, confirm, decide, withdraw (decision 36).

`invoices.paper_proof` checks the paper invoice; this module writes the result. The account's
row lock orders simultaneous requests of one person; the request's row lock orders those of staff.
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
from tenant_apps.residents.access_requests import messages as tell
from tenant_apps.residents.activation import OFTEN, settle_in
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.residents.emails.stopping import taken_away
from tenant_apps.residents.errors import AccessRequestClosed, PaperGone
from tenant_apps.residents.models import Access, AccessRequest
from tenant_apps.residents.states import ACCESS_REQUEST_EDGES, AccessRequestState
from tenant_apps.townhall import queries as townhall
from tenant_apps.townhall.models import AccessRequestMode
from tenants.work import agenda

LIFE = timedelta(days=60)  # for a request that nobody decides
UNCONFIRMED = timedelta(days=2)  # for a request whose address is not confirmed: longer than its link
Holds = Callable[[AccessRequest], bool]
log = logging.getLogger(__name__)
VERBS = {
    AccessRequestState.WAITING: "claim.waiting",
    AccessRequestState.ACCEPTED: "claim.accepted",
    AccessRequestState.REFUSED: "claim.refused",
    AccessRequestState.WITHDRAWN: "claim.withdrawn",
    AccessRequestState.EXPIRED: "claim.expired",
}


class Outcome(StrEnum):
    """The result of a valid paper invoice."""

    JOINED = "joined"
    WAITING = "waiting"
    ALREADY = "already"
    GONE = "gone"  # the payer was erased between the message and its link


@transaction.atomic
def open_access_request(*, actor: Account, payer_id: int, invoice: UUID, number: str) -> Outcome:
    """A signed-in resident has a right paper: join the payer, or leave it to staff. Twice changes nothing.

    Raises NotWhileImpersonating.
    """
    accounts.refuse_impersonator(actor)
    lock_addresses()
    account = Account.objects.select_for_update(no_key=True).get(pk=actor.pk)
    access_request = AccessRequest(
        account=account, payer_id=payer_id, email=account.email, invoice=invoice, number=number
    )
    return _settle(access_request, account, holds=True)


@transaction.atomic
def ask_by_mail(*, email: str, payer_id: int | None, invoice: UUID | None, number: str) -> None:
    """Somebody without a session asks: write a row, with no payer when the paper is wrong. The worker goes on."""
    AccessRequest.objects.create(email=email, payer_id=payer_id, invoice=invoice, number=number)
    agenda.wake("claims")


def handle_access_requests() -> int:
    """Send the links of waiting requests, and end old ones. Returns how many requests were handled."""
    handled, failed = 0, list[int]()
    while (access_request := _answer_next(failed)) is not None:
        handled += access_request not in failed
    _end_old()
    return handled


def _answer_next(failed: list[int]) -> int | None:
    """The id of the request that was answered, or added to `failed`; None when none waits."""
    access_request = None
    try:
        with transaction.atomic():
            waiting = AccessRequest.objects.select_for_update(skip_locked=True).filter(_UNHANDLED)
            access_request = waiting.exclude(pk__in=failed).order_by("id").first()
            if access_request is None:
                return None
            pk: int = access_request.pk
            _answer(access_request)
    except (OperationalError, InterfaceError):  # the database failed, not this request
        raise
    except Exception:
        if access_request is None:
            raise
        log.exception(
            "an access request could not be answered; it is tried again until it is %s old", UNCONFIRMED
        )
        failed.append(pk)
    return pk


_UNHANDLED = Q(state=AccessRequestState.ASKED, account=None)


def next_due() -> datetime | None:
    """When the worker next has work with access requests."""
    if AccessRequest.objects.filter(_UNHANDLED).exists():
        return timezone.now()
    oldest = AccessRequest.objects.aggregate(
        waiting=Min("asked_at", filter=Q(state=AccessRequestState.WAITING)),
        asked=Min("asked_at", filter=Q(state=AccessRequestState.ASKED)),
    )
    lives = {"waiting": LIFE, "asked": UNCONFIRMED}
    return min((since + lives[name] for name, since in oldest.items() if since), default=None)


def _answer(access_request: AccessRequest) -> None:
    """Send a link to the typed address if the paper was valid; otherwise delete the request."""
    account = (
        None
        if access_request.payer_id is None or _asked_a_moment_ago(access_request)
        else _account_of(access_request.email)
    )
    if account is None:
        access_request.delete()
        return
    link = accounts.ask_link(purpose=LinkPurpose.ACCESS_REQUEST, email=access_request.email, account=account)
    access_request.account, access_request.link = account, link
    access_request.save(update_fields=["account", "link"])
    tell.confirm(access_request, account, token=accounts.make_token(link=link))


def _asked_a_moment_ago(access_request: AccessRequest) -> bool:
    same = AccessRequest.objects.filter(
        email=access_request.email, payer=access_request.payer, state=AccessRequestState.ASKED
    )
    return same.filter(account__isnull=False, asked_at__gte=access_request.asked_at - OFTEN).exists()


def _account_of(email: str) -> Account | None:
    """The resident of that address, created if needed; None when the address is not a resident's."""
    # Locked: after a simultaneous erasure the address belongs to nobody.
    account = Account.objects.select_for_update(no_key=True).filter(email=email).first()
    if account is None:
        return accounts.create_account(actor=audit.SYSTEM, email=email, role=Role.RESIDENT)
    return account if account.is_active and account.role == Role.RESIDENT else None


@transaction.atomic
def confirm_access_request(*, token: str, password: str, holds: Holds) -> Outcome:
    """Use up the link, which proves the address too. An account that was never activated gets its password.

    Without `holds` (the paper is no longer valid) staff decide. Raises the link errors, and WeakPassword.
    """
    lock_addresses()
    link = accounts.find_link(token)
    if link.account is None or link.purpose != LinkPurpose.ACCESS_REQUEST or not link.account.is_active:
        raise errors.LinkUnknown
    account = _proven(link, token, password)
    access_request = (
        AccessRequest.objects.select_for_update(of=("self",))
        .filter(link=link, state=AccessRequestState.ASKED)
        .first()
    )
    if access_request is None:
        return Outcome.GONE
    return _settle(access_request, account, holds=holds(access_request))


def _proven(link: Link, token: str, password: str) -> Account:
    if link.account is not None and link.account.activated_at is None:
        rule = townhall.password_rule()
        account = accounts.set_password_from_link(token=token, password=password, rule=rule)
        settle_in(account=account)
        return account
    link, account = accounts.lock_link(token, LinkPurpose.ACCESS_REQUEST)
    accounts.use_up(link)
    return account


def _settle(access_request: AccessRequest, account: Account, *, holds: bool) -> Outcome:
    """Join the payer, or leave it to staff. The account is locked, so a second request sees the first one's result."""
    between = Q(account=account, payer_id=access_request.payer_id)
    found = None
    if Access.objects.filter(between, ended_at=None).exists():
        found = Outcome.ALREADY
    elif AccessRequest.objects.filter(between, state=AccessRequestState.WAITING).exists():
        found = Outcome.WAITING
    if found is not None:
        if access_request.pk is not None:
            access_request.delete()
        return found
    at_once = holds and townhall.current_townhall().payer_claims == AccessRequestMode.AT_ONCE
    access_request.save()
    audit.record(
        "claim.asked", actor=account, obj=_name(access_request), new={"number": access_request.number}
    )
    if at_once and not _staff_said_no(between, access_request):
        _join(access_request, actor=audit.SYSTEM)
        return Outcome.JOINED
    _move(access_request, AccessRequestState.WAITING, actor=account)
    agenda.plan("claims", access_request.asked_at + LIFE)
    return Outcome.WAITING


def _staff_said_no(between: Q, access_request: AccessRequest) -> bool:
    """Whether staff ended this access, refused such a request, or removed from the payer the address of this request
    or the one that gave the access. A paper invoice alone does not undo that.
    """
    assert access_request.account is not None
    assert access_request.payer_id is not None
    refused = AccessRequest.objects.filter(between, state=AccessRequestState.REFUSED)
    ended = list(Access.objects.filter(between, ended_at__isnull=False).values_list("lapsed", "through"))
    addresses = {access_request.email, access_request.account.email, *(through for _lapsed, through in ended)}
    cut = any(not lapsed for lapsed, _through in ended)
    return cut or refused.exists() or taken_away(access_request.payer_id, *addresses)


@transaction.atomic
def accept_access_request(
    *, actor: audit.Actor, access_request: AccessRequest, holds: Holds
) -> AccessRequest:
    """Staff accept: the account sees the payer, and everybody concerned gets a message. Twice changes nothing.

    Raises AccessRequestClosed if it ended in another way, PaperGone if its invoice no longer belongs to that payer.
    """
    locked = _lock(access_request)
    if locked.state == AccessRequestState.ACCEPTED:
        return locked
    _must_wait(locked)
    if not holds(locked):
        raise PaperGone
    _join(locked, actor=actor)
    tell.accepted(locked)
    return locked


@transaction.atomic
def refuse_access_request(*, actor: audit.Actor, access_request: AccessRequest, reason: str) -> AccessRequest:
    """Staff refuse, in words that the resident reads. Twice changes nothing. Raises AccessRequestClosed."""
    locked = _lock(access_request)
    if locked.state == AccessRequestState.REFUSED:
        return locked
    _must_wait(locked)
    locked.reason = reason.strip()[:300]
    _move(locked, AccessRequestState.REFUSED, actor=actor)
    tell.refused(locked)
    return locked


@transaction.atomic
def withdraw_access_request(*, actor: Account, access_request: AccessRequest) -> AccessRequest:
    """The person who asked gives up. Twice changes nothing. Raises AccessRequestClosed, NotWhileImpersonating."""
    accounts.refuse_impersonator(actor)
    locked = _lock(access_request)
    if locked.state == AccessRequestState.WITHDRAWN:
        return locked
    _must_wait(locked)
    _move(locked, AccessRequestState.WITHDRAWN, actor=actor)
    return locked


def withdraw_since(*, account: Account, since: datetime) -> None:
    """Withdraw the requests made while somebody else had the account's address. Uses the caller's transaction."""
    for access_request in AccessRequest.objects.filter(
        account=account, state=AccessRequestState.WAITING, asked_at__gte=since
    ):
        locked = _lock(access_request)
        if locked.state == AccessRequestState.WAITING:
            _move(locked, AccessRequestState.WITHDRAWN, actor=account)


def _end_old() -> None:
    """Delete old unconfirmed requests; end old undecided ones and tell the person who asked."""
    present = timezone.now()
    AccessRequest.objects.filter(state=AccessRequestState.ASKED, asked_at__lte=present - UNCONFIRMED).delete()
    old = AccessRequest.objects.filter(state=AccessRequestState.WAITING, asked_at__lte=present - LIFE)
    for access_request in old.order_by("id"):
        with transaction.atomic():
            locked = _lock(access_request)
            if locked.state == AccessRequestState.WAITING:
                _move(locked, AccessRequestState.EXPIRED, actor=audit.SYSTEM)
                tell.expired(locked)


def _lock(access_request: AccessRequest) -> AccessRequest:
    access_requests = AccessRequest.objects.select_for_update(of=("self",)).select_related("account", "payer")
    return access_requests.get(pk=access_request.pk)


def _must_wait(access_request: AccessRequest) -> None:
    if access_request.state != AccessRequestState.WAITING:
        raise AccessRequestClosed


def _join(access_request: AccessRequest, *, actor: audit.Actor) -> None:
    assert access_request.account is not None
    assert access_request.payer is not None
    Access.objects.bulk_create(
        [Access(account=access_request.account, payer=access_request.payer)], ignore_conflicts=True
    )
    _move(access_request, AccessRequestState.ACCEPTED, actor=actor)
    audit.record(
        "access.granted",
        actor=actor,
        obj=access_request.account.audit_name,
        new={"payers": [access_request.payer_id], "claim": str(access_request.uuid)},
    )
    tell.joined(access_request)


def _move(access_request: AccessRequest, to: AccessRequestState, *, actor: audit.Actor) -> None:
    """The only setter of a request's state. The request is locked or new."""
    old = AccessRequestState(access_request.state)
    if (old, to) not in ACCESS_REQUEST_EDGES:
        raise AccessRequestClosed
    access_request.state = to
    if to != AccessRequestState.WAITING:
        access_request.decided_at = timezone.now()
        access_request.decided_by = actor if isinstance(actor, str) else actor.audit_name
    access_request.save(update_fields=["state", "account", "decided_at", "decided_by", "reason"])
    audit.record(
        VERBS[to], actor=actor, obj=_name(access_request), old={"state": str(old)}, new=_said(access_request)
    )


def _said(access_request: AccessRequest) -> dict[str, object]:
    said: dict[str, object] = {"state": str(access_request.state), "payer": access_request.payer_id}
    return {**said, "reason": access_request.reason} if access_request.reason else said


def _name(access_request: AccessRequest) -> str:
    return f"claim:{access_request.uuid}"
