"""Whole payments with a new provider that adds only its folder and its settings."""

import importlib
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import clear_url_caches
from django.utils import timezone
from django_tenants.utils import tenant_context

import config.urls.callback
from shared_apps.accounts.models import Account, Role
from shared_apps.treasury.models import Route
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import NotPayable, ProductRefused, ProviderUnavailable
from tenant_apps.payments.models import Attempt, Finding, Payment, TestPayment
from tenant_apps.payments.online import going_live, paying, review
from tenant_apps.payments.online.incoming import addresses
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.products.models import Mode, Product
from tenant_apps.products.services import set_up_product
from tenants.models import Town
from tests.payments.second.service import KEY, Service, signature


def mount() -> None:
    """Load the routes of the callback host again, with the current settings."""
    importlib.reload(addresses)
    importlib.reload(config.urls.callback)
    clear_url_caches()


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    """The card service, with the settings that a deployment would add."""
    with Service() as found:
        settings.PAYMENT_PROVIDERS = {**configured.PAYMENT_PROVIDERS, "second": "tests.payments.second"}
        settings.SECOND_SERVICE_URL, settings.SECOND_KEY = found.url, KEY
        from tenant_apps.payments.providers import registry

        registry._made.cache_clear()
        mount()
        yield found
        settings.PAYMENT_PROVIDERS = {
            name: folder for name, folder in configured.PAYMENT_PROVIDERS.items() if name != "second"
        }
        registry._made.cache_clear()
        mount()


@pytest.fixture
def road(
    town: Town, service: Service, make_account: Callable[..., Account], make_payer: Any, make_invoice: Any
) -> SimpleNamespace:
    """Alice, her invoice, and the product that is paid by Carte Simple."""
    product = Product.objects.get()
    set_up_product(
        actor="system", code=product.code, label=product.label, protocol="second", numcli="SHOP-1234"
    )
    alice = make_account("alice@example.net")
    return SimpleNamespace(alice=alice, invoice=make_invoice(make_payer(alice)), service=service, town=town)


def start(road: SimpleNamespace) -> Attempt:
    return paying.start_payment(actor=road.alice, invoice=road.invoice).attempt


def notify(road: SimpleNamespace, body: str, signed: str | None = None) -> None:
    answer = Client().post(
        "/carte-simple/",
        body,
        content_type="application/json",
        headers={"host": "paiement.localhost", "x-signature": signature(body) if signed is None else signed},
    )
    assert (answer.status_code, answer.content) == (200, b"OK")


def becomes(road: SimpleNamespace, attempt: Attempt, status: str) -> str:
    """Set the result at the card service. Returns the body of its notification."""
    at = timezone.now().isoformat() if status == "paid" else ""
    road.service.operations[attempt.operation].update(status=status, at=at, ticket="T-1" if at else "")
    return str(road.service.told(attempt.operation or ""))


def state(road: SimpleNamespace) -> tuple[str, int, bool]:
    """(state of the last attempt, number of payments, whether the invoice is paid)."""
    with tenant_context(road.town):
        invoice = Invoice.objects.get(pk=road.invoice.pk)
        attempt = Attempt.objects.order_by("-id")[0]
        return attempt.state, Payment.objects.count(), invoice.is_paid


def test_away_and_its_own_words(road: SimpleNamespace, client_for: Callable[..., Client]) -> None:
    browser = client_for(road.alice)
    page = browser.get(f"/factures/{road.invoice.uuid}/payer/").content.decode()
    assert "Payer avec Carte Simple" in page
    assert "Numéro de boutique" in page
    assert "SHOP-1234" in page
    assert "Trésor public" not in page.split("<main")[1].split("</main>")[0]
    answer = browser.post(f"/factures/{road.invoice.uuid}/payer/")
    attempt = Attempt.objects.get()
    assert answer["Location"] == f"{road.service.url}/pay/{attempt.operation}"
    asked = road.service.operations[attempt.operation]
    assert asked["notify"].split("//")[1].startswith("paiement.localhost")
    assert asked["notify"].endswith("/carte-simple/")
    assert asked["back"].endswith(f"/factures/{road.invoice.uuid}/retour/")
    assert (attempt.provider, attempt.merchant, attempt.mode) == ("second", "SHOP-1234", "W")
    assert Route.objects.filter(kind="second").exists()
    assert attempt.free_at - timezone.now() < timedelta(minutes=31)  # the schedule of this provider


