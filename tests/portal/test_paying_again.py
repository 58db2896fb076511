"""The payment screen for who has begun, and the page that waits: it says nothing when there is nothing new."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.online import paying
from tests.payments.conftest import Simulator, simulator
from tests.portal.conftest import text

__all__ = ["simulator"]


@pytest.fixture
def invoice(alice: Account, make_payer: Any, make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(alice))


@pytest.fixture
def browser(alice: Account, client_for: Callable[..., Client]) -> Client:
    return client_for(alice)


def test_press_back_press(browser: Client, invoice: Invoice, simulator: Simulator) -> None:
    path = f"/factures/{invoice.uuid}/payer/"
    first = browser.post(path)["Location"]
    assert browser.post(path)["Location"] == first  # a double click
    page = text(browser.get(path))
    assert "Votre paiement est commencé" in page
    assert "Rien n'est encore débité. Vous pouvez reprendre ce paiement jusqu'à" in page
    assert browser.post(path, {"reprendre": "1"})["Location"] == first
    page = text(browser.get(f"{path}?retour=1"))  # came back from the Treasury's page: it opens once
    assert "La page du Trésor public ne s'ouvre qu'une fois" in page
    assert "vous pourrez recommencer à partir de" in page
    assert Attempt.objects.count() == 1


def test_the_screen_asks_whether_the_page_is_open(
    browser: Client, invoice: Invoice, simulator: Simulator
) -> None:
    path = f"/factures/{invoice.uuid}/payer/"
    browser.post(path)
    attempt = Attempt.objects.get()
    simulator.behave(opened="P3")
    simulator.act(attempt.operation, "open")
    page = text(browser.get(path))
    assert "La page du Trésor public ne s'ouvre qu'une fois" in page
    assert "Reprendre mon paiement" not in page
    assert "Reprendre" not in text(browser.get("/reglements/"))


def test_nothing_left_to_resume_leads_to_the_screen(
    browser: Client, invoice: Invoice, simulator: Simulator
) -> None:
    path = f"/factures/{invoice.uuid}/payer/"
    assert browser.post(path, {"reprendre": "1"})["Location"] == f"{path}?retour=1"
    assert "Accès à l'écran de paiement TIPI" in text(browser.get(f"{path}?retour=1"))


def test_the_waiting_page_is_silent_while_nothing_is_new(
    browser: Client, invoice: Invoice, alice: Account, simulator: Simulator
) -> None:
    attempt = paying.start_payment(actor=alice, invoice=invoice).attempt
    page = browser.get(f"/factures/{invoice.uuid}/retour/")
    asks = page.content.decode().split('hx-get="')[1].split('"')[0]
    assert "?vu=" in asks
    for _ in range(3):
        answer = browser.get(asks)
        assert (answer.status_code, answer.content) == (204, b"")
    Attempt.objects.update(abandoned_seen_at=timezone.now(), free_at=timezone.now() + timedelta(minutes=2))
    changed = browser.get(asks)
    assert "Vous avez quitté la page de paiement" in text(changed)
    asks = changed.content.decode().split('hx-get="')[1].split('"')[0]
    assert browser.get(asks).status_code == 204
    simulator.act(attempt.operation, "pay")
    paying.ask(attempt=attempt, source="poller")
    over = browser.get(asks)
    assert "Merci, votre paiement est enregistré" in text(over)
    assert "hx-get" not in over.content.decode()  # nothing more is asked for
