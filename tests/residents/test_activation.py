"""Activation (docs/manual.md, M2, M3): known and unknown addresses, and every state of a LIEN."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link
from shared_apps.accounts.services import check_credentials, find_link
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation
from tenant_apps.residents.account import addresses
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payers_of
from tenants.models import Town
from tests.residents.mails import ask_address

PASSWORD = "un mot de passe bien long"


def lien_in(mail: OutgoingMail) -> str:
    found = re.search(r"http://mairie\.localhost(?::\d+)?/\?LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found, mail.text
    return found[1]


def ask(email: str) -> str:
    activation.request_activation(email=email)
    activation.handle_links()
    return lien_in(OutgoingMail.objects.get(to=email.strip().lower()))


def test_known_address_activates_and_sees_its_payer(town: Town, make_payer: Callable[..., Payer]) -> None:
    payer = make_payer(email="alice@example.net")
    token = ask(" Alice@Example.net ")
    account = activation.activate(token=token, password=PASSWORD)
    assert list(payers_of(account)) == [payer]
    assert check_credentials(email="ALICE@example.net", password=PASSWORD, ip="192.0.2.1") == account


def test_unknown_address_writes_the_same_row_and_no_mail(town: Town) -> None:
    activation.request_activation(email="stranger@example.net")
    assert Link.objects.filter(email="stranger@example.net", handled_at=None).count() == 1
    assert activation.handle_links() == 1
    assert not OutgoingMail.objects.exists()
    assert not Account.objects.exists()


def test_the_token_is_kept_as_a_hash_only(town: Town, make_payer: Callable[..., Payer]) -> None:
    make_payer(email="alice@example.net")
    token = ask("alice@example.net")
    assert token not in str(list(Link.objects.values()))


def test_looking_at_a_link_does_not_use_it_up(town: Town, make_payer: Callable[..., Payer]) -> None:
    make_payer(email="alice@example.net")
    token = ask("alice@example.net")
    find_link(token)
    find_link(token)
    activation.activate(token=token, password=PASSWORD)
    with pytest.raises(errors.LinkUsed):
        activation.activate(token=token, password=PASSWORD)


def test_expired_link(town: Town, make_payer: Callable[..., Payer]) -> None:
    make_payer(email="alice@example.net")
    token = ask("alice@example.net")
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(errors.LinkExpired):
        activation.activate(token=token, password=PASSWORD)


@pytest.mark.parametrize("token", ["", "X", "X" + "0" * 32, "'; DROP TABLE", "X" + "g" * 32])
def test_unknown_link(town: Town, token: str) -> None:
    with pytest.raises(errors.LinkUnknown):
        activation.activate(token=token, password=PASSWORD)


def test_short_password_leaves_the_link_usable(town: Town, make_payer: Callable[..., Payer]) -> None:
    make_payer(email="alice@example.net")
    token = ask("alice@example.net")
    with pytest.raises(errors.WeakPassword, match="12 caractères"):
        activation.activate(token=token, password="court")
    activation.activate(token=token, password=PASSWORD)


def test_asked_twice_within_a_minute_sends_one_message(town: Town, make_payer: Callable[..., Payer]) -> None:
    make_payer(email="alice@example.net")
    activation.request_activation(email="alice@example.net")
    activation.request_activation(email="alice@example.net")
    assert activation.handle_links() == 2
    assert OutgoingMail.objects.count() == 1


def test_new_address_serves_after_its_own_link_and_the_old_one_is_told(
    town: Town, make_account: Callable[..., Account], make_payer: Callable[..., Payer]
) -> None:
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    ask_address(alice, "alice.new@example.net")
    activation.handle_links()
    mail = OutgoingMail.objects.get()
    assert mail.to == "alice.new@example.net"
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email="alice.new@example.net", password=PASSWORD, ip="192.0.2.1")
    addresses.confirm_address(token=lien_in(mail))
    account = check_credentials(email="alice.new@example.net", password=PASSWORD, ip="192.0.2.1")
    assert list(payers_of(account)) == [payer]
    assert OutgoingMail.objects.filter(kind="address-changed", to="alice@example.net").count() == 1


def test_an_address_of_somebody_else_is_refused_without_saying_so(
    town: Town, make_account: Callable[..., Account]
) -> None:
    alice, bob = make_account("alice@example.net"), make_account("bob@example.net")
    ask_address(alice, "bob@example.net")
    activation.handle_links()
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to) == ("address-taken", bob.email)
    assert "LIEN" not in mail.text


def test_guessing_is_throttled(town: Town, make_account: Callable[..., Account]) -> None:
    make_account("alice@example.net")
    for _ in range(10):
        with pytest.raises(errors.WrongCredentials):
            check_credentials(email="alice@example.net", password="wrong", ip="192.0.2.1")
    with pytest.raises(errors.TooManyTries):
        check_credentials(email="alice@example.net", password=PASSWORD, ip="192.0.2.2")


def test_the_message_reads_well(town: Town, make_payer: Callable[..., Payer]) -> None:
    """Same words in both versions, the button and the plain link alike, and nothing of a template left over."""
    make_payer(email="alice@example.net")
    token = ask("alice@example.net")
    mail = OutgoingMail.objects.get()
    for body in (mail.text, mail.html):
        assert "choisissez le mot de passe de votre compte" in body
        assert "Ce lien est valable 24 heures" in body
        assert "Mairie de Démonstration" in body
        assert not re.search(r"[{}]\s*[%#{}]|[%#]}", body)
    assert mail.html.count(token) == 3  # the button, the link and what the link shows
    assert mail.html.lstrip().startswith("<!DOCTYPE html>")
    assert mail.secret  # the body goes once it is sent