def test_a_notification_is_settled_once(road: SimpleNamespace) -> None:
    attempt = start(road)
    body = becomes(road, attempt, "paid")
    for _ in range(3):
        notify(road, body)
    assert state(road) == ("paid", 1, True)
    with tenant_context(road.town):
        payment = Payment.objects.get()
        assert (payment.provider, payment.provider_reference) == ("second", attempt.operation)
        assert (payment.means, payment.authorization) == ("card", "T-1")
        assert road.service.asked == 0  # it is signed, so nobody had to ask
        paying.check_due()
    assert state(road) == ("paid", 1, True)


def test_the_return_asks(road: SimpleNamespace, client_for: Callable[..., Client]) -> None:
    attempt = start(road)
    becomes(road, attempt, "paid")
    page = client_for(road.alice).get(f"/factures/{road.invoice.uuid}/retour/").content.decode()
    assert "votre paiement est enregistré" in page
    assert "ticket" not in page  # only the Treasury sends a ticket
    assert state(road) == ("paid", 1, True)


def test_refused_and_begun_again(road: SimpleNamespace) -> None:
    attempt = start(road)
    notify(road, becomes(road, attempt, "refused"))
    assert state(road) == ("refused", 0, False)
    with tenant_context(road.town):
        attempt.refresh_from_db()
        assert attempt.reason == "Carte Simple a refusé la carte."
        assert payability_of(road.invoice).can
        again = start(road)
        assert again.operation != attempt.operation
    notify(road, becomes(road, again, "paid"))
    assert state(road) == ("paid", 1, True)


def test_asked_again_then_expired_then_paid_after_all(road: SimpleNamespace) -> None:
    attempt = start(road)
    paying.check_due()
    assert road.service.asked == 0  # it is not due yet
    Attempt.objects.update(next_check_at=timezone.now())
    paying.check_due()
    attempt.refresh_from_db()
    assert (road.service.asked, attempt.state) == (1, "started")
    assert attempt.next_check_at is not None
    past = timezone.now() - timedelta(minutes=31)
    Attempt.objects.update(started_at=past, free_at=past, next_check_at=past)
    paying.check_due()
    assert state(road) == ("expired", 0, False)
    assert payability_of(road.invoice).can
    becomes(road, attempt, "paid")
    Attempt.objects.update(next_check_at=timezone.now())
    paying.check_due()
    assert state(road) == ("paid", 1, True)


@pytest.mark.parametrize("how", ["unsigned", "another key", "changed after", "another operation"])
def test_a_forged_notification_changes_nothing(road: SimpleNamespace, how: str) -> None:
    attempt = start(road)
    waiting = road.service.told(attempt.operation)
    paid = road.service.told(attempt.operation, status="paid")
    forged = {
        "unsigned": (paid, ""),
        "another key": (paid, signature(paid, "guessed")),
        "changed after": (paid, signature(waiting)),
        "another operation": (road.service.told(attempt.operation, id="0" * 32, status="paid"), None),
    }[how]
    notify(road, *forged)
    with tenant_context(road.town):
        paying.check_due()  # a notification only makes us ask, and the service says « waiting »
    assert state(road) == ("started", 0, False)


