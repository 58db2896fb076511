"""Rows of a workbook (XLSX, XLSM, ODS, XLS), read by python-calamine in a process of its own.

A small file may ask for more memory than the machine has: one cell at the far corner of a sheet is enough. So the
workbook is read under limits of memory and time, and whatever happens there is a sentence here.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading import spreadsheet_process as process
from toolkit.reading.errors import FileError

SECONDS = 60
_ZIP, _OLE2 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OF_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"


@dataclass(frozen=True)
class Workbook:
    """The first visible sheet that has something in it: `rows` are (number of the row, its cells as text).

    `others` are the names of the sheets that are not read, `hidden` of those that the spreadsheet hides.
    `blank_is_sure`: an empty cell is one; in the old binary files it may be a formula that failed.
    """

    sheet: str
    others: tuple[str, ...]
    hidden: tuple[str, ...]
    blank_is_sure: bool
    rows: Iterator[tuple[int, list[str]]]


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins so is a workbook of Excel or of LibreOffice."""
    if head.startswith(_OLE2):
        return True
    return head.startswith(_ZIP) and (
        _OF_ODS in head[:128] or any(sign in head for sign in (b"xl/", b"[Content_Types]"))
    )


@contextmanager
def opened(file: BinaryIO) -> Iterator[Workbook]:
    """Read a workbook. Its rows are on disk, and none is in memory before it is asked for. Raises FileError."""
    with tempfile.TemporaryDirectory(prefix="workbook-") as folder:
        source, found = Path(folder) / "in", Path(folder) / "rows.csv"
        file.seek(0)
        head = file.read(64 * 1024)
        is_binary = head.startswith(_OLE2) or b"xl/workbook.bin" in head
        file.seek(0)
        with source.open("wb") as out:
            while chunk := file.read(1024 * 1024):
                out.write(chunk)
        _run(source, found)
        with found.open(encoding="utf-8", newline="") as stream:
            lines = csv.reader(stream)
            sheet, *_rest = next(lines)
            others, hidden = tuple(next(lines)), tuple(next(lines))
            yield Workbook(sheet, others, hidden, not is_binary, ((int(row[0]), row[1:]) for row in lines))


def _run(source: Path, found: Path) -> None:
    """Read in another process, under limits. Raises FileError."""
    command = [sys.executable, "-I", "-B", process.__file__, str(source), str(found)]
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(  # noqa: S603 - our own program, on a file that we named
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            env={"PATH": os.environ.get("PATH", "")},
        )
        if done.returncode == process.READ:
            return
        if done.returncode == process.PROTECTED:
            raise FileError(
                _(
                    "Ce classeur est protégé par un mot de passe. Enregistrez-le sans mot de passe, puis déposez-le à "
                    "nouveau."
                )
            )
        if done.returncode == process.EMPTY:
            raise FileError(_("Ce classeur n'a aucune feuille visible qui contienne quelque chose."))
        if done.returncode == process.UNREADABLE:
            raise FileError(
                _(
                    "Ce classeur ne se lit pas : il est abîmé, ou ce n'en est pas un. Ouvrez-le dans votre tableur, "
                    "enregistrez-le au format « Classeur Excel (.xlsx) », puis déposez-le à nouveau."
                )
            )
    raise FileError(
        _(
            "Ce classeur est trop grand pour être lu : il contient sans doute une cellule très loin du tableau. "
            "Copiez le tableau dans un classeur neuf, puis déposez-le à nouveau."
        )
    )
