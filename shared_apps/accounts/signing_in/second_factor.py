"""The second factor: a code from an application on the telephone, or one of ten single-use recovery codes.

The order is always: another proof first (`services.check_credentials`…), then the code. For staff a passkey is a
second factor too (`passkeys`); `Account.second_factor_at` says whether there is one. Works in the current schema.
"""

import hmac
import secrets as random
import time
from typing import Any

import pyotp
import segno
from django.db import transaction
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.mails.own_account import (
    APPLICATION_ADDED,
    FACTOR_FORGOTTEN,
    FACTOR_REMOVED,
    RECOVERY_CODE_USED,
)
from shared_apps.accounts.models import Account, Passkey, Role, SecondFactor
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.throttling import throttle
from shared_apps.audit import services as audit
from shared_apps.mail.notices import Said
from shared_apps.mail.notifying import notify
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
    """Whether the account has a confirmed application. `Account.second_factor_at` covers passkeys too."""
    return confirmed(account) is not None


def confirmed(account: Account) -> SecondFactor | None:
    """The confirmed application of the account. One statement."""
    return SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).first()


def recovery_codes_left(account: Account) -> int:
    """How many single-use codes the account still has."""
    factor = SecondFactor.objects.filter(account=account).first()
    return len(factor.recovery_hashes) if factor else 0


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
    except Unreadable:  # none yet, or sealed under another SECRET_KEY: make a new one
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

    A first second factor ends every session, also the caller's: `note_enrolled`. Recovery codes that a passkey brought
    are replaced. Raises WrongCode, TooManyTries or AlreadyEnrolled.
    """
    refuse_impersonator(account)
    with throttle.take((CODE, str(account.uuid))) as tries, transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)  # first, as for a removal and a reset
        factor = SecondFactor.objects.select_for_update().filter(account=account).first()
        if factor is None:  # forgotten since the page was shown
            raise errors.WrongCode
        if factor.confirmed_at is not None:
            raise errors.AlreadyEnrolled
        step = _step_of(factor, code)
        if step is None:
            raise errors.WrongCode
        codes = _new_codes()
        factor.confirmed_at, factor.last_step = timezone.now(), step
        factor.recovery_hashes = [fingerprint(_bare(each)) for each in codes]
        factor.save(update_fields=["confirmed_at", "last_step", "recovery_hashes"])
        note_enrolled(account)
        audit.record("account.second_factor_enrolled", actor=account, obj=account.audit_name)
        _tell(account, APPLICATION_ADDED.about())
        tries.succeed()
    return codes


def note_enrolled(account: Account) -> None:
    """Note that the account has a second factor from now on. Call it in the transaction that has made one.

    The first one ends the sessions of staff, which were opened without: the caller opens its own again
    (`sessions.steps.note_passed`). `account` is changed too.
    """
    locked = Account.objects.select_for_update().get(pk=account.pk)
    if locked.second_factor_at is None:
        locked.second_factor_at = timezone.now()
        if locked.role != Role.RESIDENT:
            locked.end_sessions()
        locked.save(update_fields=["second_factor_at", "sign_outs", "devices"])
    account.second_factor_at, account.sign_outs = locked.second_factor_at, locked.sign_outs


def first_recovery_codes(account: Account) -> list[str]:
    """Ten recovery codes for an account that has none left; otherwise an empty list, and nothing changes.

    Call it in the transaction that adds a passkey, under the account's lock.
    """
    factor, _made = SecondFactor.objects.select_for_update().get_or_create(account=account)
    if factor.recovery_hashes:
        return []
    codes = _new_codes()
    factor.recovery_hashes = [fingerprint(_bare(each)) for each in codes]
    factor.save(update_fields=["recovery_hashes"])
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
    if factor is None:
        raise errors.WrongCode
    step = _step_of(factor, code) if factor.confirmed_at else None
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
    _tell(account, RECOVERY_CODE_USED.about(left=len(factor.recovery_hashes)))
    return factor


def renew_recovery_codes(*, account: Account, code: str) -> list[str]:
    """Make ten new recovery codes after a right code; the old ones stop working. Raises as `check`."""
    refuse_impersonator(account)
    check(account=account, code=code)
    return replace_recovery_codes(actor=account)


@transaction.atomic
def replace_recovery_codes(*, actor: Account) -> list[str]:
    """Make ten new recovery codes for whoever has just proven who they are; the old ones stop working.

    Raises WrongCode when the account has no second factor, or NotWhileImpersonating.
    """
    refuse_impersonator(actor)
    factor = SecondFactor.objects.select_for_update().filter(account=actor).first()
    if factor is None:
        raise errors.WrongCode
    codes = _new_codes()
    factor.recovery_hashes = [fingerprint(_bare(each)) for each in codes]
    factor.save(update_fields=["recovery_hashes"])
    audit.record("account.recovery_codes_renewed", actor=actor, obj=actor.audit_name)
    return codes


@transaction.atomic
def remove_application(*, actor: Account, must_keep_one: bool) -> bool:
    """Remove the application of the telephone. Returns whether there was one.

    `must_keep_one`: this account may not be without a second factor. Raises LastFactor then, or NotWhileImpersonating.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    factor = SecondFactor.objects.select_for_update().filter(account=account, secret__gt="").first()
    if factor is None or factor.confirmed_at is None:
        return False
    factor.secret, factor.confirmed_at = "", None
    factor.save(update_fields=["secret", "confirmed_at"])
    audit.record("account.second_factor_removed", actor=actor, obj=actor.audit_name)
    note_removed(account, must_keep_one=must_keep_one)
    _tell(account, FACTOR_REMOVED.about())
    return True


