"""Add or remove a resident's passkey, and tell the account's address."""

from collections.abc import Callable

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import translation

from shared_apps.accounts.models import Account, Passkey
from shared_apps.accounts.signing_in import passkeys
from shared_apps.accounts.signing_in.webauthn import Place
from shared_apps.mail.content import Content
from shared_apps.mail.services import queue_mail
from tenant_apps.residents import messages
from tenant_apps.townhall import queries as townhall

PAGE = "/mes-informations/cles/"


def add_key(*, actor: Account, place: Place, session: SessionBase, answer: str, user_agent: str) -> Passkey:
    """Store the key that the browser made, and tell the account's address.

    Raises NewKeyRefused, TooManyKeys, or NotWhileImpersonating for an operator in somebody's place.
    """
    new = passkeys.read_new_key(
        place=place, session=session, answer=answer
    )  # uses up the challenge, whatever follows
    with transaction.atomic():
        key = passkeys.add_key(actor=actor, place=place, new=new, user_agent=user_agent)
        _tell(actor, "key-added", messages.key_added, key)
    return key


@transaction.atomic
def remove_key(*, actor: Account, key: Passkey) -> None:
    """Remove the key, and tell the account's address. Twice sends one message. Raises NotWhileImpersonating."""
    if passkeys.remove_key(actor=actor, key=key):
        _tell(actor, "key-removed", messages.key_removed, key)


def _tell(account: Account, kind: str, message: Callable[..., Content], key: Passkey) -> None:
    letterhead = townhall.letterhead()
    with translation.override(account.reads):
        content = message(
            town=letterhead["townhall"].name, name=key.name, url=f"{letterhead['address']}{PAGE}"
        )
        queue_mail(kind=kind, to=account.email, content=content, surroundings=letterhead)
