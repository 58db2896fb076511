"""Two imports of one source at the same moment: no payer is made twice or mixed up, whichever import is first."""

import io
from typing import Any

import pytest

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions import answering
from tenant_apps.invoices.importing.run import publishing
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import Answer
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payers_for_staff
from tenants.models import Town
from tests.invoices.importing.batches import archive, pdf, run, sentences
from tests.invoices.importing.bills import HEADER, bill
from tests.races import at_once
from toolkit.scope import EVERYTHING

LUC = {"street": "9 quai", "email": "luc@example.org"}


def sent(*lines: str) -> Batch:
    """An import that the worker has not processed."""
    content = io.BytesIO("\r\n".join((HEADER, *lines)).encode())
    return services.create_batch(actor="system", rows_file=content, rows_name="factures.csv")


def checked(town: Town, *batches: Batch) -> None:
    assert not at_once(town, *(lambda one=one: processing.process_batch(batch=one) for one in batches))


def published(town: Town, *batches: Batch) -> None:
    """Ask for all publications, do them at once, then publish what was checked again."""
    for batch in batches:
        services.publish_batch(actor="system", batch=batch)
    assert not at_once(town, *(lambda one=one: processing.process_batch(batch=one) for one in batches))
    for batch in batches:
        batch.refresh_from_db()


def test_two_batches_bring_the_same_new_payer(live_town: Town) -> None:
    first, second = sent(bill("G1", "K1")), sent(bill("G2", "K1"))
    checked(live_town, first, second)
    published(live_town, first, second)
    assert {first.state, second.state} == {"published"}, sentences(first) + sentences(second)
    payer = payers_for_staff(EVERYTHING).get()
    assert (payer.full_name, payer.invoices.filter(state="published").count()) == ("Inès LEROUX", 2)


def test_two_clerks_send_the_same_file(live_town: Town) -> None:
    """One import wins; the other one is told which."""
    lines = [bill(f"G{n}", f"K{n}", f"NOM{n}", email=f"n{n}@example.org") for n in range(1, 60)]
    first, second = sent(*lines), sent(*lines)
    checked(live_town, first, second)
    for batch in (first, second):
        batch.refresh_from_db()
    assert {first.state, second.state} == {"ready", "refused"}
    late = first if first.state == "refused" else second
    assert "est déjà dans l'import « factures.csv », pas encore publié" in sentences(late)
    assert Invoice.objects.count() == 59


def test_two_batches_give_one_new_code_to_two_families(live_town: Town) -> None:
    first, second = sent(bill("G1", "K1")), sent(bill("G2", "K1", "GARNIER", "Luc", **LUC))
    checked(live_town, first, second)
    assert {batch.question_count for batch in Batch.objects.all()} == {0}  # neither import saw the other
    published(live_town, first, second)
    late = first if first.state == "ready" else second
    assert {first.state, second.state} == {"published", "ready"}
    assert (late.question_count, late.invoices.filter(state="published").exists()) == (1, False)
    assert "vérifié de nouveau" in sentences(late)
    assert Payer.objects.get().invoices.filter(state="published").count() == 1


def test_two_batches_bring_codes_that_look_alike(live_town: Town) -> None:
    first, second = sent(bill("G1", "00456")), sent(bill("G2", "456"))
    checked(live_town, first, second)
    published(live_town, first, second)
    assert {first.state, second.state} == {"published", "ready"}
    assert (first if first.state == "ready" else second).question_count == 1
    assert payers_for_staff(EVERYTHING).count() == 1


def test_a_name_that_changed_after_the_check_is_asked_about_again(live_town: Town) -> None:
    services.publish_batch(actor="system", batch=run(HEADER, bill("G1", "K1")))
    processing.process_waiting()
    stale = run(HEADER, bill("G2", "K1", "LEROUX", "Inès", street="8 rue Neuve"))
    other = run(HEADER, bill("G3", "K1", "GARNIER"))
    answering.answer_question(
        actor="clerk@example.net", update=services.open_questions(other).get(), answer=Answer.SAME
    )
    services.publish_batch(actor="system", batch=other)
    processing.process_waiting()
    services.publish_batch(actor="system", batch=stale)
    processing.process_waiting()
    stale.refresh_from_db()
    assert (stale.state, stale.question_count) == ("ready", 1)
    assert Payer.objects.get().last_name == "GARNIER"


def test_two_batches_show_one_pdf_to_two_payers(live_town: Town) -> None:
    same = pdf("the first bill")
    first = run(HEADER, bill("G1", "K1"), documents=archive(G1=same))
    second = run(HEADER, bill("G2", "K2", "GARNIER", "Luc", **LUC), documents=archive(G2=pdf("another")))
    second.documents.update(sha256=first.documents.get().sha256)  # as if both were checked at the same moment
    services.publish_batch(actor="system", batch=first)
    processing.process_waiting()
    assert publishing.has_changed(second)
    assert Invoice.objects.filter(state="published").count() == 1


@pytest.mark.parametrize("size", [400])
def test_statements_do_not_grow_with_the_file(
    live_town: Town, size: int, django_assert_max_num_queries: Any
) -> None:
    batch = run(HEADER, *(bill(f"G{n}", f"K{n}", f"NOM{n}", email=f"a{n}@example.net") for n in range(size)))
    assert batch.new_count == size
    services.publish_batch(actor="system", batch=batch)
    with django_assert_max_num_queries(66):
        processing.process_waiting()
    again = services.create_batch(
        actor="system",
        rows_file=io.BytesIO(
            "\r\n".join(
                [HEADER, *(bill(f"G{n}", f"K{n}", f"NOM{n}", email=f"b{n}@example.net") for n in range(size))]
            ).encode()
        ),
        rows_name="f.csv",
    )
    with django_assert_max_num_queries(110):
        processing.process_waiting()  # twice two chunks
    again.refresh_from_db()
    assert (again.change_count, again.unchanged_count) == (size, size)
