"""Activation and forgotten password by `?LIEN=`: the request, and the worker's part (docs/manual.md, M2 to M4).

The request only writes a row, the same for known and unknown addresses. The worker looks the
address up and writes the message. So a stranger learns nothing, not even from the time it takes.
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from shared_apps.accounts import services as accounts
from shared_apps.accounts.mails.invitation import NOT_YET
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.signing_in import codes
from shared_apps.audit import services as audit
from shared_apps.mail.notices import Notice
from shared_apps.mail.notifying import notify
from tenant_apps.residents.emails import billing
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.residents.emails.stopping import check_link, is_shut_out, taken_away
from tenant_apps.residents.mails import signing_in as mails
from tenant_apps.residents.mails.addresses import ADDRESS, ADDRESS_TAKEN
from tenant_apps.residents.mails.sharing import INVITATION
from tenant_apps.residents.models import Payer, PayerEmail, RemovedEmail
from tenant_apps.residents.queries import is_known_to_billing
from tenant_apps.townhall import queries as townhall
from tenants.work import agenda
from toolkit import clock

INVITATION_LIFE = timedelta(days=7)
GIVE_UP = timedelta(hours=1)  # for a request that fails each time; the person will ask again
OFTEN = timedelta(minutes=1)  # a second request for the same address within a minute sends nothing more

log = logging.getLogger(__name__)


def request_activation(*, email: str) -> None:
    """« Activer mon compte » (docs/manual.md, M2). The answer does not depend on the address."""
    _request(LinkPurpose.ACTIVATION, email)


def request_reset(*, email: str) -> None:
    """« Mot de passe oublié » (docs/manual.md, M4). The answer does not depend on the address."""
    _request(LinkPurpose.RESET, email)


@transaction.atomic
def request_code(*, email: str, ip: str) -> UUID:
    """« Recevoir un code par e-mail ». Returns the id with which the code can be used, for any address.

    Raises TooManyTries, TooManyCodes or CodesSuspended (accounts.errors).
    """
    link = codes.ask_code(email=email, ip=ip)
    agenda.wake("links")
    return link.uuid


@transaction.atomic
def _request(purpose: LinkPurpose, email: str) -> None:
    accounts.ask_link(purpose=purpose, email=email)
    agenda.wake("links")


def handle_links() -> int:
    """Write the messages for waiting requests. Returns how many were handled.

    A request that fails waits for the next run, and is closed after `GIVE_UP`; the others go on.
    """
    handled, failed = 0, list[int]()
    while (link := _handle_next(failed)) is not None:
        handled += link.pk not in failed
    return handled


def _handle_next(failed: list[int]) -> Link | None:
    """The request that was handled, or added to `failed`; None when none waits."""
    link = None
    try:
        with transaction.atomic():
            lock_addresses()
            waiting = Link.objects.select_for_update(skip_locked=True).filter(handled_at=None)
            link = waiting.exclude(pk__in=failed).order_by("id").first()
            if link is not None:
                _handle(link)
    except (OperationalError, InterfaceError):  # a failure of the database, not of one request
        raise
    except Exception:
        if link is None:
            raise
        log.exception("a request for a link (%s) could not be answered", link.purpose)
        failed.append(link.pk)
        if link.requested_at < timezone.now() - GIVE_UP:
            accounts.close_link(link=Link.objects.get(pk=link.pk))
    return link


def _handle(link: Link) -> None:
    if link.purpose == LinkPurpose.CODE:
        _answer_code_request(link)
    elif _asked_a_moment_ago(link):
        accounts.close_link(link=link)
    elif link.purpose == LinkPurpose.ADDRESS:
        _send_address_link(link)
    elif link.purpose == LinkPurpose.SHARE:
        _send_invitation(link)
    else:
        _send_password_link(link)


def _asked_a_moment_ago(link: Link) -> bool:
    """Whether a message for the same address (and account, for a change) was sent within `OFTEN` and not used yet."""
    recent = Link.objects.filter(
        email=link.email,
        token_hash__isnull=False,
        used_at=None,
        requested_at__gte=link.requested_at - OFTEN,
    )
    if link.purpose == LinkPurpose.ADDRESS:
        return recent.filter(purpose=LinkPurpose.ADDRESS, account=link.account).exists()
    if link.purpose == LinkPurpose.SHARE:
        return link.expires_at is not None  # False: withdrawn before the worker came
    return recent.filter(purpose__in=[LinkPurpose.ACTIVATION, LinkPurpose.RESET]).exists()


def _send_password_link(link: Link) -> None:
    # Locked: after a simultaneous erasure the address belongs to nobody.
    account = Account.objects.select_for_update(no_key=True).filter(email=link.email).first()
    if account is None and is_known_to_billing(link.email):
        account = accounts.create_account(actor=audit.SYSTEM, email=link.email, role=Role.RESIDENT)
    if account is None or not account.is_active or is_shut_out(account):
        accounts.close_link(link=link)
        return
    if account.is_town_staff and account.activated_at is None:
        accounts.close_link(link=link)
        _tell_staff(account, NOT_YET)
        return
    # Asking to activate an active account, or to reset an inactive one, sends the message that helps.
    link.account = account
    link.purpose = LinkPurpose.RESET if account.activated_at else LinkPurpose.ACTIVATION
    link.save(update_fields=["purpose"])
    notice = mails.RESET if account.activated_at else mails.ACTIVATION
    _send(link, notice, to=account.email, language=account.language)


def _answer_code_request(link: Link) -> None:
    """Send a code, or the message that helps when no code is possible. The row looks like an unknown address's."""
    codes.forget_old()
    account = Account.objects.filter(email=link.email).first()
    over = link.expires_at is None or link.expires_at <= timezone.now() or codes.enough_sent(link)
    if over or not townhall.current_townhall().mailed_codes:
        accounts.close_link(link=link)
    elif account is not None and codes.may_receive(account):
        _send_code(link, account)
    else:
        accounts.close_link(link=link)
        if account is not None and account.is_town_staff and account.activated_at:
            _tell_staff(account, mails.NO_CODE)
        elif account is not None or is_known_to_billing(link.email):
            _send_activation_instead(link.email)


