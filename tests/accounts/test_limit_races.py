"""Forty guesses at the same instant, on real connections: as many are looked at as one after the other."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import Client

from shared_apps.accounts import errors, services
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.passwords import hashing
from shared_apps.accounts.services import check_credentials
from shared_apps.accounts.signing_in import codes, second_factor
from shared_apps.accounts.throttling.limits import TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS
from tenant_apps.invoices import paper_proof
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.paper_proof import GUESSES, InvoiceCopy
from tenant_apps.residents.models import Payer
from tenant_apps.townhall.models import AccessRequestMode, TownHall
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.races import at_once
from toolkit import clock

AT_ONCE = 40
IP = "192.0.2.1"
Accounts = Callable[..., Account]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not make a turn to hash rarer: what is counted here are the tries."""
    monkeypatch.setattr(hashing, "PATIENCE", 60)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were really compared with a hash, one entry a comparison."""
    seen: list[str] = []
    verify = Argon2PasswordHasher.verify

    def counted(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        seen.append(password)
        return verify(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", counted)
    return seen


def kinds(raised: list[BaseException]) -> dict[str, int]:
    names = [type(error).__name__ for error in raised]
    return {name: names.count(name) for name in names}


def test_forty_wrong_passwords_at_once_are_ten(
    live_town: Town, make_account: Accounts, verified: list[str]
) -> None:
    make_account("alice@example.net")
    tries = [
        partial(check_credentials, email="alice@example.net", password=f"wrong {n}", ip=f"192.0.2.{n}")
        for n in range(AT_ONCE)
    ]
    found = kinds(at_once(live_town, *tries))
    assert found == {"WrongCredentials": TRIES_PER_ACCOUNT, "ShutOut": AT_ONCE - TRIES_PER_ACCOUNT}
    assert len(verified) == TRIES_PER_ACCOUNT


def test_sixty_addresses_tried_at_once_from_one_place_are_fifty(live_town: Town) -> None:
    """Nobody has them: what is counted is where they come from."""
    tries = [
        partial(check_credentials, email=f"nobody{n}@example.net", password="wrong", ip=IP) for n in range(60)
    ]
    found = kinds(at_once(live_town, *tries))
    assert found["WrongCredentials"] == TRIES_PER_ADDRESS


def test_forty_guesses_inside_a_session_are_ten(
    live_town: Town, make_account: Accounts, verified: list[str]
) -> None:
    alice = make_account("alice@example.net")
    rule = services.PasswordRule()
    tries = [
        partial(
            services.change_password, actor=alice, current=f"wrong {n}", new="un tout autre mot", rule=rule
        )
        for n in range(AT_ONCE)
    ]
    assert kinds(at_once(live_town, *tries))["WrongPassword"] == TRIES_PER_ACCOUNT
    assert len(verified) == TRIES_PER_ACCOUNT


def test_codes_of_several_browsers_tried_at_once_are_ten(live_town: Town, make_account: Accounts) -> None:
    """Five codes live at once, each with five tries: the day's limit is for the address, not for each."""
    alice = make_account("alice@example.net")
    links = [codes.ask_code(email=alice.email, ip=IP) for _ in range(codes.SENT)]
    for link in links:
        codes.make_code(link=link, account=alice)
    tries = [
        partial(codes.use_code, public_id=link.uuid, code="none", ip=f"192.0.2.{n}")
        for n in range(codes.TRIES)
        for link in links
    ]
    assert len(at_once(live_town, *tries)) == len(tries)
    with connection.cursor():
        told = Link.objects.filter(purpose=LinkPurpose.CODE)
        assert sum(link.tries for link in told) == codes.WRONG_A_DAY


def test_papers_of_one_payer_tried_at_once_are_five(
    live_town: Town,
    make_account: Accounts,
    make_payer: Callable[..., Payer],
    make_invoice: Callable[..., Invoice],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each about another invoice, so that only the payer is the same."""
    TownHall.objects.update(payer_claims=AccessRequestMode.APPROVAL)
    charlie, payer = make_account("charlie@example.net"), make_payer()
    bills = [make_invoice(payer, issued_on=clock.today()) for _ in range(12)]
    compared: list[InvoiceCopy] = []
    judge: Any = paper_proof._is
    monkeypatch.setattr(paper_proof, "_is", lambda bill, copy: (compared.append(copy), judge(bill, copy))[1])
    copies = [InvoiceCopy(bill.number, bill.amount, f"WRONG{n}") for n, bill in enumerate(bills)]
    tries = [partial(paper_proof.request_access, actor=charlie, copy=copy) for copy in copies]
    assert at_once(live_town, *tries) == []
    assert len({copy.number for copy in compared}) == GUESSES
    payer.refresh_from_db()
    assert payer.access_requests_locked_until is not None
    right = replace(copies[0], reference=bills[0].reference, amount=Decimal(bills[0].amount))
    assert paper_proof.request_access(actor=charlie, copy=right) is None


def test_codes_of_the_telephone_tried_at_once_are_five(live_town: Town, make_account: Accounts) -> None:
    clerk = make_account("clerk@example.net", role=Role.MANAGER)
    second_factor.begin(account=clerk)
    tries = [partial(second_factor.check, account=clerk, code=f"{n:06}") for n in range(20)]
    assert kinds(at_once(live_town, *tries))["WrongCode"] == second_factor.TRIES


def test_bad_links_opened_at_once_are_fifty(live_town: Town) -> None:
    host = live_town.domains.get().domain
    statuses: list[int] = []

    def look(n: int) -> None:
        client = Client(headers={"host": host})
        statuses.append(client.get("/", {"LIEN": f"{n:064}"}, REMOTE_ADDR=IP).status_code)

    assert at_once(live_town, *(partial(look, n) for n in range(60))) == []
    assert statuses.count(410) == TRIES_PER_ADDRESS
    assert statuses.count(429) == 60 - TRIES_PER_ADDRESS


def test_a_success_gives_back_what_it_took(live_town: Town, make_account: Accounts) -> None:
    """A whole library signs in behind one network address, and nobody there is shut out."""
    alice = make_account("alice@example.net")
    for _ in range(TRIES_PER_ADDRESS + 1):
        assert check_credentials(email=alice.email, password=PASSWORD, ip=IP) == alice
    for _ in range(TRIES_PER_ACCOUNT - 1):
        with pytest.raises(errors.WrongCredentials):
            check_credentials(email=alice.email, password="wrong", ip=IP)
    assert check_credentials(email=alice.email, password=PASSWORD, ip=IP) == alice
    for _ in range(TRIES_PER_ACCOUNT):  # the success forgot the nine
        with pytest.raises(errors.WrongCredentials):
            check_credentials(email=alice.email, password="wrong", ip=IP)
