"""« Ne plus recevoir ces messages »: the link of RFC 8058, and what it does.

The link holds the town, the address and the kinds of messages, sealed: it needs no row, says nothing to whoever reads
a log, opens nothing but this, and serves as long as the platform keeps its key.
"""

from dataclasses import dataclass

from django.db import transaction

from shared_apps.accounts.models import Account, AlertKind
from shared_apps.accounts.services import refuse_alerts
from shared_apps.audit import services as audit
from tenant_apps.residents.activation import refuse_at_address
from tenants.current import current_town
from toolkit.secrecy.sealing import Unreadable, seal, unseal

PATH = "/desabonnement/"  # portal:unsubscribe


class BadTicket(Exception):
    """Not one of ours, or of another town."""


@dataclass(frozen=True)
class Refusal:
    """What a link refuses, for whom."""

    email: str
    kinds: tuple[AlertKind, ...]


def url(*, address: str, email: str, kinds: list[str]) -> str:
    """The link of a message of `kinds` to `email`; `address` is the town's."""
    return f"{address}{PATH}{seal(' '.join([str(current_town().uuid), ','.join(kinds), email]))}/"


def read(ticket: str) -> Refusal:
    """What the link refuses; nothing is done yet. Raises BadTicket."""
    try:
        town, kinds, email = unseal(ticket).split(" ", 2)
        if town != str(current_town().uuid):
            raise BadTicket
        return Refusal(email, tuple(AlertKind(kind) for kind in kinds.split(",")))
    except (Unreadable, ValueError):
        raise BadTicket from None


@transaction.atomic
def unsubscribe(*, ticket: str) -> Refusal:
    """Refuse it, on the account of that address or, without one, at the address billing knows. Raises BadTicket.

    Twice changes nothing; nor does an address that nobody knows any more.
    """
    refusal = read(ticket)
    account = Account.objects.filter(email=refusal.email, activated_at__isnull=False).first()
    if account is not None:
        refuse_alerts(actor=account, account=account, kinds=refusal.kinds)
    else:
        refuse_at_address(actor=audit.SYSTEM, email=refusal.email, kinds=refusal.kinds)
    return refusal
