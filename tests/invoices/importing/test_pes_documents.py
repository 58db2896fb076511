"""The PDFs of a PES: inside it, in a PES of attachments, or in a ZIP beside it. No database."""

import io
import random
import resource
from collections.abc import Iterator

import pikepdf
import pytest

from tenant_apps.invoices.importing.documents.archive import DocumentError, Documents
from tenant_apps.invoices.importing.documents.joined import documents_of
from tenant_apps.invoices.importing.formats import csv
from tenant_apps.invoices.importing.formats.pes import BESIDE, FORMAT
from tenant_apps.invoices.importing.pes import attached
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tests.invoices.importing import pes_files as pes
from tests.invoices.importing.files import MEGABYTE, zipped
from toolkit.reading.errors import FileError


def pdf(words: str = "") -> bytes:
    document, out = pikepdf.new(), io.BytesIO()
    document.add_blank_page()
    document.docinfo["/Title"] = words
    document.save(out, deterministic_id=True)
    return out.getvalue()


ONE, TWO = pdf("1"), pdf("2")


def role(*attached_to: str) -> str:
    """A rôle of articles 1, 2, … with these PJRef."""
    pieces = [
        pes.article(
            str(n), str(4100 + n), pes.line("1.00", pes.debtor(f"F{n}", f"NOM{n}")), attached=reference
        )
        for n, reference in enumerate(attached_to, 1)
    ]
    return pes.bordereau(*pieces, total=f"{len(pieces)}.00")


def rows(content: bytes, rules: Rules = Rules()) -> list[InvoiceRow]:  # noqa: B008
    found = FORMAT.rows(io.BytesIO(content), Reading(rules))
    return [one for one in found if isinstance(one, InvoiceRow)]


def found_in(documents: Documents | None, content: bytes) -> list[bytes | None]:
    """The PDF of each row."""
    assert documents is not None
    keys = [documents.find(row.document or row.number, is_file=bool(row.document)) for row in rows(content)]
    return [documents.read(key).content if key else None for key in keys]


def inside(content: bytes) -> Documents | None:
    return documents_of(FORMAT, io.BytesIO(content), None)


def beside(content: bytes, other: bytes | io.BytesIO) -> Documents | None:
    other = io.BytesIO(other) if isinstance(other, bytes) else other
    return documents_of(FORMAT, io.BytesIO(content), other)


def test_inside_by_its_unique_name() -> None:
    content = pes.File(
        [role(pes.reference_to("A", "avis.pdf"), pes.reference_to("B", "avis.pdf"), "")],
        [pes.attachment("B", "avis.pdf", TWO), pes.attachment("A", "avis.pdf", ONE)],
    ).content()
    assert found_in(inside(content), content) == [ONE, TWO, None]
    assert [name for _key, name in inside(content).names()] == ["avis.pdf", "avis.pdf"]  # type: ignore[union-attr]


def test_another_unique_name_is_another_pdf_under_the_same_file_name() -> None:
    content = pes.File(
        [role(pes.reference_to("A", "avis.pdf"))], [pes.attachment("Z", "avis.pdf", ONE)]
    ).content()
    assert found_in(inside(content), content) == [None]


def test_one_attachment_may_serve_several_pieces() -> None:
    both = pes.reference_to("A", "avis.pdf")
    content = pes.File([role(both, both)], [pes.attachment("A", "avis.pdf", ONE)]).content()
    assert found_in(inside(content), content) == [ONE, ONE]


def test_a_file_of_attachments_tied_by_what_they_are_of() -> None:
    content = pes.File([role("", "", "")]).content()
    other = pes.File(
        (),
        [
            pes.attachment("X1", "f.pdf", ONE, Identifiant="57", ComplementIdentifiant="1"),
            pes.attachment("X2", "f.pdf", TWO, Identifiant="57", ComplementIdentifiant="2"),
            pes.attachment(
                "X3", "57-4103.pdf", TWO, Identifiant="58", ComplementIdentifiant="3"
            ),  # another rôle
        ],
    ).content()
    assert inside(content) is None
    assert found_in(beside(content, other), content) == [ONE, TWO, None]


def test_attachments_of_titres_by_line_or_for_the_whole() -> None:
    lines = [pes.line("1.00", pes.debtor(f"F{n}", f"NOM{n}"), number=str(n)) for n in (1, 2)]
    content = pes.of(pes.titre("813", *lines), pes.titre("814"), total="39.50", kind="01")
    other = pes.File(
        (),
        [
            pes.attachment("X1", "f.pdf", ONE, TypeObjet="01", Identifiant="813", ComplementIdentifiant="2"),
            pes.attachment("X2", "f.pdf", TWO, TypeObjet="01", Identifiant="814"),
        ],
    ).content()
    assert found_in(beside(content, other), content) == [None, ONE, TWO]


