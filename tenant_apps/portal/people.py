"""Who sees a payer's invoices, as shown to one of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared_apps.accounts.models import Account, Link
from tenant_apps.residents.models import Access, Payer
from tenant_apps.residents.queries import accesses_of_payer, givers_of, invitations_to


@dataclass(frozen=True)
class Person:
    """A person of the list."""

    uuid: UUID
    email: str  # in full for oneself, and between giver and receiver; else masked
    since: datetime
    is_me: bool
    by_billing: bool
    given_by_me: bool
    given_by: str  # the giver's address, masked in the same way


@dataclass(frozen=True)
class People:
    """What the page shows."""

    others: list[Person]
    me: Person
    invitations: list[Link]
    may_invite: bool


def people_of(account: Account, payer: Payer) -> People:
    """The accesses to `payer`, as shown to `account`, which has one: its own, the others', the invitations that it
    sent.
    """
    accesses = list(accesses_of_payer(payer))
    givers = givers_of(accesses)
    mine = next(access for access in accesses if access.account_id == account.pk)
    persons = [_person(access, account, mine, givers) for access in accesses]
    may_invite = _by_billing(mine)
    return People(
        others=[person for person in persons if not person.is_me],
        me=next(person for person in persons if person.is_me),
        invitations=list(invitations_to(payer).filter(account=account)) if may_invite else [],
        may_invite=may_invite,
    )


def _person(access: Access, account: Account, mine: Access, givers: dict[UUID, str]) -> Person:
    person = access.account
    given_by_me = access.granted_by == account.uuid and not _by_billing(access)
    gave_to_me = mine.granted_by == person.uuid
    whole = person == account or given_by_me or gave_to_me
    giver = givers.get(access.granted_by, "") if access.granted_by else ""
    return Person(
        uuid=person.uuid,
        email=person.email if whole else masked(person.email),
        since=access.granted_at,
        is_me=person == account,
        by_billing=_by_billing(access),
        given_by_me=given_by_me,
        given_by=giver if person == account or not giver else masked(giver),
    )


def _by_billing(access: Access) -> bool:
    return bool(access.by_billing)  # type: ignore[attr-defined]  # accesses_of_payer


def masked(email: str) -> str:
    """« b…@example.net ». We do not tell one person another's address: they may be separated parents."""
    name, _at, domain = email.rpartition("@")
    return f"{name[:1]}…@{domain}"
