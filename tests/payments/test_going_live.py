"""A product goes live step by step and never back, and its test payments pay no invoice."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import ProviderRefused, ProviderUnavailable
from tenant_apps.payments.models import Attempt, Finding, Payment, TestPayment
from tenant_apps.payments.online import going_live, paying, settling
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.products.models import Mode, Product
from tenant_apps.products.queries import default_product
from tenants.models import Town
from tests.backoffice.conftest import text
from tests.payments.conftest import Simulator


@pytest.fixture
def desk(
    town: Town, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> SimpleNamespace:
    """A product in mode T, its manager, and the page that guides them."""
    Product.objects.update(mode=Mode.TEST)
    manager = make_account("manager@example.net", role=Role.MANAGER)
    product = default_product()
    browser = client_for(manager)
    path = f"/gestion/reglages/regies/{product.pk}/mise-en-service/"

    def step(name: str, **more: str) -> Any:
        return browser.post(path, {"step": name, **more})

    return SimpleNamespace(manager=manager, product=product, step=step, page=lambda: text(browser.get(path)))


def mode() -> str:
    return str(default_product().mode)


def checked(desk: SimpleNamespace) -> None:
    label = "\n".join(going_live.ask_label(default_product()))
    assert desk.step("recognise", label=label).status_code == 302
    assert default_product().checked_at is not None


def a_test_payment(desk: SimpleNamespace, simulator: Simulator, act: str) -> TestPayment:
    assert desk.step("test-payment").status_code == 302
    test_payment = TestPayment.objects.latest("id")
    simulator.act(test_payment.operation, act)
    TestPayment.objects.update(next_check_at=timezone.now())
    paying.check_due()
    test_payment.refresh_from_db()
    return test_payment


def test_from_test_to_live(desk: SimpleNamespace, simulator: Simulator) -> None:
    assert "Vérifiez d'abord le numéro" in desk.page()
    desk.step("test-payment")
    desk.step("forward")
    assert (TestPayment.objects.count(), mode()) == (0, "T")  # no test payment before the number is confirmed
    shown = text(desk.step("number"))
    for line in going_live.ask_label(default_product()):
        assert line in shown
    checked(desk)
    desk.step("forward")
    assert mode() == "T"  # no test payment has succeeded
    refused = a_test_payment(desk, simulator, "refuse")
    assert refused.state == "refused"
    desk.step("forward")
    assert mode() == "T"
    done = a_test_payment(desk, simulator, "pay")
    assert (done.state, done.means, done.mode) == ("paid", "card", "T")
    desk.step("forward")
    assert mode() == "X"
    page = desk.page()
    assert "Il manque un paiement d'activation par carte" in page
    a_test_payment(desk, simulator, "pay")
    desk.step("forward")
    assert mode() == "X"  # the test payment by direct debit is missing
    assert a_test_payment(desk, simulator, "debit").means == "debit"
    desk.step("forward")
    assert mode() == "W"
    assert "est en service" in desk.page()
    desk.step("forward")
    desk.step("test-payment")
    assert (mode(), TestPayment.objects.count()) == ("W", 4)
    assert not Payment.objects.exists()


def test_a_test_payment_whose_page_is_open_is_not_over(desk: SimpleNamespace, simulator: Simulator) -> None:
    """With P3 the manager is on the payment page: the euro that they pay there must count."""
    checked(desk)
    simulator.behave(opened="P3")
    assert a_test_payment(desk, simulator, "open").state == "started"
    simulator.act(TestPayment.objects.get().operation, "pay")
    TestPayment.objects.update(next_check_at=timezone.now())
    paying.check_due()
    assert TestPayment.objects.get().state == "paid"


def test_a_town_without_debit(desk: SimpleNamespace, simulator: Simulator) -> None:
    Product.objects.update(mode=Mode.ACTIVATION)
    checked(desk)
    desk.step("forward", without_debit="on")
    assert mode() == "X"  # a payment by card is always needed
    a_test_payment(desk, simulator, "pay")
    desk.step("forward", without_debit="on")
    assert mode() == "W"


def test_a_label_that_is_not_the_treasury_s(desk: SimpleNamespace) -> None:
    desk.step("recognise", label="COMMUNE INVENTÉE")
    assert default_product().checked_at is None


def test_an_unknown_number(desk: SimpleNamespace) -> None:
    Product.objects.update(numcli="999902")
    desk.step("number")
    with pytest.raises(ProviderRefused):
        going_live.ask_label(default_product())


def test_an_answer_about_other_money_proves_nothing(desk: SimpleNamespace, simulator: Simulator) -> None:
    checked(desk)
    desk.step("test-payment")
    test_payment = TestPayment.objects.get()
    wrong = Status(
        Outcome.PAID_CARD,
        amount=test_payment.amount,
        reference="ANOTHER01",
        merchant=test_payment.merchant,
        mode=test_payment.mode,
    )
    going_live._settle(test_payment.pk, wrong)
    test_payment.refresh_from_db()
    assert test_payment.state == "review"
    assert going_live.missing(default_product())


def test_a_test_payment_over_the_redirect(desk: SimpleNamespace, town: Town) -> None:
    Product.objects.update(protocol="tipi")
    checked(desk)
    where = desk.step("test-payment")["Location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
    assert (asked["saisie"], asked["montant"]) == ("T", "100")
    path = urlsplit(asked.pop("urlcl")).path
    Client().post(path, {**asked, "resultrans": "V"}, headers={"host": "paiement.localhost"})
    with tenant_context(town):
        test_payment = TestPayment.objects.get()
    assert (test_payment.state, test_payment.means) == ("paid", "debit")


@pytest.fixture
def invoice(town: Town, make_account: Callable[..., Account], make_payer: Any, make_invoice: Any) -> Invoice:
    found: Invoice = make_invoice(make_payer(make_account("alice@example.net")))
    return found


@pytest.mark.parametrize("stage", ["T", "X"])
def test_test_money_never_pays_an_invoice_of_a_live_product(
    invoice: Invoice, town: Town, simulator: Simulator, stage: str
) -> None:
    """The Treasury reports P for an attempt that was started in test mode, before the product went live."""
    attempt = Attempt.objects.create(
        invoice=invoice,
        product=invoice.product,
        provider="payfip",
        state="started",
        merchant="001964",
        fiscal_year="2026",
        reference=invoice.reference,
        label="x",
        amount=invoice.amount,
        email="a@example.net",
        mode=stage,
        free_at=timezone.now(),
    )
    status = Status(
        Outcome.PAID_CARD, amount=invoice.amount, reference=invoice.reference, merchant="001964", mode=stage
    )
    found = settling.settle(attempt_id=attempt.pk, status=status, source="poller")
    assert found.state == "review"
    invoice.refresh_from_db()
    assert (invoice.paid, Payment.objects.count()) == (0, 0)


def test_a_number_that_the_treasury_refuses_closes_the_service(
    invoice: Invoice, town: Town, desk: SimpleNamespace, simulator: Simulator
) -> None:
    simulator.client("001978", lines=["MAIRIE"], refused="T4")
    Product.objects.update(numcli="001978", mode=Mode.PRODUCTION)
    alice = Account.objects.get(email="alice@example.net")
    invoice = Invoice.objects.get(pk=invoice.pk)
    for _ in range(2):
        with pytest.raises(Exception, match=r"n'est pas ouvert|interrompu"):
            paying.start_payment(actor=alice, invoice=invoice)
        invoice = Invoice.objects.get(pk=invoice.pk)
    assert Attempt.objects.count() == 1  # nobody else was sent to the Treasury
    assert payability_of(invoice).code == "closed"
    assert Finding.objects.get().kind == "closed"
    mail = OutgoingMail.objects.get(kind="product-closed")
    assert "T4" in mail.text
    assert "refuse ce numéro" in desk.page()
    simulator.client("001978", lines=["MAIRIE"])
    checked(desk)
    assert payability_of(Invoice.objects.get(pk=invoice.pk)).can  # open again


@pytest.mark.parametrize("protocol", ["payfip", "tipi"])
def test_a_test_payment_that_nobody_can_ask_about_ends(
    desk: SimpleNamespace, simulator: Simulator, protocol: str
) -> None:
    """It expires: our process died before the Treasury's answer, or nobody came back from the redirect."""
    Product.objects.update(protocol=protocol)
    checked(desk)
    desk.step("test-payment")
    TestPayment.objects.update(operation=None, next_check_at=timezone.now())
    paying.check_due()
    assert TestPayment.objects.get().state == "expired"
    paying.check_due()
    assert not TestPayment.objects.filter(next_check_at__isnull=False).exists()


