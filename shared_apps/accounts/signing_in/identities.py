"""Link an account to a person of the town's OpenID provider, and find the account of such a person.

The provider's e-mail address proves nothing here, so it is not used (decisions 33 and 67): a resident gives the
account's password, a member of staff is signed in with both steps or holds the invitation.
"""

from django.db import IntegrityError, transaction

from shared_apps.accounts import errors
from shared_apps.accounts.mails.own_account import STAFF_IDENTITY_LINKED, STAFF_IDENTITY_UNLINKED
from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.team.joining import lock_invitation, open_account
from shared_apps.audit import services as audit
from shared_apps.mail.notices import Said
from shared_apps.mail.notifying import notify


def account_of(*, issuer: str, subject: str, audience: Audience = Audience.RESIDENTS) -> Account | None:
    """The active account of that person. A provider of residents opens no account of staff, nor the other way."""
    if not (issuer and subject):
        return None
    return Account.objects.filter(
        identity_issuer=issuer, identity_subject=subject, is_active=True, role__in=audience.roles
    ).first()


def unlinked_staff(issuer: str) -> list[Account]:
    """The active staff whom that provider would not let in."""
    active = Account.objects.filter(
        role__in=Audience.STAFF.roles, is_active=True, activated_at__isnull=False, removed_at=None
    )
    return list(active.exclude(identity_issuer=issuer, identity_subject__gt="").order_by("name", "email"))


@transaction.atomic
def link_identity(
    *, actor: Account, issuer: str, subject: str, audience: Audience = Audience.RESIDENTS
) -> bool:
    """Let that person sign in as `actor`. False when they were linked already.

    Raises NotForStaff or NotForResidents, OtherIdentity (linked at this issuer; a former issuer's link is replaced),
    IdentityTaken, or NotWhileImpersonating. Of two accounts that link the same person at once, one wins.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    if account.role not in audience.roles or not account.is_active:
        raise errors.NotForStaff if audience is Audience.RESIDENTS else errors.NotForResidents
    if (account.identity_issuer, account.identity_subject) == (issuer, subject):
        return False
    if account.identity_issuer == issuer:
        raise errors.OtherIdentity
    _write(account, issuer, subject)
    return True


def _write(account: Account, issuer: str, subject: str) -> None:
    """Raises IdentityTaken."""
    account.identity_issuer, account.identity_subject = issuer, subject
    try:
        with transaction.atomic():
            account.save(update_fields=["identity_issuer", "identity_subject"])
    except IntegrityError:
        raise errors.IdentityTaken from None
    audit.record("account.identity_linked", actor=account, obj=account.audit_name, new={"issuer": issuer})


@transaction.atomic
def unlink_identity(*, actor: Account) -> bool:
    """Remove the link to a provider. False when there was none.

    Raises NoOtherWayIn for an account without a password, or NotWhileImpersonating.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    if not account.identity_subject:
        return False
    if not account.has_usable_password():
        raise errors.NoOtherWayIn
    issuer, account.identity_issuer, account.identity_subject = account.identity_issuer, "", ""
    account.save(update_fields=["identity_issuer", "identity_subject"])
    audit.record("account.identity_unlinked", actor=actor, obj=account.audit_name, old={"issuer": issuer})
    return True


@transaction.atomic
def link_staff_identity(*, actor: Account, issuer: str, subject: str, label: str) -> None:
    """« Relier » of a member of staff, whose address is told. Twice changes nothing. Raises as `link_identity`."""
    if link_identity(actor=actor, issuer=issuer, subject=subject, audience=Audience.STAFF):
        _tell(STAFF_IDENTITY_LINKED.about(label=label), actor)


@transaction.atomic
def unlink_staff_identity(*, actor: Account, label: str) -> None:
    """The reverse. Twice changes nothing. Raises as `unlink_identity`."""
    if unlink_identity(actor=actor):
        _tell(STAFF_IDENTITY_UNLINKED.about(label=label), actor)


@transaction.atomic
def join_with_identity(*, token: str, issuer: str, subject: str, label: str) -> Account:
    """Use up an invitation to the staff: the account is active without a password, and that person signs in as it.

    Raises the link errors (accounts.services.find_link) or IdentityTaken; then the invitation still serves.
    """
    link, account = lock_invitation(token)
    open_account(link, account)
    _write(account, issuer, subject)
    _tell(STAFF_IDENTITY_LINKED.about(label=label), account)
    return account


def _tell(said: Said, account: Account) -> None:
    notify(said, to=account.email, language=account.reads)
