"""Our client against the simulator. `test_agreement` compares it with zeep alone and with eopayment."""

from decimal import Decimal

import pytest
from django.conf import settings

from tenant_apps.payments.errors import EmailRefused, ProductRefused, ProviderRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import Outcome, PaymentRequest
from tenant_apps.payments.providers.payfip.client import PayFiP, paris_time
from tests.payments.conftest import Simulator


def request(**changes: object) -> PaymentRequest:
    values: dict[str, object] = {
        "merchant": "001964",
        "fiscal_year": "2015",
        "reference": "2015RS008001516",
        "label": "Facture d'école n° 12/3 – été",
        "amount": Decimal("37.50"),
        "email": "alice@example.net",
        "mode": "W",
        "notify_url": "http://127.0.0.1:9/notification/",
        "return_url": "http://mairie.localhost/retour/",
        **changes,
    }
    return PaymentRequest(**values)  # type: ignore[arg-type]


@pytest.fixture
def payfip() -> PayFiP:
    return PayFiP(
        service_url=settings.PAYFIP_SERVICE_URL,
        payment_url="http://payfip.localhost/tpa/paiementws.web",
        timeout=2,
    )


def test_created_and_paid(payfip: PayFiP, simulator: Simulator) -> None:
    started = payfip.start(request())
    assert started.url == f"http://payfip.localhost/tpa/paiementws.web?idop={started.operation}"
    assert payfip.fetch_status(started.operation or "").outcome == Outcome.PENDING
    simulator.act(started.operation, "pay")
    status = payfip.fetch_status(started.operation or "")
    assert (status.outcome, status.amount, status.reference, status.merchant, status.mode) == (
        Outcome.PAID_CARD,
        Decimal("37.50"),
        "2015RS008001516",
        "001964",
        "W",
    )
    assert status.authorization
    assert status.paid_at is not None
    assert started.operation not in str(status.raw)  # the idOp is a secret, so no evidence contains it
    asked = simulator.operation(started.operation)["fields"]
    assert asked["montant"] == "3750"
    assert asked["objet"] == "Facture d ecole n 12 3 ete"


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        ("debit", Outcome.PAID_DEBIT),
        ("refuse", Outcome.REFUSED_CARD),
        ("refuse-debit", Outcome.REFUSED_DEBIT),
        ("abandon", Outcome.ABANDONED),
    ],
)
def test_every_result(payfip: PayFiP, simulator: Simulator, act: str, outcome: Outcome) -> None:
    idop = payfip.start(request()).operation or ""
    simulator.act(idop, act)
    assert payfip.fetch_status(idop).outcome == outcome


def test_unknown_and_too_old(payfip: PayFiP, simulator: Simulator) -> None:
    assert payfip.fetch_status("nobody").outcome == Outcome.UNKNOWN
    idop = payfip.start(request()).operation or ""
    simulator.behave(clock=16 * 60.0)
    assert payfip.fetch_status(idop).outcome == Outcome.TOO_OLD


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"merchant": "1964"}, ProductRefused, "T1"),
        ({"reference": "abcd"}, ProviderRefused, "R3"),
        ({"reference": "with-dash-00"}, ProviderRefused, "R3"),
        ({"email": "alice"}, EmailRefused, "A2"),
        ({"email": "a" * 80 + "@example.net"}, EmailRefused, "A2"),
        ({"amount": Decimal("0.99")}, ProviderRefused, "M3"),
        ({"amount": Decimal("100000.00")}, ProviderRefused, "M5"),
        ({"amount": Decimal("1.005")}, ProviderRefused, "M1"),
        ({"mode": "A"}, ProviderRefused, "S1"),
        ({"return_url": "http://x/" + "y" * 250}, ProviderRefused, "D1"),
    ],
)
def test_refused_before_calling(changes: dict[str, object], error: type[Exception], code: str) -> None:
    nowhere = PayFiP(service_url="http://127.0.0.1:9/", payment_url="http://x/", timeout=1)
    with pytest.raises(error) as refused:
        nowhere.start(request(**changes))
    assert refused.value.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize("numcli", ["999901", "999902", "999904"])
def test_a_number_that_the_treasury_refuses(payfip: PayFiP, numcli: str) -> None:
    with pytest.raises(ProductRefused):
        payfip.start(request(merchant=numcli))


@pytest.mark.parametrize("failure", ["down", "garbage", "technical", "cut", "slow"])
def test_no_usable_answer(payfip: PayFiP, simulator: Simulator, failure: str) -> None:
    idop = payfip.start(request()).operation or ""
    simulator.behave(soap=failure, delay=4)
    with pytest.raises(ProviderUnavailable):
        payfip.start(request())
    with pytest.raises(ProviderUnavailable) as said:
        payfip.fetch_status(idop)
    assert idop not in repr(said.value) + said.value.detail


def test_nobody_listens() -> None:
    nowhere = PayFiP(service_url="http://127.0.0.1:9/", payment_url="http://x/", timeout=1)
    with pytest.raises(ProviderUnavailable):
        nowhere.start(request())


def test_is_this_you(payfip: PayFiP) -> None:
    assert payfip.client_details("001964")[0] == "MAIRIE DE DEMONSTRATION"
    with pytest.raises(ProductRefused):
        payfip.client_details("999902")


@pytest.mark.parametrize(
    ("date", "hour", "expected"),
    [
        ("01012026", "0005", "2026-01-01T00:05:00+01:00"),
        ("01072026", "2359", "2026-07-01T23:59:00+02:00"),
        ("", "", None),
        ("32132026", "1200", None),
        ("01012026", "99", None),
    ],
)
def test_paris_time(date: str, hour: str, expected: str | None) -> None:
    found = paris_time(date, hour)
    assert (found.isoformat() if found else None) == expected
