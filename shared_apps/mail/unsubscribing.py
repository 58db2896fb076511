"""The link of « Ne plus recevoir ces messages » (RFC 8058): what it says; `notices.refusing` does it.

It holds the town, the address and the choices, sealed: it needs no row, says nothing to whoever reads a log, opens
nothing but this, and serves as long as the platform keeps its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared_apps.mail import notices
from shared_apps.mail.notices import Choice
from tenants.current import current_town
from toolkit.secrecy.sealing import Unreadable, seal, unseal

PATH = "/desabonnement/"  # portal:unsubscribe


class BadTicket(Exception):
    """Not one of ours, or of another town."""


@dataclass(frozen=True)
class Refusal:
    """What a link refuses, for whom."""

    email: str
    kinds: tuple[Choice, ...]


def url(*, address: str, email: str, kinds: Sequence[str]) -> str:
    """The link of a message about the choices `kinds` to `email`; `address` is the town's."""
    return f"{address}{PATH}{seal(' '.join([str(current_town().uuid), ','.join(kinds), email]))}/"


def read(ticket: str) -> Refusal:
    """What the link refuses; nothing is done yet. Raises BadTicket."""
    try:
        town, kinds, email = unseal(ticket).split(" ", 2)
        if town != str(current_town().uuid):
            raise BadTicket
        return Refusal(email, tuple(notices.choice(kind) for kind in kinds.split(",")))
    except (Unreadable, ValueError, KeyError):
        raise BadTicket from None
