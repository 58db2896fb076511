"""Add or remove a resident's passkey, and tell the account's address."""

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from shared_apps.accounts.models import Account, Passkey
from shared_apps.accounts.signing_in import passkeys
from shared_apps.accounts.signing_in.webauthn import Place
from shared_apps.mail.notifying import notify
from tenant_apps.residents.mails.keys import KEY_ADDED, KEY_REMOVED


def add_key(*, actor: Account, place: Place, session: SessionBase, answer: str, user_agent: str) -> Passkey:
    """Store the key that the browser made, and tell the account's address.

    Raises NewKeyRefused, TooManyKeys, or NotWhileImpersonating for an operator in somebody's place.
    """
    new = passkeys.read_new_key(
        place=place, session=session, answer=answer
    )  # uses up the challenge, whatever follows
    with transaction.atomic():
        key = passkeys.add_key(actor=actor, place=place, new=new, user_agent=user_agent)
        notify(KEY_ADDED.about(name=key.name), to=actor.email, language=actor.reads)
    return key


@transaction.atomic
def remove_key(*, actor: Account, key: Passkey) -> None:
    """Remove the key, and tell the account's address. Twice sends one message. Raises NotWhileImpersonating."""
    if passkeys.remove_key(actor=actor, key=key):
        notify(KEY_REMOVED.about(name=key.name), to=actor.email, language=actor.reads)
