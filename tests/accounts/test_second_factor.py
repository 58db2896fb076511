"""Codes of the telephone and recovery codes: taken once, refused afterwards, counted, told in the trail."""

import time
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from django.core.management import CommandError, call_command

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.accounts.signing_in import second_factor
from shared_apps.accounts.throttling import throttle
from shared_apps.audit.models import AuditEntry
from tenants.models import Town


@pytest.fixture
def clerk(town: Town, make_account: Any) -> Account:
    """A member of staff: the room serves the towns as well as the console."""
    account: Account = make_account("agent@example.net", role=Role.CLERK)
    return account


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands still in a test: a step of thirty seconds ends in the middle of none."""
    now = time.time()
    monkeypatch.setattr(second_factor, "time", SimpleNamespace(time=lambda: now))


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(second_factor.time.time()) + 30 * steps)


def verbs() -> list[str]:
    return [entry.verb for entry in AuditEntry.objects.order_by("id") if entry.verb.startswith("account.")]


def enrol(account: Account) -> tuple[str, list[str]]:
    """Enrolled with the code before this one, so that the test has this step and the next one."""
    secret = second_factor.begin(account=account)
    return secret, second_factor.confirm(account=account, code=code(secret, -1))


def test_enrolled_by_a_right_code_only(clerk: Account) -> None:
    secret = second_factor.begin(account=clerk)
    assert second_factor.begin(account=clerk) == secret  # the page may be opened again
    assert not second_factor.is_enrolled(clerk)
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code=code(secret))  # not confirmed: it opens nothing
    with pytest.raises(errors.WrongCode):
        second_factor.confirm(account=clerk, code="000000")
    codes = second_factor.confirm(account=clerk, code=code(secret))
    assert second_factor.is_enrolled(clerk)
    assert len(set(codes)) == 10
    with pytest.raises(errors.AlreadyEnrolled):
        second_factor.begin(account=clerk)


def test_nothing_that_opens_is_kept_readable(clerk: Account) -> None:
    secret, codes = enrol(clerk)
    row = SecondFactor.objects.get(account=clerk)
    assert secret not in row.secret
    assert not set(codes) & set(row.recovery_hashes)


def test_a_code_serves_once(clerk: Account) -> None:
    secret, _codes = enrol(clerk)
    second_factor.check(account=clerk, code=code(secret))
    with pytest.raises(errors.CodeUsed):
        second_factor.check(account=clerk, code=code(secret))
    with pytest.raises(errors.CodeUsed):
        second_factor.check(account=clerk, code=code(secret, -1))  # an older one is no better
    typed = code(secret, 1)
    second_factor.check(account=clerk, code=f"{typed[:3]} {typed[3:]}")


@pytest.mark.parametrize("wrong", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "aaaaa-aaaaa"])
def test_other_words_are_refused(clerk: Account, wrong: str) -> None:
    enrol(clerk)
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code=wrong)


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_of_another_time_is_refused(clerk: Account, steps: int) -> None:
    secret, _codes = enrol(clerk)
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code=code(secret, steps))


def test_a_recovery_code_serves_once(clerk: Account) -> None:
    _secret, codes = enrol(clerk)
    second_factor.check(account=clerk, code=codes[0].upper().replace("-", " "))
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code=codes[0])
    second_factor.check(account=clerk, code=codes[1])
    assert len(SecondFactor.objects.get(account=clerk).recovery_hashes) == 8


def test_new_recovery_codes_replace_the_old_ones(clerk: Account) -> None:
    secret, old = enrol(clerk)
    with pytest.raises(errors.WrongCode):
        second_factor.renew_recovery_codes(account=clerk, code="000000")
    new = second_factor.renew_recovery_codes(account=clerk, code=code(secret))
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code=old[0])
    second_factor.check(account=clerk, code=new[0])


def test_guessing_is_slowed_down_also_for_the_right_code(clerk: Account) -> None:
    secret, codes = enrol(clerk)
    for _ in range(second_factor.TRIES):
        with pytest.raises(errors.WrongCode):
            second_factor.check(account=clerk, code="000000")
    for right in (code(secret), codes[0]):
        with pytest.raises(errors.TooManyTries):
            second_factor.check(account=clerk, code=right)
    throttle.clear(second_factor.CODE, str(clerk.uuid))
    second_factor.check(account=clerk, code=code(secret))


def test_the_trail_tells(clerk: Account) -> None:
    secret, codes = enrol(clerk)
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code="000000")
    second_factor.check(account=clerk, code=codes[0])
    second_factor.reset(actor="system", account=clerk, reason="Téléphone perdu")
    assert verbs()[-4:] == [
        "account.second_factor_enrolled",
        "account.code_refused",
        "account.recovery_code_used",
        "account.second_factor_reset",
    ]
    assert secret not in str(list(AuditEntry.objects.values_list("old", "new")))


def test_a_key_of_another_platform_opens_nothing(clerk: Account, settings: Any) -> None:
    """A town restored elsewhere: its sealed secrets cannot be read there; recovery codes still serve."""
    secret, codes = enrol(clerk)
    settings.SECRET_KEY = "another platform's key, as long as the first one was"
    with pytest.raises(errors.WrongCode):
        second_factor.check(account=clerk, code=code(secret))
    second_factor.check(account=clerk, code=codes[0])


def test_the_commands(db: None, town: Town, clerk: Account, operator: Account, capsys: Any) -> None:
    call_command("reset_second_factor", "Operator@example.net", "--reason", "Téléphone perdu")
    assert "est oublié" in capsys.readouterr().out
    call_command("reset_second_factor", "operator@example.net", "--reason", "Téléphone perdu")
    assert "n'avait pas" in capsys.readouterr().out
    enrol(clerk)
    call_command("reset_second_factor", "agent@example.net", "--town", "mairie", "--reason", "Perdu")
    assert not second_factor.is_enrolled(clerk)
    for words, arguments in (
        ("Personne", ["nobody@example.net", "--reason", "x"]),
        ("Aucune commune", ["agent@example.net", "--reason", "x", "--town", "nulle-part"]),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("reset_second_factor", *arguments)


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("new@example.net", "court", "12 caractères"),
        ("no address", "un mot de passe bien long", "e-mail"),
        ("operator@example.net", "un mot de passe bien long", "déjà"),
    ],
)
def test_an_operator_is_created_with_a_long_password(
    operator: Account, monkeypatch: Any, email: str, password: str, words: str
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    with pytest.raises(CommandError, match=words):
        call_command("create_operator", email, "--password-stdin")
    monkeypatch.setattr("sys.stdin", io.StringIO("un mot de passe bien long\n"))
    call_command("create_operator", "seconde@example.net", "--password-stdin")
    assert Account.objects.get(email="seconde@example.net").role == Role.OPERATOR
