"""A kind of message is one module (tests/notices/contested.py): every page and every rule finds it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from shared_apps.accounts.models import Account, Role
from shared_apps.mail import notices
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.notifying import notify
from shared_apps.mail.sending.delivery import deliver_outbox
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.services import set_online_hold
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.queries import mails_about
from tenant_apps.notices.services import plan_for, queue_planned
from tenants.models import Town
from tests.notices.contested import CONTESTED

PAGE = "/mes-informations/messages/"


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    notices.declare(CONTESTED)
    yield
    notices.withdraw(CONTESTED)


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def invoice(alice: Account, make_payer: Any, make_invoice: Any) -> Invoice:
    return make_invoice(make_payer(alice))


def hold(invoice: Invoice) -> None:
    """Record the fact with its service, then let the worker run."""
    set_online_hold(actor="system", invoice=invoice, hold="dispute")
    queue_planned()


def test_it_is_told_once_and_arrives(alice: Account, invoice: Invoice, mailoutbox: Any) -> None:
    hold(invoice)
    set_online_hold(actor="system", invoice=invoice, hold="")
    hold(invoice)
    plan_for(CONTESTED, about=invoice.uuid, told={alice.email: "fr"})
    queue_planned()
    assert deliver_outbox() == 1
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (
        [alice.email],
        f"La facture n° {invoice.number} ne se paie pas en ligne – Mairie de Démonstration",
    )
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_is_over_before_the_worker_comes_is_not_told(invoice: Invoice) -> None:
    set_online_hold(actor="system", invoice=invoice, hold="dispute")
    set_online_hold(actor="system", invoice=invoice, hold="")
    queue_planned()
    assert not OutgoingMail.objects.exists()
    assert not PlannedNotice.objects.filter(queued_at=None).exists()


def test_it_is_offered_where_the_town_sends_it_and_refused(
    alice: Account, invoice: Invoice, client_for: Callable[..., Client], choose: Callable[..., None]
) -> None:
    browser = client_for(alice)
    assert "une de mes factures ne se paie plus en ligne" in browser.get(PAGE).content.decode()
    choose(mailed_codes=False)
    assert 'name="contested"' not in browser.get(PAGE).content.decode()
    choose(mailed_codes=True)
    browser.post(PAGE, {"new_invoices": "on", "amended": "on", "reminder": "on", "receipt": "on"})
    alice.refresh_from_db()
    assert alice.refused == {"contested"}
    hold(invoice)
    assert not OutgoingMail.objects.exists()


def test_one_click_of_the_message_refuses_it(alice: Account, invoice: Invoice, make_invoice: Any) -> None:
    hold(invoice)
    found = re.search(r"(/desabonnement/\S+)", OutgoingMail.objects.get().text)
    assert found
    stranger = Client(headers={"host": "mairie.localhost"})
    assert "une facture ne peut plus être payée en ligne" in stranger.get(found[1]).content.decode()
    assert stranger.post(found[1], {"List-Unsubscribe": "One-Click"}).status_code == 200
    alice.refresh_from_db()
    assert alice.refused == {"contested"}
    hold(make_invoice(invoice.payer))
    assert OutgoingMail.objects.count() == 1


def test_staff_read_what_it_is(
    alice: Account, invoice: Invoice, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> None:
    hold(invoice)
    clerk = client_for(make_account("clerk@example.net", role=Role.CLERK))
    assert "Facture contestée" in clerk.get("/gestion/courriels/").content.decode()
    assert [mail.kind for mail in mails_about(invoice)] == ["contested"]


def test_no_kind_twice_and_none_that_is_not_declared(town: Town) -> None:
    with pytest.raises(ValueError, match="contested"):
        notices.declare(CONTESTED)
    notices.withdraw(CONTESTED)
    try:
        with pytest.raises(LookupError, match="contested"):
            notify(CONTESTED.about(number="1"), to="a@example.net", language="fr")
    finally:
        notices.declare(CONTESTED)
    with pytest.raises(KeyError):  # a part of its key is missing
        notify(CONTESTED.about(number="1"), to="a@example.net", language="fr", once={"about": "1"})
    assert not OutgoingMail.objects.exists()
