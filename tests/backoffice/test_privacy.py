"""Requests of erasure on the manager's screens, and the months."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from tenant_apps.residents.erasure import services
from tenant_apps.residents.models import PayerEmail
from tenant_apps.townhall.queries import current_townhall
from tenants.models import Town
from tests.portal.conftest import text

LIST = "/gestion/reglages/donnees-personnelles/"


@pytest.fixture
def leaving(town: Town, make_account: Any) -> Account:
    account: Account = make_account("leaving@example.net")
    services.request_erasure(actor=account)
    account.refresh_from_db()
    return account


@pytest.fixture
def manager(town: Town, make_account: Any, client_for: Any) -> Any:
    return client_for(make_account("manager@example.net", role="manager"))


def test_the_home_page_counts_them_for_managers_only(
    leaving: Account, manager: Any, make_account: Any, client_for: Any
) -> None:
    assert "1 demande d'effacement" in text(manager.get("/gestion/"))
    clerk = client_for(make_account("clerk@example.net", role="clerk"))
    assert "demande d'effacement" not in text(clerk.get("/gestion/"))
    assert clerk.get(f"/gestion/effacements/{leaving.uuid}/").status_code == 403


@pytest.mark.parametrize(
    ("days_ago", "words"), [(1, "il reste"), (45, "en retard de"), (0, "Répondre au plus tard le")]
)
def test_the_month_in_words(leaving: Account, manager: Any, days_ago: int, words: str) -> None:
    Account.objects.filter(pk=leaving.pk).update(erasure_asked_at=timezone.now() - timedelta(days=days_ago))
    assert "leaving@example.net" in text(manager.get(LIST))
    assert words in text(manager.get(f"/gestion/effacements/{leaving.uuid}/"))


def test_accepting_asks_for_a_tick_and_erases(leaving: Account, manager: Any) -> None:
    page = f"/gestion/effacements/{leaving.uuid}/"
    unsure = manager.post(page, {"decision": "accept"})
    assert unsure.status_code == 422
    assert "Cochez la case" in text(unsure)
    assert "est effacée" in text(manager.post(page, {"decision": "accept", "sure": "on"}, follow=True))
    leaving.refresh_from_db()
    assert leaving.erased_at is not None
    assert AuditEntry.objects.get(verb="account.erased").actor.startswith("account:")
    assert manager.get(page).status_code == 404
    assert "Aucune demande n'attend" in text(manager.get(LIST))


def test_refusing_asks_for_a_reason(leaving: Account, manager: Any) -> None:
    page = f"/gestion/effacements/{leaving.uuid}/"
    silent = manager.post(page, {"decision": "refuse", "answer": " "})
    assert silent.status_code == 422
    assert "Écrivez à la personne pourquoi" in text(silent)
    assert manager.post(page).status_code == 422
    done = manager.post(page, {"decision": "refuse", "answer": "Un litige est en cours."}, follow=True)
    assert "est refusée" in text(done)
    leaving.refresh_from_db()
    assert (leaving.erased_at, leaving.erasure_answer) == (None, "Un litige est en cours.")


def test_a_request_cancelled_meanwhile_is_absent(leaving: Account, manager: Any) -> None:
    services.cancel_erasure(actor=leaving)
    page = f"/gestion/effacements/{leaving.uuid}/"
    assert manager.post(page, {"decision": "accept", "sure": "on"}).status_code == 404
    leaving.refresh_from_db()
    assert leaving.erased_at is None


def test_what_billing_knows_is_said(leaving: Account, manager: Any, make_payer: Any) -> None:
    page = f"/gestion/effacements/{leaving.uuid}/"
    assert "logiciel de facturation" not in text(manager.get(page))
    PayerEmail.objects.create(payer=make_payer(), email=leaving.email)
    assert "logiciel de facturation" in text(manager.get(page))


def test_the_months_are_bounded(manager: Any) -> None:
    good = {
        "keep_messages": "24",
        "keep_mails": "6",
        "keep_alerts": "6",
        "keep_links": "2",
        "keep_claims": "4",
        "keep_unused": "3",
    }
    for wrong in (
        {"keep_messages": "5"},
        {"keep_mails": "61"},
        {"keep_claims": "2"},
        {"keep_links": ""},
        {"keep_unused": "-1"},
    ):
        bad = manager.post(LIST, {**good, **wrong})
        assert bad.status_code == 422
        assert "Indiquez un nombre de mois" in text(bad)
    assert current_townhall().keep_messages == 36
    assert "dès la nuit prochaine" in text(manager.post(LIST, good, follow=True))
    assert (current_townhall().keep_messages, current_townhall().keep_unused) == (24, 3)