def test_signed_and_not_what_was_asked(road: SimpleNamespace) -> None:
    attempt = start(road)
    becomes(road, attempt, "paid")
    notify(road, road.service.told(attempt.operation, amount="1.00"))
    assert state(road) == ("review", 0, False)
    with tenant_context(road.town):
        attempt.refresh_from_db()
        assert (
            attempt.reason == "La réponse du service de paiement ne correspond pas à la demande : le montant."
        )


def test_an_old_proof_does_not_pay_a_new_attempt(
    road: SimpleNamespace, client_for: Callable[..., Client]
) -> None:
    """Two attempts have the same invoice and amount. They differ by their operation, which is signed too."""
    first = start(road)
    refused = becomes(road, first, "refused")
    notify(road, refused)
    with tenant_context(road.town):
        second = start(road)
    notify(road, road.service.told(first.operation, id=second.operation, status="paid"), signature(refused))
    assert state(road) == ("started", 0, False)


def test_down(road: SimpleNamespace) -> None:
    road.service.is_down = True
    with pytest.raises(ProviderUnavailable):
        start(road)
    assert state(road) == ("expired", 0, False)
    assert payability_of(road.invoice).can  # nobody got an operation


def test_no_money_of_a_test_shop(road: SimpleNamespace) -> None:
    attempt = start(road)
    becomes(road, attempt, "paid")
    notify(road, road.service.told(attempt.operation, test=True))
    assert state(road) == ("review", 0, False)


def test_staff_have_the_last_word(road: SimpleNamespace, make_account: Callable[..., Account]) -> None:
    attempt = start(road)
    becomes(road, attempt, "paid")
    notify(road, road.service.told(attempt.operation, amount="1.00"))
    with tenant_context(road.town):
        clerk = make_account("clerk@example.net", role=Role.CLERK)
        with pytest.raises(review.NotOpen, match="annonce 1,00"):
            review.confirm_attempt(actor=clerk, attempt=attempt)
        review.refuse_attempt(actor=clerk, attempt=attempt)
        assert payability_of(road.invoice).can


def test_its_product_is_checked_and_opened(
    road: SimpleNamespace, make_account: Callable[..., Account]
) -> None:
    product = Product.objects.get()
    manager = make_account("manager@example.net", role=Role.MANAGER)
    with pytest.raises(Exception, match="SHOP-1234"):
        set_up_product(
            actor="system", code=product.code, label=product.label, protocol="second", numcli="001964"
        )
    product.refresh_from_db()
    Product.objects.update(mode=Mode.TEST)
    product.refresh_from_db()
    lines = going_live.ask_label(product)
    product = going_live.recognise(actor=manager, product=product, label="\n".join(lines))
    assert lines == ("Cantine de Démonstration",)
    going_live.start_test_payment(actor=manager, product=product)
    test_payment = TestPayment.objects.get()
    notify(road, becomes(road, test_payment, "paid"))  # type: ignore[arg-type]
    with tenant_context(road.town):
        test_payment.refresh_from_db()
        assert (test_payment.state, test_payment.means, Payment.objects.count()) == ("paid", "card", 0)
        assert going_live.missing(product) == []
        product = going_live.go_forward(actor=manager, product=product)
        assert product.mode == "X"


def test_its_limits(road: SimpleNamespace) -> None:
    Invoice.objects.update(amount="0.49")
    with pytest.raises(NotPayable):
        start(road)


def test_a_shop_that_is_gone_is_closed(road: SimpleNamespace) -> None:
    Product.objects.update(numcli="SHOP-9999")
    with pytest.raises(ProductRefused):
        start(road)
    assert Product.objects.get().closed_code == "no-shop"
    assert Finding.objects.get().details["merchant"] == "SHOP-9999"


def test_nothing_else_knows_it() -> None:
    """No file outside of its folder in the tests contains its name."""
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [
            "git",
            "grep",
            "-l",
            "-e",
            "Carte Simple",
            "-e",
            "carte-simple",
            "--",
            "tenant_apps",
            "shared_apps",
            "src",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
