"""Who is told what about a payer that somebody claims (the words: residents.mails.claims)."""

from typing import Any

from django.conf import settings

from shared_apps.accounts.models import Account
from shared_apps.mail.notices import Said
from shared_apps.mail.notifying import Telling, notify, notify_all
from tenant_apps.products.queries import contact_address
from tenant_apps.residents.mails import claims as mails
from tenant_apps.residents.models import Claim, PayerEmail
from toolkit import emails


def confirm(claim: Claim, account: Account, *, token: str) -> None:
    """The `?LIEN=` to the account of the address that came with a right paper."""
    said = mails.CONFIRM.about(number=claim.number, token=token, new=account.activated_at is None)
    notify(said, to=account.email, language=account.reads)


def joined(claim: Claim) -> None:
    """To the addresses that billing knows, and to the accounts that already see this payer."""
    assert claim.account is not None
    assert claim.payer is not None
    known = dict.fromkeys(PayerEmail.objects.filter(payer=claim.payer).values_list("email", flat=True), "")
    seers = Account.objects.filter(accesses__payer=claim.payer, accesses__ended_at=None, is_active=True)
    known |= dict(seers.values_list("email", "language"))
    known.pop(claim.account.email, None)
    said = mails.JOINED.about(payer=claim.payer.full_name, account=emails.masked(claim.account.email))
    service = contact_address(None)
    notify_all(
        Telling(said, email, language or settings.LANGUAGE_CODE, reply_to=service)
        for email, language in sorted(known.items())
    )


def accepted(claim: Claim) -> None:
    """To who asked: it is done."""
    _to_asker(claim, mails.ACCEPTED.about(number=claim.number))


def refused(claim: Claim) -> None:
    """To who asked, in staff's own words."""
    _to_asker(claim, mails.REFUSED.about(number=claim.number, reason=claim.reason))


def expired(claim: Claim) -> None:
    """To who asked: nobody answered."""
    _to_asker(claim, mails.EXPIRED.about(number=claim.number))


def _to_asker(claim: Claim, said: Said[Any]) -> None:
    assert claim.account is not None
    notify(said, to=claim.account.email, language=claim.account.reads, reply_to=contact_address(None))
