"""Change an account's address (docs/manual.md, M12): confirm at the new one, undo from the old one."""

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Q

from shared_apps.accounts import addresses
from shared_apps.accounts import services as accounts
from shared_apps.accounts.addresses import PutBack
from shared_apps.accounts.models import Account, LinkPurpose
from shared_apps.accounts.sessions import recent
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.activation import grant_known_payers
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.residents.errors import SameAddress
from tenant_apps.residents.mails.addresses import ADDRESS_CHANGED, ADDRESS_PUT_BACK
from tenant_apps.residents.models import Access, PayerEmail
from tenants.work import agenda
from toolkit import clock, emails


def request_address_change(*, actor: Account, email: str, password: str, session: SessionBase) -> None:
    """Ask to sign in with another address: it gets a link, and replaces the present one when that link is opened.

    `password` is the current one, because who changes the address takes over the account: an open or stolen session
    must not be enough. An account without a password must have signed in just before.

    The answer is the same if another account has the address; that account's owner gets a message. Raises
    SameAddress, WrongPassword, TooManyTries, TooBusy, SignInTooOld, and NotWhileImpersonating for an operator in
    somebody's place.
    """
    accounts.refuse_impersonator(actor)
    if emails.normalise(email) == actor.email:
        raise SameAddress
    recent.prove_or_just_signed_in(actor=actor, password=password, session=session)
    with transaction.atomic():
        accounts.ask_link(purpose=LinkPurpose.ADDRESS, email=email, account=actor)
        audit.record("account.address_asked", actor=actor, obj=actor.audit_name)
        agenda.wake("links")


@transaction.atomic
def confirm_address(*, token: str) -> Account:
    """Use up the link: the account gets its new address. The old one gets a message and can undo this for seven days.

    Raises the link errors and AddressTaken.
    """
    lock_addresses()
    account, old, regret = addresses.confirm_address(token=token)
    grant_known_payers(account=account)
    said = ADDRESS_CHANGED.about(token=regret, until=clock.today() + addresses.REGRET)
    notify(said, to=old, language=account.reads)
    return account


@transaction.atomic
def put_address_back(*, token: str) -> tuple[PutBack, str]:
    """Use up the link of the old address: restore it, end everything that the new one opened, and tell both.

    Returns what was undone, and a token to choose a new password at once; no token when the account had to be
    closed because the old address has its own account by now. Raises the link errors.
    """
    lock_addresses()
    undone = addresses.put_address_back(token=token)
    account = undone.account
    _withdraw_accesses(undone)
    services.withdraw_since(account=account, since=undone.changed_at)
    notify(ADDRESS_PUT_BACK.about(), to=undone.replaced, language=account.reads)
    if not account.is_active:
        return undone, ""
    reset = accounts.ask_link(purpose=LinkPurpose.RESET, email=account.email, account=account)
    return undone, accounts.make_token(link=reset)


def _withdraw_accesses(undone: PutBack) -> None:
    """End the accesses that the other address opened since the change, or that depend on it now.

    Also end what the account gave to others meanwhile. Rows are deleted: an ended access is never given again
    (grant_known_payers).
    """
    known = PayerEmail.objects.filter(email=undone.address).values("payer_id")
    since = Q(granted_at__gte=undone.changed_at) | Q(through=undone.replaced)
    given = Access.objects.filter(since, account=undone.account, ended_at=None)
    foreign = list(given.exclude(payer_id__in=known))
    foreign += Access.objects.filter(granted_by=undone.account.uuid, granted_at__gte=undone.changed_at)
    Access.objects.filter(pk__in=[access.pk for access in foreign]).delete()
    if foreign:
        audit.record(
            "access.withdrawn",
            actor=undone.account,
            obj=undone.account.audit_name,
            old={"payers": sorted(access.payer_id for access in foreign)},
        )
