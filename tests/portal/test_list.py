"""« Mes factures »: what it costs, what its address keeps, what is found, how people of a household are told apart."""

from collections.abc import Callable
from datetime import date, timedelta
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
from toolkit import clock


def numbers(answer: Any) -> list[str]:
    return [row.number for row in answer.context["list"].rows]


def many(invoice: Invoice, number: int) -> None:
    """Copies of `invoice` in one statement: the test counts the page's, not its own."""
    copies = []
    for n in range(number):
        values = {field.attname: getattr(invoice, field.attname) for field in invoice._meta.concrete_fields}
        for name in ("id", "uuid"):
            del values[name]
        values |= {
            "number": f"C{n:05}",
            "reference": f"C{n:05}",
            "issued_on": date(2020 + n % 6, 1 + n % 12, 1),
        }
        copies.append(Invoice(**values))
    Invoice.objects.bulk_create(copies)


@pytest.mark.parametrize("number", [0, 499])
@pytest.mark.parametrize(
    "address", ["", "?etat=non-reglees&q=cantine&tri=montant&annee=2021&page=2", "?imprimer=1"]
)
def test_six_statements_at_most_for_one_and_for_five_hundred(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, number: int, address: str
) -> None:
    many(make_invoice(make_payer(alice), subject="Cantine"), number)
    client = client_for(alice)
    client.get("/factures/")
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/factures/{address}").status_code == 200
    assert len(asked) <= 6, [query["sql"][:120] for query in asked]


def test_five_hundred_invoices_by_pages(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    many(make_invoice(make_payer(alice)), 499)
    client = client_for(alice)
    seen: list[str] = []
    for page in range(1, 11):
        answer = client.get("/factures/", {"page": page})
        assert f"Page {page} sur 10" in text(answer)
        seen += numbers(answer)
    assert len(set(seen)) == 500
    assert numbers(client.get("/factures/", {"page": 99})) == numbers(answer)  # beyond the last: the last
    assert len(numbers(client.get("/factures/?imprimer=1"))) == 500


def test_the_address_keeps_what_was_chosen(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    make_invoice(make_payer(alice), subject="Cantine & garderie")
    asked = {"etat": "non-reglees", "q": "Cantine & garderie", "tri": "montant", "annee": "2026"}
    page = client_for(alice).get("/factures/", asked).content.decode()
    kept = "q=Cantine+%26+garderie&amp;annee=2026&amp;tri=montant"
    assert f'href="?etat=reglees&amp;{kept}"' in page  # another state, the same search
    assert f"mes-factures.csv?etat=non-reglees&amp;{kept}" in page
    assert 'value="Cantine &amp; garderie"' in page


@pytest.mark.parametrize(
    "address",
    ["?page=0", "?page=abc", "?annee=20x6", "?dossier=1", "?tri=paid", "?q=%00", "?q=%25", "?page=9999999"],
)
def test_an_odd_address_is_no_error(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, address: str
) -> None:
    make_invoice(make_payer(alice))
    assert client_for(alice).get(f"/factures/{address}").status_code == 200


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("000001", ["A"]),
        ("2026-001-000001", ["A"]),
        ("ecole", ["B"]),
        ("ÉCOLE musique", ["B"]),
        ("37,50", ["A"]),
        ("37.5 €", ["A"]),
        ("1 210", ["B"]),
        ("1210,01", []),
        ("2026 001 000001", ["A"]),
        ("%", []),
        ("", ["B", "A"]),
    ],
)
def test_found_by_number_subject_and_amount(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, words: str, found: list[str]
) -> None:
    payer = make_payer(alice)
    names = {
        make_invoice(payer, amount="37.50", subject="Cantine", number="2026-001-000001").number: "A",
        make_invoice(payer, amount="1210.80", subject="École de musique", number="2026-9").number: "B",
    }
    answer = client_for(alice).get("/factures/", {"q": words})
    assert [names[number] for number in numbers(answer)] == found
    assert ("Aucune facture ne correspond" in text(answer)) == (not found)


