"""Bytes of unknown origin → lines of text, or a FileError."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading.errors import FileError, UnknownEncoding

LONGEST_LINE = 100_000  # characters; under csv's own limit for one cell
_CHUNK = 1024 * 1024
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
# What an é or an à of DOS (cp850) or of the old Macintosh looks like when it is read as Windows-1252:
# signs that no French word has between two letters.
_MISREAD = re.compile("[A-Za-z][‚„†‡ˆ‰][A-Za-z]|[a-z]Ž[a-z]")


def encoding_of(stream: BinaryIO) -> str:
    """UTF-8 when every byte is; else Windows-1252 when every byte means a letter or a sign there.

    A rule rather than a guess by statistics: UTF-8 is practically never valid by accident, and the five
    bytes that Windows-1252 leaves undefined, control characters, or signs inside words, tell that the
    file is neither. A wrong guess would print broken names on the residents' screens. Raises UnknownEncoding.
    """
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            for text in _decoded(stream, encoding):
                if _CONTROL.search(text) or (encoding == "cp1252" and _MISREAD.search(text)):
                    raise UnknownEncoding(_unknown())
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnknownEncoding(_unknown())


def _decoded(stream: BinaryIO, encoding: str) -> Iterator[str]:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    while chunk := stream.read(_CHUNK):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _unknown() -> str:
    return _("Ce fichier n'est pas un texte lisible : son encodage est inconnu.")


class Lines:
    """Decoded lines, whatever ends them, and the number of the last one given (from 1)."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        stream.seek(0)
        self._text = io.TextIOWrapper(stream, encoding, newline=None)
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise FileError(
                _("Le tableau ne se lit plus à la ligne %(line)d : elle est trop longue pour un tableau.")
                % {"line": self.number}
            )
        return line

    def release(self) -> None:
        """Let go of the stream without closing it: it is its owner's."""
        self._text.detach()
