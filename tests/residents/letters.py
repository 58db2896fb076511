"""What a message holds for whoever receives it."""

import re

from shared_apps.mail.models import OutgoingMail


def lien(kind: str, to: str) -> str:
    """The token of the newest message of that kind, which is erased from it once it is sent."""
    mail = OutgoingMail.objects.filter(kind=kind, to=to).latest("pk")
    assert mail.secret
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found, mail.text
    return found[1]