@pytest.mark.parametrize(
    ("order", "amounts"),
    [
        ("", ["3", "1", "2"]),
        ("date", ["2", "1", "3"]),
        ("echeance", ["2", "3", "1"]),
        ("montant", ["1", "2", "3"]),
        ("montant-fort", ["3", "2", "1"]),
    ],
)
def test_sorted(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, order: str, amounts: list[str]
) -> None:
    payer = make_payer(alice)
    for amount, issued, due in (("1", 2, 9), ("2", 1, 7), ("3", 3, 8)):
        make_invoice(payer, amount=amount, issued_on=date(2026, issued, 1), due_on=date(2026, due, 1))
    rows = client_for(alice).get("/factures/", {"tri": order}).context["list"].rows
    assert [row.amount[0] for row in rows] == amounts


def test_years_stand_apart(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    payer = make_payer(alice)
    make_invoice(payer, issued_on=date(2025, 12, 31))
    make_invoice(payer, issued_on=date(2026, 1, 1))
    client = client_for(alice)
    groups = list(client.get("/factures/").context["list"].groups)
    assert [(year, len(rows)) for year, rows in groups] == [(2026, 1), (2025, 1)]
    assert len(numbers(client.get("/factures/", {"annee": 2025}))) == 1


def test_states_in_words(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    payer, today = make_payer(alice), clock.today()
    for days in (-1, 0, 1, 7, 8):
        make_invoice(payer, due_on=today + timedelta(days=days))
    settled = make_invoice(payer)
    book_counter_payment(
        actor="system", invoice=settled, means=Means.CASH, amount=settled.amount, paid_on=date(2026, 3, 12)
    )
    half = make_invoice(payer, amount="30")
    book_counter_payment(
        actor="system", invoice=half, means=Means.CASH, amount=Decimal(10), paid_on=date(2026, 3, 12)
    )
    page = text(client_for(alice).get("/factures/"))
    for words in (
        "En retard",
        "À régler aujourd'hui",
        "dans 1 jour ",
        "dans 7 jours",
        "Réglée le 12/03/2026",
    ):
        assert words in page
    assert "dans 8 jours" not in page
    assert "reste à régler 20,00 €" in page
    assert "1 est en retard" in page
    assert "3 à régler dans la semaine" in page
    assert page.count("Réglée le") == 1


def test_a_household(
    alice: Account, client_for: Any, make_payer: Any, make_invoice: Any, make_account: Callable[..., Account]
) -> None:
    first = make_payer(alice, first_name="Alice")
    second = make_payer(alice, first_name="Bob")
    namesake = make_payer(alice, first_name="Bob")
    stranger = make_payer(make_account("charlie@example.net"))
    for payer in (first, second, namesake, stranger):
        make_invoice(payer)
    client = client_for(alice)
    page = text(client.get("/factures/"))
    assert "Alice MARTIN" in page
    assert f"Bob MARTIN ({second.reference})" in page
    assert f"Bob MARTIN ({namesake.reference})" in page
    assert len(numbers(client.get("/factures/"))) == 3
    assert len(numbers(client.get("/factures/", {"dossier": str(second.uuid)}))) == 1
    assert numbers(client.get("/factures/", {"dossier": str(stranger.uuid)})) == []


def test_a_household_s_payments(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    """« Mes règlements » says whose each invoice is, as the list does."""
    make_invoice(make_payer(alice, first_name="Alice"))
    client = client_for(alice)
    assert "Alice MARTIN" not in text(client.get("/reglements/"))
    make_invoice(make_payer(alice, first_name="Bob"))
    page = text(client.get("/reglements/"))
    assert "Alice MARTIN" in page
    assert "Bob MARTIN" in page


def test_one_payer_is_not_named(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    make_invoice(make_payer(alice, first_name="Alice"))
    assert "Alice MARTIN" not in text(client_for(alice).get("/factures/"))


def test_why_it_is_empty(alice: Account, client_for: Any, make_payer: Any, make_invoice: Any) -> None:
    client = client_for(alice)
    for path in ("/factures/", "/reglements/"):
        page = text(client.get(path))
        assert "lié à aucun dossier" in page
        assert "Toutes vos factures sont réglées" not in page
    payer = make_payer(alice)
    assert "dès que le service de facturation les mettra en ligne" in text(client.get("/factures/"))
    assert "dès que le service de facturation les mettra en ligne" in text(client.get("/reglements/"))
    make_invoice(payer)
    assert "une fois son règlement enregistré" in text(client.get("/factures/?etat=reglees"))
    Invoice.objects.update(paid=Decimal("37.50"))
    assert "Aucune facture à régler" in text(client.get("/factures/?etat=non-reglees"))
    assert "Toutes vos factures sont réglées" in text(client.get("/reglements/"))
