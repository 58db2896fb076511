"""Activation, forgotten password: the road by `?LIEN=` and the worker's part of it (docs/manual.md, M2 to M4).

The request only writes a row, the same for a known and an unknown address; the worker looks the
address up and writes the message. So a stranger learns nothing, not even from the clock.
"""

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone, translation

from shared_apps.accounts import services as accounts
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.signing_in import codes
from shared_apps.audit import services as audit
from shared_apps.mail.content import Content
from shared_apps.mail.services import queue_mail
from tenant_apps.residents import messages
from tenant_apps.residents.emails import billing
from tenant_apps.residents.emails.billing import hold_still
from tenant_apps.residents.emails.stopping import check_link, is_shut_out, taken_away
from tenant_apps.residents.models import Payer, PayerEmail, RemovedEmail
from tenant_apps.residents.queries import is_known_to_billing
from tenant_apps.townhall import queries as townhall
from tenants.work import agenda
from toolkit import clock

INVITATION_LIFE = timedelta(days=7)
GIVE_UP = timedelta(hours=1)  # of a request that fails each time: whoever waits asks again
OFTEN = timedelta(minutes=1)  # a second request for the same address within a minute sends nothing more

log = logging.getLogger(__name__)


def request_activation(*, email: str) -> None:
    """« Activer mon compte » (docs/manual.md, M2). Answers the same whatever the address."""
    _request(LinkPurpose.ACTIVATION, email)


def request_reset(*, email: str) -> None:
    """« Mot de passe oublié » (docs/manual.md, M4). Answers the same whatever the address."""
    _request(LinkPurpose.RESET, email)


@transaction.atomic
def request_code(*, email: str, ip: str) -> UUID:
    """« Recevoir un code par e-mail ». Answers the same whatever the address: the id with which the code is used.

    Raises TooManyTries, TooManyCodes or CodesSuspended of `accounts`.
    """
    link = codes.ask_code(email=email, ip=ip)
    agenda.wake("links")
    return link.uuid


@transaction.atomic
def _request(purpose: LinkPurpose, email: str) -> None:
    accounts.ask_link(purpose=purpose, email=email)
    agenda.wake("links")


def handle_links() -> int:
    """Write the messages of the requests that wait. Returns how many requests were handled.

    One that fails waits for the next run, and is closed after `GIVE_UP`; the others go on.
    """
    handled, failed = 0, list[int]()
    while (link := _handle_next(failed)) is not None:
        handled += link.pk not in failed
    return handled


def _handle_next(failed: list[int]) -> Link | None:
    """The request that was handled, or that is now among `failed`; None when none waits."""
    link = None
    try:
        with transaction.atomic():
            hold_still()
            waiting = Link.objects.select_for_update(skip_locked=True).filter(handled_at=None)
            link = waiting.exclude(pk__in=failed).order_by("id").first()
            if link is not None:
                _handle(link)
    except (OperationalError, InterfaceError):  # the database's, not one request's
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
    """A message for the same address (and, for a change, the same account) left within `OFTEN` and waits."""
    recent = Link.objects.filter(
        email=link.email,
        token_hash__isnull=False,
        used_at=None,
        requested_at__gte=link.requested_at - OFTEN,
    )
    if link.purpose == LinkPurpose.ADDRESS:
        return recent.filter(purpose=LinkPurpose.ADDRESS, account=link.account).exists()
    if link.purpose == LinkPurpose.SHARE:
        return link.expires_at is not None  # withdrawn before the worker came
    return recent.filter(purpose__in=[LinkPurpose.ACTIVATION, LinkPurpose.RESET]).exists()


def _send_password_link(link: Link) -> None:
    # Locked: should the person be erased at this moment, the address is nobody's once that is done.
    account = Account.objects.select_for_update(no_key=True).filter(email=link.email).first()
    if account is None and is_known_to_billing(link.email):
        account = accounts.create_account(actor=audit.SYSTEM, email=link.email, role=Role.RESIDENT)
    if account is None or not account.is_active or is_shut_out(account):
        accounts.close_link(link=link)
        return
    # Whoever asks to activate an active account, or to reset one never activated, gets what helps.
    link.account = account
    link.purpose = LinkPurpose.RESET if account.activated_at else LinkPurpose.ACTIVATION
    link.save(update_fields=["purpose"])
    write = messages.reset if account.activated_at else messages.activation
    _send(link, write, to=account.email, language=account.language)


def _answer_code_request(link: Link) -> None:
    """A code, or what helps whoever cannot have one. The row itself stays what an unknown address has."""
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
            _tell_staff(account)
        elif account is not None or is_known_to_billing(link.email):
            _send_activation_instead(link.email)


def _send_code(link: Link, account: Account) -> None:
    """To the account's own address, like every message that opens one."""
    code = codes.make_code(link=link, account=account)
    letterhead = townhall.letterhead()
    with translation.override(account.language or link.language):
        content = messages.code(town=letterhead["townhall"].name, code=code)
        queue_mail(kind="code", to=account.email, content=content, surroundings=letterhead, secret=True)


