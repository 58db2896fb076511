"""Two acts on one second factor at the same instant, on connections of their own."""

import time

import pyotp
import pytest

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Passkey, Role, SecondFactor
from shared_apps.accounts.services import create_account
from shared_apps.accounts.signing_in import passkeys, second_factor
from shared_apps.audit.models import AuditEntry
from tenants.models import Town
from tests.races import at_once
from tests.staff import protect

ROUNDS = 5


@pytest.fixture
def manager(live_town: Town) -> Account:
    return create_account(actor="system", email="chef@example.net", role=Role.MANAGER, password="x" * 20)


def test_of_two_factors_removed_at_once_one_stays(live_town: Town, manager: Account) -> None:
    """Each removal sees the other one's factor before it; whoever must have one keeps one."""
    for n in range(ROUNDS):
        protect(manager)
        Passkey.objects.filter(account=manager).delete()
        key = Passkey.objects.create(
            account=manager, rp_id="x", credential_id=bytes([n]), public_key=b"1", name="x"
        )
        raised = at_once(
            live_town,
            lambda: second_factor.remove_application(actor=manager, must_keep_one=True),
            lambda key=key: passkeys.remove_staff_key(actor=manager, key=key, must_keep_one=True),
        )
        assert [type(error) for error in raised] == [errors.LastFactor]
        manager.refresh_from_db()
        assert manager.second_factor_at is not None
        left = Passkey.objects.filter(account=manager).count() + second_factor.is_enrolled(manager)
        assert left == 1


def test_one_code_opens_once(live_town: Town, manager: Account) -> None:
    secret = protect(manager)
    code = pyotp.TOTP(secret).at(int(time.time()))
    one = second_factor.replace_recovery_codes(actor=manager)[0]
    for typed, refusal in ((code, errors.CodeUsed), (one, errors.WrongCode)):
        raised = at_once(
            live_town, *[lambda typed=typed: second_factor.check(account=manager, code=typed)] * 2
        )
        assert [type(error) for error in raised] == [refusal]


def test_enrolled_once(live_town: Town, manager: Account) -> None:
    """The button is pressed twice: one answer has the recovery codes, and these are the ones that serve."""
    secret = second_factor.begin(account=manager)
    code = pyotp.TOTP(secret).at(int(time.time()))
    shown: list[list[str]] = []
    raised = at_once(
        live_town,
        *[lambda: shown.append(second_factor.confirm(account=Account.objects.get(pk=manager.pk), code=code))]
        * 2,
    )
    assert [type(error) for error in raised] == [errors.AlreadyEnrolled]
    assert len(SecondFactor.objects.get().recovery_hashes) == 10
    second_factor.check(account=manager, code=shown[0][0])
    assert AuditEntry.objects.filter(verb="account.second_factor_enrolled").count() == 1
    manager.refresh_from_db()
    assert manager.sign_outs == 1


def test_forgotten_while_it_is_set_up(live_town: Town, manager: Account) -> None:
    """Whichever comes first, the date says what there is."""
    for _ in range(ROUNDS):
        second_factor.reset(actor="system", account=manager, reason="x")
        secret = second_factor.begin(account=manager)
        code = pyotp.TOTP(secret).at(int(time.time()))
        at_once(
            live_town,
            lambda code=code: second_factor.confirm(account=Account.objects.get(pk=manager.pk), code=code),
            lambda: second_factor.reset(actor="system", account=manager, reason="x"),
        )
        manager.refresh_from_db()
        assert (manager.second_factor_at is not None) == second_factor.is_enrolled(manager)
