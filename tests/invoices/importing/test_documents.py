"""The ZIP of PDFs: what is accepted byte for byte, and every archive and file that is refused. No database."""

import hashlib
import io
import os
import resource
import stat
import zipfile
import zlib
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.samples import batch
from tenant_apps.invoices.importing.documents import archive as documents
from tenant_apps.invoices.importing.documents.archive import Archive, DocumentError
from tenant_apps.invoices.importing.records.fields import key_of
from tests.invoices.importing.files import MEGABYTE, memory, zipped
from toolkit.reading.errors import FileError

NAME = "2015-001-001078.pdf"
KEY = "2015-001-001078"
PDF = batch.invoice_pdf(next(batch.batch(1)), "Mairie de Démonstration")


def pdf(pages: int = 1, **save: object) -> bytes:
    document, out = pikepdf.new(), io.BytesIO()
    for _ in range(pages):
        document.add_blank_page()
    document.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


def read(content: bytes) -> documents.Pdf:
    return Archive(zipped((NAME, content))).read(KEY)


def test_a_pdf_comes_out_byte_for_byte() -> None:
    found = read(PDF)
    assert found.content == PDF
    assert (found.name, found.pages, found.sha256) == (NAME, 1, hashlib.sha256(PDF).hexdigest())


@pytest.mark.parametrize(
    "name",
    [
        "2015-001-001078.PDF",
        "2015_001_001078.pdf",
        "Factures/Octobre/2015-001-001078.pdf",
        "Factures\\Octobre\\2015-001-001078.pdf",
        "2015 001 001078.pdf",
    ],
)
@pytest.mark.parametrize("number", ["2015-001-001078", "2015/001/001078", "2015.001_001078"])
def test_names_and_numbers_that_mean_the_same(name: str, number: str) -> None:
    assert Archive(zipped((name, PDF))).read(key_of(number)).content == PDF


def test_numbers_that_differ_stay_apart() -> None:
    keys = {key_of(number) for number in ("2015-001", "2015-0011", "2015-001-1", "20151", "2015", "A2015")}
    assert len(keys) == 6


def test_what_systems_leave_is_left_out_and_the_rest_is_named() -> None:
    archive = Archive(
        zipped(
            (NAME, PDF),
            ("__MACOSX/._x.pdf", b"x"),
            ("a/.DS_Store", b"x"),
            ("a/lisez-moi.txt", b"x"),
            ("vide/", b""),
        )
    )
    assert [name for _key, name in archive.names()] == [NAME, "lisez-moi.txt"]
    with pytest.raises(KeyError):
        archive.read("2015-001-000001")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "n'est pas un PDF"),
        (b"MZ\x90\x00", "n'est pas un PDF"),
        (b"<html>%PDF-1.7</html>", "n'est pas un PDF"),
        (b"%PDF-1.7\n", "abîmé"),
        (b"%PDF-1.7\n" + os.urandom(5000), "abîmé"),
        (PDF[:900], "la fin manque"),  # a viewer would show half of the bill
        (pdf(0), "abîmé"),
        (pdf(201), "201 pages"),
        (pdf(encryption=pikepdf.Encryption(user="secret", owner="x")), "mot de passe"),
        (b"%PDF-1.7\n" + b" " * (20 * 1024 * 1024), "20 Mo"),
    ],
)
def test_a_file_that_is_no_sound_pdf(content: bytes, words: str) -> None:
    archive = Archive(zipped((NAME, content), ("autre.pdf", PDF), compression=zipfile.ZIP_STORED))
    with pytest.raises(DocumentError, match=words) as refusal:
        archive.read(KEY)
    assert NAME in str(refusal.value)
    assert archive.read("autre").content == PDF  # one bad file does not affect the others


def test_a_pdf_that_only_forbids_changes_is_read() -> None:
    content = pdf(encryption=pikepdf.Encryption(user="", owner="x"))
    assert read(content).content == content


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(NAME)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("../" + NAME, PDF)], "interdit"),
        ([("a/../../" + NAME, PDF)], "interdit"),
        ([("..\\" + NAME, PDF)], "interdit"),
        ([("/etc/" + NAME, PDF)], "interdit"),
        ([("\\\\serveur\\" + NAME, PDF)], "interdit"),
        ([("C:\\" + NAME, PDF)], "interdit"),
        ([(_link(), b"/etc/passwd")], "lien"),
        ([(NAME, b"%PDF-" + b"0" * 50_000_000)], "anormalement compressé"),
    ],
)
def test_an_archive_that_cannot_be_trusted(
    files: list[tuple[str | zipfile.ZipInfo, bytes]], words: str
) -> None:
    with pytest.raises(FileError, match=words):
        Archive(zipped(("1.pdf", PDF), *files))


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_unusual_compression(compression: int) -> None:
    with pytest.raises(FileError, match="inhabituelle"):
        Archive(zipped((NAME, PDF), compression=compression))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"Rar!\x1a\x07", PDF, b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06"]
)
def test_no_zip(content: bytes) -> None:
    with pytest.raises(FileError, match="ZIP lisible"):
        Archive(io.BytesIO(content))


