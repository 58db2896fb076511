"""Nothing is cut in silence: a list of staff's that stops says after how many of how many."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context
from django.test import RequestFactory
from django.utils import timezone

from tenant_apps.backoffice.templatetags.gestion import numbered_pages
from tenant_apps.backoffice.views import access_requests, invoices
from tenant_apps.backoffice.views.money import examining, payments
from tenant_apps.contact.models import Message
from tenant_apps.payments.models import Attempt, Finding, FindingKind
from tests.backoffice.conftest import text
from tests.backoffice.test_lists import attempt, money


def test_the_messages_about_an_invoice(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = make_invoice(make_payer())
    monkeypatch.setattr(invoices, "MESSAGES", 2)
    for n in range(3):
        Message.objects.create(
            email="a@example.net", subject=f"s{n}", body="b", sent_to="r@example.net", invoice=invoice
        )
        page = text(browsers.reader.get(f"/gestion/factures/{invoice.uuid}/"))
        assert ("Les 2 messages les plus récents sur 3." in page) == (n == 2)


def test_what_is_to_be_examined(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "MOST", 1)
    payer = make_payer()
    for _ in range(2):
        attempt(make_invoice(payer), "review")
    for n in range(3):
        Finding.objects.create(kind=FindingKind.DIFFERS, key=str(n), last_at=timezone.now())
    page = text(browsers.reader.get("/gestion/a-examiner/"))
    assert "Les 1 plus anciens sur 2 : les suivants apparaîtront à mesure que vous répondez." in page
    assert "Les 1 plus récents sur 3 : les autres apparaîtront à mesure que vous classez." in page
    assert Attempt.objects.count() == 2


def test_payers_that_no_paper_can_access_request(
    browsers: SimpleNamespace, make_payer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_requests, "LOCKED", 1)
    for _ in range(2):
        make_payer(access_requests_locked_until=timezone.now() + timedelta(hours=1))
    assert "Les 1 premiers sur 2." in text(browsers.reader.get("/gestion/rattachements/"))


def test_what_money_left_over_may_pay(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "OTHERS", 2)
    payer = make_payer()
    paid = money(attempt(make_invoice(payer), "paid"), allocated=False)
    for _ in range(3):
        make_invoice(payer)
    paid.refresh_from_db()
    page = text(browsers.cashier.get(f"/gestion/encaissements/{paid.uuid}/"))
    assert "Les 2 premières à échoir sur 4." in page


@pytest.mark.parametrize(
    ("number", "before", "after"),
    [
        (1, "", "?question=2&page=4#questions"),
        (2, "?question=1&page=4#questions", "?question=3&page=4#questions"),
        (3, "?question=2&page=4#questions", ""),
    ],
)
def test_numbered_pages_keep_the_other_parameters(
    rf: RequestFactory, number: int, before: str, after: str
) -> None:
    context = Context({"request": rf.get("/", {"question": number, "page": "4"})})
    pages = Paginator(range(30), 10).page(number)
    links = numbered_pages(context, pages, parameter="question", label="Pages", anchor="questions")
    assert (links["before"], links["after"]) == (before, after)
