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

from shared_apps.accounts import errors, throttle
from shared_apps.accounts.models import Account, Impersonation, Link, Role
from shared_apps.accounts.services import check_credentials
from shared_apps.audit.models import Entry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices import claiming
from tenant_apps.invoices.claiming import GUESSES, Paper, request_claim, request_claim_by_mail
from tenant_apps.invoices.models import Invoice
from tenant_apps.residents import addresses, claims, services
from tenant_apps.residents.claims import Outcome
from tenant_apps.residents.errors import ClaimClosed, PaperGone
from tenant_apps.residents.models import Access, Claim, Payer, PayerEmail
from tenant_apps.residents.queries import payers_of
from tenant_apps.residents.tasks import handle_claims
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.services import set_up_product
from tenants.models import AgendaItem, Town
from tests.conftest import PASSWORD
from tests.payments.test_races import at_once
from toolkit import clock

Payers, Accounts, Invoices = Callable[..., Payer], Callable[..., Account], Callable[..., Invoice]
NEW = "nouvelle@example.net"


@pytest.fixture
def alice(town: Town, make_account: Accounts) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def bill(town: Town, make_payer: Payers, make_invoice: Invoices) -> Invoice:
    return make_invoice(make_payer(), number="2026-001-000096", reference="2015RS008001516")


@pytest.fixture
def right(bill: Invoice) -> Paper:
    return paper_of(bill)


def paper_of(bill: Invoice) -> Paper:
    return Paper(bill.number, bill.original_amount, bill.reference)


def setting(mode: str) -> None:
    TownHall.objects.update(payer_claims=mode)


@pytest.fixture
def at_once_town(town: Town) -> None:
    setting("at_once")


def waiting(account: Account) -> Claim:
    return Claim.objects.get(account=account, state="waiting")


def verbs() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("verb", flat=True))


# --- Signed in -----------------------------------------------------------------------------------


def test_at_once_the_payer_is_joined_and_those_whom_billing_knows_are_told(
    at_once_town: None, alice: Account, bill: Invoice, right: Paper, make_account: Accounts
) -> None:
    PayerEmail.objects.create(payer=bill.payer, email="connue@example.net")
    bob = make_account("bob@example.net")
    Access.objects.create(account=bob, payer=bill.payer)
    assert request_claim(actor=alice, paper=right) == Outcome.JOINED
    assert list(payers_of(alice)) == [bill.payer]
    assert verbs()[-3:] == ["claim.asked", "claim.accepted", "access.granted"]
    told = OutgoingMail.objects.filter(kind="claim-joined")
    assert sorted(mail.to for mail in told) == ["bob@example.net", "connue@example.net"]
    for mail in told:
        assert bill.payer.full_name in mail.text
        assert "a…@example.net" in mail.text
        assert alice.email not in mail.text  # they are told enough to recognise it, and no more
        assert "nous couperons cet accès" in mail.text


def test_with_approval_staff_decide(
    alice: Account, bill: Invoice, right: Paper, make_account: Accounts
) -> None:
    PayerEmail.objects.create(payer=bill.payer, email="connue@example.net")
    assert request_claim(actor=alice, paper=right) == Outcome.WAITING
    assert not payers_of(alice).exists()
    assert not OutgoingMail.objects.exists()
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    claiming.accept_claim(actor=clerk, claim=waiting(alice))
    assert list(payers_of(alice)) == [bill.payer]
    assert {mail.kind: mail.to for mail in OutgoingMail.objects.all()} == {
        "claim-accepted": alice.email,
        "claim-joined": "connue@example.net",
    }
    fact = Entry.objects.get(verb="claim.accepted")
    assert (fact.actor, fact.new["payer"]) == (clerk.audit_name, bill.payer_id)


@pytest.mark.parametrize(
    ("number", "amount", "reference"),
    [
        ("2026-001-000096", "37.50", "2015-RS-00-8001516"),
        ("  N° 2026-001-000096 ", "37.50", "2015 rs 00 8001516"),
        ("2026 001 000096", "37.50", "2015.RS.00.8001516"),
    ],
)
def test_how_it_is_spaced_and_hyphenated_does_not_count(
    alice: Account, bill: Invoice, number: str, amount: str, reference: str
) -> None:
    assert request_claim(actor=alice, paper=Paper(number, Decimal(amount), reference)) == Outcome.WAITING


