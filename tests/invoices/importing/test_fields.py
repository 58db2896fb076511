"""One cell: every spelling of an amount or a date that is accepted, and beside it what is refused."""

import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_apps.invoices.importing.records import fields as billing
from toolkit.money import format_euros
from toolkit.reading import fields
from toolkit.reading.errors import FieldError


@pytest.mark.parametrize(
    ("written", "euros"),
    [
        ("37,5", "37.50"),
        ("37.50", "37.50"),
        ("1 234,50 €", "1234.50"),
        ("1\u00a0234,50\u00a0€", "1234.50"),
        ("1\u202f234,50\u202f€", "1234.50"),
        ("€ 12", "12.00"),
        ("12 EUR", "12.00"),
        ("12 euros", "12.00"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("25,0000", "25.00"),
        ("99 999 999,99", "99999999.99"),
        ("0,01", "0.01"),
    ],
)
def test_amounts(written: str, euros: str) -> None:
    found = fields.amount(written)
    assert found == Decimal(euros)
    assert found.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "vide"),
        ("   €", "vide"),
        ("0,00", "supérieur à zéro"),
        ("-25,00", "supérieur à zéro"),
        ("(25,00)", "supérieur à zéro"),
        ("25,00-", "supérieur à zéro"),
        ("25,00 €-", "n'est pas un montant"),
        ("−25,00", "supérieur à zéro"),
        ("(25,00 €)", "supérieur à zéro"),
        ("-25,00-", "n'est pas un montant"),
        ("25,005", "deux décimales"),
        ("25,000", "deux décimales"),
        ("1.234", "deux décimales"),  # 1,23 euro and something, or a thousand? we never guess
        ("12,34,56", "n'est pas un montant"),
        ("1 23,00", "n'est pas un montant"),
        ("1e3", "n'est pas un montant"),
        ("NaN", "n'est pas un montant"),
        ("٣٧", "n'est pas un montant"),  # Arabic digits, which int() would accept
        ("100 000 000,00", "99 999 999,99"),
        ("9" * 5000, "99 999 999,99"),
        ("#REF!", "n'est pas un montant"),
    ],
)
def test_amounts_refused(written: str, words: str) -> None:
    with pytest.raises(FieldError, match=words):
        fields.amount(written)


@given(st.decimals(min_value="0.01", max_value="99999999.99", places=2))
def test_every_amount_comes_back(amount: Decimal) -> None:
    assert fields.amount(format_euros(amount)) == amount
    assert fields.amount(f"{amount:.2f}".replace(".", ",")) == amount


@given(st.text(max_size=30))
def test_any_cell_is_a_value_or_a_sentence(cell: str) -> None:
    for convert in (
        fields.amount,
        fields.day,
        billing.addresses,
        lambda raw: billing.year(raw, 2026),
        lambda raw: billing.reference(raw, number=raw or "1", year=2026),
        lambda raw: fields.text(raw, longest=40),
    ):
        with contextlib.suppress(FieldError):  # any other exception fails the test
            convert(cell)


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31)))
def test_every_date_comes_back(day: date) -> None:
    for written in (f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}", f"{day:%d.%m.%Y}", day.isoformat()):
        assert fields.day(written) == day
    assert fields.day(f"{day.day}/{day.month}/{day.year}") == day
    assert fields.day(f"{day:%d/%m/%Y} 00:00:00") == day  # spreadsheets add a time


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "vide"),
        ("31/02/2026", "n'est pas une date"),
        ("09/13/2026", "n'est pas une date"),
        ("02/09/15", "deux chiffres"),
        ("45000", "n'est pas une date"),
        ("2 septembre 2026", "n'est pas une date"),
        ("02/09/1015", "année improbable"),
        ("02/09/20150", "n'est pas une date"),
        ("٠٢/٠٩/2026", "n'est pas une date"),
    ],
)
def test_dates_refused(written: str, words: str) -> None:
    with pytest.raises(FieldError, match=words):
        fields.day(written)
