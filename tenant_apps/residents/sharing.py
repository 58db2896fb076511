"""Share a payer's invoices: a person known to billing invites, the invited person accepts by `?LIEN=` (decision 35).

Every act on an invitation locks its link first, and never the inviter's account: code that ends an account's links
locks the account and then waits for the links (accounts.addresses).
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shared_apps.accounts import services as accounts
from shared_apps.accounts.errors import AddressTaken, InvitationOver, LinkUnknown
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenant_apps.residents.activation import activate_by_proof
from tenant_apps.residents.emails import billing
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.residents.emails.stopping import taken_away
from tenant_apps.residents.errors import (
    AccessCut,
    NotAResident,
    PasswordWanted,
    SameAddress,
    TooManyInvitations,
    TooManyShares,
)
from tenant_apps.residents.mails.sharing import INVITATION_ACCEPTED
from tenant_apps.residents.models import Access, Payer, PayerEmail
from tenant_apps.residents.queries import invitations_to, payer_to_share, shared_accesses
from tenants.work import agenda
from toolkit import emails

OTHERS = 5  # invited addresses per payer, open invitations included
A_DAY = 10  # invitations per person and day, withdrawn ones included, to prevent mail flooding


@transaction.atomic
def invite(*, actor: Account, payer: Payer, email: str) -> None:
    """« Inviter une personne »: send the same message to any address, known or not.

    An open invitation stays as it is. Raises Payer.DoesNotExist when `actor` may not invite, SameAddress,
    TooManyShares, TooManyInvitations, and NotWhileImpersonating for an operator in somebody's place.
    """
    accounts.refuse_impersonator(actor)
    email = emails.normalise(email)
    Payer.objects.select_for_update(no_key=True).get(pk=payer.pk)  # one at a time: the limit holds
    payer_to_share(actor, payer.uuid)
    if email == actor.email:
        raise SameAddress
    waiting = set(invitations_to(payer).values_list("email", flat=True))
    if email in waiting:
        return
    given = set(shared_accesses(payer).values_list("account__email", flat=True))
    if len((waiting | given) - {email}) >= OTHERS:
        raise TooManyShares
    since = timezone.now() - timedelta(days=1)
    sent = Link.objects.filter(account=actor, purpose=LinkPurpose.SHARE, requested_at__gte=since)
    if sent.count() >= A_DAY:
        raise TooManyInvitations
    link = accounts.ask_link(purpose=LinkPurpose.SHARE, email=email, account=actor, about=payer.uuid)
    audit.record("access.invited", actor=actor, obj=f"payer:{payer.uuid}", new={"invitation": str(link.uuid)})
    agenda.wake("links")


@transaction.atomic
def withdraw_invitation(*, actor: Account, link: Link) -> None:
    """Withdraw an invitation. Does nothing to one that was accepted or withdrawn."""
    accounts.refuse_impersonator(actor)
    locked = Link.objects.select_for_update().get(pk=link.pk, account=actor, purpose=LinkPurpose.SHARE)
    present = timezone.now()
    if locked.used_at is not None or (locked.expires_at is not None and locked.expires_at <= present):
        return
    locked.expires_at = present
    locked.save(update_fields=["expires_at"])
    audit.record(
        "access.invitation_withdrawn",
        actor=actor,
        obj=f"payer:{locked.about}",
        new={"invitation": str(locked.uuid)},
    )


def what_it_opens(link: Link) -> tuple[Payer, bool]:
    """The payer of an invitation, and whether a password must be chosen with it. Raises InvitationOver."""
    account = Account.objects.filter(email=link.email).first()
    return _payer_of(link), account is None or account.activated_at is None


@transaction.atomic
def accept_invitation(*, token: str, password: str = "") -> Account:
    """Use up an invitation: the account of its address sees the payer, and the inviter gets a message.

    If the address has no active account, `password` is its first one; an active account keeps its own. Raises the
    link errors, InvitationOver when the inviter lost their access, PasswordWanted, WeakPassword, NotAResident, and
    AccessCut when staff ended the access of that account, or took its address from the payer.
    """
    lock_addresses()
    link = accounts.find_link(token, lock=True)
    if link.purpose != LinkPurpose.SHARE or link.account is None:
        raise LinkUnknown
    payer, inviter = _payer_of(link), link.account
    # Until our transaction ends, nobody else can end the inviter's access.
    giving = Access.objects.select_for_update().filter(account=inviter, payer=payer, ended_at=None).first()
    if giving is None:
        raise InvitationOver
    account = _account_of(link.email)
    if account.role != Role.RESIDENT or not account.is_active:
        raise NotAResident
    if account.activated_at is None:
        if not password:
            raise PasswordWanted
        account = activate_by_proof(account=account, password=password)
    _open(account, payer, inviter)
    accounts.use_up(link)
    audit.record(
        "access.invitation_accepted",
        actor=account,
        obj=f"payer:{payer.uuid}",
        new={"invitation": str(link.uuid), "given_by": inviter.audit_name},
    )
    _tell_inviter(inviter, link.email, payer)
    return account


def _payer_of(link: Link) -> Payer:
    """The payer of an invitation. Raises InvitationOver when the inviter lost their access."""
    try:
        assert link.account is not None
        assert link.about is not None
        return payer_to_share(link.account, link.about)
    except Payer.DoesNotExist:
        raise InvitationOver from None


def _account_of(email: str) -> Account:
    """The account of that address, created if needed; of two simultaneous calls, one creates it."""
    found = Account.objects.filter(email=email).first()
    if found is None:
        try:
            return accounts.create_account(actor=audit.SYSTEM, email=email, role=Role.RESIDENT)
        except AddressTaken:
            found = Account.objects.get(email=email)
    return found


def _open(account: Account, payer: Payer, inviter: Account) -> None:
    had = Access.objects.filter(account=account, payer=payer)
    if had.filter(ended_at=None).exists():
        return
    if had.filter(lapsed=False).exists() or taken_away(payer.pk, account.email):
        raise AccessCut
    new = Access(account=account, payer=payer, granted_by=inviter.uuid)
    Access.objects.bulk_create([new], ignore_conflicts=True)


def _tell_inviter(inviter: Account, email: str, payer: Payer) -> None:
    path = f"/mes-informations/dossiers/{payer.uuid}/"
    said = INVITATION_ACCEPTED.about(email=email, payer=payer.full_name, path=path)
    notify(said, to=inviter.email, language=inviter.reads)


@transaction.atomic
def end_access(*, actor: Account, access: Access) -> None:
    """The giver of an access ends it, or its holder leaves. Only the town ends an access from billing.

    The row is deleted, so that it may be given again. Raises Access.DoesNotExist when `actor` may not end it.
    """
    accounts.refuse_impersonator(actor)
    theirs = shared_accesses(access.payer).filter(Q(granted_by=actor.uuid) | Q(account=actor))
    locked = Access.objects.select_for_update().get(pk__in=theirs.values("pk"), pk=access.pk)
    record = {"account": locked.account.audit_name, "given_by": f"account:{locked.granted_by}"}
    payer = locked.payer
    locked.delete()
    audit.record("access.ended", actor=actor, obj=f"payer:{payer.uuid}", old=record)


@transaction.atomic
def cut_access(*, actor: audit.Actor, access: Access) -> None:
    """Staff end an access, and those that its holder gave. Neither billing nor an invitation gives it again.

    Twice changes nothing.
    """
    locked = (
        Access.objects.select_for_update(of=("self",)).select_related("account", "payer").get(pk=access.pk)
    )
    if locked.ended_at is not None:
        return
    given = Access.objects.filter(payer=locked.payer, granted_by=locked.account.uuid, ended_at=None)
    with_it = list(given.values_list("account__uuid", flat=True))
    present = timezone.now()
    Access.objects.filter(Q(pk=locked.pk) | Q(pk__in=given.values("pk"))).update(ended_at=present)
    audit.record(
        "access.cut",
        actor=actor,
        obj=f"payer:{locked.payer.uuid}",
        old={"accounts": [locked.account.audit_name, *(f"account:{uuid}" for uuid in sorted(with_it))]},
    )


@transaction.atomic
def restore_access(*, actor: audit.Actor, access: Access) -> None:
    """Staff undo their cut, or restore a lapsed access. What its holder had given comes back with a lapsed one only.

    It then depends on no address, unless an address of the payer gives it. Twice changes nothing.
    """
    lock_addresses()
    locked = (
        Access.objects.select_for_update(of=("self",)).select_related("account", "payer").get(pk=access.pk)
    )
    same = Access.objects.filter(account=locked.account, payer=locked.payer, ended_at=None)
    if locked.ended_at is None or same.exists():
        return
    known = PayerEmail.objects.filter(payer=locked.payer, email__in=[locked.through, locked.account.email])
    lapsed, locked.ended_at, locked.lapsed = locked.lapsed, None, False
    locked.through = locked.through if known.exists() else ""
    locked.save(update_fields=["ended_at", "lapsed", "through"])
    if lapsed:
        billing.give_shares_back([locked.payer.pk])
    audit.record(
        "access.restored",
        actor=actor,
        obj=f"payer:{locked.payer.uuid}",
        new={"accounts": [locked.account.audit_name]},
    )
