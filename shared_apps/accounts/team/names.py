"""Names of people for lists of what was done: the trail itself keeps only the uuid of an account."""

import re
from collections.abc import Iterable
from uuid import UUID

from shared_apps.accounts.models import Account

_ACCOUNT = re.compile(r"\baccount:([0-9a-f-]{36})$")  # an impersonation has two names; this is the second


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Actors of the trail (`account:<uuid>`) → the person's name, or address without a name. One statement at most.

    A removed member still has a name. The portal, the Treasury and operators are not in the result. For an operator
    in somebody's place it is the name of that somebody.
    """
    wanted = {actor: UUID(found[1]) for actor in actors if (found := _ACCOUNT.search(actor))}
    if not wanted:
        return {}
    people = Account.objects.filter(uuid__in=wanted.values()).only("uuid", "name", "email")
    called = {person.uuid: person.called for person in people}
    return {actor: called[uuid] for actor, uuid in wanted.items() if uuid in called}