@pytest.mark.parametrize("printed", ["37.50", "30.00"])
def test_the_amount_before_or_after_an_avoir(
    alice: Account, bill: Invoice, right: Paper, printed: str
) -> None:
    Invoice.objects.update(amount=Decimal("30.00"), credited=Decimal("7.50"))
    assert request_claim(actor=alice, paper=replace(right, amount=Decimal(printed))) == Outcome.WAITING


WRONG: dict[str, dict[str, Any]] = {
    "number": {"number": "2026-001-000097"},
    "amount": {"amount": Decimal("37.51")},
    "reference": {"reference": "2015RS008001517"},
    "nothing known": {"number": "X1", "reference": "ZZZZZZ", "amount": Decimal("1")},
    "empty figures": {"number": "-", "reference": "-"},
}


@pytest.mark.parametrize("mode", ["approval", "at_once"])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_paper_proves_nothing(alice: Account, right: Paper, what: str, mode: str) -> None:
    setting(mode)
    assert request_claim(actor=alice, paper=replace(right, **WRONG[what])) is None
    assert not Claim.objects.exists()
    assert not payers_of(alice).exists()
    assert request_claim(actor=alice, paper=right) is not None  # the right one still does


@pytest.mark.parametrize("change", [{"state": "draft"}, {"state": "cancelled"}, {"issued_on": "old"}])
def test_only_recent_invoices_online_serve(alice: Account, right: Paper, change: dict[str, Any]) -> None:
    limit = claiming._oldest(clock.today())
    if change.get("issued_on"):
        Invoice.objects.update(issued_on=limit)
        assert request_claim(actor=alice, paper=right) == Outcome.WAITING
        Claim.objects.all().delete()
        change = {"issued_on": limit - timedelta(days=1)}
    Invoice.objects.update(**change)
    assert request_claim(actor=alice, paper=right) is None


def test_figures_of_two_invoices_prove_nothing(
    alice: Account, bill: Invoice, right: Paper, make_invoice: Invoices, make_payer: Payers
) -> None:
    other = make_invoice(make_payer(), amount="37.50")
    assert request_claim(actor=alice, paper=replace(right, number=other.number)) is None
    assert request_claim(actor=alice, paper=replace(right, reference=other.reference)) is None


def test_a_town_that_does_not_want_it(alice: Account, right: Paper) -> None:
    setting("off")
    assert request_claim(actor=alice, paper=right) is None
    request_claim_by_mail(email=NEW, paper=right)
    handle_claims()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("mode", ["approval", "at_once"])
def test_twice_changes_nothing(alice: Account, bill: Invoice, right: Paper, mode: str) -> None:
    setting(mode)
    first = request_claim(actor=alice, paper=right)
    facts, mails = Entry.objects.count(), OutgoingMail.objects.count()
    again = request_claim(actor=alice, paper=right)
    assert (first, again) in {(Outcome.WAITING, Outcome.WAITING), (Outcome.JOINED, Outcome.ALREADY)}
    assert Claim.objects.count() == 1
    assert (Entry.objects.count(), OutgoingMail.objects.count()) == (facts, mails)


def test_an_account_that_sees_it_already(alice: Account, bill: Invoice, right: Paper) -> None:
    Access.objects.create(account=alice, payer=bill.payer)
    assert request_claim(actor=alice, paper=right) == Outcome.ALREADY
    assert not Claim.objects.exists()


def test_an_access_that_staff_cut_is_not_regained_in_silence(
    at_once_town: None, alice: Account, bill: Invoice, right: Paper, make_account: Accounts
) -> None:
    Access.objects.create(account=alice, payer=bill.payer, ended_at=timezone.now())
    assert request_claim(actor=alice, paper=right) == Outcome.WAITING
    assert not payers_of(alice).exists()
    bob = make_account("bob@example.net")  # of whom nothing was cut
    assert request_claim(actor=bob, paper=right) == Outcome.JOINED
    claiming.accept_claim(actor="system", claim=waiting(alice))
    assert list(payers_of(alice)) == [bill.payer]


def test_a_refusal_is_not_undone_by_the_same_paper(
    at_once_town: None, alice: Account, bill: Invoice, right: Paper
) -> None:
    setting("approval")
    request_claim(actor=alice, paper=right)
    claims.refuse_claim(actor="system", claim=waiting(alice), reason="Venez à la mairie.")
    setting("at_once")
    assert request_claim(actor=alice, paper=right) == Outcome.WAITING
    assert not payers_of(alice).exists()


