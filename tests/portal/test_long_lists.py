"""Nothing is cut in silence: what does not fit on a page has a next one, and a file holds everything."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means
from tests.portal.conftest import text
from tests.portal.test_list import many


def lines(answer: Any) -> list[str]:
    return b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()


def test_the_csv_holds_everything_in_its_order(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    many(make_invoice(make_payer(alice), subject="Cantine"), 2_099)
    client = client_for(alice)
    with CaptureQueriesContext(connection) as asked:
        found = lines(client.get("/factures/mes-factures.csv"))
    assert len(found) == 2_101
    assert len({line.split(";")[4] for line in found[1:]}) == 2_100
    days = [date(int(d[6:]), int(d[3:5]), int(d[:2])) for d in (line[:10] for line in found[1:])]
    assert days == sorted(days, reverse=True)
    assert len(asked) <= 20  # three a thousand lines, and what every page asks
    assert len(lines(client.get("/factures/mes-factures.csv?annee=2021"))) - 1 == 350


def test_the_list_to_print_says_what_is_on_its_other_pages(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    many(make_invoice(make_payer(alice)), 1_499)
    client = client_for(alice)
    page = client.get("/factures/?imprimer=1")
    assert "Factures 1 à 1000 sur 1500" in text(page)
    assert 'rel="next"' in page.content.decode()
    where = page.context["list"].where.older
    assert "imprimer=1" in where
    page = client.get(f"/factures/{where}")
    assert "Factures 1001 à 1500 sur 1500" in text(page)
    assert len(page.context["list"].rows) == 500


def test_what_is_to_be_paid_has_pages(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    invoice = make_invoice(make_payer(alice), amount="1")
    many(invoice, 119)
    Invoice.objects.filter(number__in=["C00003", "C00004"]).update(online_hold="debit")
    client, address, seen = client_for(alice), "/reglements/", list[str]()
    for number in (1, 2, 3):
        page = client.get(address)
        assert f"Page {number} sur 3" in text(page)
        assert "Vous avez 118 factures à régler, 118,00 €" in text(page).replace(" ,", ",")
        seen += [row.number for row in page.context["page"].due + page.context["page"].apart]
        address = "/reglements/" + page.context["page"].unpaid.older
    assert len(set(seen)) == 120
    assert set(seen[-2:]) == {"C00003", "C00004"}  # what awaits nothing comes last


def test_what_was_paid_has_pages(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    invoice = make_invoice(make_payer(alice), amount="60")
    for _ in range(51):
        book_counter_payment(
            actor="system",
            invoice=invoice,
            means=Means.CASH,
            amount=Decimal("1.00"),
            paid_on=date(2026, 3, 12),
        )
    client = client_for(alice)
    page = client.get("/reglements/")
    assert "Page 1 sur 2" in text(page)
    assert len(page.context["page"].payments) == 50
    older = client.get("/reglements/" + page.context["page"].paid.older)
    assert len(older.context["page"].payments) == 1


@pytest.mark.parametrize("address", ["?page=0", "?page=x", "?recus=999", "?page=99&recus=-1", "?page=٣"])
def test_an_odd_address_is_no_error(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, address: str
) -> None:
    make_invoice(make_payer(alice))
    assert client_for(alice).get(f"/reglements/{address}").status_code == 200


def test_the_page_costs_the_same_however_long(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    invoice = make_invoice(make_payer(alice))
    client = client_for(alice)

    def asked() -> int:
        client.get("/reglements/")
        with CaptureQueriesContext(connection) as statements:
            client.get("/reglements/")
        return len(statements)

    few = asked()
    many(invoice, 300)
    assert asked() == few <= 9
