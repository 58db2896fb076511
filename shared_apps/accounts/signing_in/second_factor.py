"""The second factor: a code from an application on the telephone, or one of ten single-use recovery codes.

The order is always: password first (`services.check_credentials`), then the code. Works in the current schema.
"""

import hmac
import secrets as random
import time

import pyotp
import segno
from django.db import transaction
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, SecondFactor
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.throttling import throttle
from shared_apps.audit import services as audit
from toolkit.secrecy.sealing import Unreadable, seal, unseal
from toolkit.secrecy.secrets import fingerprint

STEP = 30  # seconds that a code is shown (RFC 6238)
SLACK = 1  # steps before and after: clocks differ, people type slowly
TRIES = 5  # wrong codes in throttle.WINDOW
CODE = throttle.Limit("code", TRIES, success_forgets=True)
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no characters that look alike
ISSUER = "Mes factures"


def is_enrolled(account: Account) -> bool:
    """Whether the account has a confirmed second factor."""
    return confirmed(account) is not None


def confirmed(account: Account) -> SecondFactor | None:
    """The confirmed second factor of the account. One statement."""
    return SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).first()


@transaction.atomic
def begin(*, account: Account, secret: str = "") -> str:
    """The secret for the telephone (base32), the same until it is confirmed. Pass `secret` to set it.

    Raises AlreadyEnrolled.
    """
    refuse_impersonator(account)
    factor, _made = SecondFactor.objects.get_or_create(
        account=account, defaults={"secret": seal(secret or pyotp.random_base32())}
    )
    if factor.confirmed_at is not None:
        raise errors.AlreadyEnrolled
    try:
        return unseal(factor.secret)
    except Unreadable:  # sealed under another SECRET_KEY: make a new one
        factor.secret = seal(secret or pyotp.random_base32())
        factor.save(update_fields=["secret"])
        return unseal(factor.secret)


def address_for_app(*, account: Account, secret: str) -> str:
    """The `otpauth://` address that a QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=ISSUER)


def picture(address: str) -> str:
    """The QR code as a `data:` address with an SVG picture: no file and no other host sees it."""
    return segno.make(address, error="m").svg_data_uri(scale=5, border=2, dark="#111", light="#fff")


def confirm(*, account: Account, code: str) -> list[str]:
    """Confirm with a first right code: the telephone has the secret. Returns the recovery codes, shown once.

    Raises WrongCode, TooManyTries or AlreadyEnrolled.
    """
    refuse_impersonator(account)
    with throttle.take((CODE, str(account.uuid))) as tries, transaction.atomic():
        factor = SecondFactor.objects.select_for_update().get(account=account)
        if factor.confirmed_at is not None:
            raise errors.AlreadyEnrolled
        step = _step_of(factor, code)
        if step is None:
            raise errors.WrongCode
        codes = _new_codes()
        factor.confirmed_at, factor.last_step = timezone.now(), step
        factor.recovery_hashes = [fingerprint(_bare(each)) for each in codes]
        factor.save(update_fields=["confirmed_at", "last_step", "recovery_hashes"])
        audit.record("account.second_factor_enrolled", actor=account, obj=account.audit_name)
        tries.succeed()
    return codes


def check(*, account: Account, code: str) -> SecondFactor:
    """Accept an unused code of the telephone, or use up a recovery code.

    Raises WrongCode (also when nothing is enrolled), CodeUsed or TooManyTries.
    """
    with throttle.take((CODE, str(account.uuid))) as tries:
        try:
            factor = _check(account, code)
        except errors.WrongCode:
            with transaction.atomic():
                audit.record("account.code_refused", actor=account, obj=account.audit_name)
            raise
        tries.succeed()
    return factor


@transaction.atomic
def _check(account: Account, code: str) -> SecondFactor:
    factor = SecondFactor.objects.select_for_update().filter(account=account).first()
    if factor is None or factor.confirmed_at is None:
        raise errors.WrongCode
    step = _step_of(factor, code)
    if step is not None:
        if step <= factor.last_step:
            raise errors.CodeUsed
        factor.last_step = step
        factor.save(update_fields=["last_step"])
        return factor
    used = fingerprint(_bare(code))
    if used not in factor.recovery_hashes:
        raise errors.WrongCode
    factor.recovery_hashes = [each for each in factor.recovery_hashes if each != used]
    factor.save(update_fields=["recovery_hashes"])
    audit.record(
        "account.recovery_code_used",
        actor=account,
        obj=account.audit_name,
        new={"left": len(factor.recovery_hashes)},
    )
    return factor


def renew_recovery_codes(*, account: Account, code: str) -> list[str]:
    """Make ten new recovery codes after a right code; the old ones stop working. Raises as `check`."""
    refuse_impersonator(account)
    factor = check(account=account, code=code)
    codes = _new_codes()
    with transaction.atomic():
        locked = SecondFactor.objects.select_for_update().get(pk=factor.pk)
        locked.recovery_hashes = [fingerprint(_bare(each)) for each in codes]
        locked.save(update_fields=["recovery_hashes"])
        audit.record("account.recovery_codes_renewed", actor=account, obj=account.audit_name)
    return codes


@transaction.atomic
def reset(*, actor: audit.Actor, account: Account, reason: str) -> bool:
    """Delete the second factor and end its sessions; the next sign-in sets up a new one.

    Returns whether there was one.
    """
    if isinstance(actor, Account):
        refuse_impersonator(actor)
    found, _per_model = SecondFactor.objects.filter(account=account).delete()
    if found:
        audit.record(
            "account.second_factor_reset", actor=actor, obj=account.audit_name, new={"reason": reason}
        )
    return bool(found)


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """The step in which the telephone showed `code`, the newest first, or None."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == 6):
        return None
    try:
        totp = pyotp.TOTP(unseal(factor.secret))
    except Unreadable:
        return None
    present = int(time.time()) // STEP
    for step in range(present + SLACK, present - SLACK - 1, -1):
        if hmac.compare_digest(totp.at(step * STEP), typed):
            return step
    return None


def _new_codes() -> list[str]:
    """Codes such as `abcde-fghjk`, of fifty random bits each."""
    return ["-".join(_letters(5) for _ in range(2)) for _ in range(RECOVERY_CODES)]


def _letters(number: int) -> str:
    return "".join(random.choice(_ALPHABET) for _ in range(number))


def _bare(code: str) -> str:
    """The code without dashes and blanks."""
    return "".join(each for each in code.lower() if each.isalnum())