def test_encrypted() -> None:
    raw = bytearray(zipped((NAME, PDF)).getvalue())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(FileError, match="mot de passe"):
        Archive(io.BytesIO(raw))


def test_too_many_files_and_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    full = zipped(*((f"{n}.pdf", PDF) for n in range(4)))
    monkeypatch.setattr(documents, "MOST_FILES", 4)
    assert len(Archive(full).entries) == 4
    monkeypatch.setattr(documents, "MOST_FILES", 3)
    with pytest.raises(FileError, match="20 000"):
        Archive(full)
    monkeypatch.setattr(documents, "MOST_FILES", 4)
    monkeypatch.setattr(documents, "MOST_TOTAL_BYTES", 3 * len(PDF))
    with pytest.raises(FileError, match="2 Go"):
        Archive(full)


def test_a_list_of_files_that_would_fill_the_memory_is_not_read() -> None:
    out = zipped((NAME, PDF)).getvalue()
    at = out.index(b"PK\x01\x02")
    entry, end = out[at : out.index(b"PK\x05\x06")], bytearray(out[out.index(b"PK\x05\x06") :])
    many = 300_000  # an 18 MB list of files; 200 MB in memory
    end[8:10] = end[10:12] = b"\xff\xfe"
    end[12:16] = (len(entry) * many).to_bytes(4, "little")
    stream = io.BytesIO(out[:at] + entry * many + end)
    with memory() as peak, pytest.raises(FileError, match="20 000"):
        Archive(stream)
    assert peak() < 2 * MEGABYTE


def test_a_list_that_lies_about_sizes() -> None:
    raw = bytearray(zipped((NAME, b"%PDF-" + b"0" * 50_000_000)).getvalue())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = (1000).to_bytes(4, "little")  # claims to be a file of 1 kB
    archive = Archive(io.BytesIO(raw))
    with memory() as peak, pytest.raises(DocumentError, match="abîmé"):
        archive.read(KEY)
    assert peak() < 2 * MEGABYTE


@given(st.binary(min_size=1, max_size=8), st.floats(min_value=0, max_value=1))
def test_a_damaged_archive_is_refused_or_gives_what_was_put_in(noise: bytes, place: float) -> None:
    raw = bytearray(zipped((NAME, PDF)).getvalue())
    at = int(place * len(raw))
    raw[at : at + len(noise)] = noise
    try:
        archive = Archive(io.BytesIO(raw))
        for key in archive.entries:
            assert archive.read(key).content == PDF  # the ZIP's own checksum is right
    except (FileError, DocumentError):
        pass


@given(st.binary(min_size=1, max_size=8), st.floats(min_value=0, max_value=1))
def test_a_damaged_pdf_is_refused_or_kept_as_it_is(noise: bytes, place: float) -> None:
    at = int(place * len(PDF))
    content = PDF[:at] + noise + PDF[at + len(noise) :]
    try:
        assert read(content).content == content
    except DocumentError as error:
        assert NAME in str(error)  # noqa: PT017 - either end is right


def _bomb() -> bytes:
    """A PDF whose table of objects grows from 600 kB to 600 MB when decompressed."""
    packer = zlib.compressobj(9)
    table = b"".join(packer.compress(bytes(1_000_000)) for _ in range(600)) + packer.flush()
    head = b"%PDF-1.7\n"
    body = b"1 0 obj <</Type/XRef/W[1 2 1]/Size 9/Root 2 0 R/Filter/FlateDecode/Length %d>> stream\n" % len(
        table
    )
    return head + body + table + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def test_a_bomb_inside_a_pdf() -> None:
    content = _bomb()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DocumentError, match="abîmé"):
        read(content)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB
    assert grown < 200 * 1024


def test_a_tree_of_pages_that_multiplies() -> None:
    document, out = pikepdf.new(), io.BytesIO()
    document.add_blank_page()
    kids = document.pages[0].obj
    for _ in range(40):
        kids = document.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Pages, Kids=pikepdf.Array([kids, kids]), Count=2)
        )
    document.Root.Pages = kids
    document.save(out)
    with pytest.raises(DocumentError, match=NAME):
        read(out.getvalue())


def test_three_thousand_pdfs_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "factures.zip"
    with path.open("wb") as out:
        batch.write_zip(batch.batch(3000), out, "Mairie de Démonstration")
    with path.open("rb") as stream:
        archive = Archive(stream)
        with memory() as peak:
            pages = sum(archive.read(key).pages for key in archive.entries)
    assert pages == 3000
    assert peak() < 2 * MEGABYTE  # one PDF at a time
