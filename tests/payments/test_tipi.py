"""TIPI's return is not signed: every field is compared, it counts once, and it never books money."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.treasury.models import Route
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.online import paying, review
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.products.models import Product
from tenants.models import Town


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def asked(
    alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice]
) -> dict[str, str]:
    """The fields of the redirect as the Treasury sends them back, with urlcl."""
    Product.objects.update(protocol="tipi")
    invoice = make_invoice(make_payer(alice))
    url = paying.start_payment(actor=alice, invoice=invoice).url
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def come_back(asked: dict[str, str], town: Town, *, method: str = "post", **changes: str) -> None:
    fields = {
        **asked,
        "resultrans": "P",
        "numauto": "123456",
        "dattrans": "24112026",
        "heurtrans": "1030",
        **changes,
    }
    path = urlsplit(fields.pop("urlcl")).path
    answer = getattr(Client(), method)(path, fields, headers={"host": "paiement.localhost"})
    assert (answer.status_code, answer.content) == (200, b"OK")


def state(town: Town) -> str:
    with tenant_context(town):
        return str(Attempt.objects.get().state)


def test_the_redirect_asks_for_what_the_manual_shows(asked: dict[str, str]) -> None:
    assert asked["numcli"] == "001964"
    assert asked["montant"] == "3750"
    assert asked["saisie"] == "A"
    assert "://paiement.localhost" in asked["urlcl"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [("P", "reported"), ("V", "reported"), ("R", "refused"), ("Z", "refused"), ("A", "abandoned")],
)
def test_every_answer(asked: dict[str, str], town: Town, method: str, code: str, expected: str) -> None:
    come_back(asked, town, method=method, resultrans=code)
    assert state(town) == expected
    with tenant_context(town):
        assert not Payment.objects.exists()
        assert Invoice.objects.get().paid == 0


def test_announced_blocks_another_payment(asked: dict[str, str], town: Town) -> None:
    come_back(asked, town)
    with tenant_context(town):
        can = payability_of(Invoice.objects.get())
    assert not can.can
    assert "annoncé" in can.reason


@pytest.mark.parametrize(
    "forged",
    [{"montant": "1"}, {"refdet": "ANOTHER00001"}, {"numcli": "001965"}, {"saisie": "T"}, {"montant": "x"}],
)
def test_what_was_not_asked_is_evidence_only(
    asked: dict[str, str], town: Town, forged: dict[str, str]
) -> None:
    come_back(asked, town, **forged)
    assert state(town) == "started"
    with tenant_context(town):
        event = Attempt.objects.get().events.last()
        assert event is not None
        assert "non appliqué" in event.note
        assert event.raw["resultrans"] == "P"


def test_it_counts_once(asked: dict[str, str], town: Town) -> None:
    come_back(asked, town, resultrans="R")
    come_back(asked, town, resultrans="P")
    assert state(town) == "refused"


def test_an_unknown_token_and_another_town_s(asked: dict[str, str], town: Town, other_town: Town) -> None:
    come_back({**asked, "urlcl": "http://x/tipi/X00000000000000000000000000000000/"}, town)
    assert state(town) == "started"
    Route.objects.update(town=other_town)  # as if the route named the wrong town
    come_back(asked, town)
    assert state(town) == "started"


def test_nobody_comes_back(asked: dict[str, str], town: Town) -> None:
    with tenant_context(town):
        Attempt.objects.update(free_at=timezone.now(), next_check_at=timezone.now())
        paying.check_due()
        assert payability_of(Invoice.objects.get()).can
    assert state(town) == "expired"


def test_the_payfip_notification_takes_any_form(town: Town) -> None:
    for method, path, data in (
        ("get", "/payfip/notification/?idop=x", {}),
        ("get", "/payfip/notification/?idOp=x", {}),
        ("post", "/payfip/notification/", {"idop": "x"}),
        ("post", "/payfip/notification/", {"idOp": "x"}),
        ("post", "/payfip/notification/", {}),
        ("post", "/payfip/notification/", {"idop": "x" * 5000}),
    ):
        assert getattr(Client(), method)(path, data, headers={"host": "paiement.localhost"}).content == b"OK"


def test_staff_have_the_last_word(
    asked: dict[str, str], town: Town, make_account: Callable[..., Account]
) -> None:
    come_back(asked, town, resultrans="V")
    with tenant_context(town):
        clerk = make_account("clerk@example.net", role=Role.CLERK)
        attempt = Attempt.objects.get()
        review.confirm_attempt(actor=clerk, attempt=attempt)
        payment = Payment.objects.get()
        assert (payment.means, payment.recorded_by) == ("debit", clerk.audit_name)
        assert Invoice.objects.get().is_paid
        for again in (review.confirm_attempt, review.refuse_attempt):
            with pytest.raises(review.NotOpen):
                again(actor=clerk, attempt=attempt)
        assert Payment.objects.count() == 1


def test_no_money_came(asked: dict[str, str], town: Town, make_account: Callable[..., Account]) -> None:
    come_back(asked, town)
    with tenant_context(town):
        clerk = make_account("clerk@example.net", role=Role.CLERK)
        review.refuse_attempt(actor=clerk, attempt=Attempt.objects.get())
        assert not Payment.objects.exists()
        assert payability_of(Invoice.objects.get()).can


def expire() -> None:
    Attempt.objects.update(free_at=timezone.now(), next_check_at=timezone.now())
    paying.check_due()


@pytest.mark.parametrize(
    ("code", "expected", "can"),
    [("P", "reported", False), ("V", "reported", False), ("R", "refused", True), ("Q", "review", False)],
)
def test_a_first_return_after_the_two_hours_counts(
    asked: dict[str, str], town: Town, code: str, expected: str, can: bool
) -> None:
    with tenant_context(town):
        expire()
    assert state(town) == "expired"
    come_back(asked, town, resultrans=code)
    assert state(town) == expected
    with tenant_context(town):
        assert payability_of(Invoice.objects.get()).can == can  # it may be paid: not offered again


def test_a_late_return_beside_another_attempt_is_shown_to_staff(
    asked: dict[str, str], town: Town, alice: Account
) -> None:
    with tenant_context(town):
        expire()
        paying.start_payment(actor=alice, invoice=Invoice.objects.get())
    come_back(asked, town)
    with tenant_context(town):
        second, first = Attempt.objects.all()
        assert (first.state, second.state) == ("expired", "started")
        assert "après le délai" in first.reason
        event = first.events.last()
        assert event is not None
        assert event.raw["resultrans"] == "P"


@pytest.mark.parametrize(
    "odd",
    [{"montant": "9" * 200}, {"montant": "²"}, {"numcli": "0019\x0064"}, {"refdet": "x" * 5000}],
    ids=["huge", "superscript", "nul", "long"],
)
def test_odd_fields_are_evidence_and_no_breakdown(
    asked: dict[str, str], town: Town, odd: dict[str, str]
) -> None:
    come_back(asked, town, **odd)
    assert state(town) == "started"
    with tenant_context(town):
        event = Attempt.objects.get().events.last()
        assert event is not None
        assert "non appliqué" in event.note
        assert all(len(value) <= 100 for value in event.raw.values())


def test_a_nul_in_what_is_not_compared(asked: dict[str, str], town: Town) -> None:
    come_back(asked, town, numauto="12\x0034")
    assert state(town) == "reported"


def test_neither_the_token_nor_the_payer_is_in_the_evidence(asked: dict[str, str], town: Town) -> None:
    path = urlsplit(asked["urlcl"]).path
    forged = {**asked, "resultrans": "P", "montant": "1", "invented": "x" * 1000}
    Client().post(path, forged, headers={"host": "paiement.localhost"})
    with tenant_context(town):
        event = Attempt.objects.get().events.last()
        assert event is not None
        assert path.strip("/").split("/")[-1] not in str(event.raw)
        assert not {"mel", "urlcl", "invented"} & set(event.raw)


def test_a_token_used_for_ever_does_not_fill_the_database(asked: dict[str, str], town: Town) -> None:
    for _ in range(40):
        come_back(asked, town, montant="1")
    with tenant_context(town):
        assert Attempt.objects.get().events.count() <= 30
