"""The resident's pages over HTTP: what they cost, what they say, what they keep to themselves."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.mail.models import OutgoingMail
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.credits import cancel_invoice, reduce_invoice
from tenant_apps.payments.models import Declaration
from tenant_apps.residents import activation as residents
from tests.conftest import PASSWORD
from tests.contact.sent_files import stamp_of


@pytest.mark.parametrize("number", [1, 60])
def test_the_list_costs_the_same_for_one_and_for_sixty(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, number: int
) -> None:
    payer = make_payer(alice)
    for _ in range(number):
        make_invoice(payer)
    client = client_for(alice)
    client.get("/factures/")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get("/factures/").status_code == 200
    selects = [query["sql"] for query in asked if query["sql"].startswith(("SELECT", "UPDATE", "INSERT"))]
    assert len(selects) <= 6, selects


def test_the_sentence_that_sums_up(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    payer = make_payer(alice)
    page = client_for(alice).get("/factures/").content.decode()
    assert "Vous n&#x27;avez rien à régler." in page or "Vous n'avez rien à régler." in page
    make_invoice(payer, amount="37.50")
    make_invoice(payer, amount="1210.00")
    make_invoice(payer, amount="5.00", paid=Decimal("5.00"))
    page = client_for(alice).get("/factures/").content.decode()
    assert "Vous avez 2 factures à régler" in page
    assert "1\u202f247,50\u00a0€" in page


@pytest.mark.parametrize(
    ("etat", "shown"), [("toutes", 2), ("non-reglees", 1), ("reglees", 1), ("n-importe", 2)]
)
def test_filters_live_in_the_address(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, etat: str, shown: int
) -> None:
    payer = make_payer(alice)
    make_invoice(payer)
    make_invoice(payer, paid=Decimal("37.50"))
    assert len(client_for(alice).get("/factures/", {"etat": etat}).context["list"].rows) == shown


def test_only_published_invoices_exist(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    invoice = make_invoice(make_payer(alice), state="draft")
    assert client_for(alice).get(f"/factures/{invoice.uuid}/").status_code == 404


def test_an_avoir_is_said_in_words(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    """What was announced does not just disappear: a cancelled invoice says so, with the town's reason."""
    payer, browser = make_payer(alice), client_for(alice)
    reduced, cancelled = make_invoice(payer, amount="20"), make_invoice(payer)
    reduce_invoice(actor="system", invoice=reduced, amount=Decimal("5"), reason="absence justifiée")
    cancel_invoice(actor="system", invoice=cancelled, reason="facturée deux fois")
    page = browser.get(f"/factures/{reduced.uuid}/").content.decode()
    assert "a réduit cette facture de 5,00" in page
    assert "absence justifiée" in page
    page = browser.get(f"/factures/{cancelled.uuid}/").content.decode()
    assert "Cette facture a été annulée le" in page
    assert "facturée deux fois" in page
    assert f"/factures/{cancelled.uuid}/payer/" not in page
    assert cancelled.number not in browser.get("/factures/").content.decode()
    assert cancelled.number not in browser.get("/reglements/").content.decode()
    assert "facture à régler" in browser.get("/reglements/").content.decode()


def test_remember_me(alice: Account) -> None:
    for remember, lasting in (("on", True), ("", False)):
        client = Client(headers={"host": "mairie.localhost"})
        data = {"email": "ALICE@example.net", "password": PASSWORD, "remember": remember}
        answer = client.post("/", data)
        assert answer["Location"] == "/factures/"
        assert bool(client.cookies["session"]["max-age"]) is lasting


def test_the_thirty_days_slide(alice: Account) -> None:
    client = Client(headers={"host": "mairie.localhost"})
    client.post("/", {"email": alice.email, "password": PASSWORD, "remember": "on"})
    client.get("/factures/")
    nearly_over = timezone.now() + timedelta(days=2)
    Session.objects.update(expire_date=nearly_over)
    client.get("/factures/")
    assert Session.objects.get().expire_date == nearly_over  # written once a day only
    session = client.session
    session["seen_on"] = "2026-01-01"
    session.save()
    Session.objects.update(expire_date=nearly_over)
    client.get("/factures/")
    assert Session.objects.get().expire_date > timezone.now() + timedelta(days=29)


@pytest.mark.parametrize(
    ("suite", "goes"),
    [
        ("/reglements/", "/reglements/"),
        ("https://evil.example/", "/factures/"),
        ("//evil.example/", "/factures/"),
        ("javascript:alert(1)", "/factures/"),
    ],
)
def test_after_signing_in(alice: Account, suite: str, goes: str) -> None:
    client = Client(headers={"host": "mairie.localhost"})
    answer = client.post("/", {"email": alice.email, "password": PASSWORD, "suite": suite})
    assert answer["Location"] == goes


