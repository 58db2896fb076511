"""Rows that two files have: KNOWN when it is certain, asked about when it is not."""

import io
from types import SimpleNamespace

import pytest

from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import services
from tenant_apps.reconciliation.statements import services as statements
from tests.reconciliation.desk import JOURNAL, again, bring, paid, read, read_all, states, transfer, tried

ACCOUNT = "Compte {};;\n\nDate;Libellé;Montant\n12/11/2026;REMISE DE CHEQUES;250,00\n"


def test_equal_lines_of_two_accounts_are_two(desk: SimpleNamespace) -> None:
    one = bring(desk, ACCOUNT.format("00011111111"), "bank")
    other = bring(desk, ACCOUNT.format("00022222222"), "bank")
    assert (one.account, other.account) == ("00011111111", "00022222222")
    assert (one.new_count, other.new_count, other.known_count) == (1, 1, 0)
    bare = ACCOUNT.split("\n\n")[1]
    third = bring(desk, bare, "bank", "piscine.csv", account="Régie piscine")
    fourth = bring(desk, bare, "bank", "cantine.csv", account="Régie cantine")  # the same bytes
    assert third.pk != fourth.pk
    assert fourth.new_count == 1
    # The same account, whatever its spelling: the equal row of the other extract is asked about.
    assert states(bring(desk, bare + "\n", "bank", "piscine2.csv", account="regie PISCINE")) == ["duplicate"]


def test_two_extracts_of_one_day(desk: SimpleNamespace) -> None:
    """A surely equal row becomes KNOWN; between two parts of a day, a person decides."""
    titles = "Date;Libellé;Montant\n"
    equal, other = "12/11/2026;REMISE CB;10,00\n", "12/11/2026;REMISE CB;{},00\n"
    morning = bring(desk, titles + equal + other.format(11), "bank")
    evening = bring(desk, titles + other.format(12) + equal, "bank")
    assert (states(morning), states(evening)) == (["unmatched"] * 2, ["unmatched", "duplicate"])
    doubt = evening.rows.last()
    assert "est-ce la même ?" in doubt.reason
    services.other_operation(actor=desk.clerk, row=doubt)
    whole = bring(desk, titles + equal * 2 + other.format(11) + other.format(12), "bank")
    assert states(whole) == ["known"] * 4
    more = bring(desk, titles + equal * 3, "bank")
    assert states(more) == ["duplicate", "duplicate", "unmatched"]


def test_a_known_line_is_shown_and_can_be_another_operation(desk: SimpleNamespace) -> None:
    text = "Date;Libellé;Montant\n12/11/2026;REMISE CB;10,00\n12/11/2026;REMISE CB;11,00\n"
    bring(desk, text, "bank")
    found = bring(desk, text + "\n", "bank")
    row = found.rows.first()
    assert row.state == "known"
    services.other_operation(actor=desk.clerk, row=row)
    found.refresh_from_db()
    assert (states(found), found.new_count, found.known_count) == (["unmatched", "known"], 1, 1)


EQUAL = "12/11/2026;REMISE CB;10,00\n"


BANK = "Date;Libellé;Montant\n"


def test_one_equal_line_of_two_files_is_asked_about(desk: SimpleNamespace) -> None:
    """Only day, amount and words: another extract of that day may contain another operation."""
    payment = transfer(desk, desk.bills[0])
    label = EQUAL.replace("REMISE CB", f"VIR {desk.bills[0].number}")
    first = bring(desk, BANK + label, "bank", "matin.csv")
    assert first.rows.get().payment == payment
    second = bring(desk, BANK + label + "\n", "bank", "soir.csv")
    doubt = second.rows.get()
    assert (doubt.state, doubt.twin, second.new_count, second.known_count) == (
        "duplicate", first.rows.get(), 1, 0
    )  # fmt: skip
    assert "est-ce la même ?" in doubt.reason
    again(desk, second)
    assert states(second) == ["duplicate"]  # it waits for a person, whatever is found meanwhile
    services.same_operation(actor=desk.clerk, row=doubt)
    second.refresh_from_db()
    assert (states(second), second.new_count, second.known_count) == (["known"], 0, 1)
    assert Payment.objects.count() == 1


def test_the_same_bytes_under_another_name_may_be_another_extract(desk: SimpleNamespace) -> None:
    first = bring(desk, BANK + EQUAL, "bank", "matin.csv")
    again_, new = statements.receive_statement(
        actor=desk.clerk, kind="bank", file=io.BytesIO((BANK + EQUAL).encode()), name="matin.csv"
    )
    assert (again_, new) == (first, False)
    second = bring(desk, BANK + EQUAL, "bank", "soir.csv")
    assert (second.pk == first.pk, states(second)) == (False, ["duplicate"])
    services.other_operation(actor=desk.clerk, row=second.rows.get())
    assert states(second) == ["unmatched"]


