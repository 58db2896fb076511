"""Bytes of unknown origin → lines of text, or a FileError."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading.encodings import MIXED, sure_encoding
from toolkit.reading.errors import FileError

LONGEST_LINE = 100_000  # characters; under csv's own limit for one cell
MOST_LINES = 3_000_000  # of a file, empty ones included
_END_OF_DOS = "\x1a"


def encoding_of(stream: BinaryIO) -> str:
    """The encoding, when it is sure. Raises UnknownEncoding or UnsureEncoding."""
    return sure_encoding(stream).encoding


class Lines:
    """Decoded lines, whatever ends them, and the number of the last one given (from 1).

    Marks of Unicode (BOM) at the beginning of a line are left out: two exports put together have one in the middle. So
    is the end sign of DOS after the last line.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        stream.seek(0)
        codec, errors = ("utf-8-sig", "as-cp1252") if encoding == MIXED else (encoding, "strict")
        self._text = io.TextIOWrapper(stream, codec, errors, newline=None)
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if line[0] == "\ufeff":
            line = line.lstrip("\ufeff")
        elif line[-1] == _END_OF_DOS:
            line = line.rstrip(_END_OF_DOS)
            if not line:
                raise StopIteration
        self.number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise FileError(
                _("Le tableau ne se lit plus à la ligne %(line)d : elle est trop longue pour un tableau.")
                % {"line": self.number}
            )
        if self.number > MOST_LINES:
            raise FileError(
                _(
                    "Le fichier a trop de lignes, vides pour la plupart : supprimez-les, puis déposez-le à nouveau."
                )
            )
        return line

    def release(self) -> None:
        """Let go of the stream without closing it: it is its owner's."""
        self._text.detach()
