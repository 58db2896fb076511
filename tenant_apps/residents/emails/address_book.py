"""A payer's addresses, for staff (the view has checked the role): who gave each, since when, which account has it."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max

from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.accounts.team.names import names_of
from tenant_apps.residents.models import EmailSource, Payer, PayerEmail, RemovedEmail


@dataclass(frozen=True)
class Known:
    """An address that gets messages and opens access. `by`: name of the member of staff who added it, or ""."""

    email: str
    source: EmailSource
    since: datetime
    by: str = ""
    account: Account | None = None
    invited_at: datetime | None = None  # the last activation link sent there


@dataclass(frozen=True)
class Gone:
    """An address that no longer gets messages. `by_staff`: staff removed it, and no file brings it back."""

    email: str
    since: datetime
    by_staff: bool
    by: str = ""


@dataclass(frozen=True)
class AddressBook:
    """The present and the removed addresses, each list in alphabetical order."""

    known: list[Known] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)


def address_book(payer: Payer) -> AddressBook:
    """The address book of a payer, in five statements for any number of addresses."""
    known = sorted(payer.emails.all(), key=lambda row: row.email)
    gone = list(RemovedEmail.objects.filter(payer=payer).order_by("email"))
    names = names_of([*(row.added_by for row in known), *(row.removed_by for row in gone)])
    addresses = [row.email for row in known]
    accounts = {found.email: found for found in Account.objects.filter(email__in=addresses)}
    links = Link.objects.filter(purpose=LinkPurpose.ACTIVATION, email__in=addresses, token_hash__isnull=False)
    sent = dict(links.values_list("email").annotate(last=Max("handled_at")))
    return AddressBook(
        [_known(row, names, accounts, sent) for row in known],
        [
            Gone(row.email, row.removed_at, bool(row.removed_by), names.get(row.removed_by, ""))
            for row in gone
        ],
    )


def _known(
    row: PayerEmail, names: dict[str, str], accounts: dict[str, Account], sent: dict[str, datetime]
) -> Known:
    return Known(
        row.email,
        EmailSource(row.source),
        row.added_at,
        names.get(row.added_by, ""),
        accounts.get(row.email),
        sent.get(row.email),
    )