class Treasury:
    """The real client; `starting` or `asking` runs during its calls."""

    def __init__(self, real: Any, *, starting: Any = None, asking: Any = None) -> None:
        self.real, self.starting, self.asking = real, starting, asking

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def start(self, request: Any) -> Any:
        started = self.real.start(request)
        self.starting()
        return started

    def fetch_status(self, idop: str) -> Any:
        return self.asking(idop)


def test_a_test_payment_given_up_while_it_opens_stays_given_up(
    desk: SimpleNamespace, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poller expired it while the Treasury was answering. Nobody is sent to that page."""
    checked(desk)
    real = going_live.provider("payfip")
    meanwhile = Treasury(real, starting=lambda: going_live.check_test_payment(TestPayment.objects.get()))
    monkeypatch.setattr(going_live, "provider", lambda name: meanwhile)
    with pytest.raises(ProviderUnavailable):
        going_live.start_test_payment(actor=desk.manager, product=default_product())
    test_payment = TestPayment.objects.get()
    assert (test_payment.state, test_payment.operation, test_payment.next_check_at) == ("expired", None, None)


def test_a_test_payment_that_ends_while_the_treasury_is_silent_is_left_alone(
    desk: SimpleNamespace, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(desk)
    test_payment = a_test_payment(desk, simulator, "pay")
    assert (test_payment.state, test_payment.next_check_at) == ("paid", None)
    TestPayment.objects.update(state="started", next_check_at=timezone.now())
    test_payment.refresh_from_db()

    real = going_live.provider("payfip")

    def silent(idop: str) -> Any:
        TestPayment.objects.update(state="paid", next_check_at=None)  # as a notification does, meanwhile
        raise ProviderUnavailable("silence")

    monkeypatch.setattr(going_live, "provider", lambda name: Treasury(real, asking=silent))
    going_live.check_test_payment(test_payment)
    test_payment.refresh_from_db()
    assert (test_payment.state, test_payment.next_check_at) == (
        "paid",
        None,
    )  # otherwise we would ask about it for ever


def test_one_test_payment_that_cannot_be_looked_at_does_not_stop_the_others(
    desk: SimpleNamespace, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(desk)
    first, second = (a_test_payment(desk, simulator, "pay") for _ in range(2))
    TestPayment.objects.update(state="started", next_check_at=timezone.now())
    real = going_live.provider("payfip")

    def asking(idop: str) -> Any:
        if idop == first.operation:
            raise RuntimeError("a fault")
        return real.fetch_status(idop)

    monkeypatch.setattr(going_live, "provider", lambda name: Treasury(real, asking=asking))
    assert going_live.check_test_payments() == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("started", "paid")
    assert first.next_check_at is not None
    assert first.next_check_at > timezone.now()
