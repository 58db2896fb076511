"""The attack: an address that only looks like somebody's finds nobody, opens nothing, and receives nothing, ever."""

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.accounts.services import check_credentials
from shared_apps.accounts.signing_in.codes import SENT, ask_code
from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.limits import TRIES_PER_ACCOUNT
from shared_apps.console.look.forms import PasswordStep
from shared_apps.console.opening import NewTown
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.unsubscribing import url
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.paper_proof import InvoiceCopy, request_access_by_mail
from tenant_apps.notices import unsubscribing
from tenant_apps.portal.views.entry.signing_in import ASKED
from tenant_apps.residents import activation, sharing
from tenant_apps.residents.access_requests import services as access_requests
from tenant_apps.residents.account import addresses
from tenant_apps.residents.models import Access, AccessRequest, Payer
from tenant_apps.residents.queries import is_known_to_billing, payers_of
from tenants.errors import TownError
from tenants.models import Town
from tests.accounts.codes import browser
from tests.conftest import PASSWORD

LISA = "kim.lisa@mail-kiosk.fr"
IP = "192.0.2.9"
DOUBLES = {
    "dotless-i": LISA.replace("i", "ı"),
    "dotless-i-in-the-domain": "kim.lisa@maıl-kıosk.fr",  # which anybody may register
    "long-s": LISA.replace("s", "ſ"),
    "kelvin": LISA.replace("k", "\N{KELVIN SIGN}"),
    "dotted-i": LISA.replace("i", "İ"),
    "full-width": LISA.replace("a", "ａ"),
    "cyrillic": LISA.replace("a", "а"),
    "invisible": LISA.replace("@", "\u200b@"),
    "soft-hyphen": LISA.replace("kiosk", "kio\u00adsk"),
}
pytestmark = pytest.mark.usefixtures("town")
doubles = pytest.mark.parametrize("typed", DOUBLES.values(), ids=DOUBLES)


@pytest.fixture
def lisa(make_account: Callable[..., Account]) -> Account:
    return make_account(LISA)


@pytest.fixture
def bill(town: Town, make_payer: Callable[..., Payer], make_invoice: Callable[..., Invoice]) -> Invoice:
    """Of somebody whom billing knows at that address and who has no account yet."""
    return make_invoice(make_payer(email=LISA), number="2026-001-000096", reference="2015RS008001516")


def after(act: Callable[[], Any]) -> set[str]:
    """What the worker mails, to whom, once `act` was tried."""
    with suppress(ValueError, errors.AccountError), transaction.atomic():
        act()
    activation.handle_links()
    access_requests.handle_access_requests()
    return set(OutgoingMail.objects.values_list("to", flat=True))


# --- Behind the doors: whoever calls the services gets nothing either ---------------------------------


@doubles
@pytest.mark.parametrize("ask", [activation.request_activation, activation.request_reset])
def test_a_link_for_an_account(lisa: Account, typed: str, ask: Callable[..., None]) -> None:
    assert after(lambda: ask(email=typed)) <= {LISA}
    assert not Link.objects.filter(token_hash__isnull=False).exists()


@doubles
def test_a_first_link_for_whom_billing_knows(bill: Invoice, typed: str) -> None:
    assert not is_known_to_billing(typed)
    assert after(lambda: activation.request_activation(email=typed)) <= {LISA}
    assert not Account.objects.exists()


@doubles
def test_a_code_by_mail(lisa: Account, typed: str) -> None:
    assert after(lambda: activation.request_code(email=typed, ip=IP)) == set()


@doubles
def test_the_password_under_another_spelling(lisa: Account, typed: str) -> None:
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=typed, password=PASSWORD, ip=IP)
    with pytest.raises(Account.DoesNotExist):
        Account.objects.get_by_natural_key(typed)


@doubles
def test_a_paper_invoice(bill: Invoice, lisa: Account, typed: str) -> None:
    copy = InvoiceCopy(bill.number, bill.original_amount, bill.reference)
    assert after(lambda: request_access_by_mail(email=typed, copy=copy)) <= {LISA}
    assert not AccessRequest.objects.exists()


@doubles
def test_an_invitation(
    lisa: Account, make_account: Callable[..., Account], make_payer: Callable[..., Payer], typed: str
) -> None:
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    assert after(lambda: sharing.invite(actor=alice, payer=payer, email=typed)) == set()
    assert not payers_of(lisa).exists()


@doubles
def test_a_change_of_address(lisa: Account, make_account: Callable[..., Account], typed: str) -> None:
    charlie = make_account("charlie@example.net", password="un mot de passe bien long")

    def change(actor: Account, email: str) -> None:
        addresses.request_address_change(
            actor=actor, email=email, password="un mot de passe bien long", session=SessionStore()
        )

    assert after(lambda: change(charlie, typed)) == set()
    assert not Link.objects.filter(purpose=LinkPurpose.ADDRESS).exists()


@doubles
def test_unsubscribing(lisa: Account, bill: Invoice, typed: str) -> None:
    ticket = url(address="", email=typed, kinds=["reminder"]).split("/")[-2]
    unsubscribing.unsubscribe(ticket=ticket)
    lisa.refresh_from_db()
    assert lisa.refused == set()
    assert not bill.payer.emails.exclude(refused_alerts=[]).exists()


