"""Names of people for lists of what was done: the trail itself keeps only the uuid of an account."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account, Impersonation, Role
from shared_apps.audit.services import SYSTEM, TREASURY
from tenants.current import registry

_ACCOUNT = re.compile(r"\baccount:([0-9a-f-]{36})$")  # an impersonation has two names; this is the second
_OPERATOR = re.compile(r"^operator:([0-9a-f-]{36})\b")


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Actors of the trail (`account:<uuid>`) → the person's name, or address without a name. One statement at most.

    A removed member still has a name; an erased person has none, and says so. The portal, the Treasury and operators
    are not in the result. For an operator in somebody's place it is the name of that somebody.
    """
    wanted = {actor: UUID(found[1]) for actor in actors if (found := _ACCOUNT.search(actor))}
    if not wanted:
        return {}
    people = Account.objects.filter(uuid__in=wanted.values()).only("uuid", "name", "email", "erased_at")
    words = {person.uuid: called(person) for person in people}
    return {actor: words[uuid] for actor, uuid in wanted.items() if uuid in words}


def authors_of(actors: Iterable[str]) -> dict[str, str]:
    """Every actor of the trail in words: « Jeanne Martin », « le Trésor public », « l'exploitant (…) au nom de … ».

    An actor without a name, such as "", is not in the result. One statement for people; for operators one more in the
    town, and one in the registry for those who never acted in somebody's place.
    """
    wanted = set(actors) - {""}
    names, operators = names_of(wanted), _operators(wanted)
    return {actor: _author(actor, names, operators) for actor in wanted}


def _author(actor: str, names: dict[str, str], operators: dict[UUID, str]) -> str:
    known = {SYSTEM: _("le portail"), TREASURY: _("le Trésor public"), "visitor": _("un visiteur")}
    if actor in known:
        return known[actor]
    person = names.get(actor, "" if not _ACCOUNT.search(actor) else _("un compte supprimé"))
    found = _OPERATOR.match(actor)
    if not found:
        return person or actor
    email = operators.get(UUID(found[1]), "")
    operator = _("l'exploitant (%(name)s)") % {"name": email} if email else _("l'exploitant")
    if not person:
        return operator
    return _("%(operator)s au nom de %(person)s") % {"operator": operator, "person": person}


def _operators(actors: Iterable[str]) -> dict[UUID, str]:
    """uuid → address of the operators among `actors`: as their interventions name them, or as the registry does."""
    wanted = {UUID(found[1]) for actor in actors if (found := _OPERATOR.match(actor))}
    if not wanted:
        return {}
    rows = Impersonation.objects.filter(operator__in=wanted).order_by("pk")
    known = dict(rows.values_list("operator", "operator_email"))
    if missing := wanted - known.keys():
        with registry():
            accounts = Account.objects.filter(uuid__in=missing, role=Role.OPERATOR)
            known.update(accounts.values_list("uuid", "email"))
    return known


def called(person: Account) -> str:
    """What to call somebody who did something: the name, the address without a name, nobody's name once erased."""
    return _("une personne effacée") if person.erased_at is not None else person.called
