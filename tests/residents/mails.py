"""What a message holds for whoever receives it."""

import re

from django.contrib.sessions.backends.base import SessionBase

from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import recent
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents.account import addresses
from tests.conftest import PASSWORD


def lien(kind: str, to: str) -> str:
    """The token of the newest message of that kind, which is erased from it once it is sent."""
    mail = OutgoingMail.objects.filter(kind=kind, to=to).latest("pk")
    assert mail.secret
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found, mail.text
    return found[1]


def ask_address(account: Account, new: str) -> None:
    """Somebody who has the person's password and a fresh session asks for another address."""
    session = SessionBase()
    recent.note_proof(session)
    addresses.request_address_change(actor=account, email=new, password=PASSWORD, session=session)