def note_removed(account: Account, *, must_keep_one: bool) -> None:
    """Forget the date and the recovery codes once the last second factor is gone. Raises LastFactor.

    Call it in the transaction that removed one, under the account's lock.
    """
    if confirmed(account) or Passkey.objects.filter(account=account).exists():
        return
    if must_keep_one:
        raise errors.LastFactor
    SecondFactor.objects.filter(account=account).delete()
    Account.objects.filter(pk=account.pk).update(second_factor_at=None)


@transaction.atomic
def reset(*, actor: audit.Actor, account: Account, reason: str) -> bool:
    """Delete the second factor of whoever lost it, passkeys included, end their sessions, and write to staff.

    The next sign-in sets up a new one. Returns whether there was one.
    """
    if isinstance(actor, Account):
        refuse_impersonator(actor)
    locked = Account.objects.select_for_update().get(pk=account.pk)
    found, _per_model = SecondFactor.objects.filter(account=locked).delete()
    if locked.is_town_staff:
        found += Passkey.objects.filter(account=locked).delete()[0]
    if not found and locked.second_factor_at is None:
        return False
    locked.second_factor_at = None
    locked.end_sessions()
    locked.save(update_fields=["second_factor_at", "sign_outs", "devices"])
    audit.record("account.second_factor_reset", actor=actor, obj=locked.audit_name, new={"reason": reason})
    _tell(locked, FACTOR_FORGOTTEN.about())
    return True


def forget(*, actor: Account, account: Account, reason: str = "") -> bool:
    """« Oublier le second facteur »: a manager does it for a colleague who lost theirs. Returns whether there was one.

    Raises MayNotForget: for oneself, by somebody who is no manager with a second factor, or for no member of staff.
    Raises NotWhileImpersonating: the operator does it from the console.
    """
    refuse_impersonator(actor)
    is_manager = actor.is_active and actor.role == Role.MANAGER and actor.second_factor_at is not None
    if not is_manager or actor.pk == account.pk or not account.is_town_staff:
        raise errors.MayNotForget
    return reset(actor=actor, account=account, reason=reason)


def _tell(account: Account, said: Said[Any]) -> None:
    """Write to staff about their own account. The console sends no message to operators."""
    if account.is_town_staff:
        notify(said, to=account.email, language=account.reads)


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
