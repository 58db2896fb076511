"""Files of somebody who works for some régies: held against these régies only, and seen by nobody of another."""

import io
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from shared_apps.accounts.models import Account, Role
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Means, Payment
from tenant_apps.payments.services import book_counter_payment
from tenant_apps.products.services import limit_member, set_up_product
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.statements import processing
from tenant_apps.reconciliation.statements.services import ask_import, receive_statement
from tests.reconciliation.files import camt_of, entry
from toolkit.scope import EVERYTHING, Scope

DAY = date(2026, 11, 12)


@pytest.fixture
def desk(
    town: Any, make_account: Callable[..., Account], make_payer: Any, make_invoice: Callable[..., Invoice]
) -> SimpleNamespace:
    """A transfer of 10 € for the canteen and one of 20 € for the pool; a clerk of the pool, and one of both."""
    pool = set_up_product(actor="system", code="PISCINE", label="Régie piscine")
    clerk, whole = (make_account(f"{name}@example.net", role=Role.CLERK) for name in ("pool", "whole"))
    limit_member(actor="system", account=clerk, products=[pool])
    clerk.refresh_from_db()
    payer = make_payer(last_name="DUPRE", first_name="Jeanne")

    def transfer(amount: str, **more: Any) -> Payment:
        invoice = make_invoice(payer, amount=amount, **more)
        return book_counter_payment(
            actor="system", invoice=invoice, means=Means.TRANSFER, amount=invoice.amount, paid_on=DAY
        )

    return SimpleNamespace(
        clerk=clerk,
        whole=whole,
        mine=Scope(frozenset({pool.pk})),
        canteen=transfer("10"),
        pool=transfer("20", product=pool),
    )


def bring(actor: Account, name: str = "releve.xml") -> Statement:
    """An extract with both transfers, read to its end."""
    entries = [
        entry(amount, details=[("", f"VIR DUPRE JEANNE {amount}", "DUPRE JEANNE")], reference=f"R{amount}")
        for amount in ("10.00", "20.00")
    ]
    file, _new = receive_statement(
        actor=actor, kind="bank", file=io.BytesIO(camt_of(*entries).encode()), name=name
    )
    ask_import(actor=actor, statement=file, mapping={})
    processing.process_waiting()
    file.refresh_from_db()
    assert file.state == "done", file.problem
    return file


def found(file: Statement) -> list[tuple[str, Payment | None]]:
    return [(row.state, row.payment) for row in file.rows.order_by("number")]


def test_ones_own_file_finds_nothing_of_another_regie(desk: SimpleNamespace) -> None:
    file = bring(desk.clerk)
    assert found(file) == [("unmatched", None), ("matched", desk.pool)]
    assert list(queries.statements(desk.mine)) == [file]
    assert queries.rows(desk.mine, file).count() == 2


def test_the_same_file_of_the_town_finds_both_and_is_not_seen(desk: SimpleNamespace) -> None:
    file = bring(desk.whole)
    assert found(file) == [("matched", desk.canteen), ("matched", desk.pool)]
    assert not queries.statements(desk.mine).exists()
    assert not queries.accounts(desk.mine)
    assert queries.waiting_rows(desk.mine) == 0
    with pytest.raises(Statement.DoesNotExist):
        queries.statement(desk.mine, file.uuid)


def test_a_file_that_is_here_but_not_seen_is_a_new_one(desk: SimpleNamespace) -> None:
    """Its lines are known, and the page does not say from where."""
    first = bring(desk.whole)
    second = bring(desk.clerk)
    assert second.pk != first.pk
    assert {state for state, _payment in found(second)} == {"known"}
    row = queries.rows(desk.mine, second)[0]
    assert row.twin is not None
    assert [queries.shows_twin(scope, row) for scope in (desk.mine, EVERYTHING)] == [False, True]
    assert bring(desk.clerk).pk == second.pk  # one's own is seen, and sent once


def test_what_is_matched_with_another_regie_s_money_is_seen_no_more(desk: SimpleNamespace) -> None:
    file = bring(desk.clerk)
    row = queries.rows(desk.mine, file, state="open").get()
    assert not queries.candidates(desk.mine, row).exists()
    assert list(queries.candidates(EVERYTHING, row)) == [desk.canteen]
    services.match_row(actor=desk.whole, row=row, payment=desk.canteen)
    assert [one.payment for one in queries.rows(desk.mine, file)] == [desk.pool]
    assert queries.counts(desk.mine, file)["matched"][0] == 1
    assert queries.counts(EVERYTHING, file)["matched"][0] == 2
