"""What the rule refuses, and what it must leave alone: a person refused without reason goes away."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import override_settings

from sandbox.home import REPOSITORY
from shared_apps.accounts.errors import WeakPassword
from shared_apps.accounts.models import Account
from shared_apps.accounts.passwords import known
from shared_apps.accounts.passwords.rule import LONGEST, PasswordRule
from shared_apps.accounts.services import change_password
from tenant_apps.townhall.queries import password_rule
from tenants.models import Town
from tests.conftest import PASSWORD
from toolkit.secrecy import hashfile

TOWN = ("Commune de Pechabou", "pechabou")
RULE = PasswordRule(town=TOWN)
SHORT = PasswordRule(5, town=TOWN)
EMAIL = "jean.dupont75@orange.example"


@pytest.mark.parametrize(
    "password",
    [
        "qwertyuiop123",  # of Django's list, and a tail
        "1qa2ws3ed4rf5tg",  # of zxcvbn's alone
        "THECAKEISALIE",
        "Bonjour2024!",
        "soleil14071789",  # a word and a date
        "Mot de passe 2024",
        "P@ssw0rd2024",
        "azertyuiopqs",
        "nbvcxwmlkjhg",
        "123456789012",
        "9876543210987!",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "motdepassemotdepasse",
    ],
)
def test_what_everybody_tries_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="trop connu"):
        RULE.check(password, email=EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "Pechabou31370",
        "commune-de-pechabou",
        "pechabou*pechabou",
        "JeanDupont1975",
        "dupont.jean75!",
        "orange-dupont",
        "mes factures 2026",
    ],
)
def test_what_is_known_of_the_person_and_of_the_town_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="reprend votre adresse"):
        RULE.check(password, email=EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "coquelicot et tournesol",
        "j'aime le chocolat",
        "le marché de Pechabou sent bon",  # the town's name is only a part of it
        "jean mange une pomme",
        "orange sanguine et citron",
        "soleilbonjourlune",
        "x7291836450182",
        "kT9$vLq2#mWz",
        "!?;:§%£*µ^¨$",
        "Chrysanthèmes-d'automne",
        "мой пароль не простой",
        "soleil-19-bruine-54",
    ],
)
def test_what_nobody_guesses_is_taken(password: str) -> None:
    RULE.check(password, email=EMAIL)


@pytest.mark.parametrize("password", ["facture", "coquelicot", "tournesol", "azerty"])
def test_the_manual_s_short_rule_stays_easy(password: str) -> None:
    """Five characters are the town's choice (docs/manual.md, M3): the lists would refuse half of what fits."""
    SHORT.check(password, email="resident@example.net")


@pytest.mark.parametrize("password", ["resident", "Resident@example.net"])
@pytest.mark.parametrize("rule", [SHORT, PasswordRule(8)])
def test_one_s_own_address_is_refused_under_every_rule(rule: PasswordRule, password: str) -> None:
    with pytest.raises(WeakPassword, match="ne peut pas être votre adresse"):
        rule.check(password, email="resident@example.net")
    SHORT.check(password, email="somebody@example.org")


