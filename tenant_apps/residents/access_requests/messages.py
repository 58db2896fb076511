"""Sends the messages about an access request (residents.mails.access_requests has the words)."""

from typing import Any

from django.conf import settings

from shared_apps.accounts.models import Account
from shared_apps.mail.notices import Said
from shared_apps.mail.notifying import Telling, notify, notify_all
from tenant_apps.products.queries import contact_address
from tenant_apps.residents.mails import access_requests as mails
from tenant_apps.residents.models import AccessRequest, PayerEmail
from toolkit import emails


def confirm(access_request: AccessRequest, account: Account, *, token: str) -> None:
    """Send the `?LIEN=` to the account of the typed address, after a right paper."""
    said = mails.CONFIRM.about(number=access_request.number, token=token, new=account.activated_at is None)
    notify(said, to=account.email, language=account.reads)


def joined(access_request: AccessRequest) -> None:
    """Tell the addresses that billing knows, and the accounts that already see this payer."""
    assert access_request.account is not None
    assert access_request.payer is not None
    known = dict.fromkeys(
        PayerEmail.objects.filter(payer=access_request.payer).values_list("email", flat=True), ""
    )
    seers = Account.objects.filter(
        accesses__payer=access_request.payer, accesses__ended_at=None, is_active=True
    )
    known |= dict(seers.values_list("email", "language"))
    known.pop(access_request.account.email, None)
    said = mails.JOINED.about(
        payer=access_request.payer.full_name, account=emails.masked(access_request.account.email)
    )
    service = contact_address(None)
    notify_all(
        Telling(said, email, language or settings.LANGUAGE_CODE, reply_to=service)
        for email, language in sorted(known.items())
    )


def accepted(access_request: AccessRequest) -> None:
    """Tell the person who asked that the payer is linked to their account."""
    _to_asker(access_request, mails.ACCEPTED.about(number=access_request.number))


def refused(access_request: AccessRequest) -> None:
    """Tell the person who asked that staff refused, with the reason that staff wrote."""
    _to_asker(access_request, mails.REFUSED.about(number=access_request.number, reason=access_request.reason))


def expired(access_request: AccessRequest) -> None:
    """Tell the person who asked that nobody answered."""
    _to_asker(access_request, mails.EXPIRED.about(number=access_request.number))


def _to_asker(access_request: AccessRequest, said: Said[Any]) -> None:
    assert access_request.account is not None
    notify(
        said,
        to=access_request.account.email,
        language=access_request.account.reads,
        reply_to=contact_address(None),
    )