def test_what_overlaps_is_known_in_silence(desk: SimpleNamespace) -> None:
    """An extract has all rows of its days, but of the first and last. Two files that share more are repeats."""
    rows = [
        f"{day}/11/2026;REMISE CB;{amount},00\n" for day, amount in ((12, 10), (13, 11), (14, 12), (15, 13))
    ]
    month = bring(desk, BANK + "".join(rows), "bank", "mois.csv")
    inside = bring(desk, BANK + rows[1], "bank", "jour.csv")  # the 13th is complete in the first file
    assert (states(month), states(inside)) == (["unmatched"] * 4, ["known"])
    edge = bring(desk, BANK + rows[3], "bank", "dernier.csv")  # the 15th may not have been over
    assert states(edge) == ["duplicate"]
    wider = bring(desk, BANK + rows[3] + "16/11/2026;REMISE CB;9,00\n", "bank", "suite.csv")
    assert states(wider) == ["duplicate", "unmatched"]
    later = bring(desk, BANK + "".join(rows[2:]) + "16/11/2026;REMISE CB;8,00\n", "bank", "fin.csv")
    assert states(later)[:2] == ["known", "known"]
    whole = "11/11/2026;FRAIS;1,00\n" + EQUAL + "13/11/2026;REMISE CB;11,00\n"
    assert states(bring(desk, BANK + whole, "bank", "autour.csv"))[1:] == ["known", "known"]


def test_an_unreadable_line_that_two_files_have(desk: SimpleNamespace) -> None:
    """Asked about like any other row. As another operation, or alone, it says again why it cannot be read."""
    bad = "12/11/2026;REMISE CB;dix\n"
    first = bring(desk, BANK + bad, "bank", "a.csv")
    second = bring(desk, BANK + bad, "bank", "b.csv")
    assert (states(first), states(second)) == (["unreadable"], ["duplicate"])
    services.other_operation(actor=desk.clerk, row=second.rows.get())
    assert (states(second), second.rows.get().reason) == (["unreadable"], first.rows.get().reason)
    third = bring(desk, BANK + bad + EQUAL, "bank", "c.csv")
    fourth = bring(desk, BANK + bad + EQUAL, "bank", "d.csv")
    assert states(fourth) == ["known", "known"]
    statements.withdraw_statement(actor=desk.clerk, statement=first)
    read_all()
    assert (states(third), states(fourth)) == (["unreadable", "unmatched"], ["known", "known"])
    assert "n'est pas un montant" in third.rows.first().reason


def test_the_file_of_an_equal_line_is_withdrawn(desk: SimpleNamespace) -> None:
    """The next file takes the row over: the others are still asked about, also after a new import of the file."""
    first, second, third = (bring(desk, BANK + EQUAL, "bank", f"{name}.csv") for name in "abc")
    assert (states(second), states(third)) == (["duplicate"], ["duplicate"])
    statements.withdraw_statement(actor=desk.clerk, statement=first)
    read_all()
    assert (states(second), states(third)) == (["unmatched"], ["duplicate"])
    assert third.rows.get().twin == second.rows.get()
    assert states(read(desk, first)) == ["duplicate"]
    # What a person decided about it stays
    found = third.rows.get()
    services.book_row(actor=desk.clerk, row=found, invoice=desk.bills[0], means=Means.TRANSFER)
    statements.withdraw_statement(actor=desk.clerk, statement=second)
    read_all()
    found.refresh_from_db()
    assert (found.state, found.payment, found.twin) == ("matched", Payment.objects.get(), None)
    assert states(read(desk, second)) == ["duplicate"]
    assert second.rows.get().twin_id in (found.pk, first.rows.get().pk)


@pytest.mark.parametrize("road", ["withdrawn", "another"])
def test_a_refused_line_stays_refused(desk: SimpleNamespace, road: str) -> None:
    """It was KNOWN from a file that is withdrawn, or a person says that it is another one: it still is not money."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    first = bring(desk, JOURNAL + paid(desk.bills[0], "Refusée"))
    second = bring(desk, JOURNAL + paid(desk.bills[0], "Refusée") + paid(desk.bills[1], "P"))
    assert (states(first), states(second)[0]) == (["ignored"], "known")
    if road == "another":
        services.other_operation(actor=desk.clerk, row=second.rows.first())
    else:
        statements.withdraw_statement(actor=desk.clerk, statement=first)
        read_all()
    assert states(second)[0] == "ignored"
    assert "« Refusée » : aucun argent" in second.rows.first().reason
    again(desk, second)
    attempt.refresh_from_db()
    assert (attempt.state, Payment.objects.exists()) == ("reported", False)
