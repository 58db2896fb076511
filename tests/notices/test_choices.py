"""« Être prévenu »: one choice per kind of message."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from shared_apps.accounts.errors import NotWhileImpersonating
from shared_apps.accounts.models import Account, Impersonation
from shared_apps.accounts.services import choose_notices
from shared_apps.audit.models import AuditEntry
from shared_apps.mail import notices
from tenant_apps.invoices.models import Batch
from tenant_apps.notices.mails.new_invoices import plan_new_invoice_notices
from tenant_apps.notices.mails.receipt import plan_receipt
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.residents.sources import default_source
from tenants.models import Town
from toolkit import clock

PAGE = "/mes-informations/messages/"


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


@pytest.fixture
def browser(alice: Account, client_for: Callable[..., Client]) -> Client:
    return client_for(alice)


@pytest.fixture
def published(make_payer: Any, make_invoice: Any, alice: Account) -> Batch:
    batch = Batch.objects.create(
        source=default_source(), created_by="system", rows_name="f.csv", rows_key="f", state="published"
    )
    make_invoice(make_payer(alice), batch=batch)
    return batch


def test_what_is_not_ticked_is_refused(alice: Account, browser: Client) -> None:
    assert browser.post(PAGE, {"new_invoices": "on", "amended": "on", "receipt": "on"}).status_code == 302
    alice.refresh_from_db()
    assert alice.refused == {"reminder"}
    fact = AuditEntry.objects.get(verb="account.alerts_chosen")
    assert (fact.old, fact.new) == ({"refused": []}, {"refused": ["reminder"]})
    browser.post(PAGE, {"new_invoices": "on", "amended": "on", "receipt": "on"})
    assert (
        AuditEntry.objects.filter(verb="account.alerts_chosen").count() == 1
    )  # a second time changes nothing
    browser.post(PAGE, {})
    alice.refresh_from_db()
    assert alice.refused == {"new_invoices", "amended", "reminder", "receipt"}
    page = browser.get(PAGE).content.decode()
    assert page.count('type="checkbox"') == 4
    assert "checked" not in page


def test_only_what_the_town_sends_is_offered(
    alice: Account, browser: Client, choose: Callable[..., None]
) -> None:
    page = browser.get(PAGE).content.decode()
    assert "dans 7 jours" in page
    assert 'name="late"' not in page
    choose_notices(actor=alice, wanted=[], among=["late"])
    choose(remind_after=10, remind_before=1)
    page = browser.get(PAGE).content.decode()
    assert "dans 1 jour<" in page
    assert "10 jours après" in page
    choose(remind_after=None)
    browser.post(
        PAGE, {"new_invoices": "on", "amended": "on", "reminder": "on", "receipt": "on", "late": "on"}
    )
    alice.refresh_from_db()
    assert alice.refused == {"late"}  # a choice that is not offered stays as it was
    choose(alert_audience="nobody")
    assert browser.get(PAGE).content.decode().count('type="checkbox"') == 1


def test_not_by_the_operator(alice: Account) -> None:
    alice.impersonated_by = Impersonation(account=alice, operator=uuid4())
    with pytest.raises(NotWhileImpersonating):
        choose_notices(actor=alice, wanted=[], among=[one.name for one in notices.choices()])
    alice.refresh_from_db()
    assert not alice.refused_alerts


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, 1),
        ({"refused_alerts": ["reminder", "receipt"]}, 1),
        ({"refused_alerts": ["new_invoices"]}, 0),
    ],
)
@pytest.mark.parametrize("audience", ["accounts", "known"])
def test_new_invoices(
    published: Batch, alice: Account, choose: Any, fields: dict[str, Any], told: int, audience: str
) -> None:
    published.invoices.get().payer.emails.create(email=alice.email)
    choose(alert_audience=audience)
    Account.objects.filter(pk=alice.pk).update(**fields)
    assert plan_new_invoice_notices(batch=published.uuid) == told


def test_a_known_address_whose_account_refuses_is_left_alone_without_access_too(
    published: Batch, make_account: Callable[..., Account], choose: Any
) -> None:
    bob = make_account("bob@example.net")
    published.invoices.get().payer.emails.create(email=bob.email)
    choose(alert_audience="known")
    choose_notices(actor=bob, wanted=[], among=["new_invoices"])
    plan_new_invoice_notices(batch=published.uuid)
    assert not PlannedNotice.objects.filter(email=bob.email).exists()


@pytest.mark.parametrize(("refused", "receipts"), [([], 1), (["new_invoices"], 1), (["receipt"], 0)])
def test_receipts(
    alice: Account, make_payer: Any, make_invoice: Any, refused: list[str], receipts: int
) -> None:
    Account.objects.filter(pk=alice.pk).update(refused_alerts=refused)
    invoice = make_invoice(make_payer(alice))
    attempt = Attempt.objects.create(
        invoice=invoice,
        account=alice,
        product=invoice.product,
        provider="payfip",
        merchant="001964",
        fiscal_year="2026",
        reference=invoice.reference,
        label="Facture",
        amount=invoice.amount,
        email=alice.email,
        mode="W",
        free_at=clock.now(),
    )
    payment = Payment.objects.create(
        attempt=attempt,
        product=attempt.product,
        provider="payfip",
        provider_reference="1",
        means="card",
        amount=invoice.amount,
        paid_on=clock.today(),
    )
    plan_receipt(payment=payment.uuid)
    assert PlannedNotice.objects.filter(kind="receipt").count() == receipts
