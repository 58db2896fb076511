"""Link an account to a person of the town's OpenID provider, or unlink it, and tell the account's address."""

from django.db import transaction

from shared_apps.accounts.models import Account
from shared_apps.accounts.signing_in import identities
from shared_apps.mail.notifying import notify
from tenant_apps.residents.mails.identities import IDENTITY_LINKED, IDENTITY_UNLINKED


@transaction.atomic
def link_identity(*, actor: Account, issuer: str, subject: str, label: str) -> None:
    """Link, and tell the account's address. Twice changes nothing. Raises as `accounts.signing_in.identities`."""
    if identities.link_identity(actor=actor, issuer=issuer, subject=subject):
        notify(IDENTITY_LINKED.about(label=label), to=actor.email, language=actor.reads)


@transaction.atomic
def unlink_identity(*, actor: Account, label: str) -> None:
    """Unlink, and tell the account's address. Raises as `accounts.signing_in.identities`."""
    if identities.unlink_identity(actor=actor):
        notify(IDENTITY_UNLINKED.about(label=label), to=actor.email, language=actor.reads)
