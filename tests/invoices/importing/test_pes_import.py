"""A PES from the upload to what residents see, on real PostgreSQL and S3."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.residents.sources import default_source
from tests.invoices.importing import pes_files as pes
from tests.invoices.importing.batches import archive, pdf, publish, sentences

pytestmark = pytest.mark.usefixtures("town")
ONE, TWO = pdf("1"), pdf("2")


def run(content: bytes, beside: io.BytesIO | None = None, rules: dict[str, Any] | None = None) -> Batch:
    """An import of a PES, processed as far as it goes."""
    source = default_source()
    source.rules = rules or {}
    source.save()
    batch = services.create_batch(
        actor="system",
        rows_file=io.BytesIO(content),
        rows_name="pes.xml",
        documents_file=beside,
        documents_name="pj" if beside else "",
    )
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def of_two(first: str = "", second: str = "", *attachments: str) -> bytes:
    """A rôle of two families, with these PJRef and attachments."""
    pieces = [
        pes.article("1", "4101", pes.line("37.50", pes.debtor("F1", "LEFÈVRE", "ANNE")), attached=first),
        pes.article("2", "4102", pes.line("12.00", pes.debtor("F2", "ROY", "LUC")), attached=second),
    ]
    return pes.File([pes.bordereau(*pieces, total="49.50")], attachments).content()


def test_a_role_with_its_pdfs_inside() -> None:
    content = of_two(
        pes.reference_to("A", "avis.pdf"),
        pes.reference_to("B", "avis.pdf"),
        pes.attachment("B", "avis.pdf", TWO),
        pes.attachment("A", "avis.pdf", ONE),
    )
    batch = run(content)
    assert (batch.format, batch.state, batch.document_count, batch.amount) == (
        "pes",
        "ready",
        2,
        Decimal("49.50"),
    )
    publish(batch)
    found = {
        invoice.payer.reference: invoice for invoice in Invoice.objects.select_related("payer", "document")
    }
    assert {code: (one.number, one.amount) for code, one in found.items()} == {
        "F1": ("57-4101", Decimal("37.50")),
        "F2": ("57-4102", Decimal("12.00")),
    }
    assert [found[code].document.size for code in ("F1", "F2")] == [len(ONE), len(TWO)]
    assert found["F1"].payer.last_name == "LEFÈVRE"


def test_the_same_file_twice_changes_nothing() -> None:
    content = of_two(pes.reference_to("A", "a.pdf"), "", pes.attachment("A", "a.pdf", ONE))
    publish(run(content))
    again = run(content)
    assert (again.state, again.new_count, again.unchanged_count) == ("ready", 0, 2)
    assert Invoice.objects.count() == 2


def test_one_pdf_for_two_families_is_refused() -> None:
    both = pes.reference_to("A", "a.pdf")
    batch = run(of_two(both, both, pes.attachment("A", "a.pdf", ONE)))
    assert batch.state == "refused"
    assert "d'un autre redevable" in sentences(batch)


BESIDE = {"zip": archive(b=TWO).read(), "pes": pes.File((), [pes.attachment("B", "b.pdf", TWO)]).content()}


@pytest.mark.parametrize("kind", BESIDE)
def test_pdfs_inside_and_beside_are_both_found(kind: str) -> None:
    content = of_two(
        pes.reference_to("A", "a.pdf"), pes.reference_to("B", "b.pdf"), pes.attachment("A", "a.pdf", ONE)
    )
    batch = publish(run(content, io.BytesIO(BESIDE[kind])))
    assert (batch.state, batch.document_count) == ("published", 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pes.of(pes.article("1", "1"), total="99.00"), "son en-tête annonce 99,00 €"),
        (
            of_two().replace(b'RefTiers V="F1"', b'RefTiers V=""').replace(b'RefTiers V="F2"', b""),
            "coupé, abîmé",
        ),
        (b"<PES_Retour/>", "déposez-le sur la page « Rapprochement »"),
        (pes.File(blocks="<PES_DepenseAller/>").content(), "PES de dépenses"),
    ],
)
def test_refused_in_words(content: bytes, words: str) -> None:
    batch = run(content)
    assert batch.state == "refused"
    assert words in sentences(batch)
    assert not Invoice.objects.exists()


def test_a_source_that_knows_families_by_name() -> None:
    content = (
        of_two()
        .replace(b'RefTiers V="F1"/>', b'RefTiers V=""/>')
        .replace(b'RefTiers V="F2"/>', b'RefTiers V=""/>')
    )
    assert "ne donne le code d'aucun débiteur" in sentences(run(content))
    batch = publish(run(content, rules={"who": "name"}))
    assert batch.state == "published"
    codes = set(Invoice.objects.values_list("payer__reference", flat=True))
    assert {code.partition("-")[0] for code in codes} == {"LEFEVRE", "ROY"}
    again = run(content, rules={"who": "name"})
    assert (again.new_count, again.unchanged_count, again.question_count) == (0, 2, 0)


def test_a_debit_cannot_be_paid_online() -> None:
    line = pes.line(debit={"DtePrel": "2026-11-10", "MtPrel": "37.50"})
    publish(run(pes.of(pes.article("1", "1", line), total="37.50")))
    invoice = Invoice.objects.get()
    assert (invoice.online_hold, f"{invoice.debit_on}") == ("debit", "2026-11-10")


@pytest.mark.parametrize(
    "name", ["role-avec-pj.xml", "lignes-repetees-jvs.xml", "windows-1252-sans-encodage.xml"]
)
def test_the_samples_are_published(name: str) -> None:
    batch = run((Path(__file__).parent / "samples" / "pes" / name).read_bytes())
    assert batch.state == "ready"
    assert publish(batch).state == "published"
