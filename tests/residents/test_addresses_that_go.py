"""What billing or staff take away is gone: an address opens nothing and is told nothing; what it gave lapses."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link
from shared_apps.accounts.services import check_credentials
from shared_apps.audit.models import Entry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices import services as imports
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.paper_proof import confirm_access_request, request_access, request_access_by_mail
from tenant_apps.invoices.states import Answer
from tenant_apps.residents import activation, sharing
from tenant_apps.residents.access_requests import services as access_requests
from tenant_apps.residents.access_requests.services import Outcome
from tenant_apps.residents.account import addresses
from tenant_apps.residents.emails import billing
from tenant_apps.residents.errors import AccessCut, AddressGone, AddressKnown
from tenant_apps.residents.models import Access, AccessRequest, Payer, PayerEmail, RemovedEmail
from tenant_apps.residents.queries import addresses_taken, payers_of
from tenant_apps.townhall.models import TownHall
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.races import at_once
from tests.residents.letters import lien
from tests.residents.test_access_requests import paper_of
from tests.residents.test_addresses import change

ALICE, NEW, BOB = "alice@example.net", "alice.new@example.net", "bob@example.net"
HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom"
ROW = "2026-001-{n:06};01/10/2026;31/12/2026;25,00;CANTINE;P00001;MARTIN;Alice"


def a_file(n: int, *cells: str, column: bool = True) -> Batch:
    """Publish a file of one payer, P00001: a row for each of `cells`, his addresses; or without any such column."""
    rows = [ROW.format(n=n * 100 + i) + (f";{cell}" if column else "") for i, cell in enumerate(cells)]
    content = "\r\n".join([HEADER + (";E-mail" if column else ""), *rows]).encode()
    batch = imports.create_batch(actor="system", rows_file=io.BytesIO(content), rows_name="factures.csv")
    processing.process_waiting()
    batch.refresh_from_db()
    for asked in imports.open_questions(
        batch
    ):  # another first name and another address: it is the same person
        imports.answer_question(actor="system", update=asked, answer=Answer.SAME)
    imports.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    batch.refresh_from_db()
    assert batch.state == "published"
    return batch


def known(payer: Payer | None = None) -> set[str]:
    payer = payer or Payer.objects.get()
    return set(PayerEmail.objects.filter(payer=payer).values_list("email", flat=True))


def activated(email: str) -> Account:
    activation.request_activation(email=email)
    activation.handle_links()
    return activation.activate(token=lien("link-activation", email), password=PASSWORD)


@pytest.fixture
def payer(town: Town, make_payer: Callable[..., Payer]) -> Payer:
    payer = make_payer(email=ALICE)
    assert payer.reference == "P00001"
    return payer


# --- The file ------------------------------------------------------------------------------------


def test_a_file_replaces_what_billing_had_given(payer: Payer) -> None:
    a_file(1, NEW)
    assert known() == {NEW}


def test_the_rows_of_one_payer_are_read_together(payer: Payer) -> None:
    a_file(1, NEW, "", BOB)
    assert known() == {NEW, BOB}


def test_an_empty_cell_says_none_and_an_absent_column_says_nothing(payer: Payer) -> None:
    a_file(1, "", column=False)
    assert known() == {ALICE}
    a_file(2, "")
    assert known() == set()


def test_other_payers_are_left_alone(payer: Payer, make_payer: Any) -> None:
    other = make_payer(email=BOB)
    a_file(1, NEW)
    assert known(other) == {BOB}


def test_what_staff_added_stays(payer: Payer) -> None:
    billing.add_email(actor="account:clerk", payer=payer, email=" BOB@example.net ")
    a_file(1, NEW)
    assert known() == {NEW, BOB}
    with pytest.raises(AddressKnown):
        billing.add_email(actor="account:clerk", payer=payer, email=BOB)


def test_what_staff_took_away_is_not_brought_back_in_silence(payer: Payer) -> None:
    billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    billing.remove_email(actor="account:other", payer=payer, email=ALICE)  # twice changes nothing
    (kept,) = billing.preview_emails({payer.pk: [ALICE, NEW]}).kept_out
    assert (kept.email, kept.removed_by) == (ALICE, "account:clerk")
    a_file(1, f"{ALICE},{NEW}")
    assert known() == {NEW}
    billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    assert known() == {ALICE, NEW}
    assert not RemovedEmail.objects.exists()
    a_file(2, NEW)
    assert known() == {NEW}  # it is billing's again
    verbs = Entry.objects.filter(verb__startswith="payer_email.").order_by("id").values_list("verb", "new")
    assert list(verbs) == [
        ("payer_email.removed", {"address": "a…@example.net"}),
        ("payer_email.let_back", {"address": "a…@example.net"}),
    ]


def test_a_refusal_outlives_the_address(payer: Payer) -> None:
    activation.refuse_at_address(actor="system", email=ALICE, kinds=["reminder"])
    a_file(1, "")
    activation.refuse_at_address(actor="system", email=ALICE, kinds=["late"])  # from an old message
    a_file(2, ALICE)
    assert PayerEmail.objects.get().refused_alerts == ["late", "reminder"]
    billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    assert PayerEmail.objects.get().refused_alerts == ["late", "reminder"]


def test_the_preview_says_what_the_replacement_does(town: Town, make_payer: Any, make_account: Any) -> None:
    """Over every mix of who gave an address, who has an account, and what the file says."""
    said: dict[int, list[str]] = {}
    for n in range(64):
        account = make_account(f"p{n}@example.net") if n & 1 else None
        payer = make_payer()
        PayerEmail.objects.create(
            payer=payer, email=f"p{n}@example.net", source="staff" if n & 2 else "import"
        )
        if account is not None:
            activation.grant_known_payers(account=account)
            friend = make_account(f"friend{n}@example.net")
            Access.objects.create(account=friend, payer=payer, granted_by=account.uuid)
        if n & 4:
            billing.remove_email(actor="account:clerk", payer=payer, email=f"p{n}@example.net")
        if not n & 32:
            said[payer.pk] = [
                *([f"p{n}@example.net"] if n & 8 else []),
                *([f"friend{n}@example.net", f"x{n}@example.net"] if n & 16 else []),
            ]
    before = billing.preview_emails(said)
    state = list(Access.objects.order_by("id").values()), list(PayerEmail.objects.order_by("id").values())
    assert state == (
        list(Access.objects.order_by("id").values()),
        list(PayerEmail.objects.order_by("id").values()),
    )
    assert before.going
    assert before.coming
    assert before.kept_out
    assert before.losing
    done = billing.replace_emails(said, actor="system")
    assert done == before
    assert {access.pk for access in before.accesses} == set(before.losing)
    assert not Access.objects.filter(pk__in=before.losing, ended_at=None).exists()
    again = billing.replace_emails(said, actor="system")
    assert (again.going, again.coming, again.losing) == ([], [], [])


# --- The door ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_staff", [True, False])
def test_the_link_already_sent_opens_nothing(payer: Payer, by_staff: bool, client_for: Any) -> None:
    activation.request_activation(email=ALICE)
    activation.handle_links()
    token = lien("link-activation", ALICE)
    browser = client_for()
    assert browser.get(f"/?LIEN={token}", follow=True).status_code == 200
    take(payer, by_staff)
    for answer in (
        browser.get("/lien/"),
        browser.post("/lien/", {"password": PASSWORD}),
        browser.get(f"/?LIEN={token}", follow=True),
    ):
        assert answer.status_code == 410
        assert "ne donne plus cette adresse" in answer.content.decode()
        assert "/contact/" in answer.content.decode()
    with pytest.raises(AddressGone):
        activation.activate(token=token, password=PASSWORD)
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=ALICE, password=PASSWORD, ip="192.0.2.1")
    billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    activation.activate(token=token, password=PASSWORD)  # a mistake undone is undone


def take(payer: Payer, by_staff: bool) -> None:
    if by_staff:
        billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    else:
        billing.replace_emails({payer.pk: []}, actor="system")


@pytest.mark.parametrize("by_staff", [True, False])
@pytest.mark.parametrize("asked", ["before", "after"])
def test_activation_reset_and_code_send_nothing(payer: Payer, by_staff: bool, asked: str) -> None:
    activation.request_activation(email=ALICE)  # an account without a password is made
    activation.handle_links()
    Link.objects.all().delete()
    OutgoingMail.objects.all().delete()
    if asked == "after":
        take(payer, by_staff)
    for ask in (activation.request_activation, activation.request_reset):
        ask(email=ALICE)
    activation.request_code(email=ALICE, ip="192.0.2.1")
    if asked == "before":
        take(payer, by_staff)
    activation.handle_links()
    assert not OutgoingMail.objects.exists()


def test_a_message_that_has_not_left_does_not(payer: Payer) -> None:
    activation.request_activation(email=ALICE)
    activation.handle_links()
    assert OutgoingMail.objects.filter(to=ALICE).exists()
    take(payer, by_staff=True)
    assert not OutgoingMail.objects.filter(to=ALICE).exists()


def test_an_invitation_to_it_is_over(payer: Payer, make_account: Any, make_payer: Any) -> None:
    alice = make_account(ALICE)
    activation.grant_known_payers(account=alice)
    PayerEmail.objects.create(payer=payer, email=BOB)
    sharing.invite(actor=alice, payer=payer, email=BOB)
    activation.handle_links()
    token = lien("link-share", BOB)
    billing.remove_email(actor="account:clerk", payer=payer, email=BOB)
    assert not OutgoingMail.objects.filter(to=BOB).exists()
    with pytest.raises(errors.InvitationOver):
        sharing.accept_invitation(token=token, password=PASSWORD)
    # A new one leaves nowhere: staff took that address from this payer.
    sharing.invite(actor=alice, payer=payer, email=BOB)
    activation.handle_links()
    assert not OutgoingMail.objects.filter(to=BOB).exists()


def test_an_invitation_does_not_go_round_staff(payer: Payer, make_account: Any) -> None:
    alice, bob = make_account(ALICE), make_account(BOB)
    activation.grant_known_payers(account=alice)
    billing.add_email(actor="account:clerk", payer=payer, email=NEW)
    sharing.invite(actor=alice, payer=payer, email=NEW)
    activation.handle_links()
    token = lien("link-share", NEW)
    Link.objects.filter(email=NEW).update(email=BOB)  # as if it had been accepted at the very moment
    billing.add_email(actor="account:clerk", payer=payer, email=BOB)
    billing.remove_email(actor="account:clerk", payer=payer, email=BOB)
    Link.objects.filter(email=BOB).update(
        expires_at=Link.objects.get(email=BOB).requested_at + timedelta(days=7)
    )
    with pytest.raises(AccessCut):
        sharing.accept_invitation(token=token)
    assert not payers_of(bob).exists()


# --- Accesses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_staff", [True, False])
def test_the_access_lapses_and_comes_back(payer: Payer, by_staff: bool, client_for: Any) -> None:
    alice = activated(ALICE)
    browser = client_for(alice)
    assert list(payers_of(alice)) == [payer]
    take(payer, by_staff)
    assert not payers_of(alice).exists()
    page = browser.get("/factures/").content.decode()
    assert "ne donne plus l'adresse" in page
    assert "/contact/" in page
    assert "vous voyiez certaines factures" in browser.get("/mes-informations/").content.decode()
    if by_staff:
        a_file(1, ALICE)
        assert not payers_of(alice).exists()
        billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    else:
        a_file(1, ALICE)
    assert list(payers_of(alice)) == [payer]
    assert Access.objects.count() == 1


def test_an_address_confirmed_in_the_portal_that_billing_gives_keeps_access(payer: Payer) -> None:
    alice = activated(ALICE)
    change(alice, NEW)
    a_file(1, NEW)
    assert list(payers_of(alice)) == [payer]
    assert Access.objects.get().through == NEW
    change(alice, "third@example.net")
    a_file(2, NEW)
    assert list(payers_of(alice)) == [payer]  # the address that holds it is still given
    a_file(3, ALICE)
    assert not payers_of(alice).exists()


def test_nobody_is_shut_out_by_a_file_without_the_column(payer: Payer) -> None:
    alice = activated(ALICE)
    a_file(1, "", column=False)
    assert list(payers_of(alice)) == [payer]


def test_what_a_paper_or_a_person_gave_stays(payer: Payer, make_account: Any) -> None:
    paper, friend = make_account("paper@example.net"), make_account("friend@example.net")
    Access.objects.create(account=paper, payer=payer)
    Access.objects.create(account=friend, payer=payer, granted_by=paper.uuid)
    take(payer, by_staff=True)
    assert payers_of(paper).exists()
    assert payers_of(friend).exists()


def test_what_its_holder_gave_lapses_and_comes_back_with_it(payer: Payer, make_account: Any) -> None:
    alice, friend, spouse = activated(ALICE), make_account("friend@example.net"), make_account(BOB)
    billing.add_email(actor="account:clerk", payer=payer, email=BOB)  # billing or staff name this one
    Access.objects.filter(account=spouse).delete()
    for account in (friend, spouse):
        Access.objects.create(account=account, payer=payer, granted_by=alice.uuid)
    take(payer, by_staff=False)
    assert not payers_of(friend).exists()
    assert payers_of(spouse).exists()
    a_file(1, ALICE)
    assert payers_of(friend).exists()


def test_staff_give_back_what_lapsed(payer: Payer, make_account: Any) -> None:
    alice, friend = activated(ALICE), make_account("friend@example.net")
    Access.objects.create(account=friend, payer=payer, granted_by=alice.uuid)
    take(payer, by_staff=True)
    sharing.restore_access(actor="account:clerk", access=Access.objects.get(account=alice))
    assert payers_of(alice).exists()
    assert payers_of(friend).exists()
    a_file(1, "")
    assert payers_of(alice).exists()  # it stands by staff's word


def test_what_staff_cut_stays_cut_whatever_comes(payer: Payer) -> None:
    alice = activated(ALICE)
    sharing.cut_access(actor="account:clerk", access=Access.objects.get())
    a_file(1, "")
    a_file(2, ALICE)
    assert not payers_of(alice).exists()


def test_the_old_address_takes_back_nothing_that_it_does_not_hold(payer: Payer) -> None:
    """Alice left the address because it is no longer hers; billing follows; its new reader undoes the change."""
    alice = activated(ALICE)
    regret = change(alice, NEW)
    a_file(1, NEW)
    addresses.put_address_back(token=regret)
    alice.refresh_from_db()
    assert alice.email == ALICE
    assert not payers_of(alice).exists()


@pytest.mark.parametrize("by_staff", [True, False])
def test_a_paper_opens_again_what_billing_took_and_asks_staff_for_what_they_took(
    payer: Payer, make_invoice: Any, by_staff: bool
) -> None:
    TownHall.objects.update(payer_claims="at_once")
    alice = activated(ALICE)
    paper = paper_of(make_invoice(payer))
    take(payer, by_staff)
    change(alice, NEW)  # another address is no way round
    outcome = request_access(actor=alice, paper=paper)
    assert outcome == (Outcome.WAITING if by_staff else Outcome.JOINED)
    assert payers_of(alice).exists() is not by_staff
    if by_staff:
        (gone,) = addresses_taken(AccessRequest.objects.get())  # staff read it before they decide
        assert gone.email == ALICE


@pytest.mark.parametrize("by_staff", [True, False])
def test_the_link_of_a_paper_keeps_its_own_proof(payer: Payer, make_invoice: Any, by_staff: bool) -> None:
    TownHall.objects.update(payer_claims="at_once")
    request_access_by_mail(email=ALICE, paper=paper_of(make_invoice(payer)))
    access_requests.handle_access_requests()
    token = lien("link-claim", ALICE)
    take(payer, by_staff)
    outcome = confirm_access_request(token=token, password=PASSWORD)
    assert outcome == (Outcome.WAITING if by_staff else Outcome.JOINED)


# --- At the same moment --------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(6))
def test_taken_away_while_it_activates(live_town: Town, make_payer: Any, n: int) -> None:
    payer = make_payer(email=ALICE)
    activation.request_activation(email=ALICE)
    activation.handle_links()
    token = lien("link-activation", ALICE)
    raised = at_once(
        live_town,
        lambda: activation.activate(token=token, password=PASSWORD),
        (lambda: take(payer, by_staff=True)) if n % 2 else (lambda: take(payer, by_staff=False)),
    )
    assert all(isinstance(error, AddressGone) for error in raised), raised
    assert not Access.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("n", range(6))
def test_taken_away_while_an_account_resets_and_gains_another(
    live_town: Town, make_payer: Any, n: int
) -> None:
    """No deadlock: the account loses one payer and gains another in the publication that its reset meets."""
    first, second = make_payer(email=ALICE), make_payer()
    alice = activated(ALICE)
    activation.request_reset(email=ALICE)
    Link.objects.filter(handled_at=None).update(requested_at=alice.created_at + timedelta(minutes=5))
    activation.handle_links()
    token = lien("link-reset", ALICE)
    raised = at_once(
        live_town,
        lambda: activation.activate(token=token, password=PASSWORD),
        lambda: billing.replace_emails({first.pk: [], second.pk: [ALICE]}, actor="system"),
    )
    assert raised == []
    assert list(payers_of(alice)) == [second]