def _send_code(link: Link, account: Account) -> None:
    """Send the code to the account's own address, like every message that opens an account."""
    code = codes.make_code(link=link, account=account)
    notify(mails.CODE.about(code=code), to=account.email, language=account.language or link.language)


def _tell_staff(account: Account, notice: Notice[[]]) -> None:
    """What helps a member of staff who took the residents' road: one message per day."""
    if not account.is_active:
        return
    once_a_day = {"account": account.uuid, "day": clock.today()}
    notify(notice.about(), to=account.email, language=account.reads, once=once_a_day)


def _send_activation_instead(email: str) -> None:
    """For an account that was never activated: send an activation link instead of a code."""
    link = accounts.ask_link(purpose=LinkPurpose.ACTIVATION, email=email)
    if _asked_a_moment_ago(link):
        accounts.close_link(link=link)
    else:
        _send_password_link(link)


def _send_address_link(link: Link) -> None:
    if link.account is None or link.account.erased_at is not None:
        link.delete()  # it holds the address of an erased person
        return
    owner = Account.objects.filter(email=link.email).first()
    if owner is None:
        _send(link, ADDRESS, to=link.email, language=link.account.language)
        return
    accounts.close_link(link=link)
    notify(ADDRESS_TAKEN.about(), to=owner.email, language=owner.reads)


def _send_invitation(link: Link) -> None:
    """Send the same message with or without an account; none to an address that staff took from the payer."""
    assert link.account is not None
    assert link.about is not None
    payer = Payer.objects.filter(uuid=link.about).first()
    if payer is None or taken_away(payer.pk, link.email):
        accounts.close_link(link=link)
        return
    token = accounts.make_token(link=link, life=INVITATION_LIFE)
    until = timezone.localdate(link.expires_at)
    said = INVITATION.about(token=token, inviter=link.account.email, until=until)
    notify(said, to=link.email, language=link.account.reads)


def _send(link: Link, notice: Notice[Any], *, to: str, language: str) -> None:
    """`to`: the address that an account keeps, or the one that it is to have; never what was typed about somebody."""
    token = accounts.make_token(link=link)
    notify(notice.about(token=token), to=to, language=language or link.language)


@transaction.atomic
def activate(*, token: str, password: str) -> Account:
    """Use up an activation or reset link: set the password, and show the account its payers (docs/manual.md, M3, M4).

    Raises the link errors and WeakPassword (accounts.errors), and AddressGone.
    """
    lock_addresses()
    link = accounts.find_link(token)
    check_link(link)
    first = link.purpose == LinkPurpose.ACTIVATION
    rule = townhall.password_rule(link.account)
    account = accounts.set_password_from_link(token=token, password=password, rule=rule)
    if first:
        settle_in(account=account)
    else:
        grant_known_payers(account=account)
    return account


def activate_by_proof(*, account: Account, password: str) -> Account:
    """Set the first password of an account whose address an invitation proved. Uses the caller's transaction.

    An account that is active by now keeps its password. Raises WeakPassword.
    """
    accounts.activate_account(account=account, password=password, rule=townhall.password_rule())
    account.refresh_from_db()
    settle_in(account=account)
    return account


def settle_in(*, account: Account) -> None:
    """Set up a new account: give it its address's payers, and keep refusing the messages that the address refused."""
    _keep_refusals(account)
    grant_known_payers(account=account)


def _keep_refusals(account: Account) -> None:
    """Keep the kinds of messages that this address refused before it had an account."""
    kinds = {
        kind
        for model in (PayerEmail, RemovedEmail)
        for refused in model.objects.filter(email=account.email).values_list("refused_alerts", flat=True)
        for kind in refused
    }
    if kinds:
        accounts.refuse_notices(actor=account, account=account, kinds=kinds)


@transaction.atomic
def refuse_at_address(*, actor: audit.Actor, email: str, kinds: Collection[str]) -> None:
    """Refuse these messages for an address that billing knows and that has no account. Twice changes nothing."""
    for row in PayerEmail.objects.select_for_update(of=("self",)).select_related("payer").filter(email=email):
        refused = sorted({*row.refused_alerts, *kinds})
        if refused != sorted(row.refused_alerts):
            old, row.refused_alerts = row.refused_alerts, refused
            row.save(update_fields=["refused_alerts"])
            audit.record(
                "payer_email.alerts_refused",
                actor=actor,
                obj=f"payer:{row.payer.uuid}",
                old={"refused": old},
                new={"refused": refused},
            )
    for gone in RemovedEmail.objects.select_for_update().filter(email=email):
        gone.refused_alerts = sorted({*gone.refused_alerts, *kinds})
        gone.save(update_fields=["refused_alerts"])


@transaction.atomic
def grant_known_payers(*, account: Account) -> int:
    """Let a resident see every payer that billing knows under the account's address. Returns how many were new.

    An access that staff have cut stays cut. The caller has called `lock_addresses`.
    """
    if account.role != Role.RESIDENT:
        return 0
    payers = billing.give_to(account)
    if payers:
        audit.record("access.granted", actor=account, obj=account.audit_name, new={"payers": payers})
    return len(payers)
