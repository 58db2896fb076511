"""A payer joined with a paper invoice: what a right paper opens, what a wrong one tells nobody, who decides."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Impersonation, Role
from shared_apps.accounts.throttling import throttle
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices import paper_proof
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.paper_proof import GUESSES, InvoiceCopy, request_access, request_access_by_mail
from tenant_apps.products.services import set_up_product
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.access_requests.services import Outcome
from tenant_apps.residents.models import Access, AccessRequest, Payer, PayerEmail
from tenant_apps.residents.queries import payers_of
from tenant_apps.residents.tasks import handle_access_requests
from tenant_apps.townhall.models import TownHall
from tenants.models import Town
from toolkit import clock

Payers, Accounts, Invoices = Callable[..., Payer], Callable[..., Account], Callable[..., Invoice]
NEW = "nouvelle@example.net"


@pytest.fixture
def alice(town: Town, make_account: Accounts) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def invoice(town: Town, make_payer: Payers, make_invoice: Invoices) -> Invoice:
    return make_invoice(make_payer(), number="2026-001-000096", reference="2015RS008001516")


@pytest.fixture
def right(invoice: Invoice) -> InvoiceCopy:
    return copy_of(invoice)


def copy_of(invoice: Invoice) -> InvoiceCopy:
    return InvoiceCopy(invoice.number, invoice.original_amount, invoice.reference)


def setting(mode: str) -> None:
    TownHall.objects.update(payer_claims=mode)


@pytest.fixture
def at_once_town(town: Town) -> None:
    setting("at_once")


def waiting(account: Account) -> AccessRequest:
    return AccessRequest.objects.get(account=account, state="waiting")


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


# --- Signed in -----------------------------------------------------------------------------------


def test_at_once_the_payer_is_joined_and_those_whom_billing_knows_are_told(
    at_once_town: None, alice: Account, invoice: Invoice, right: InvoiceCopy, make_account: Accounts
) -> None:
    PayerEmail.objects.create(payer=invoice.payer, email="connue@example.net")
    bob = make_account("bob@example.net")
    Access.objects.create(account=bob, payer=invoice.payer)
    assert request_access(actor=alice, copy=right) == Outcome.JOINED
    assert list(payers_of(alice)) == [invoice.payer]
    assert verbs()[-3:] == ["claim.asked", "claim.accepted", "access.granted"]
    told = OutgoingMail.objects.filter(kind="claim-joined")
    assert sorted(mail.to for mail in told) == ["bob@example.net", "connue@example.net"]
    for mail in told:
        assert invoice.payer.full_name in mail.text
        assert "a…@example.net" in mail.text
        assert alice.email not in mail.text  # they are told enough to recognise it, and no more
        assert "nous couperons cet accès" in mail.text


def test_with_approval_staff_decide(
    alice: Account, invoice: Invoice, right: InvoiceCopy, make_account: Accounts
) -> None:
    PayerEmail.objects.create(payer=invoice.payer, email="connue@example.net")
    assert request_access(actor=alice, copy=right) == Outcome.WAITING
    assert not payers_of(alice).exists()
    assert not OutgoingMail.objects.exists()
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    paper_proof.accept_access_request(actor=clerk, access_request=waiting(alice))
    assert list(payers_of(alice)) == [invoice.payer]
    assert {mail.kind: mail.to for mail in OutgoingMail.objects.all()} == {
        "claim-accepted": alice.email,
        "claim-joined": "connue@example.net",
    }
    fact = AuditEntry.objects.get(verb="claim.accepted")
    assert (fact.actor, fact.new["payer"]) == (clerk.audit_name, invoice.payer_id)


@pytest.mark.parametrize(
    ("number", "amount", "reference"),
    [
        ("2026-001-000096", "37.50", "2015-RS-00-8001516"),
        ("  N° 2026-001-000096 ", "37.50", "2015 rs 00 8001516"),
        ("2026 001 000096", "37.50", "2015.RS.00.8001516"),
    ],
)
def test_how_it_is_spaced_and_hyphenated_does_not_count(
    alice: Account, invoice: Invoice, number: str, amount: str, reference: str
) -> None:
    assert (
        request_access(actor=alice, copy=InvoiceCopy(number, Decimal(amount), reference)) == Outcome.WAITING
    )


@pytest.mark.parametrize("printed", ["37.50", "30.00"])
def test_the_amount_before_or_after_an_avoir(
    alice: Account, invoice: Invoice, right: InvoiceCopy, printed: str
) -> None:
    Invoice.objects.update(amount=Decimal("30.00"), credited=Decimal("7.50"))
    assert request_access(actor=alice, copy=replace(right, amount=Decimal(printed))) == Outcome.WAITING


WRONG: dict[str, dict[str, Any]] = {
    "number": {"number": "2026-001-000097"},
    "amount": {"amount": Decimal("37.51")},
    "reference": {"reference": "2015RS008001517"},
    "nothing known": {"number": "X1", "reference": "ZZZZZZ", "amount": Decimal("1")},
    "empty figures": {"number": "-", "reference": "-"},
}


@pytest.mark.parametrize("mode", ["approval", "at_once"])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_paper_proves_nothing(alice: Account, right: InvoiceCopy, what: str, mode: str) -> None:
    setting(mode)
    assert request_access(actor=alice, copy=replace(right, **WRONG[what])) is None
    assert not AccessRequest.objects.exists()
    assert not payers_of(alice).exists()
    assert request_access(actor=alice, copy=right) is not None  # the right one still does


@pytest.mark.parametrize("change", [{"state": "draft"}, {"state": "cancelled"}, {"issued_on": "old"}])
def test_only_recent_invoices_online_serve(
    alice: Account, right: InvoiceCopy, change: dict[str, Any]
) -> None:
    limit = paper_proof._oldest(clock.today())
    if change.get("issued_on"):
        Invoice.objects.update(issued_on=limit)
        assert request_access(actor=alice, copy=right) == Outcome.WAITING
        AccessRequest.objects.all().delete()
        change = {"issued_on": limit - timedelta(days=1)}
    Invoice.objects.update(**change)
    assert request_access(actor=alice, copy=right) is None


def test_figures_of_two_invoices_prove_nothing(
    alice: Account, invoice: Invoice, right: InvoiceCopy, make_invoice: Invoices, make_payer: Payers
) -> None:
    other = make_invoice(make_payer(), amount="37.50")
    assert request_access(actor=alice, copy=replace(right, number=other.number)) is None
    assert request_access(actor=alice, copy=replace(right, reference=other.reference)) is None


def test_a_town_that_does_not_want_it(alice: Account, right: InvoiceCopy) -> None:
    setting("off")
    assert request_access(actor=alice, copy=right) is None
    request_access_by_mail(email=NEW, copy=right)
    handle_access_requests()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("mode", ["approval", "at_once"])
def test_twice_changes_nothing(alice: Account, invoice: Invoice, right: InvoiceCopy, mode: str) -> None:
    setting(mode)
    first = request_access(actor=alice, copy=right)
    facts, mails = AuditEntry.objects.count(), OutgoingMail.objects.count()
    again = request_access(actor=alice, copy=right)
    assert (first, again) in {(Outcome.WAITING, Outcome.WAITING), (Outcome.JOINED, Outcome.ALREADY)}
    assert AccessRequest.objects.count() == 1
    assert (AuditEntry.objects.count(), OutgoingMail.objects.count()) == (facts, mails)


def test_an_account_that_sees_it_already(alice: Account, invoice: Invoice, right: InvoiceCopy) -> None:
    Access.objects.create(account=alice, payer=invoice.payer)
    assert request_access(actor=alice, copy=right) == Outcome.ALREADY
    assert not AccessRequest.objects.exists()


def test_an_access_that_staff_cut_is_not_regained_in_silence(
    at_once_town: None, alice: Account, invoice: Invoice, right: InvoiceCopy, make_account: Accounts
) -> None:
    Access.objects.create(account=alice, payer=invoice.payer, ended_at=timezone.now())
    assert request_access(actor=alice, copy=right) == Outcome.WAITING
    assert not payers_of(alice).exists()
    bob = make_account("bob@example.net")  # of whom nothing was cut
    assert request_access(actor=bob, copy=right) == Outcome.JOINED
    paper_proof.accept_access_request(actor="system", access_request=waiting(alice))
    assert list(payers_of(alice)) == [invoice.payer]


def test_a_refusal_is_not_undone_by_the_same_paper(
    at_once_town: None, alice: Account, invoice: Invoice, right: InvoiceCopy
) -> None:
    setting("approval")
    request_access(actor=alice, copy=right)
    services.refuse_access_request(actor="system", access_request=waiting(alice), reason="Venez à la mairie.")
    setting("at_once")
    assert request_access(actor=alice, copy=right) == Outcome.WAITING
    assert not payers_of(alice).exists()


def test_the_operator_does_not_do_it_in_somebody_s_place(alice: Account, right: InvoiceCopy) -> None:
    alice.impersonated_by = Impersonation(account=alice)
    with pytest.raises(errors.NotWhileImpersonating):
        request_access(actor=alice, copy=right)
    assert not AccessRequest.objects.exists()


def test_a_number_that_many_invoices_have(
    alice: Account, make_invoice: Invoices, make_payer: Payers, town: Town
) -> None:
    invoices = [
        make_invoice(
            make_payer(),
            number="12",
            fiscal_year=2026 - n % 3,
            reference=f"REF{n:06}",
            product=set_up_product(actor="system", code=f"P{n}", label=f"P{n}"),
        )
        for n in range(12)
    ]
    for invoice in invoices[:3]:
        assert request_access(actor=alice, copy=copy_of(invoice)) == Outcome.WAITING
    assert set(AccessRequest.objects.values_list("payer", flat=True)) == {
        invoice.payer_id for invoice in invoices[:3]
    }


# --- Guessing ------------------------------------------------------------------------------------


def test_a_payer_that_is_guessed_is_locked_even_for_the_right_paper(
    at_once_town: None, alice: Account, invoice: Invoice, right: InvoiceCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cents in range(GUESSES - 1):
        assert request_access(actor=alice, copy=replace(right, amount=Decimal(cents))) is None
    assert not Payer.objects.filter(access_requests_locked_until__isnull=False).exists()
    assert request_access(actor=alice, copy=replace(right, amount=Decimal("99"))) is None
    invoice.payer.refresh_from_db()
    assert invoice.payer.access_requests_locked_until is not None
    assert request_access(actor=alice, copy=right) is None
    fact = AuditEntry.objects.get(verb="claims.locked")
    assert fact.object == f"payer:{invoice.payer.uuid}"
    typed = (f"number:{paper_proof._bare(right.number)}", f"reference:{paper_proof._bare(right.reference)}")
    for who in (*typed, f"payer:{invoice.payer_id}"):
        throttle.clear(paper_proof.WRONG, who)
    assert (
        request_access(actor=alice, copy=right) is None
    )  # the payer's own lock lasts longer than the counters
    Payer.objects.update(access_requests_locked_until=timezone.now() - timedelta(seconds=1))
    assert request_access(actor=alice, copy=right) == Outcome.JOINED


def test_guessing_over_the_invoices_of_one_payer_locks_it_too(
    alice: Account, invoice: Invoice, right: InvoiceCopy, make_invoice: Invoices, make_payer: Payers
) -> None:
    aside = make_invoice(make_payer())
    invoices = [make_invoice(invoice.payer) for _ in range(GUESSES)]
    for n, other in enumerate(invoices):
        wrong = InvoiceCopy(other.number, other.amount, f"WRONG{n}")
        assert request_access(actor=alice, copy=wrong) is None
    assert request_access(actor=alice, copy=right) is None  # of which nothing was typed
    assert request_access(actor=alice, copy=copy_of(aside)) == Outcome.WAITING  # another payer


def test_right_papers_lock_nothing(alice: Account, invoice: Invoice, right: InvoiceCopy) -> None:
    for _ in range(3 * GUESSES):
        assert request_access(actor=alice, copy=right) == Outcome.WAITING


def test_every_answer_costs_the_same(town: Town, invoice: Invoice, right: InvoiceCopy) -> None:
    """A stranger times us: the same statements for a right paper, a wrong one, and one that nobody has."""

    def statements(copy: InvoiceCopy) -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            request_access_by_mail(email=NEW, copy=copy)
        return [re.sub(r"'[^']*'|[0-9]+|NULL", "?", query["sql"])[:60] for query in seen]

    unknown = InvoiceCopy("X1", Decimal("1"), "ZZZZZZ")
    statements(unknown)  # whatever is read once
    wanted = statements(unknown)
    for copy in (right, *(replace(right, **change) for change in WRONG.values())):
        assert statements(copy) == wanted
    Payer.objects.update(access_requests_locked_until=timezone.now() + timedelta(hours=1))
    assert statements(right) == wanted


def test_every_answer_counts_as_often(
    town: Town, invoice: Invoice, right: InvoiceCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int]] = []
    run = throttle._run

    def counted(script: str, taken: Any, arguments: Any) -> Any:
        calls.append((script, len(taken)))
        return run(script, taken, arguments)

    monkeypatch.setattr(throttle, "_run", counted)
    costs = set()
    for copy in (right, *(replace(right, **change) for change in WRONG.values())):
        calls.clear()
        request_access_by_mail(email=NEW, copy=copy)
        costs.add(tuple(calls))
    for _ in range(GUESSES):
        request_access_by_mail(email=NEW, copy=replace(right, amount=Decimal(1)))
    calls.clear()
    request_access_by_mail(email=NEW, copy=right)  # refused without a look
    costs.add(tuple(calls))
    assert [len(cost) for cost in costs] == [2]
