"""The link of « Ne plus recevoir ces messages » (RFC 8058): make it and read it. `notices.unsubscribing` acts on it.

The link contains the town, the address and the choices, encrypted. So it needs no row, a log does not reveal its
content, it allows nothing else, and it works as long as the platform keeps its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared_apps.mail import notices
from shared_apps.mail.notices import Choice
from tenants.current import current_town
from toolkit.secrecy.sealing import Unreadable, seal, unseal

PATH = "/desabonnement/"  # portal:unsubscribe


class BadTicket(Exception):
    """The link is not ours, or it is of another town."""


@dataclass(frozen=True)
class Refusal:
    """What a link refuses, and for which address."""

    email: str
    kinds: tuple[Choice, ...]


def url(*, address: str, email: str, kinds: Sequence[str]) -> str:
    """The link of a message about the choices `kinds` to `email`; `address` is the town's."""
    return f"{address}{PATH}{seal(' '.join([str(current_town().uuid), ','.join(kinds), email]))}/"


def read(ticket: str) -> Refusal:
    """What the link refuses; changes nothing. Raises BadTicket."""
    try:
        town, kinds, email = unseal(ticket).split(" ", 2)
        if town != str(current_town().uuid):
            raise BadTicket
        return Refusal(email, tuple(notices.choice(kind) for kind in kinds.split(",")))
    except (Unreadable, ValueError, KeyError):
        raise BadTicket from None
