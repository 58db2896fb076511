"""Passkeys: what signs in, and everything that does not (two at once: test_passkey_races.py)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_tenants.utils import tenant_context
from fido2.cose import ES384
from fido2.webauthn import AuthenticatorData

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Impersonation, Passkey, Role
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.signing_in import challenges, passkeys
from shared_apps.accounts.signing_in.webauthn import LONGEST_ANSWER, Place
from shared_apps.accounts.throttling import limits, throttle
from shared_apps.audit.models import AuditEntry
from tenants.hosts.sessions import SessionStore
from tenants.models import Town
from tests.accounts.authenticator import Authenticator
from tests.throttling import tries_of

FLAG = AuthenticatorData.FLAG
HERE = Place(host="mairie.localhost", origin="http://mairie.localhost:8000")
THERE = Place(host="factures.example.org", origin="https://factures.example.org")
IP = "192.0.2.1"


def fresh_session(**content: Any) -> SessionStore:
    session = SessionStore()
    session.update(content)
    session.save()
    return session


def add(account: Account, key: Authenticator, place: Place = HERE, **wrong: Any) -> Passkey:
    """The whole road, as the browser walks it."""
    session = fresh_session()
    recent.signed_in(request=type("Request", (), {"session": session})())
    options = passkeys.ask_to_add(actor=account, place=place, session=session)
    session.save()
    answer = key.create(options, wrong.pop("origin", place.origin), **wrong)
    new = passkeys.read_new_key(place=place, session=session, answer=answer)
    return passkeys.add_key(actor=account, place=place, new=new, user_agent="Chrome/1 Windows")


def asked(place: Place = HERE) -> tuple[SessionStore, dict[str, Any]]:
    session = fresh_session()
    options = passkeys.ask_to_sign_in(place=place, session=session, ip=IP)
    session.save()
    return session, options


def sign_in(key: Authenticator, place: Place = HERE, **wrong: Any) -> Account:
    session, options = asked(place)
    answer = key.get(options, wrong.pop("origin", place.origin), **wrong)
    return passkeys.sign_in(place=place, session=session, answer=answer, ip=IP)


@pytest.mark.parametrize("counts", [True, False])
def test_the_whole_road(alice: Account, counts: bool) -> None:
    telephone = Authenticator(counts=counts)
    key = add(alice, telephone)
    assert (key.name, key.last_used_at, telephone.user_handle) == (
        "Chrome sur Windows",
        None,
        alice.uuid.bytes,
    )
    for _ in range(2):
        assert sign_in(telephone) == alice
    key.refresh_from_db()
    assert key.sign_count == (3 if counts else 0)
    assert key.last_used_at is not None
    assert list(AuditEntry.objects.filter(verb__contains="passkey").values_list("verb", flat=True)) == [
        "account.passkey_added"
    ]


def test_what_the_browser_is_asked_for(alice: Account, make_account: Callable[..., Account]) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    add(alice, Authenticator(), THERE)
    session = fresh_session(proven_at=timezone.now().timestamp())
    options = passkeys.ask_to_add(actor=alice, place=HERE, session=session)
    assert options["rp"] == {"id": "mairie.localhost", "name": "Mairie de Démonstration"}
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert len(options["excludeCredentials"]) == 1  # of this host
    assert alice.email not in str(options["user"]["id"])
    _session, options = asked()
    assert "allowCredentials" not in options  # nothing about anybody
    assert options["userVerification"] == "required"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://mairie.localhost.evil.com:8000"},
        {"origin": "http://evil.mairie.localhost:8000"},  # which the library alone would take
        {"origin": "https://mairie.localhost:8000"},
        {"origin": "http://mairie.localhost"},
        {"cross_origin": True},
        {"rp_id": "localhost"},
        {"rp_id": "pechabou.localhost"},
        {"challenge": b"x" * 32},
        {"kind": "create"},
        {"flags": FLAG.UP},  # nobody verified
        {"flags": FLAG.UV},
        {"signature": b"0" * 70},
        {"user_handle": b""},
        {"user_handle": b"x" * 16},
    ],
)
def test_a_wrong_answer_opens_nothing(alice: Account, wrong: dict[str, Any]) -> None:
    telephone = Authenticator()
    key = add(alice, telephone)
    with pytest.raises(errors.KeyRefused):
        sign_in(telephone, **wrong)
    key.refresh_from_db()
    assert (key.sign_count, key.last_used_at) == (1, None)
    assert tries_of(limits.PLACE, IP) == 1
    assert sign_in(telephone) == alice


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://evil.mairie.localhost:8000"},
        {"cross_origin": True},
        {"rp_id": "localhost"},
        {"challenge": b"x" * 32},
        {"kind": "get"},
        {"flags": FLAG.UP},
        {"flags": FLAG.UV},
        {"public_key": {1: 2, 3: -7777, -1: 1, -2: b"x", -3: b"y"}},
        {"public_key": {**dict.fromkeys((-2, -3), b"x" * 48), 1: 2, 3: ES384.ALGORITHM, -1: 2}},
    ],
)
def test_a_wrong_key_is_not_kept(alice: Account, wrong: dict[str, Any]) -> None:
    with pytest.raises(errors.NewKeyRefused):
        add(alice, Authenticator(), **wrong)
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{}",
        "é" * 10,
        '{"id": "AA", "rawId": "AB", "response": {}}',
        '{"rawId": 7, "response": {"clientDataJSON": 7}}',
        '{"rawId": "AA", "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA"}}',
        "[" * 9000,
        '{"rawId": "' + "A" * LONGEST_ANSWER + '"}',
    ],
)
def test_nonsense(alice: Account, answer: str) -> None:
    session, _options = asked()
    with pytest.raises(errors.KeyRefused):
        passkeys.sign_in(place=HERE, session=session, answer=answer, ip=IP)
    challenges.give(session, challenges.Purpose.ADD)
    session.save()
    with pytest.raises(errors.NewKeyRefused):
        passkeys.read_new_key(place=HERE, session=session, answer=answer)


def test_a_key_of_another_host_serves_there_only(alice: Account) -> None:
    telephone = Authenticator()
    add(alice, telephone, THERE)
    with pytest.raises(errors.KeyRefused):
        sign_in(telephone, HERE)
    assert sign_in(telephone, THERE) == alice


def test_a_challenge_serves_once(alice: Account) -> None:
    telephone = Authenticator(counts=False)  # no counter to save us
    add(alice, telephone)
    session, options = asked()
    answer = telephone.get(options, HERE.origin)
    again = SessionStore(session.session_key)
    again.load()  # another process that has the session in memory already
    assert passkeys.sign_in(place=HERE, session=session, answer=answer, ip=IP) == alice
    for late in (session, again, SessionStore(session.session_key), asked()[0], fresh_session()):
        with pytest.raises(errors.KeyRefused):
            passkeys.sign_in(place=HERE, session=late, answer=answer, ip=IP)


def test_a_refusal_uses_the_challenge_up(alice: Account) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    session, options = asked()
    with pytest.raises(errors.KeyRefused):
        passkeys.sign_in(place=HERE, session=session, answer="{}", ip=IP)
    with pytest.raises(errors.ChallengeGone):
        passkeys.sign_in(place=HERE, session=session, answer=telephone.get(options, HERE.origin), ip=IP)


def test_a_challenge_lives_five_minutes(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    session, options = asked()
    answer = telephone.get(options, HERE.origin)
    later = challenges.time.time() + challenges.LIFE + 1
    monkeypatch.setattr(challenges.time, "time", lambda: later)
    with pytest.raises(errors.ChallengeGone):
        passkeys.sign_in(place=HERE, session=session, answer=answer, ip=IP)


def test_a_challenge_serves_one_purpose(alice: Account) -> None:
    telephone = Authenticator()
    session, options = asked()
    answer = telephone.create({**options, "rp": {"id": HERE.host}, "user": {"id": "AA"}}, HERE.origin)
    with pytest.raises(errors.NewKeyRefused):
        passkeys.read_new_key(place=HERE, session=session, answer=answer)


def test_another_town_s_challenge(alice: Account, other_town: Town) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    with tenant_context(other_town):
        session, options = asked(Place("pechabou.localhost", "http://pechabou.localhost:8000"))
    assert not Session.objects.filter(session_key=session.session_key).exists()
    answer = telephone.get(options, HERE.origin, rp_id=HERE.host)
    with pytest.raises(errors.ChallengeGone):
        passkeys.sign_in(place=HERE, session=SessionStore(session.session_key), answer=answer, ip=IP)
    with tenant_context(other_town), pytest.raises(errors.KeyRefused):
        sign_in(telephone)  # nobody has this key there


def test_a_counter_that_goes_back_is_refused_and_recorded(alice: Account) -> None:
    telephone = Authenticator()
    key = add(alice, telephone)
    assert sign_in(telephone) == alice
    telephone.count -= 1  # a copy, which is one behind
    with pytest.raises(errors.KeyRefused):
        sign_in(telephone)
    entry = AuditEntry.objects.get(verb="account.passkey_refused")
    assert (entry.old["sign_count"], entry.new["sign_count"]) == (2, 2)
    telephone.counts, telephone.count = False, 0
    with pytest.raises(errors.KeyRefused):
        sign_in(telephone)
    key.refresh_from_db()
    assert key.sign_count == 2
    assert AuditEntry.objects.filter(verb="account.passkey_refused").count() == 2


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.OPERATOR}])
def test_an_account_that_may_not(alice: Account, change: dict[str, Any]) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    Account.objects.filter(pk=alice.pk).update(**change)
    alice.refresh_from_db()
    with pytest.raises(errors.KeyRefused) as refused:
        sign_in(telephone)
    assert str(refused.value) == str(errors.KeyRefused())  # the words for an unknown key
    with pytest.raises(errors.NewKeyRefused):
        add(alice, Authenticator())


def test_guesses_are_counted(alice: Account) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    for _ in range(limits.TRIES_PER_ADDRESS):
        throttle.take((limits.PLACE, IP))
    with pytest.raises(errors.TooManyTries):
        sign_in(telephone)
    for _ in range(passkeys.ASKED.most):
        throttle.take((passkeys.ASKED, "192.0.2.2"))
    with pytest.raises(errors.TooManyTries):
        passkeys.ask_to_sign_in(place=HERE, session=fresh_session(), ip="192.0.2.2")


def test_only_soon_after_signing_in(alice: Account) -> None:
    old = timezone.now().timestamp() - recent.JUST_NOW.total_seconds() - 1
    for session in (fresh_session(), fresh_session(proven_at=old)):
        with pytest.raises(errors.SignInTooOld):
            passkeys.ask_to_add(actor=alice, place=HERE, session=session)


def test_ten_are_enough(alice: Account) -> None:
    for _ in range(passkeys.MOST):
        add(alice, Authenticator())
    with pytest.raises(errors.TooManyKeys):
        add(alice, Authenticator())


def test_an_id_is_one_person_s(alice: Account, make_account: Callable[..., Account]) -> None:
    telephone = Authenticator()
    add(alice, telephone)
    with pytest.raises(errors.NewKeyRefused):
        add(make_account("bob@example.net"), telephone)
    telephone.user_handle = alice.uuid.bytes
    assert sign_in(telephone) == alice


def test_renamed_and_removed(alice: Account, make_account: Callable[..., Account]) -> None:
    telephone = Authenticator()
    key = add(alice, telephone)
    passkeys.rename_key(actor=alice, key=key, name="  Mon \n téléphone " + "é" * 99)
    key.refresh_from_db()
    assert key.name.startswith("Mon téléphone é")
    assert len(key.name) == passkeys.LONGEST_NAME
    passkeys.rename_key(actor=alice, key=key, name=" ")
    key.refresh_from_db()
    assert key.name
    with pytest.raises(Passkey.DoesNotExist):
        passkeys.key_of(make_account("bob@example.net"), key.uuid)
    assert passkeys.remove_key(actor=alice, key=passkeys.key_of(alice, key.uuid))
    assert not passkeys.remove_key(actor=alice, key=key)
    assert AuditEntry.objects.filter(verb="account.passkey_removed").count() == 1
    with pytest.raises(errors.KeyRefused):
        sign_in(telephone)


def test_not_in_somebody_s_place(alice: Account) -> None:
    key = add(alice, Authenticator())
    session = fresh_session(proven_at=timezone.now().timestamp())
    alice.impersonated_by = Impersonation()
    for act in (
        lambda: passkeys.ask_to_add(actor=alice, place=HERE, session=session),
        lambda: passkeys.add_key(actor=alice, place=HERE, new=None, user_agent=""),  # type: ignore[arg-type]
        lambda: passkeys.rename_key(actor=alice, key=key, name="x"),
        lambda: passkeys.remove_key(actor=alice, key=key),
    ):
        with pytest.raises(errors.NotWhileImpersonating):
            act()
    assert Passkey.objects.count() == 1


def test_nothing_secret_is_kept(alice: Account) -> None:
    telephone = Authenticator()
    key = add(alice, telephone)
    secret = telephone.private.private_numbers().private_value.to_bytes(32, "big")
    assert secret not in bytes(key.public_key)
    session, options = asked()
    kept = Session.objects.get(session_key=session.session_key).get_decoded()
    assert json.dumps(kept).count("hex") == 1
    assert len(options["challenge"]) >= 43  # 32 random bytes
