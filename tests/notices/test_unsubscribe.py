"""« Ne plus recevoir ces messages » (RFC 8058): one click, nothing before it, one town only, no secret in the link."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django_tenants.utils import tenant_context

from sandbox.home import free_base_port
from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail import unsubscribing
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.sending.delivery import deliver_outbox
from tenant_apps.invoices.models import Batch
from tenant_apps.notices import reminders, services
from tenant_apps.notices.mails.new_invoices import plan_new_invoice_notices
from tenant_apps.residents import activation as residents
from tenant_apps.residents.models import PayerEmail
from tenant_apps.residents.sources import default_source
from tenants.models import Town
from tests.conftest import PASSWORD

ALICE, KNOWN = "alice@example.net", "known@example.net"


def ticket(email: str, *kinds: str) -> str:
    return unsubscribing.url(address="", email=email, kinds=list(kinds or ["new_invoices"]))


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account(ALICE)


@pytest.fixture
def stranger(town: Town) -> Client:
    """A mail service: no cookies, and the CSRF check as in production."""
    return Client(headers={"host": "mairie.localhost"}, enforce_csrf_checks=True)


def test_a_get_shows_a_button_and_does_nothing(alice: Account, stranger: Client) -> None:
    for method in (stranger.get, stranger.head):
        answer = method(ticket(ALICE))
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"
    page = stranger.get(ticket(ALICE)).content.decode()
    assert ALICE in page
    assert "de nouvelles factures sont mises en ligne" in page
    alice.refresh_from_db()
    assert alice.refused == set()


def test_a_post_does_it_and_twice_changes_nothing(alice: Account, stranger: Client) -> None:
    for _ in range(2):
        answer = stranger.post(ticket(ALICE), {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "enregistré" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.refused == {"new_invoices"}
    assert AuditEntry.objects.filter(verb="account.alerts_chosen").count() == 1
    stranger.post(ticket(ALICE, "reminder", "late"))
    alice.refresh_from_db()
    assert alice.refused == {"new_invoices", "reminder", "late"}


def test_an_address_without_account_is_remembered(stranger: Client, make_payer: Any) -> None:
    payer = make_payer(email=KNOWN)
    other = make_payer(email="other@example.net")
    for _ in range(2):
        assert stranger.post(ticket(KNOWN)).status_code == 200
    assert PayerEmail.objects.get(payer=payer).refused_alerts == ["new_invoices"]
    assert PayerEmail.objects.get(payer=other).refused_alerts == []
    assert not Account.objects.exists()
    fact = AuditEntry.objects.get(verb="payer_email.alerts_refused")
    assert KNOWN not in f"{fact.object}{fact.old}{fact.new}"


def test_a_later_payer_of_that_address_and_its_later_account_know(
    stranger: Client, make_payer: Any, make_invoice: Any, choose: Callable[..., None]
) -> None:
    choose(alert_audience="known")
    make_payer(email=KNOWN)
    stranger.post(ticket(KNOWN))
    batch = Batch.objects.create(
        source=default_source(), created_by="system", rows_name="f.csv", rows_key="f", state="published"
    )
    make_invoice(make_payer(email=KNOWN), batch=batch)
    assert plan_new_invoice_notices(batch=batch.uuid) == 0
    residents.request_activation(email=KNOWN)
    residents.handle_links()
    found = re.search(r"LIEN=(X[0-9a-f]{32})", OutgoingMail.objects.get(kind="link-activation").text)
    assert found
    account = residents.activate(token=found[1], password=PASSWORD)
    account.refresh_from_db()
    assert account.refused == {"new_invoices"}
    assert plan_new_invoice_notices(batch=batch.uuid) == 0


def test_an_address_that_nobody_knows_any_more_changes_nothing(stranger: Client) -> None:
    assert stranger.post(ticket("gone@example.net")).status_code == 200
    assert not Account.objects.exists()


def test_forged_damaged_and_of_the_other_town(alice: Account, stranger: Client, other_town: Town) -> None:
    good = ticket(ALICE)
    with tenant_context(other_town):
        theirs = ticket(ALICE)
    for bad in (
        good[:-2] + "/",
        good.replace("/desabonnement/", "/desabonnement/x"),
        theirs,
        "/desabonnement/x/",
    ):
        for method in (stranger.get, stranger.post):
            assert method(bad).status_code == 410, bad
    alice.refresh_from_db()
    assert alice.refused == set()


def test_guessing_is_slowed_down_and_good_tickets_are_not_counted(stranger: Client, alice: Account) -> None:
    for _ in range(60):
        assert stranger.get(ticket(ALICE)).status_code == 200
    codes = [stranger.get("/desabonnement/x/").status_code for _ in range(52)]
    assert codes[0] == 410
    assert codes[-1] == 429


def test_the_link_tells_nothing_to_whoever_reads_a_log(town: Town) -> None:
    assert "alice" not in ticket(ALICE)
    assert ticket(ALICE) != ticket(ALICE)


class Caught:
    """What an SMTP server received, byte for byte."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append((envelope.rcpt_tos[0], envelope.content))
        return "250 OK"


@pytest.fixture
def smtp(settings: Any) -> Iterator[Caught]:
    caught = Caught()
    port = free_base_port()
    server = Controller(caught, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = port
    yield caught
    server.stop()


def test_the_headers_arrive_whole(
    alice: Account,
    make_account: Any,
    make_payer: Any,
    make_invoice: Any,
    make_owed: Any,
    stranger: Client,
    smtp: Caught,
) -> None:
    """The link of the header works, also for a long address, and the footer has the same link."""
    longest = make_account(f"{'a' * 60}@{'b' * 60}.example.net")
    batch = Batch.objects.create(
        source=default_source(), created_by="system", rows_name="f.csv", rows_key="f", state="published"
    )
    payer = make_payer(alice, longest)
    make_invoice(payer, batch=batch)
    make_owed(payer, 7)
    plan_new_invoice_notices(batch=batch.uuid)
    services.queue_planned()
    reminders.send_reminders()
    residents.request_reset(email=ALICE)
    residents.handle_links()
    assert deliver_outbox() == 5
    refusable = 0
    for _to, raw in smtp.messages:
        mail = message_from_bytes(raw, policy=policy.default)
        if mail["List-Unsubscribe"] is None:
            assert "mot de passe" in mail["Subject"]
            continue
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        head = re.sub(rb"\r\n[ \t]+", b" ", raw.split(b"\r\n\r\n")[0])
        link = re.search(rb"^List-Unsubscribe: +<(\S+)>\r?$", head, re.M)
        assert link, head
        url = link[1].decode()
        for kind in ("plain", "html"):
            body = mail.get_body((kind,))
            assert body is not None
            assert url in body.get_content()
        path = "/desabonnement/" + url.partition("/desabonnement/")[2]
        assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        refusable += 1
    assert refusable == 4
    for account in (alice, longest):
        account.refresh_from_db()
        assert account.refused == {"new_invoices", "reminder"}