def test_a_pes_of_attachments_tied_by_unique_name_and_pdfs_inside_together() -> None:
    content = pes.File(
        [role(pes.reference_to("A", "a.pdf"), pes.reference_to("B", "b.pdf"))],
        [pes.attachment("A", "a.pdf", ONE)],
    ).content()
    other = pes.File((), [pes.attachment("B", "b.pdf", TWO)]).content()
    assert found_in(beside(content, other), content) == [ONE, TWO]
    both = beside(content, other)
    assert both is not None
    assert len({key for key, _name in both.names()}) == 2


def test_a_zip_by_file_name_or_by_number() -> None:
    content = pes.File([role(pes.reference_to("A", "Avis 1.PDF"), "")]).content()
    assert found_in(beside(content, zipped(("Avis 1.pdf", ONE), ("57-4102.pdf", TWO))), content) == [ONE, TWO]
    prefixed = rows(content, Rules(prefix="CAN"))[1].document
    assert prefixed.endswith("/CAN57-4102.pdf")
    assert rows(content, Rules(document_pattern="{numero}.pdf"))[1].document == ""


def test_the_best_of_several_attachments() -> None:
    several = (
        pes.reference_to("X", "f.xml", "006")
        + pes.reference_to("Y", "annexe.pdf", "011")
        + pes.reference_to("Z", "autre.pdf", "002")
        + pes.reference_to("A", "avis.pdf", "010")
    )
    assert rows(pes.File([role(several)]).content())[0].document == "R2026-57-1/A/avis.pdf"
    only_data = rows(pes.File([role(pes.reference_to("X", "f.xml", "006"))]).content())[0].document
    assert only_data == "R2026-57-1/57-4101.pdf"


def test_the_invoice_as_data_is_no_pdf_and_no_error() -> None:
    data = pes.attachment("X", "f.xml", b"<PES_Facture/>", kind="006", media="application/xml")
    content = pes.File([role(pes.reference_to("X", "f.xml", "006"))], [data]).content()
    assert inside(content) is None
    with pytest.raises(FileError, match="aucune pièce jointe en PDF"):
        BESIDE.open(io.BytesIO(pes.File((), [data]).content()))


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        ("", None),
        ("!!!!", "abîmé"),
        ("QUJD", "n'est pas un PDF"),
        ("H4sIAAAAAAAC", "abîmé"),
        ("H4sIAAAAAAACA/////8=", "abîmé"),
    ],
)
def test_a_damaged_attachment_is_named(packed: str, words: str | None) -> None:
    sound = pes.attachment("A", "avis.pdf", ONE)
    begin, rest = sound.split('pdf">', 1)
    broken = f'{begin}pdf">{packed}</Fichier>{rest.split("</Fichier>", 1)[1]}'
    content = pes.File([role(pes.reference_to("A", "avis.pdf"))], [broken]).content()
    if words is None:
        assert inside(content) is None
        return
    with pytest.raises(DocumentError, match=words):
        found_in(inside(content), content)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = pes.attachment("A", "avis.pdf", b"%PDF-" + bytes(300 * MEGABYTE))
    content = pes.File([role(pes.reference_to("A", "avis.pdf"))], [bomb]).content()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DocumentError, match="dépasse 20 Mo"):
        found_in(inside(content), content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_two_attachments_of_one_name_that_differ_are_refused() -> None:
    twice = [pes.attachment("A", "a.pdf", ONE), pes.attachment("A", "a.pdf", ONE)]
    assert len(attached.Attachments(io.BytesIO(pes.File((), twice).content()))) == 1
    other = [pes.attachment("A", "a.pdf", ONE), pes.attachment("A", "a.pdf", TWO)]
    with pytest.raises(FileError, match="Deux pièces jointes différentes ont le même identifiant"):
        attached.Attachments(io.BytesIO(pes.File((), other).content()))


def test_too_many_attachments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "MOST_FILES", 3)
    many = [pes.attachment(f"A{n}", "a.pdf", ONE) for n in range(4)]
    with pytest.raises(FileError, match="plus de 20"):
        attached.Attachments(io.BytesIO(pes.File((), many).content()))


def test_memory_does_not_grow_with_the_attachments() -> None:
    noise = [random.Random(n).randbytes(15_000) for n in range(8)]

    def many() -> Iterator[str]:
        for n in range(2_000):
            yield pes.attachment(f"A{n}", f"{n}.pdf", noise[n % 8])

    content = pes.File((), many()).content()
    assert len(content) > 30 * MEGABYTE
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(attached.Attachments(io.BytesIO(content))) == 2_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


def test_a_format_without_pdfs_inside_uses_only_what_comes_beside() -> None:
    assert documents_of(csv.FORMAT, io.BytesIO(), None) is None
    assert documents_of(csv.FORMAT, io.BytesIO(), zipped(("1.pdf", ONE))).find("1") == "1"  # type: ignore[union-attr]
