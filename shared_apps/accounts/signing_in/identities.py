"""Link an account to a person of the town's OpenID provider; the account's password is needed.

The provider's e-mail address proves nothing here, so it is not used (decision 33). Residents only: staff have a
second factor.
"""

from django.db import IntegrityError, transaction

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.audit import services as audit


def account_of(*, issuer: str, subject: str) -> Account | None:
    """The active resident linked to that person."""
    if not (issuer and subject):
        return None
    return Account.objects.filter(
        identity_issuer=issuer, identity_subject=subject, is_active=True, role=Role.RESIDENT
    ).first()


@transaction.atomic
def link_identity(*, actor: Account, issuer: str, subject: str) -> bool:
    """Let that person sign in as `actor`. False when they were linked already.

    Raises NotForStaff, OtherIdentity (linked at this issuer; a former issuer's link is replaced), IdentityTaken, or
    NotWhileImpersonating. Of two accounts that link the same person at once, one wins.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    if account.role != Role.RESIDENT or not account.is_active:
        raise errors.NotForStaff
    if (account.identity_issuer, account.identity_subject) == (issuer, subject):
        return False
    if account.identity_issuer == issuer:
        raise errors.OtherIdentity
    account.identity_issuer, account.identity_subject = issuer, subject
    try:
        with transaction.atomic():
            account.save(update_fields=["identity_issuer", "identity_subject"])
    except IntegrityError:
        raise errors.IdentityTaken from None
    audit.record("account.identity_linked", actor=actor, obj=account.audit_name, new={"issuer": issuer})
    return True


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