def _tell_staff(account: Account) -> None:
    if not account.is_active:
        return
    letterhead = townhall.letterhead()
    with translation.override(account.reads):
        url = f"{letterhead['address']}/"
        content = messages.no_code_for_staff(town=letterhead["townhall"].name, url=url)
        once_a_day = f"no-code:{account.uuid}:{clock.today()}"
        queue_mail(kind="no-code", key=once_a_day, to=account.email, content=content, surroundings=letterhead)


def _send_activation_instead(email: str) -> None:
    """An account that was never activated is not lost: its first password is chosen by the ordinary road."""
    link = accounts.ask_link(purpose=LinkPurpose.ACTIVATION, email=email)
    if _asked_a_moment_ago(link):
        accounts.close_link(link=link)
    else:
        _send_password_link(link)


def _send_address_link(link: Link) -> None:
    if link.account is None or link.account.erased_at is not None:
        link.delete()  # it names an address, and who asked is erased
        return
    owner = Account.objects.filter(email=link.email).first()
    if owner is None:
        _send(link, messages.address, to=link.email, language=link.account.language)
        return
    accounts.close_link(link=link)
    letterhead = townhall.letterhead()
    with translation.override(owner.reads):
        content = messages.address_taken(town=letterhead["townhall"].name)
        queue_mail(kind="address-taken", to=owner.email, content=content, surroundings=letterhead)


def _send_invitation(link: Link) -> None:
    """The same message whether or not the address has an account; none to one that staff took from the payer."""
    assert link.account is not None
    assert link.about is not None
    payer = Payer.objects.filter(uuid=link.about).first()
    if payer is None or taken_away(payer.pk, link.email):
        accounts.close_link(link=link)
        return
    token = accounts.make_token(link=link, life=INVITATION_LIFE)
    letterhead = townhall.letterhead()
    with translation.override(link.account.reads):
        content = messages.invitation(
            town=letterhead["townhall"].name,
            url=f"{letterhead['address']}/?LIEN={token}",
            inviter=link.account.email,
            until=timezone.localdate(link.expires_at),
        )
        queue_mail(kind="link-share", to=link.email, content=content, surroundings=letterhead, secret=True)


def _send(link: Link, write: Callable[..., Content], *, to: str, language: str) -> None:
    """`to`: the address that an account keeps, or the one that it is to have; never what was typed about somebody."""
    token = accounts.make_token(link=link)
    letterhead = townhall.letterhead()
    with translation.override(language or link.language):
        content = write(town=letterhead["townhall"].name, url=f"{letterhead['address']}/?LIEN={token}")
        queue_mail(kind=f"link-{link.purpose}", to=to, content=content, surroundings=letterhead, secret=True)


@transaction.atomic
def activate(*, token: str, password: str) -> Account:
    """Use up an activation or reset link: set the password, and show the account its payers (docs/manual.md, M3, M4).

    Raises the link errors and WeakPassword of `accounts`, and AddressGone.
    """
    hold_still()
    link = accounts.find_link(token)
    check_link(link)
    first = link.purpose == LinkPurpose.ACTIVATION
    account = accounts.set_password_from_link(token=token, password=password, rule=townhall.password_rule())
    if first:
        settle_in(account=account)
    else:
        grant_known_payers(account=account)
    return account


def activate_by_proof(*, account: Account, password: str) -> Account:
    """The first password of an account whose address an invitation proved. In the caller's transaction.

    One that is active by now keeps its own. Raises WeakPassword.
    """
    accounts.activate_account(account=account, password=password, rule=townhall.password_rule())
    account.refresh_from_db()
    settle_in(account=account)
    return account


def settle_in(*, account: Account) -> None:
    """An address has an account from now on: it sees what billing knows for it, and what it refused stays refused."""
    _keep_refusals(account)
    grant_known_payers(account=account)


def _keep_refusals(account: Account) -> None:
    """What was refused at this address before it had an account stays refused."""
    kinds = {
        kind
        for model in (PayerEmail, RemovedEmail)
        for refused in model.objects.filter(email=account.email).values_list("refused_alerts", flat=True)
        for kind in refused
    }
    if kinds:
        accounts.refuse_alerts(actor=account, account=account, kinds=kinds)


@transaction.atomic
def refuse_at_address(*, actor: audit.Actor, email: str, kinds: Collection[str]) -> None:
    """An address known to billing, without an account, wants no more of these messages. Twice changes nothing."""
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

    An access that staff have cut stays cut. The caller holds addresses still.
    """
    if account.role != Role.RESIDENT:
        return 0
    payers = billing.give_to(account)
    if payers:
        audit.record("access.granted", actor=account, obj=account.audit_name, new={"payers": payers})
    return len(payers)