def test_the_operator_does_not_do_it_in_somebody_s_place(alice: Account, right: Paper) -> None:
    alice.impersonated_by = Impersonation(account=alice)
    with pytest.raises(errors.NotWhileImpersonating):
        request_claim(actor=alice, paper=right)
    assert not Claim.objects.exists()


def test_a_number_that_many_invoices_have(
    alice: Account, make_invoice: Invoices, make_payer: Payers, town: Town
) -> None:
    bills = [
        make_invoice(
            make_payer(),
            number="12",
            fiscal_year=2026 - n % 3,
            reference=f"REF{n:06}",
            product=set_up_product(actor="system", code=f"P{n}", label=f"P{n}"),
        )
        for n in range(12)
    ]
    for bill in bills[:3]:
        assert request_claim(actor=alice, paper=paper_of(bill)) == Outcome.WAITING
    assert set(Claim.objects.values_list("payer", flat=True)) == {bill.payer_id for bill in bills[:3]}


# --- Guessing ------------------------------------------------------------------------------------


def test_a_payer_that_is_guessed_is_locked_even_for_the_right_paper(
    at_once_town: None, alice: Account, bill: Invoice, right: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cents in range(GUESSES - 1):
        assert request_claim(actor=alice, paper=replace(right, amount=Decimal(cents))) is None
    assert not Payer.objects.filter(claims_locked_until__isnull=False).exists()
    assert request_claim(actor=alice, paper=replace(right, amount=Decimal("99"))) is None
    bill.payer.refresh_from_db()
    assert bill.payer.claims_locked_until is not None
    assert request_claim(actor=alice, paper=right) is None
    fact = Entry.objects.get(verb="claims.locked")
    assert fact.object == f"payer:{bill.payer.uuid}"
    for who in (f"number:{claiming._bare(right.number)}", f"reference:{claiming._bare(right.reference)}"):
        throttle.clear("claim", who)
    assert (
        request_claim(actor=alice, paper=right) is None
    )  # the payer's own lock lasts longer than the counters
    Payer.objects.update(claims_locked_until=timezone.now() - timedelta(seconds=1))
    assert request_claim(actor=alice, paper=right) == Outcome.JOINED


def test_guessing_over_the_invoices_of_one_payer_locks_it_too(
    alice: Account, bill: Invoice, right: Paper, make_invoice: Invoices, make_payer: Payers
) -> None:
    aside = make_invoice(make_payer())
    bills = [make_invoice(bill.payer) for _ in range(GUESSES)]
    for n, other in enumerate(bills):
        wrong = Paper(other.number, other.amount, f"WRONG{n}")
        assert request_claim(actor=alice, paper=wrong) is None
    assert request_claim(actor=alice, paper=right) is None  # of which nothing was typed
    assert request_claim(actor=alice, paper=paper_of(aside)) == Outcome.WAITING  # another payer


def test_right_papers_lock_nothing(alice: Account, bill: Invoice, right: Paper) -> None:
    for _ in range(3 * GUESSES):
        assert request_claim(actor=alice, paper=right) == Outcome.WAITING


def test_every_answer_costs_the_same(town: Town, bill: Invoice, right: Paper) -> None:
    """A stranger times us: the same statements for a right paper, a wrong one, and one that nobody has."""

    def statements(paper: Paper) -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            request_claim_by_mail(email=NEW, paper=paper)
        return [re.sub(r"'[^']*'|[0-9]+|NULL", "?", query["sql"])[:60] for query in seen]

    unknown = Paper("X1", Decimal("1"), "ZZZZZZ")
    statements(unknown)  # whatever is read once
    wanted = statements(unknown)
    for paper in (right, *(replace(right, **change) for change in WRONG.values())):
        assert statements(paper) == wanted
    Payer.objects.update(claims_locked_until=timezone.now() + timedelta(hours=1))
    assert statements(right) == wanted


def test_every_answer_counts_as_often(
    town: Town, bill: Invoice, right: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    count, seen = throttle.count, throttle.seen
    monkeypatch.setattr(throttle, "count", lambda kind, who: (calls.append("count"), count(kind, who))[1])
    monkeypatch.setattr(throttle, "seen", lambda kind, who: (calls.append("seen"), seen(kind, who))[1])
    costs = set()
    for paper in (right, *(replace(right, **change) for change in WRONG.values())):
        calls.clear()
        request_claim_by_mail(email=NEW, paper=paper)
        costs.add(tuple(calls))
    assert len(costs) == 1


# --- Without a session ---------------------------------------------------------------------------


def lien(to: str = NEW) -> str:
    mail = OutgoingMail.objects.filter(kind="link-claim", to=to).latest("pk")
    assert mail.secret
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found, mail.text
    return found[1]


def ask(paper: Paper, email: str = NEW) -> str:
    request_claim_by_mail(email=email, paper=paper)
    handle_claims()
    return lien(email.lower())


def test_the_proof_and_the_address_are_both_needed(at_once_town: None, bill: Invoice, right: Paper) -> None:
    token = ask(right, email=NEW.upper())
    account = Account.objects.get(email=NEW)
    assert not payers_of(account).exists()  # the proof alone opens nothing
    assert token not in str(list(Link.objects.values()))
    outcome = claiming.confirm_claim(token=token, password=PASSWORD)
    assert outcome == Outcome.JOINED
    assert list(payers_of(account)) == [bill.payer]
    assert check_credentials(email=NEW, password=PASSWORD, ip="192.0.2.1") == account
    with pytest.raises(errors.LinkUsed):
        claiming.confirm_claim(token=token, password=PASSWORD)


def test_with_approval_the_confirmed_claim_waits(bill: Invoice, right: Paper) -> None:
    token = ask(right)
    assert Claim.objects.get().state == "asked"
    assert claiming.confirm_claim(token=token, password=PASSWORD) == Outcome.WAITING
    account = Account.objects.get(email=NEW)
    assert account.activated_at is not None
    assert not payers_of(account).exists()
    assert waiting(account).payer == bill.payer


def test_an_active_account_confirms_without_a_password(
    at_once_town: None, alice: Account, bill: Invoice, right: Paper
) -> None:
    token = ask(right, email=alice.email)
    assert claiming.confirm_claim(token=token) == Outcome.JOINED
    assert list(payers_of(alice)) == [bill.payer]
    assert check_credentials(email=alice.email, password=PASSWORD, ip="192.0.2.1") == alice


def test_the_link_of_a_claim_changes_no_password(alice: Account, right: Paper) -> None:
    token = ask(right, email=alice.email)
    with pytest.raises(errors.LinkUnknown):
        services.activate(token=token, password="un autre bien long")
    assert check_credentials(email=alice.email, password=PASSWORD, ip="192.0.2.1") == alice


def test_another_link_confirms_no_claim(at_once_town: None, bill: Invoice, right: Paper) -> None:
    """Whoever only resets a password has not agreed to see a stranger's record."""
    ask(right)
    Link.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
    services.request_activation(email=NEW)
    services.handle_links()
    mail = OutgoingMail.objects.get(kind="link-activation")
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found
    account = services.activate(token=found[1], password=PASSWORD)
    assert not payers_of(account).exists()
    with pytest.raises(errors.LinkUnknown):
        claiming.confirm_claim(token=found[1] + "0")
    assert claiming.confirm_claim(token=lien()) == Outcome.JOINED  # its own link still does


def test_a_weak_password_leaves_the_link_usable(at_once_town: None, bill: Invoice, right: Paper) -> None:
    token = ask(right)
    for weak in ("", "court"):
        with pytest.raises(errors.WeakPassword):
            claiming.confirm_claim(token=token, password=weak)
    assert Claim.objects.get().state == "asked"
    assert claiming.confirm_claim(token=token, password=PASSWORD) == Outcome.JOINED


def test_a_wrong_paper_leaves_nothing(town: Town, right: Paper) -> None:
    request_claim_by_mail(email=NEW, paper=replace(right, amount=Decimal("1")))
    assert Claim.objects.get().payer is None
    assert claims.handle_claims() == 1
    assert not Claim.objects.exists()
    assert not Account.objects.exists()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("change", [{"role": Role.CLERK}, {"is_active": False}])
def test_staff_and_closed_accounts_get_nothing(alice: Account, right: Paper, change: dict[str, Any]) -> None:
    Account.objects.update(**change)
    request_claim_by_mail(email=alice.email, paper=right)
    handle_claims()
    assert not Claim.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_asked_twice_within_a_minute_sends_one_message(right: Paper) -> None:
    request_claim_by_mail(email=NEW, paper=right)
    request_claim_by_mail(email=NEW, paper=right)
    handle_claims()
    assert OutgoingMail.objects.count() == 1
    assert Claim.objects.count() == 1


def test_asked_twice_and_confirmed_twice(at_once_town: None, bill: Invoice, right: Paper) -> None:
    first = ask(right)
    Claim.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    second = ask(right)
    assert first != second
    assert claiming.confirm_claim(token=first, password=PASSWORD) == Outcome.JOINED
    assert claiming.confirm_claim(token=second) == Outcome.ALREADY
    assert Claim.objects.count() == 1


def test_an_invoice_cancelled_before_the_link_is_opened_is_left_to_staff(
    at_once_town: None, bill: Invoice, right: Paper
) -> None:
    token = ask(right)
    Invoice.objects.update(state="cancelled")
    assert claiming.confirm_claim(token=token, password=PASSWORD) == Outcome.WAITING


def test_a_payer_erased_before_the_link_is_opened(at_once_town: None, bill: Invoice, right: Paper) -> None:
    token = ask(right)
    payer = bill.payer
    bill.delete()
    payer.delete()
    assert claiming.confirm_claim(token=token, password=PASSWORD) == Outcome.GONE
    assert Account.objects.get(email=NEW).activated_at is not None


def test_an_expired_link(at_once_town: None, right: Paper) -> None:
    token = ask(right)
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(errors.LinkExpired):
        claiming.confirm_claim(token=token, password=PASSWORD)
    assert not Access.objects.exists()


# --- Deciding ------------------------------------------------------------------------------------


def test_refused_with_a_reason(alice: Account, right: Paper) -> None:
    request_claim(actor=alice, paper=right)
    claim = waiting(alice)
    claims.refuse_claim(actor="system", claim=claim, reason="Nous ne vous connaissons pas.")
    claims.refuse_claim(actor="system", claim=claim, reason="Une autre raison.")  # twice changes nothing
    claim.refresh_from_db()
    assert (claim.state, claim.reason) == ("refused", "Nous ne vous connaissons pas.")
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to) == ("claim-refused", alice.email)
    assert "Nous ne vous connaissons pas." in mail.text
    assert Entry.objects.filter(verb="claim.refused").count() == 1
    with pytest.raises(ClaimClosed):
        claiming.accept_claim(actor="system", claim=claim)
    assert not payers_of(alice).exists()


def test_accepted_twice_and_then_too_late_to_refuse(alice: Account, bill: Invoice, right: Paper) -> None:
    request_claim(actor=alice, paper=right)
    claim = waiting(alice)
    for _ in range(2):
        claiming.accept_claim(actor="system", claim=claim)
    assert OutgoingMail.objects.filter(kind="claim-accepted").count() == 1
    assert Access.objects.count() == 1
    with pytest.raises(ClaimClosed):
        claims.refuse_claim(actor="system", claim=claim, reason="Trop tard.")
    with pytest.raises(ClaimClosed):
        claims.withdraw_claim(actor=alice, claim=claim)


def test_withdrawn(alice: Account, right: Paper) -> None:
    request_claim(actor=alice, paper=right)
    claim = waiting(alice)
    for _ in range(2):
        claims.withdraw_claim(actor=alice, claim=claim)
    with pytest.raises(ClaimClosed):
        claiming.accept_claim(actor="system", claim=claim)
    assert not payers_of(alice).exists()
    assert Entry.objects.filter(verb="claim.withdrawn").count() == 1
    assert request_claim(actor=alice, paper=right) == Outcome.WAITING  # and may be asked again


@pytest.mark.parametrize("what", ["cancelled", "another payer"])
def test_an_invoice_that_is_no_longer_theirs_is_not_accepted(
    alice: Account, bill: Invoice, right: Paper, make_payer: Payers, what: str
) -> None:
    request_claim(actor=alice, paper=right)
    Invoice.objects.update(**({"state": what} if what == "cancelled" else {"payer": make_payer()}))
    with pytest.raises(PaperGone):
        claiming.accept_claim(actor="system", claim=waiting(alice))
    assert not payers_of(alice).exists()
    claims.refuse_claim(actor="system", claim=waiting(alice), reason="Facture annulée.")


def test_whoever_took_the_address_leaves_no_claim_behind(alice: Account, right: Paper) -> None:
    addresses.request_address_change(actor=alice, email="thief@example.net")
    services.handle_links()
    mail = OutgoingMail.objects.get(kind="link-address")
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found
    addresses.confirm_address(token=found[1])
    alice.refresh_from_db()
    request_claim(actor=alice, paper=right)
    back = OutgoingMail.objects.get(kind="address-changed")
    found = re.search(r"LIEN=(X[0-9a-f]{32})\b", back.text)
    assert found
    addresses.put_address_back(token=found[1])
    assert Claim.objects.get().state == "withdrawn"


# --- The agenda ----------------------------------------------------------------------------------


def due(town: Town) -> Any:
    item = AgendaItem.objects.filter(town=town, kind="claims").first()
    return item and item.due_at


def test_nobody_decides_in_sixty_days(town: Town, alice: Account, right: Paper) -> None:
    request_claim(actor=alice, paper=right)
    claim = waiting(alice)
    handle_claims()
    claim.refresh_from_db()
    assert claim.state == "waiting"
    assert due(town) == claim.asked_at + claims.LIFE
    Claim.objects.update(asked_at=timezone.now() - claims.LIFE)
    handle_claims()
    claim.refresh_from_db()
    assert claim.state == "expired"
    assert due(town) is None
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to) == ("claim-expired", alice.email)


