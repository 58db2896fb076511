"""Stop what is on its way to an address that a payer no longer has: messages and links."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils import timezone

from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.mail import services as mail
from tenant_apps.residents.errors import AddressGone
from tenant_apps.residents.mails.access_requests import JOINED
from tenant_apps.residents.mails.sharing import INVITATION
from tenant_apps.residents.mails.signing_in import ACTIVATION
from tenant_apps.residents.models import AccessRequest, PayerEmail, RemovedEmail

# Waiting messages to drop when no payer has the address any more: they would tell it about a payer, or invite it.
_LAST = (ACTIVATION.kind, JOINED.kind)
_INVITATIONS = """UPDATE accounts_link l SET expires_at = now()
  FROM unnest(%(of)s::bigint[], %(emails)s::text[]) AS g(payer_id, email) JOIN residents_payer p ON p.id = g.payer_id
 WHERE l.purpose = 'share' AND l.about = p.uuid AND l.email = g.email AND l.used_at IS NULL
   AND (l.expires_at IS NULL OR l.expires_at > now())"""


def stop_links(pairs: Iterable[tuple[int, str]]) -> None:
    """After these pairs (payer's id, address) were removed: end invitations to them, and drop waiting messages."""
    all_of = list(pairs)
    values: dict[str, Any] = {
        "of": [payer for payer, _email in all_of],
        "emails": [email for _payer, email in all_of],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INVITATIONS, values)
    gone = {email for _payer, email in all_of}
    invited = Link.objects.filter(
        email__in=gone, purpose=LinkPurpose.SHARE, used_at=None, expires_at__gt=timezone.now()
    )
    mail.drop_waiting(kinds=[INVITATION.kind], to=gone - set(invited.values_list("email", flat=True)))
    known = PayerEmail.objects.filter(email__in=gone).values_list("email", flat=True)
    active = Account.objects.filter(email__in=gone, activated_at__isnull=False).values_list(
        "email", flat=True
    )
    mail.drop_waiting(kinds=_LAST, to=gone - {*known, *active})


def is_shut_out(account: Account) -> bool:
    """Whether a resident never chose a password and has an address of no payer: the account opens nothing.

    A valid paper invoice creates an account too: its own link opens it, but an activation link does not.
    """
    if account.role != Role.RESIDENT or account.activated_at is not None:
        return False
    known = PayerEmail.objects.filter(email=account.email)
    return not known.exists() and not AccessRequest.objects.filter(account=account).exists()


def check_link(link: Link) -> None:
    """Raise AddressGone for an activation link sent before its address was removed.

    Links of access requests and of invitations have their own proof.
    """
    if link.purpose == LinkPurpose.ACTIVATION and link.account is not None and is_shut_out(link.account):
        raise AddressGone


def taken_away(payer_id: int, *addresses: str) -> bool:
    """Whether staff took one of these addresses from the payer: then no invitation or paper invoice alone opens it."""
    gone = RemovedEmail.objects.filter(payer=payer_id, email__in=addresses)
    return gone.exclude(removed_by="").exists()