def test_known_and_unknown_addresses_read_the_same(alice: Account, make_payer: Any) -> None:
    make_payer(email="known@example.net")
    pages = []
    for email in ("known@example.net", "other@example.net", "alice@example.net"):
        for path in ("/activation/", "/mot-de-passe-oublie/"):
            client = Client(headers={"host": "mairie.localhost"})
            client.get(path)  # the town is in the registry's cache from here on
            with CaptureQueriesContext(connection) as asked:
                answer = client.post(path, {"email": email})
            page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
            pages.append((path, page.replace(email, "§"), len(asked)))
    assert len({page for path, page, _ in pages if path == "/activation/"}) == 1
    assert len({page for path, page, _ in pages if path != "/activation/"}) == 1
    assert len({count for _, _, count in pages}) == 1  # the same statements, so the same time
    assert not OutgoingMail.objects.exists()  # nothing happens before the worker looks


def test_private_pages_are_not_kept(alice: Account, client_for: Any) -> None:
    for path in ("/factures/", "/mes-informations/", "/reglements/", "/"):
        assert "no-store" in client_for(alice).get(path)["Cache-Control"]


def test_the_link_s_page_sends_no_referrer(town: Any) -> None:
    answer = Client(headers={"host": "mairie.localhost"}).get("/?LIEN=X" + "0" * 32)
    assert (answer.status_code, answer["Referrer-Policy"]) == (410, "no-referrer")


def test_the_policy_is_strict(town: Any) -> None:
    policy = Client(headers={"host": "mairie.localhost"}).get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_i_have_paid(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    invoice: Invoice = make_invoice(make_payer(alice))
    client = client_for(alice)
    for _ in range(2):
        assert client.post(f"/factures/{invoice.uuid}/j-ai-regle/").status_code == 302
    assert Declaration.objects.count() == 1
    invoice.refresh_from_db()
    assert invoice.paid == 0  # a declaration is not money
    assert "avoir réglé cette facture" in client.get(f"/factures/{invoice.uuid}/").content.decode()


def test_the_first_of_a_month_in_paris(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    """« 1er », and the day that it was here: half past midnight in Paris is the day before in UTC."""
    invoice: Invoice = make_invoice(make_payer(alice))
    client = client_for(alice)
    client.post(f"/factures/{invoice.uuid}/j-ai-regle/")
    Declaration.objects.update(declared_at=datetime(2026, 9, 30, 22, 30, tzinfo=UTC))
    assert "indiqué le 1er octobre 2026" in client.get(f"/factures/{invoice.uuid}/").content.decode()


def test_a_password_that_is_refused_is_said_beside_its_field(alice: Account, client_for: Any) -> None:
    client = client_for(alice)

    def refused(current: str, new: str) -> str:
        answer = client.post("/mes-informations/", {"quoi": "mot-de-passe", "current": current, "new": new})
        assert answer.status_code == 422
        return answer.content.decode()

    page = refused("autre chose", "une phrase longue et calme")
    assert 'id="id_mot-de-passe_current_error">Ce n&#x27;est pas votre mot de passe actuel.' in page
    page = refused(PASSWORD, "court")
    assert 'id="id_mot-de-passe_new_error">Le mot de passe doit contenir' in page


def test_so_is_a_first_password(town: Any, make_payer: Any) -> None:
    make_payer(email="nouvelle@example.net")
    client = Client(headers={"host": "mairie.localhost"})
    client.post("/activation/", {"email": "nouvelle@example.net"})
    residents.handle_links()
    found = re.search(r"LIEN=(X[0-9a-f]{32})", OutgoingMail.objects.get().text)
    assert found
    client.get(f"/?LIEN={found[1]}")
    for password, words in (("", "Écrivez votre"), ("court", "Le mot de passe doit contenir")):
        answer = client.post("/lien/", {"password": password})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert f'id="id_password_error">{words}' in page
        assert "<title>À corriger : Choisir mon mot de passe" in page


def test_contact_about_an_invoice(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    mine = make_invoice(make_payer(alice))
    theirs = make_invoice(make_payer())
    client = client_for(alice)
    data = {"subject": "Cantine", "body": "Bonjour", "site": ""}
    assert (
        client.post("/contact/", {**data, "invoice": str(theirs.uuid)}).status_code == 200
    )  # not in the list
    assert not Message.objects.exists()
    assert client.post("/contact/", {**data, "invoice": str(mine.uuid)}).status_code == 302
    message = Message.objects.get()
    assert (message.invoice, message.sent_to) == (mine, "regie@mairie.example.org")
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.reply_to) == ("regie@mairie.example.org", alice.email)
    assert mine.number in mail.text


def test_the_quiet_trap(town: Any) -> None:
    client = Client(headers={"host": "mairie.localhost"})
    data = {"email": "bot@example.net", "subject": "Buy", "body": "now", "site": "https://spam.example"}
    data["stamp"] = stamp_of(timedelta(minutes=1))
    assert client.post("/contact/", data).status_code == 302
    assert not Message.objects.exists()
    assert client.post("/contact/", {**data, "site": ""}).status_code == 302
    assert Message.objects.count() == 1
