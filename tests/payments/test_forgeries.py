"""Forged messages are never applied. They are kept as evidence, which staff see (docs/payfip.md §4)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.treasury.models import UnmatchedNotification
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt, Finding, Payment
from tenant_apps.payments.online import paying
from tenant_apps.products.models import Product
from tenants.models import Town
from tests.payments.conftest import Simulator


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def attempt(
    alice: Account, make_payer: Callable[..., Any], make_invoice: Callable[..., Invoice], simulator: Simulator
) -> Attempt:
    return paying.start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt


@pytest.fixture
def staff_page(
    town: Town, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> Callable[[], str]:
    """`staff_page()`: the page « À examiner » of a clerk."""
    browser = client_for(make_account("clerk@example.net", role=Role.CLERK))
    return lambda: browser.get("/gestion/a-examiner/").content.decode()


def ring(**fields: str) -> None:
    answer = Client().post("/payfip/notification/", fields, headers={"host": "paiement.localhost"})
    assert (answer.status_code, answer.content) == (200, b"OK")


def nothing_happened(attempt: Attempt) -> None:
    attempt.refresh_from_db()
    assert attempt.state == "started"
    assert attempt.invoice.paid == Invoice.objects.get(pk=attempt.invoice_id).paid == 0
    assert not Payment.objects.exists()


def test_a_notification_that_claims_a_payment(
    attempt: Attempt, town: Town, staff_page: Callable[[], str]
) -> None:
    ring(idop=attempt.operation or "", resultrans="P", montant="3750")
    with tenant_context(town):
        paying.check_due()  # the Treasury was asked, and does not confirm it
        nothing_happened(attempt)
        finding = Finding.objects.get()
        assert (finding.kind, finding.details) == ("claim", {"resultrans": "P", "montant": "3750"})
        assert attempt.operation not in staff_page()
        assert "que le Trésor public ne confirme pas" in staff_page()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_return_that_claims_a_payment(
    attempt: Attempt,
    alice: Account,
    client_for: Callable[..., Client],
    staff_page: Callable[[], str],
    method: str,
) -> None:
    path = f"/factures/{attempt.invoice.uuid}/retour/"
    claim = {"idop": attempt.operation, "resultrans": "P", "montant": "1", "numcli": "\x00" * 500}
    answer = getattr(client_for(alice), method)(path, claim)
    assert answer.status_code == {"get": 200, "post": 302}[method]
    nothing_happened(attempt)
    assert Finding.objects.get().kind == "claim"
    assert len(Finding.objects.get().details["numcli"]) <= 100
    assert attempt.invoice.number in staff_page()


def test_a_claim_that_turns_out_true_leaves_the_list(
    attempt: Attempt, town: Town, simulator: Simulator, staff_page: Callable[[], str]
) -> None:
    ring(idop=attempt.operation or "", resultrans="P")
    with tenant_context(town):
        assert attempt.invoice.number in staff_page()
        simulator.act(attempt.operation, "pay")
        paying.ask(attempt=attempt, source="poller")
        assert attempt.invoice.number not in staff_page()
        assert Finding.objects.count() == 1  # the evidence stays


def test_another_s_idop(
    attempt: Attempt,
    town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    client_for: Callable[..., Client],
    simulator: Simulator,
) -> None:
    """Charlie returns to his own invoice with the idOp of Alice's payment. Only Alice's invoice is paid."""
    charlie = make_account("charlie@example.net")
    his = make_invoice(make_payer(charlie))
    paying.start_payment(actor=charlie, invoice=his)
    simulator.act(attempt.operation, "pay")
    client_for(charlie).get(f"/factures/{his.uuid}/retour/?idop={attempt.operation}")
    his.refresh_from_db()
    assert his.paid == 0
    assert client_for(charlie).get(f"/factures/{attempt.invoice.uuid}/retour/").status_code == 404
    paying.ask(attempt=attempt, source="poller")
    his.refresh_from_db()
    assert (his.paid, Invoice.objects.get(pk=attempt.invoice_id).is_paid) == (0, True)


def test_an_unknown_idop_is_counted_for_the_operator(attempt: Attempt, town: Town) -> None:
    UnmatchedNotification.objects.all().delete()  # of tests that really commit
    for n in range(30):
        ring(idop=f"unknown-{n}")
    unmatched = UnmatchedNotification.objects.get()
    assert (unmatched.kind, unmatched.number, len(unmatched.samples)) == ("payfip", 30, 20)
    assert "unknown" not in str(unmatched.samples)
    with tenant_context(town):
        nothing_happened(attempt)


def test_another_town_s_idop(attempt: Attempt, town: Town, other_town: Town, simulator: Simulator) -> None:
    """The idOp alone says which town gets a notification. Another town has no attempt with this idOp."""
    simulator.act(attempt.operation, "pay")
    ring(idop=attempt.operation or "")
    with tenant_context(other_town):
        assert paying.check_due() == 0
        assert not Payment.objects.exists()
    with tenant_context(town):
        nothing_happened(attempt)  # a notification proves nothing
        paying.check_due()
        assert Payment.objects.get().attempt == attempt


def test_a_replay_after_the_end(attempt: Attempt, town: Town, simulator: Simulator) -> None:
    simulator.act(attempt.operation, "pay")
    paying.ask(attempt=attempt, source="poller")
    events = attempt.events.count()
    for _ in range(3):
        ring(idop=attempt.operation or "")
        ring(idop=attempt.operation or "", resultrans="R")
    with tenant_context(town):
        paying.check_due()
        attempt.refresh_from_db()
        assert (attempt.state, Payment.objects.count()) == ("paid", 1)
        assert attempt.next_check_at is None
        assert attempt.events.count() > events  # the claimed refusal is kept as evidence


def test_evidence_has_an_end(attempt: Attempt, town: Town) -> None:
    for _ in range(45):
        ring(idop=attempt.operation or "", resultrans="P")
    with tenant_context(town):
        assert attempt.events.count() <= 31
        assert (Finding.objects.count(), Finding.objects.get().times) == (1, 45)


def come_back(asked: dict[str, str], **changes: str) -> None:
    fields = {
        **asked,
        "resultrans": "P",
        "numauto": "1",
        "dattrans": "24112026",
        "heurtrans": "1030",
        **changes,
    }
    Client().post(urlsplit(fields.pop("urlcl")).path, fields, headers={"host": "paiement.localhost"})


@pytest.mark.parametrize(
    ("first", "then", "kind", "state"),
    [
        ({"montant": "1"}, None, "forged", "started"),
        ({"refdet": "ANOTHER0001"}, None, "forged", "started"),
        ({"resultrans": "R"}, {"resultrans": "P"}, "replayed", "refused"),
        ({"resultrans": "P"}, {"resultrans": "A"}, "replayed", "reported"),
        (
            {"resultrans": "P"},
            {"resultrans": "P"},
            None,
            "reported",
        ),  # the same again, as the Back button of a browser sends it
    ],
)
def test_urlcl(
    alice: Account,
    town: Town,
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
    staff_page: Callable[[], str],
    first: dict[str, str],
    then: dict[str, str] | None,
    kind: str | None,
    state: str,
) -> None:
    Product.objects.update(protocol="tipi")
    invoice = make_invoice(make_payer(alice))
    url = paying.start_payment(actor=alice, invoice=invoice).url
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    come_back(asked, **first)
    if then is not None:
        come_back(asked, **then)
    with tenant_context(town):
        attempt = Attempt.objects.get()
        assert (attempt.state, Payment.objects.count(), Invoice.objects.get().paid) == (state, 0, 0)
        assert [finding.kind for finding in Finding.objects.all()] == ([kind] if kind else [])
        if kind:
            assert invoice.number in staff_page()


def test_a_cashier_closes_it_with_words(
    attempt: Attempt, town: Town, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> None:
    ring(idop=attempt.operation or "", resultrans="P")
    with tenant_context(town):
        cashier = make_account("cashier@example.net", role=Role.CASHIER)
        reader = make_account("reader@example.net", role=Role.READER)
        finding = Finding.objects.get()
        path = f"/gestion/a-examiner/{finding.uuid}/classer/"
        clerk = make_account("clerk@example.net", role=Role.CLERK)
        for other in (reader, clerk):
            assert client_for(other).post(path, {"answer": "x"}).status_code == 403
        client_for(cashier).post(path, {"answer": "  "})
        finding.refresh_from_db()
        assert finding.closed_at is None  # not without an answer of staff
        client_for(cashier).post(path, {"answer": "Usager appelé : rien payé."})
        finding.refresh_from_db()
        assert (finding.closed_by, finding.answer) == (cashier.audit_name, "Usager appelé : rien payé.")
    ring(idop=attempt.operation or "", resultrans="P")
    with tenant_context(town):
        finding.refresh_from_db()
        assert finding.closed_at is None  # seen again, so open again
        assert finding.last_at > finding.first_at
