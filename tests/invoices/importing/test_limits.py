"""Files of somebody who works for some régies: their rows are of these régies, or refused with their line."""

import io
from collections.abc import Callable

import pytest

from shared_apps.accounts.models import Account, Role
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.queries import batches
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import limit_member, set_up_product
from tenants.models import Town
from toolkit.scope import EVERYTHING, Scope

TITLES = "Numéro;Date;Échéance;Montant;Objet;Exercice;Code redevable;Nom;Régie"
ROW = "{number};01/10/2026;31/12/2026;25,00;BAIGNADE;2026;F1;MARTIN;{regie}"


@pytest.fixture
def pool(town: Town) -> Product:
    return set_up_product(actor="system", code="PISCINE", label="Régie piscine")


@pytest.fixture
def clerk(pool: Product, make_account: Callable[..., Account]) -> Account:
    account = make_account("pool@example.net", role=Role.CLERK)
    limit_member(actor="system", account=account, products=[pool])
    return account


def send(actor: Account | str, *regies: str) -> Batch:
    """A file with one row for each of these codes, as far as the worker takes it."""
    rows = [ROW.format(number=f"N{place}", regie=regie) for place, regie in enumerate(regies, 1)]
    content = "\r\n".join([TITLES, *rows]).encode()
    batch = services.create_batch(actor=actor, rows_file=io.BytesIO(content), rows_name="f.csv")
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def told(batch: Batch) -> list[tuple[int | None, str, str, str]]:
    return list(batch.problems.values_list("line", "field", "value", "message"))


def test_of_ones_own_regie(clerk: Account, pool: Product) -> None:
    batch = send(clerk, "PISCINE", "piscine")
    assert (batch.state, batch.new_count) == ("ready", 2)
    assert set(Invoice.objects.values_list("product", flat=True)) == {pool.pk}
    assert (batch.limited_to, batch.product_ids) == ([pool.pk], [pool.pk])


@pytest.mark.parametrize(
    ("regies", "line", "value", "words"),
    [
        (
            ("REGIE",),
            2,
            "REGIE",
            "« Régie » n'est pas une de celles pour lesquelles vous travaillez : PISCINE.",
        ),
        (
            ("PISCINE", "REGIE"),
            3,
            "REGIE",
            "n'est pas une de celles pour lesquelles vous travaillez : PISCINE.",
        ),
        (("NULLE",), 2, "NULLE", "n'est pas une de celles pour lesquelles vous travaillez : PISCINE."),
        (
            ("PISCINE", ""),
            3,
            "",
            "« Régie » est vide. Écrivez le code d'une régie pour laquelle vous travaillez",
        ),
    ],
)
def test_of_another_regie_of_several_of_none(
    clerk: Account, regies: tuple[str, ...], line: int, value: str, words: str
) -> None:
    """Another régie and one that does not exist are told in the same words."""
    batch = send(clerk, *regies)
    assert batch.state == "refused"
    (problem,) = told(batch)
    assert problem[:3] == (line, "Régie", value)
    assert words in problem[3]
    assert "REGIE" not in problem[3]
    assert not Invoice.objects.exists()


def test_who_works_for_the_town_brings_both(town: Town, pool: Product) -> None:
    batch = send("system", "PISCINE", "REGIE", "")
    assert (batch.state, batch.new_count, batch.limited_to) == ("ready", 3, [])
    assert batch.product_ids == sorted([pool.pk, default_product().pk])


def test_an_import_is_seen_when_all_of_it_is(clerk: Account, pool: Product) -> None:
    """One with another régie's row is not, nor one of which a row cannot be told; one's own always is."""
    mine = send("system", "PISCINE")
    mixed = send("system", "PISCINE", "REGIE")
    unreadable = services.create_batch(
        actor="system",
        rows_file=io.BytesIO(
            "\r\n".join([TITLES, ROW.format(number="N9", regie="PISCINE"), "N10;hier;;;;;;;"]).encode()
        ),
        rows_name="f.csv",
    )
    processing.process_waiting()
    refused = send(clerk, "REGIE")
    scope = Scope(frozenset({pool.pk}))
    assert set(batches(scope)) == {mine, refused}
    assert set(batches(EVERYTHING)) == {mine, mixed, unreadable, refused}
