"""A person is erased while they pay, sign in or ask for a link, on real connections and in any order."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.accounts.services import check_credentials, make_token
from shared_apps.mail.sending.delivery import deliver_outbox
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.control import auditing
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.online import paying
from tenant_apps.residents import activation as residents
from tenant_apps.residents.erasure import services as erasure
from tenants.models import Town
from tests.payments.conftest import Simulator
from tests.races import at_once
from tests.residents.people import where_is

EMAIL = "camille.unique@example.net"


@pytest.fixture
def leaving(live_town: Town, make_account: Callable[..., Account]) -> Account:
    account = make_account(EMAIL)
    erasure.request_erasure(actor=account)
    return account


def erase(account: Account) -> None:
    erasure.accept_erasure(actor="account:manager", account=account)


def nothing_left() -> None:
    queue_planned()
    deliver_outbox()
    assert where_is(EMAIL) == set()
    assert not auditing.differences()


@pytest.mark.parametrize("seed", range(4))
def test_while_the_money_comes(
    live_town: Town, leaving: Account, make_payer: Any, make_invoice: Any, simulator: Simulator, seed: int
) -> None:
    invoice: Invoice = make_invoice(make_payer(leaving))
    attempt = paying.start_payment(actor=leaving, invoice=invoice).attempt
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())
    acts: list[Callable[[], Any]] = [
        lambda: paying.ask(attempt=attempt, source="return"),
        paying.check_due,
        queue_planned,
        lambda: erase(leaving),
        lambda: erase(leaving),
    ]
    random.Random(seed).shuffle(acts)
    assert at_once(live_town, *acts) == []
    paying.check_due()
    invoice.refresh_from_db()
    assert invoice.is_paid
    assert Payment.objects.get().attempt == attempt
    nothing_left()


@pytest.mark.parametrize("seed", range(4))
def test_while_a_payment_begins(
    live_town: Town, leaving: Account, make_payer: Any, make_invoice: Any, simulator: Simulator, seed: int
) -> None:
    invoice: Invoice = make_invoice(make_payer(leaving))
    acts: list[Callable[[], Any]] = [
        lambda: paying.start_payment(actor=leaving, invoice=invoice),
        lambda: erase(leaving),
    ]
    random.Random(seed).shuffle(acts)
    raised = at_once(live_town, *acts)
    assert all(isinstance(error, NotPayable) for error in raised), raised
    assert Attempt.objects.filter(email="").count() == Attempt.objects.count() == 1 - len(raised)
    nothing_left()


@pytest.mark.parametrize("seed", range(4))
def test_while_they_sign_in_again(live_town: Town, leaving: Account, seed: int) -> None:
    link = Link.objects.create(purpose=LinkPurpose.RESET, email=EMAIL, account=leaving)
    token, password = make_token(link=link), "un autre bien long"
    residents.request_reset(email=EMAIL)
    acts: list[Callable[[], Any]] = [
        lambda: residents.activate(token=token, password=password),
        residents.handle_links,
        lambda: erase(leaving),
    ]
    random.Random(seed).shuffle(acts)
    raised = at_once(live_town, *acts)
    assert all(isinstance(error, errors.LinkUnknown) for error in raised), raised
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=EMAIL, password=password, ip="192.0.2.1")
    account = Account.objects.get()
    assert (account.pk, account.is_active, account.has_usable_password()) == (leaving.pk, False, False)
    residents.handle_links()
    Link.objects.filter(
        account=None, token_hash=None
    ).delete()  # if it was asked again meanwhile, the answer is that of an unknown address
    nothing_left()
