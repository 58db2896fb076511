"""`import_invoices` says by its exit code whether anybody must look."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState
from tests.invoices.inbox.conftest import DUBOIS, MARTIN, csv

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(town: Any, tmp_path: Path) -> Run:
    """`run(row, …, publish=True)`: the exit code, and all that was written."""

    def go(*rows: str, **options: Any) -> tuple[int, str]:
        path, out = tmp_path / "factures.csv", io.StringIO()
        path.write_bytes(csv(*rows))
        try:
            call_command("import_invoices", town="mairie", file=path, stdout=out, stderr=out, **options)
        except CommandError as error:
            return error.returncode, f"{out.getvalue()}{error}"
        return 0, out.getvalue()

    return go


WRONG = DUBOIS.replace("15,50", "quinze")


def test_all_or_nothing_by_default(run: Run) -> None:
    code, said = run(MARTIN, WRONG, publish=True)
    assert code == 1
    assert "ligne 3 : " in said
    assert "Avec --set-aside, les autres lignes n'attendent pas" in said
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(("publish", "state"), [(True, BatchState.PUBLISHED), (False, BatchState.READY)])
def test_sound_rows_do_not_wait_for_the_others(run: Run, publish: bool, state: BatchState) -> None:
    code, said = run(MARTIN, WRONG, publish=publish, set_aside=True)
    assert code == 5
    assert "1 ligne(s) refusée(s) sont gardées" in said
    assert Batch.objects.get().state == state
    assert Invoice.objects.get().number == "2026-1"


def test_nothing_sound_is_a_refusal(run: Run) -> None:
    code, said = run(WRONG, set_aside=True)
    assert code == 1
    assert "Avec --set-aside" not in said


def test_sound_with_set_aside_is_as_without(run: Run) -> None:
    assert run(MARTIN, DUBOIS, publish=True, set_aside=True)[0] == 0
    assert Invoice.objects.filter(state="published").count() == 2


def test_a_question_waits_for_a_person(run: Run) -> None:
    run(MARTIN, publish=True)
    code, said = run("2026-3;01/10/2026;31/12/2026;2026;9,00;Cantine;C1;LEROY;Paul", publish=True)
    assert code == 3
    assert "1 question(s) sur des redevables attendent une réponse" in said
    assert Invoice.objects.get(number="2026-3").state == "draft"


def test_money_received_on_what_changes_waits_for_a_person(run: Run) -> None:
    run(MARTIN, publish=True)
    Invoice.objects.update(paid="5.00")
    code, said = run(MARTIN.replace("12,00", "13,00"), publish=True)
    assert code == 3
    assert "à confirmer – ligne 2 : la facture n° 2026-1, en ligne, change" in said
    assert Invoice.objects.get().amount == 12


def test_a_change_that_asks_nothing_is_published(run: Run) -> None:
    run(MARTIN, publish=True)
    code, said = run(MARTIN.replace("12,00", "13,00"), publish=True)
    assert code == 0
    assert "1 modifiée(s)" in said
    assert Invoice.objects.get().amount == 13


def test_nothing_new_is_no_error(run: Run) -> None:
    run(MARTIN, publish=True)
    assert run(MARTIN, publish=True)[0] == 0
