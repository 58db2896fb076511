"""Sign in with six digits received by mail (docs/decisions/0031).

A request is a row of `Link`, the same for known and unknown addresses; a wrong try runs the same
statements for both. The browser that asked keeps the row's public id in its session: the digits work there only.

One guess in a million is right, so wrong tries are counted in the database and not in Redis:
`TRIES` per code and `WRONG_A_DAY` per address, whatever the number of codes, browsers and processes.
"""

import hmac
import secrets as random
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.throttling import limits, throttle
from shared_apps.audit import services as audit
from toolkit import emails

DIGITS = 6
LIFE = timedelta(minutes=10)
TRIES = 5
WRONG_A_DAY = 10  # two void codes per day: one chance in three hundred after a year
A_DAY = timedelta(days=1)
SENT = 5  # codes to one address in throttle.WINDOW
ASKED_FROM = throttle.Limit("code-from", 20)  # an IP address
ASKED_FOR = throttle.Limit("code-to", SENT, error=errors.TooManyCodes)


@transaction.atomic
def ask_code(*, email: str, ip: str) -> Link:
    """Note that a browser asks for a code. The statements are the same for known and unknown addresses.

    Raises TooManyTries (for this IP address), TooManyCodes or CodesSuspended (for that e-mail), emails.BadAddress.
    """
    who = emails.normalise(email)
    throttle.take((ASKED_FROM, ip), (ASKED_FOR, who))
    if _wrong(_of_today(who)) >= WRONG_A_DAY:
        raise errors.CodesSuspended
    return Link.objects.create(purpose=LinkPurpose.CODE, email=who, expires_at=timezone.now() + LIFE)


def may_receive(account: Account) -> bool:
    """Whether the account may sign in by code: a resident who has once chosen a password; never staff."""
    return account.is_active and account.role == Role.RESIDENT and account.activated_at is not None


def enough_sent(link: Link) -> bool:
    """Whether that address has received `SENT` codes in the window. Works without Redis."""
    since = link.requested_at - timedelta(seconds=throttle.WINDOW)
    sent = Link.objects.filter(purpose=LinkPurpose.CODE, email=link.email, token_hash__isnull=False)
    return sent.filter(requested_at__gte=since).count() >= SENT


def make_code(*, link: Link, account: Account) -> str:
    """Give `link` its code, once, and return it; only a keyed hash is kept. Call inside a transaction."""
    code = f"{random.randbelow(10**DIGITS):0{DIGITS}}"
    link.account = account
    link.token_hash = _keyed(link, account, code)
    link.handled_at = timezone.now()
    link.save(update_fields=["account", "token_hash", "handled_at"])
    return code


def use_code(*, public_id: UUID, code: str, ip: str) -> Account:
    """Use up the code of that request. A wrong try stays counted.

    Raises TooManyTries (for this IP address), or a MailedCodeError.
    """
    with throttle.take((limits.PLACE, ip)) as tries:
        with transaction.atomic():
            outcome = _try(public_id, code)
        if not isinstance(outcome, errors.MailedCodeWrong | errors.MailedCodeVoid):
            tries.succeed()  # the code was right, or none was compared
        if isinstance(outcome, Account):
            return outcome
        raise outcome


def _try(public_id: UUID, code: str) -> Account | errors.MailedCodeError:
    """The account, or the error: raising it here would roll the count back.

    Lock all requests of the day for that address, so that codes of several browsers are tried one by one.
    """
    asked = (
        Link.objects.filter(uuid=public_id, purpose=LinkPurpose.CODE).values_list("email", flat=True).first()
    )
    today = list(
        _of_today(asked or "").select_for_update(of=("self",)).select_related("account").order_by("pk")
    )
    link = next((each for each in today if each.uuid == public_id), None)
    if link is None or link.expires_at is None or link.expires_at <= timezone.now():
        return errors.MailedCodeExpired()
    if link.used_at is not None:
        return errors.MailedCodeUsed()
    if link.tries >= TRIES:
        return errors.MailedCodeVoid()
    if _wrong(today) >= WRONG_A_DAY:
        return errors.CodesSuspended()
    # An unknown address takes as long; the hash covers the account's state when the code was sent.
    right = hmac.compare_digest(_keyed(link, link.account or Account(), code), link.token_hash or "")
    if right and link.account is not None and may_receive(link.account):
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
        audit.record("account.code_used", actor=link.account, obj=link.account.audit_name)
        return link.account
    link.tries += 1
    link.save(update_fields=["tries"])
    return _refusal(TRIES - link.tries)


def forget_old() -> None:
    """Delete requests for codes after a day, with the addresses in them."""
    Link.objects.filter(purpose=LinkPurpose.CODE, requested_at__lt=timezone.now() - A_DAY).delete()


def _refusal(left: int) -> errors.MailedCodeError:
    if not left:
        return errors.MailedCodeVoid()
    sentence = ngettext(
        "Ce code ne convient pas : prenez celui du dernier message. Il vous reste %(n)d essai.",
        "Ce code ne convient pas : prenez celui du dernier message. Il vous reste %(n)d essais.",
        left,
    )
    return errors.MailedCodeWrong(sentence % {"n": left})


def _of_today(email: str) -> QuerySet[Link]:
    day = timezone.now() - A_DAY
    return Link.objects.filter(purpose=LinkPurpose.CODE, email=email, requested_at__gt=day)


def _wrong(requests: Iterable[Link]) -> int:
    return sum(link.tries for link in requests)


def _keyed(link: Link, account: Account, code: str) -> str:
    """A hash with the account's state: void after a change of address or password, or a sign-out everywhere."""
    value = f"{link.uuid}:{code}:{account.email}:{account.get_session_auth_hash()}"
    return salted_hmac("accounts.codes", value, algorithm="sha256").hexdigest()
