"""Link an account to a person of the town's OpenID provider, or unlink it, and tell the account's address."""

from collections.abc import Callable

from django.db import transaction
from django.utils import translation

from shared_apps.accounts.models import Account
from shared_apps.accounts.signing_in import identities
from shared_apps.mail.content import Content
from shared_apps.mail.services import queue_mail
from tenant_apps.residents import messages
from tenant_apps.townhall import queries as townhall


@transaction.atomic
def link_identity(*, actor: Account, issuer: str, subject: str, label: str) -> None:
    """Link, and tell the account's address. Twice changes nothing. Raises as `accounts.signing_in.identities`."""
    if identities.link_identity(actor=actor, issuer=issuer, subject=subject):
        _tell(actor, "identity-linked", messages.identity_linked, label)


@transaction.atomic
def unlink_identity(*, actor: Account, label: str) -> None:
    """Unlink, and tell the account's address. Raises as `accounts.signing_in.identities`."""
    if identities.unlink_identity(actor=actor):
        _tell(actor, "identity-unlinked", messages.identity_unlinked, label)


def _tell(account: Account, kind: str, write: Callable[..., Content], label: str) -> None:
    letterhead = townhall.letterhead()
    with translation.override(account.reads):
        content = write(
            town=letterhead["townhall"].name,
            label=label,
            url=f"{letterhead['address']}/mes-informations/connexion/",
        )
        queue_mail(kind=kind, to=account.email, content=content, surroundings=letterhead)