def test_length() -> None:
    with pytest.raises(WeakPassword, match="au moins 12 caractères"):
        RULE.check("kT9$vLq2#mW")
    with pytest.raises(WeakPassword, match="au moins 5 caractères"):
        SHORT.check("kT9$")
    assert PasswordRule(1).minimum == 5
    RULE.check("kT9$ vLq2 " * (LONGEST // 10))
    with pytest.raises(WeakPassword, match="trop long"):
        RULE.check("kT9$" * LONGEST)


def test_the_sentence_says_what_is_refused() -> None:
    assert SHORT.sentence == "Au moins 5 caractères. N'employez pas votre adresse e-mail."
    assert "le nom de la commune" in RULE.sentence
    assert "commune" not in PasswordRule().sentence  # an operator's
    assert "volés" not in RULE.sentence
    with override_settings(BREACHED_PASSWORDS="/somewhere"):
        assert "volés sur d'autres sites" in RULE.sentence
        assert "volés" not in SHORT.sentence


def test_the_rule_of_a_town_knows_its_name_and_the_person(
    town: Town, make_account: Callable[..., Account]
) -> None:
    alice = make_account("alice.martin@example.net")
    for weak in ("demonstration2026", "Mairie-2026-!", "alicemartin2026"):
        with pytest.raises(WeakPassword, match="reprend"):
            change_password(actor=alice, current=PASSWORD, new=weak, rule=password_rule())
    change_password(actor=alice, current=PASSWORD, new="un tout autre mot", rule=password_rule())


def test_the_lists_are_read_whole_and_without_zxcvbn() -> None:
    """40,000 words in less than half a megabyte, and none of the 11 that the package itself takes."""
    lists = known._lists()
    assert len(set(lists.split(b"\n"))) > 40_000
    assert len(lists) < 500_000
    script = (
        "import django; from django.conf import settings; settings.configure(BREACHED_PASSWORDS='');"
        "from shared_apps.accounts.passwords.known import is_common; import sys;"
        "assert is_common('thecakeisalie') and not is_common('thecake'); print('zxcvbn' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- the operator's file ---------------------------------------------------------------------------------------------


def sha1(word: str) -> str:
    return hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper()


def written(folder: Path, words: list[str], *, end: str = "\r\n", last_end: bool = True) -> Path:
    """A file as the downloader writes it: the counts are of several lengths, and so are the lines."""
    lines = sorted(f"{sha1(word)}:{7 ** (n % 9)}" for n, word in enumerate(words))
    file = folder / "pwned.txt"
    file.write_text(end.join(lines) + (end if last_end else ""), newline="")
    return file


@pytest.mark.parametrize("number", [1, 2, 3, 500])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_end", [True, False])
def test_every_line_is_found_and_nothing_else(tmp_path: Path, number: int, end: str, last_end: bool) -> None:
    words = [f"mot {n}" for n in range(number)]
    file = written(tmp_path, words, end=end, last_end=last_end)
    assert hashfile.complaint(file) is None
    assert all(hashfile.holds(file, sha1(word)) for word in words)
    assert hashfile.holds(file, sha1(words[0]).lower())
    assert not any(hashfile.holds(file, sha1(f"autre {n}")) for n in range(number))
    for end_of_range in ("0" * 40, "F" * 40):
        assert not hashfile.holds(file, end_of_range)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    """Some twenty lines of twenty thousand: forty would do for the billion of the true file."""
    file = written(tmp_path, [f"mot {n}" for n in range(20_000)])
    reads = _bytes_read_by(lambda: hashfile.holds(file, sha1("mot 19999")))
    assert reads < 20 * 4 * 256 < file.stat().st_size / 20
    assert _bytes_read_by(lambda: hashfile.complaint(file)) < 70 * 2 * 256


def _bytes_read_by(act: Callable[[], object]) -> int:
    """As the kernel counts what this process reads."""
    count = lambda: int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])  # noqa: E731
    count()
    before = count()
    overhead = count() - before
    before = count()
    act()
    return count() - before - overhead


def test_a_stolen_password_is_refused_exactly_as_typed(tmp_path: Path) -> None:
    file = written(tmp_path, ["le chat de la voisine", "autre chose"])
    RULE.check("le chat de la voisine")
    with override_settings(BREACHED_PASSWORDS=str(file)):
        with pytest.raises(WeakPassword, match="volés sur d'autres sites"):
            RULE.check("le chat de la voisine")
        RULE.check("Le chat de la voisine")
        PasswordRule(7).check("le chat de la voisine")  # the town chose ease


def test_a_file_that_went_away_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(BREACHED_PASSWORDS=str(tmp_path / "gone")):
        RULE.check("le chat de la voisine")
    assert "stolen passwords are not refused" in caplog.text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "there is no such file"),
        ("", "not of the form"),
        ("bonjour\n", "not of the form"),
        ("0" * 32 + ":3\n", "not of the form"),  # NTLM hashes
        ("0" * 35 + ":3\n", "not of the form"),  # one range, without its prefix
        ("0" * 40 + "\n", "not of the form"),
        ("x" * 100_000, "not of the form"),
        (f"{sha1('a')}:3\n{sha1('b')}:{'9' * 90}\n", "not of the form"),
        ("".join(sorted((f"{sha1(str(n))}:1\n" for n in range(9)), reverse=True)), "not sorted"),
        ("".join(f"{sha1(str(n))}:1\n" for n in range(500)), "not sorted"),  # as it was downloaded
    ],
)
def test_a_doubtful_file_is_named_at_boot(
    tmp_path: Path, content: str | None, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import env

    file = tmp_path / "pwned.txt"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("BREACHED_PASSWORDS", str(file))
    with pytest.raises(env.Misconfigured, match=complaint) as stopped:
        env.hashes("BREACHED_PASSWORDS")
    assert str(file) in str(stopped.value)
    assert len(str(stopped.value)) < 400


def test_a_directory_is_no_file_and_nothing_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import env

    assert hashfile.complaint(tmp_path) == "there is no such file"
    monkeypatch.delenv("BREACHED_PASSWORDS", raising=False)
    assert env.hashes("BREACHED_PASSWORDS") == ""
    monkeypatch.setenv("BREACHED_PASSWORDS", str(written(tmp_path, ["mot"])))
    assert env.hashes("BREACHED_PASSWORDS").endswith("pwned.txt")
