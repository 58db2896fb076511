"""« Publier les 2, garder la troisième »: refused rows are corrected in place, before or after the publication."""

from typing import Any

import pytest

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions import answering
from tenant_apps.invoices.decisions.rechecking import check_again, correct_row, set_aside
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.models import Batch, Document, Invoice, RefusedRow
from tests.invoices.importing.batches import archive, pdf, publish, run, sentences
from tests.invoices.importing.bills import HEADER, bill

pytestmark = pytest.mark.usefixtures("town")
WRONG = bill("G3", "K3", "PETIT", "Eva", email="eva@example.org", amount="douze")


def on(batch: Batch, act: Any, **more: Any) -> Batch:
    act(actor="system", batch=batch, **more)
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def test_all_or_nothing_is_the_rule() -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG)
    assert (batch.state, batch.refused_count, batch.new_count) == ("refused", 1, 1)
    assert not Invoice.objects.exists()
    row = RefusedRow.objects.get()
    assert (row.line, row.cells["amount"], row.cells["last_name"]) == (3, "douze", "PETIT")
    with pytest.raises(WrongState):
        services.publish_batch(actor="system", batch=batch)


def test_the_sound_rows_are_published_and_the_others_wait() -> None:
    batch = on(run(HEADER, bill("G1", "K1"), WRONG), set_aside)
    assert (batch.state, batch.error_count) == ("ready", 1)
    publish(batch)
    assert (batch.state, Invoice.objects.get().number, batch.refused_count) == ("published", "G1", 1)
    assert RefusedRow.objects.get().is_refused


def test_a_cell_is_corrected_before_the_publication() -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG)
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})
    assert on(batch, check_again).state == "ready"
    assert (batch.error_count, batch.new_count) == (0, 2)
    publish(batch)
    assert str(Invoice.objects.get(number="G3").amount) == "12.00"


def test_a_cell_is_corrected_after_the_publication() -> None:
    batch = publish(on(run(HEADER, bill("G1", "K1"), WRONG), set_aside))
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})
    on(batch, check_again)
    assert (batch.state, batch.new_count, batch.unchanged_count) == ("ready", 1, 1)
    publish(batch)
    assert (batch.state, batch.refused_count) == ("published", 0)
    assert sorted(Invoice.objects.filter(state="published").values_list("number", flat=True)) == ["G1", "G3"]


def test_rows_that_wait_are_given_up_and_what_is_online_stays() -> None:
    batch = publish(on(run(HEADER, bill("G1", "K1"), WRONG), set_aside))
    on(batch, services.discard_batch)
    assert (batch.state, batch.refused_count, Invoice.objects.get().state) == ("published", 0, "published")
    assert not RefusedRow.objects.exists()


def test_a_correction_is_taken_back_by_writing_the_file_s_text() -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG)
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "douze"})
    assert on(batch, check_again).state == "refused"


def test_a_correction_that_is_wrong_is_said() -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG)
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "-3", "nothing": "x"})
    on(batch, check_again)
    assert "supérieur à zéro" in sentences(batch)
    assert RefusedRow.objects.get().corrected == {"amount": "-3"}


def test_two_families_under_one_code_are_both_kept_aside() -> None:
    """Which of them has the code is unknown: neither row is published."""
    other = bill("G2", "K1", "GARNIER", "Luc", email="luc@example.org", street="1 rue Basse")
    batch = on(
        run(HEADER, bill("G1", "K1"), other, bill("G3", "K3", "PETIT", "Eva", email="eva@a.fr")), set_aside
    )
    assert (batch.state, batch.new_count, batch.refused_count) == ("ready", 1, 2)
    publish(batch)
    assert Invoice.objects.get().number == "G3"


def test_one_pdf_for_two_families_keeps_both_aside() -> None:
    same = pdf("the first bill")
    luc = bill("G2", "K2", "GARNIER", "Luc", email="luc@example.org")
    batch = run(HEADER, bill("G1", "K1"), luc, documents=archive(G1=same, G2=same))
    assert batch.refused_count == 2
    assert not on(batch, set_aside).brings_something
    assert batch.state == "refused"


def test_a_pdf_of_a_refused_row_is_not_called_extra() -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG, documents=archive(G1=pdf("1"), G3=pdf("3"), G9=pdf("9")))
    assert "G9.pdf" in sentences(batch)
    assert "G3.pdf" not in sentences(batch)


def test_pdfs_are_stored_once_for_all_readings() -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG, documents=archive(G1=pdf("1"), G3=pdf("3")))
    first = list(Document.objects.values_list("id", "key"))
    on(batch, set_aside)
    assert list(Document.objects.values_list("id", "key")) == first
    on(batch, services.discard_batch)
    assert not Document.objects.exists()


def test_a_file_that_cannot_be_read_has_nothing_to_publish() -> None:
    batch = on(run("%PDF"), set_aside)
    assert (batch.state, batch.brings_something) == ("refused", False)


def test_an_answer_is_not_asked_again() -> None:
    first = publish(run(HEADER, bill("G1", "00456")))
    assert first.state == "published"
    batch = run(HEADER, bill("G2", "456"), WRONG)
    on(batch, set_aside)
    (asked,) = services.open_questions(batch)
    answering.answer_question(actor="system", update=asked, answer="same")  # type: ignore[arg-type]
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})
    on(batch, check_again)
    assert not services.open_questions(batch).exists()


@pytest.mark.parametrize("state", ["publishing", "taken_back", "discarded", "checking"])
def test_not_in_another_state(state: str) -> None:
    batch = run(HEADER, bill("G1", "K1"), WRONG)
    Batch.objects.update(state=state)
    with pytest.raises(WrongState):
        correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})


def test_one_regie_named_in_two_ways_has_each_number_once(town: Any) -> None:
    """« Régie cantine » and REGIE are one régie: the reader sees two words, the database one invoice."""
    header = f"{HEADER};Régie"
    batch = run(
        header,
        bill("G1", "K1") + ";REGIE",
        bill("G1", "K1") + ";Régie cantine",
        bill("G2", "K1") + ";régie CANTINE",
        bill("G3", "K1") + ";Cantoche",
    )
    assert (batch.state, batch.new_count, batch.refused_count) == ("refused", 2, 2)
    assert "error 3 « Numéro » figure déjà à la ligne 2" in sentences(batch)
    assert "Codes connus : REGIE" in sentences(batch)
