"""The import of a file: twice, overlapping another, with unreadable rows, withdrawn, and fast."""

import io
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared_apps.accounts.models import Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import services
from tenant_apps.reconciliation.errors import CannotRead, NotPossible
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.statements import processing
from tenant_apps.reconciliation.statements import services as statements
from tenant_apps.reconciliation.statements.services import receive_statement
from tests.races import at_once
from tests.reconciliation.desk import (
    DAY,
    JOURNAL,
    TITLES,
    bring,
    csv_line,
    online,
    paid,
    read,
    read_all,
    states,
)


def test_the_same_file_and_an_overlapping_one(desk: SimpleNamespace) -> None:
    for bill in desk.bills:
        online(bill, desk.alice)
    text = TITLES + csv_line(desk.bills[0]) + csv_line(desk.bills[1])
    first = bring(desk, text)
    again = bring(desk, text, name="copie.csv")
    assert again == first
    assert StatementRow.objects.count() == 2
    other = bring(desk, TITLES + csv_line(desk.bills[1]) + csv_line(desk.bills[2]))
    assert (other.new_count, other.known_count) == (1, 1)
    assert states(other) == ["known", "matched"]
    assert StatementRow.objects.exclude(state="known").count() == 3
    assert AuditEntry.objects.filter(verb="statement.imported").count() == 2


def test_bad_rows_are_kept(desk: SimpleNamespace) -> None:
    found = bring(desk, TITLES + csv_line(desk.bills[0]) + "hier;10,00;;X;;;\n" + csv_line(desk.bills[1]))
    assert states(found) == ["unmatched", "unreadable", "unmatched"]
    bad = found.rows.get(state="unreadable")
    assert (bad.number, bad.raw[0]) == (3, ["Date", "hier"])
    assert (found.first_day, found.last_day) == (DAY, DAY)
    services.ignore_row(actor=desk.clerk, row=bad, reason="ligne de test du Trésor")
    with pytest.raises(NotPossible):
        services.reopen_row(actor=desk.clerk, row=bad)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "vide"), (b"une phrase", "pas un tableau"), (b"A;B\n1;2\n", "Dites quelle colonne")],
)
def test_what_cannot_be_imported_leaves_nothing(desk: SimpleNamespace, content: bytes, words: str) -> None:
    with pytest.raises(CannotRead, match=words):
        bring(desk, content.decode())
    assert not StatementRow.objects.exists()


def test_the_mapping_is_kept_for_the_next_file(desk: SimpleNamespace) -> None:
    def receive(text: str) -> Statement:
        file = io.BytesIO(text.encode())
        return receive_statement(actor=desk.clerk, kind="journal", file=file, name="x.csv")[0]

    first = receive("Le jour;Combien;Quoi\n12/11/2026;10,00;2026001000001\n")
    assert first.mapping == {}
    wanted = {"booked_on": "Le jour", "amount": "Combien", "reference": "Quoi"}
    read(desk, first, mapping=wanted)
    assert receive("Le jour;Combien;Quoi\n13/11/2026;11,00;2026001000002\n").mapping == wanted


def test_an_import_is_withdrawn_until_money_is_booked_from_it(desk: SimpleNamespace) -> None:
    first = bring(desk, JOURNAL + paid(desk.bills[0], "P") + paid(desk.bills[1], "P"))
    later = bring(desk, JOURNAL + paid(desk.bills[1], "P") + paid(desk.bills[2], "P"))
    assert states(later) == ["known", "unmatched"]
    gone = statements.withdraw_statement(actor=desk.clerk, statement=first)
    assert (gone.state, gone.new_count, gone.rows.count()) == ("received", 0, 0)
    read_all()
    later.refresh_from_db()
    assert (states(later), later.new_count, later.known_count) == (["unmatched"] * 2, 2, 0)
    # Imported again with corrected columns; it then knows the row of the other file
    assert states(read(desk, gone)) == ["unmatched", "known"]
    services.book_row(actor=desk.clerk, row=first.rows.first(), invoice=desk.bills[0], means=Means.CARD)
    with pytest.raises(NotPossible, match="ligne 2"):
        statements.withdraw_statement(actor=desk.clerk, statement=first)
    cancel_payment(actor=desk.clerk, payment=Payment.objects.get(), reason="erreur")
    statements.withdraw_statement(actor=desk.clerk, statement=first)
    statements.discard_statement(actor=desk.clerk, statement=first)
    assert not Statement.objects.filter(pk=first.pk).exists()
    with pytest.raises(NotPossible):
        statements.discard_statement(actor=desk.clerk, statement=later)


def test_ten_thousand_lines_in_seconds(desk: SimpleNamespace, make_invoice: Callable[..., Invoice]) -> None:
    """Streamed and judged a thousand rows at a time; we know a hundred of them."""
    bills = [make_invoice(desk.payer, amount="5") for _ in range(100)]
    for bill in bills:
        online(bill, desk.alice)
    known = [csv_line(bill) for bill in bills]
    text = (
        TITLES + "".join(known) + "".join(csv_line(bills[0], reference=f"AUTRE{n:06}") for n in range(9_900))
    )
    began, processor = time.monotonic(), time.process_time()
    found = bring(desk, text)
    took, work = time.monotonic() - began, time.process_time() - processor
    print(f"10 000 lines in {took:.1f} s, {work:.1f} s of our own work")  # noqa: T201 - shown with -s
    assert found.new_count == 10_000
    assert found.rows.filter(state="matched").count() == 100
    assert work < 20  # seconds of processor time: the machine may be busy with other work


def test_two_clerks_import_overlapping_files(live_town: Any, make_account: Any) -> None:
    clerk = make_account("clerk@example.net", role=Role.CLERK)
    rows = [f"12/11/2026;{n},00;;REFER{n:04};;;\n" for n in range(1, 60)]
    files = [TITLES + "".join(rows[:40]), TITLES + "".join(rows[20:])]

    def act(text: str) -> Callable[[], object]:
        return lambda: bring(SimpleNamespace(clerk=clerk), text)

    assert not at_once(live_town, *[act(text) for text in files])
    processing.process_waiting()  # a worker stops at once while another one reads, and runs again later
    assert StatementRow.objects.exclude(state="known").count() == 59
    assert sum(Statement.objects.values_list("known_count", flat=True)) == 20
