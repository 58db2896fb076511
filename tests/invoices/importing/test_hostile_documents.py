"""Hostile archives and PDFs are refused in words, in little memory. No database."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.kinds import DocumentError
from tests.invoices.importing import hostile
from tests.invoices.importing.files import MEGABYTE, MOST_MEMORY, memory
from toolkit.reading.errors import FileError

MOST = 300  # MB of a process that reads them all


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", hostile.ARCHIVES)
def test_an_archive_that_is_refused(name: str) -> None:
    make, words = hostile.ARCHIVES[name]
    with pytest.raises(FileError, match=words):
        Archive(io.BytesIO(make()))


@pytest.mark.parametrize("name", hostile.PDFS)
def test_a_pdf_that_is_refused(name: str) -> None:
    make, words = hostile.PDFS[name]
    archive = Archive(io.BytesIO(hostile.zipped(("1.pdf", make()), ("2.pdf", hostile.GOOD), method=0)))
    with pytest.raises(DocumentError, match=words) as refusal:
        archive.read("1")
    assert "1.pdf" in str(refusal.value)
    assert archive.read("2").content == hostile.GOOD  # the others are read


@pytest.mark.parametrize("name", hostile.HARMLESS)
def test_a_pdf_that_only_looks_strange(name: str) -> None:
    content = hostile.HARMLESS[name]()
    found = Archive(io.BytesIO(hostile.zipped(("1.pdf", content)))).read("1")
    assert (found.content, found.pages) == (content, 1)


@pytest.mark.parametrize("name", hostile.LYING)
def test_an_archive_that_lies_about_a_size(name: str) -> None:
    make, words = hostile.LYING[name]
    archive = Archive(io.BytesIO(make()))
    with memory() as peak, pytest.raises(DocumentError, match=words):
        archive.read("1")
    assert peak() < 4 * MEGABYTE


def test_sizes_of_four_gigabytes_are_refused() -> None:
    with pytest.raises(FileError):
        Archive(io.BytesIO(hostile.ZIP64()))


def test_a_name_of_65_kilobytes_is_shortened() -> None:
    archive = Archive(io.BytesIO(hostile.zipped(("x" * 65_000 + ".pdf", b"MZ"))))
    (key, _name), *_rest = archive.names()
    with pytest.raises(DocumentError) as refusal:
        archive.read(key)
    assert len(str(refusal.value)) < 200


def test_a_gigabyte_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "creux.zip"
    with path.open("wb") as out:
        out.truncate(1024 * MEGABYTE)
    with path.open("rb") as file, memory() as peak, pytest.raises(FileError, match="ZIP lisible"):
        Archive(file)
    assert peak() < 10 * MEGABYTE


_CHILD = (
    MOST_MEMORY
    + """
import json, sys
import django
django.setup()
from tenant_apps.invoices.importing.documents.archive import Archive
from tenant_apps.invoices.importing.documents.kinds import DocumentError
from toolkit.reading.errors import FileError
told = {}
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            archive = Archive(file)
            for key, _name in archive.names():
                archive.read(key)
        told[path] = ""
    except (FileError, DocumentError) as error:
        told[path] = str(error)
print(json.dumps([most_memory(), told]))
"""
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_all_of_them_in_one_process_of_300_megabytes(tmp_path: Path) -> None:
    archives = [make() for make, _words in hostile.ARCHIVES.values()]
    archives += [hostile.zipped(("1.pdf", make()), method=0) for make, _words in hostile.PDFS.values()]
    paths = []
    for number, content in enumerate(archives):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(content)
        paths.append(str(path))
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *paths],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    megabytes, told = json.loads(done.stdout)
    assert all(told.values())
    assert megabytes < MOST
