"""Impossible answers: each ends in time, as a Status that staff must review or as ProviderUnavailable."""

import random
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from tenant_apps.payments.errors import EmailRefused, ProviderRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import Outcome, Status
from tenant_apps.payments.providers.payfip import fields
from tenant_apps.payments.providers.payfip.client import PayFiP, paris_time
from tests.payments.test_answers import SERVICE, detail, envelope, fault
from tests.payments.test_peers import request


def created(idop: str) -> bytes:
    operation = "creerPaiementSecuriseResponse"
    return envelope(
        f'<n:{operation} xmlns:n="{SERVICE}"><return><idOp>{idop}</idOp></return></n:{operation}>'
    )


@pytest.mark.parametrize("cents", ["9" * 50, "9" * 5000, "-100", "37.50", "3 750", "٣٧٥٠", ""])
def test_an_amount_that_no_payment_has_is_none(serve: Callable[..., PayFiP], cents: str) -> None:
    status = serve(detail(montant=cents)).fetch_status("secret")
    assert (status.outcome, status.amount) == (Outcome.PAID_CARD, None)  # not what was asked: reviewed


def test_an_answer_about_another_operation_is_reviewed(serve: Callable[..., PayFiP]) -> None:
    """Attempts on one invoice have the same reference, amount and numcli. Only the idOp differs."""
    status = serve(detail(idOp="another")).fetch_status("secret")
    assert status.outcome == Outcome.OTHER
    assert "another operation" in status.raw["idOp"]


@pytest.mark.parametrize("idop", ["a" * 65, "a b&amp;x=1", "../../x", "abc", "é" * 10])
def test_an_odd_idop_is_no_answer(serve: Callable[..., PayFiP], idop: str) -> None:
    with pytest.raises(ProviderUnavailable):
        serve(created(idop)).start(request())


@pytest.mark.parametrize("idop", ["cc0cb210-1cd4-11ea-8cca-0213ad91a103", "a" * 64])
def test_a_usual_idop(serve: Callable[..., PayFiP], idop: str) -> None:
    assert serve(created(idop)).start(request()).operation == idop


def test_a_dripping_answer_ends_in_time(serve: Callable[..., PayFiP]) -> None:
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        serve(detail(), drip=0.05).fetch_status("secret")
    assert time.monotonic() - begun < 15  # the client waits two seconds; the whole answer takes half a minute


def test_an_endless_answer_is_not_kept(serve: Callable[..., PayFiP]) -> None:
    with pytest.raises(ProviderUnavailable):
        serve(detail(objet="x" * 10_000_000)).fetch_status("secret")


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 302, {"Location": "/elsewhere"}),
        (b"", 307, {"Location": "/"}),
        (detail(), 200, {"Content_Encoding": "gzip"}),
        (b"--x\r\n\r\n--x--", 200, {"kind": 'multipart/related; boundary="x"'}),
        (envelope(""), 200, {}),
        (envelope("<S:Fault/>"), 500, {}),
        (envelope("<a>" * 300 + "</a>" * 300), 200, {}),
    ],
    ids=["302", "307", "not-gzip", "multipart", "empty-body", "empty-fault", "deep"],
)
def test_no_answer(serve: Callable[..., PayFiP], body: bytes, status: int, headers: dict[str, str]) -> None:
    with pytest.raises(ProviderUnavailable):
        serve(body, status=status, **headers).fetch_status("secret")


@pytest.mark.parametrize("seed", range(4))
def test_damaged_answers_never_surprise(serve: Callable[..., PayFiP], seed: int) -> None:
    """With lost, doubled and changed bytes, the client returns a Status or raises ProviderUnavailable."""
    chance = random.Random(seed)
    for body in (detail(), fault("FonctionnelleErreur", "P5"), created("a" * 36)):
        for _ in range(12):
            damaged = bytearray(body)
            for _ in range(chance.randint(1, 6)):
                at = chance.randrange(len(damaged))
                damaged[at : at + chance.choice((0, 1, 20))] = bytes(
                    chance.choice(b"<>/&\x00\xffA9") for _ in range(chance.randint(0, 3))
                )
            try:
                assert isinstance(serve(bytes(damaged)).fetch_status("secret"), Status)
            except ProviderUnavailable:
                continue


@pytest.mark.parametrize("date", ["01010001", "31129999", "24111926"])
def test_a_date_of_another_century_is_none(date: str) -> None:
    assert paris_time(date, "0000") is None


@pytest.mark.parametrize("amount", [Decimal("Infinity"), Decimal("NaN"), Decimal("-5"), Decimal("1E+40")])
def test_an_amount_that_cannot_be_sent(amount: Decimal) -> None:
    with pytest.raises(ProviderRefused):
        fields.creation(request(amount=amount))


@pytest.mark.parametrize("email", ["a\x01b@example.net", "a@b.c\n", "@@@@@@", "a b@example.net"])
def test_an_address_that_cannot_be_sent(email: str) -> None:
    with pytest.raises(EmailRefused):
        fields.creation(request(email=email))


def test_an_empty_label_is_left_out() -> None:
    assert "objet" not in fields.creation(request(label="÷÷ ?"))