@doubles
def test_publishing_opens_nothing_to_a_double(lisa: Account, bill: Invoice, typed: str) -> None:
    """Raw SQL writes what it likes; the database does not take it."""
    for table in ("residents_payeremail", "accounts_account"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET email = %s", [typed])
    assert not Access.objects.exists()


# --- Each opens to its owner as before, and tells the owner at the address kept ------------------------


@pytest.mark.parametrize("typed", [LISA.upper(), f" {LISA} ", "Kim.Lisa@MAIL-kiosk.FR"])
def test_the_same_address_however_it_is_typed(lisa: Account, typed: str) -> None:
    assert after(lambda: activation.request_reset(email=typed)) == {LISA}
    assert check_credentials(email=typed, password=PASSWORD, ip=IP) == lisa


def test_an_accented_domain_is_one_address(make_account: Callable[..., Account]) -> None:
    account = make_account("zoé@pechabô.fr".replace("é", "e"))
    assert account.email == "zoe@xn--pechab-nxa.fr"
    for typed in ("zoe@pechabô.fr", "ZOE@PECHABÔ.FR", "zoe@pechabo\u0302.fr", "zoe@xn--pechab-nxa.fr"):
        assert check_credentials(email=typed, password=PASSWORD, ip=IP) == account
    assert after(lambda: activation.request_reset(email="zoe@pechabô.fr")) == {account.email}
    with pytest.raises(errors.AddressTaken):
        make_account("zoe@PECHABÔ.fr")


def test_a_fresh_spelling_is_no_fresh_counter(lisa: Account) -> None:
    for n in range(TRIES_PER_ACCOUNT):
        with pytest.raises(errors.WrongCredentials):
            check_credentials(email=LISA.upper() if n % 2 else f"{LISA} ", password="faux", ip=f"192.0.2.{n}")
    with pytest.raises(errors.TooManyTries):
        check_credentials(email=LISA, password=PASSWORD, ip="198.51.100.7")


def test_nor_for_codes(make_account: Callable[..., Account]) -> None:
    make_account("zoe@pechabô.fr")
    spelt = ["zoe@pechabô.fr", "zoe@xn--pechab-nxa.fr", "ZOE@pechabo\u0302.fr"]
    for n in range(SENT):
        ask_code(email=spelt[n % 3], ip=f"192.0.2.{n}")
    with pytest.raises(errors.TooManyCodes):
        ask_code(email=spelt[2], ip="198.51.100.7")


# --- At the doors: said in words beside the field, the same whether or not anybody is known -------------


def forms(bill: Invoice) -> dict[str, dict[str, str]]:
    return {
        "/": {"password": PASSWORD},
        "/activation/": {},
        "/mot-de-passe-oublie/": {},
        "/code/": {},
        "/rattacher/": {"number": bill.number, "amount": "37,50", "reference": bill.reference},
        "/contact/": {"subject": "Bonjour", "body": "Bonjour", "wants_copy": "on"},
    }


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    "path", ["/", "/activation/", "/mot-de-passe-oublie/", "/code/", "/rattacher/", "/contact/"]
)
def test_every_door_refuses_a_double_in_words(
    bill: Invoice, make_account: Callable[..., Account], path: str, known: bool
) -> None:
    if known:
        make_account(LISA)
    for typed in DOUBLES.values():
        answer = browser().post(path, {**forms(bill)[path], "email": typed})
        page = answer.content.decode()
        assert 'id="id_email_error"' in page, typed
        assert "au clavier" in page
        assert "ressemble à un autre signe" in page or "signe invisible" in page
    assert not Link.objects.exists()
    assert not OutgoingMail.objects.exists()
    assert throttle.take((ASKED, "127.0.0.1")).counts == [1], "what is refused in the form uses no try up"


def test_so_do_the_doors_of_whoever_is_signed_in(
    lisa: Account,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Payer],
    client_for: Callable[..., Client],
) -> None:
    alice = make_account("alice@example.net")
    payer = make_payer(alice)
    for path, data in (
        ("/mes-informations/", {"quoi": "adresse"}),
        (f"/mes-informations/dossiers/{payer.uuid}/", {"quoi": "inviter"}),
    ):
        for typed in DOUBLES.values():
            answer = client_for(alice).post(path, {**data, "email": typed})
            assert answer.status_code == 422
            assert "au clavier" in answer.content.decode()
    assert not Link.objects.exists()


# --- The operator's commands and screens -----------------------------------------------------------------


@doubles
def test_the_operator_s_commands(
    lisa: Account, town: Town, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TownError, match="n'est pas une adresse"):
        NewTown(slug="lauzerte", name="Lauzerte", contact_email="x@example.org", manager=typed).check()
    with pytest.raises(TownError, match="n'est pas une adresse"):
        NewTown(slug="lauzerte", name="Lauzerte", contact_email=typed).check()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    with pytest.raises(CommandError, match="Cette adresse"):
        call_command("create_operator", typed, "--password-stdin")
    with pytest.raises(CommandError, match="Personne ne se connecte"):
        call_command("reset_second_factor", typed, "--reason", "un essai", "--town", town.slug)


@doubles
def test_the_console_s_first_step(operator: Account, typed: str) -> None:
    form = PasswordStep({"email": typed, "password": PASSWORD})
    assert "au clavier" in form.errors["email"][0]


def test_the_first_manager_of_a_town_is_found_however_typed(lisa: Account, town: Town) -> None:
    out = io.StringIO()
    address = f" {LISA.upper()}"
    call_command("reset_second_factor", address, "--reason", "un essai", "--town", town.slug, stdout=out)
    assert LISA in out.getvalue()