def test_nobody_confirms(town: Town, right: Paper) -> None:
    ask(right)
    assert due(town) is not None
    Claim.objects.update(asked_at=timezone.now() - claims.UNCONFIRMED)
    handle_claims()
    assert not Claim.objects.exists()
    assert due(town) is None


# --- Two connections -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["approval", "at_once"])
def test_two_connections_claim_once(
    live_town: Town, make_account: Accounts, make_payer: Payers, make_invoice: Invoices, mode: str
) -> None:
    alice, bill = make_account("alice@example.net"), make_invoice(make_payer(email="connue@example.net"))
    setting(mode)
    outcomes: list[Outcome | None] = []
    act = lambda: outcomes.append(request_claim(actor=alice, paper=paper_of(bill)))  # noqa: E731
    assert at_once(live_town, act, act, act, act) == []
    assert Claim.objects.count() == 1
    assert Access.objects.count() == (mode == "at_once")
    assert OutgoingMail.objects.count() == (mode == "at_once")
    first = {"approval": Outcome.WAITING, "at_once": Outcome.JOINED}[mode]
    again = {"approval": Outcome.WAITING, "at_once": Outcome.ALREADY}[mode]
    assert sorted(map(str, outcomes)) == sorted([first, again, again, again])


def test_staff_decide_twice_at_once(
    live_town: Town, make_account: Accounts, make_payer: Payers, make_invoice: Invoices
) -> None:
    alice, bill = make_account("alice@example.net"), make_invoice(make_payer())
    request_claim(actor=alice, paper=paper_of(bill))
    claim = waiting(alice)
    accept = lambda: claiming.accept_claim(actor="system", claim=claim)  # noqa: E731
    refuse = lambda: claims.refuse_claim(actor="system", claim=claim, reason="Non.")  # noqa: E731
    withdraw = lambda: claims.withdraw_claim(actor=alice, claim=claim)  # noqa: E731
    raised = at_once(live_town, accept, accept, refuse, withdraw)
    assert {type(error) for error in raised} == {ClaimClosed}
    claim.refresh_from_db()
    ends = Entry.objects.filter(verb__in=["claim.accepted", "claim.refused", "claim.withdrawn"])
    assert [fact.verb for fact in ends] == [f"claim.{claim.state}"]
    assert Access.objects.filter(account=alice, ended_at=None).count() == (claim.state == "accepted")
    assert len(raised) == (2 if claim.state == "accepted" else 3)


def test_two_workers_send_one_link(live_town: Town, make_payer: Payers, make_invoice: Invoices) -> None:
    bill = make_invoice(make_payer())
    request_claim_by_mail(email=NEW, paper=paper_of(bill))
    assert at_once(live_town, claims.handle_claims, claims.handle_claims) == []
    assert OutgoingMail.objects.filter(kind="link-claim").count() == 1
    act = lambda: claiming.confirm_claim(token=lien(), password=PASSWORD)  # noqa: E731
    raised = at_once(live_town, act, act)
    assert len(raised) == 1
    assert isinstance(raised[0], errors.LinkUsed)
    assert Claim.objects.get().state == "waiting"
