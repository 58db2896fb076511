"""The elements of a PES, one at a time: no entity, no DTD, no network, and memory that does not grow with the file."""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from lxml import etree

from toolkit.reading.errors import FileError

_SETTINGS: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
# Signs < and = since the last element that was let go: about twice the elements, and the attributes, in memory.
_MOST_SIGNS = 200_000
# Bytes since then: the parser holds a whole tag or comment before it reads it. It refuses texts of 10 MB itself.
_MOST_BYTES = 14 * 1024 * 1024
_ACCENTED = re.compile(r"\b[A-Za-z]*[À-ÖØ-öø-ÿŒœŸ][\w’]{2,}")


class Utf8:
    """A file as UTF-8, whatever its encoding. It refuses an element before the parser holds too much of it."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        file.seek(0)
        self._file = file
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._has_begun = False
        self._signs = self._bytes = 0
        self.accented: dict[str, None] = {}  # a few words, to see whether the encoding is right

    def read(self, size: int) -> bytes:
        """The next bytes; empty at the end. Raises FileError."""
        while raw := self._file.read(size):
            try:
                text = self._decoder.decode(raw)
            except UnicodeError:  # also UTF-16 without its mark
                raise FileError(self._not_that()) from None
            if not self._has_begun:
                text = text.lstrip("\ufeff \t\r\n")
                self._has_begun = bool(text)
            if text:
                return self._counted(text, raw)
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeError:  # also UTF-16 without its mark
            raise FileError(self._not_that()) from None
        return b""

    def rest(self) -> None:
        """An element has been let go: what was counted is no longer in memory."""
        self._signs = self._bytes = 0

    def _counted(self, text: str, raw: bytes) -> bytes:
        self._signs += raw.count(b"<") + raw.count(b"=")
        self._bytes += len(raw)
        if self._signs > _MOST_SIGNS or self._bytes > _MOST_BYTES:
            raise FileError(
                _(
                    "Ce fichier PES contient un élément démesuré (une pièce jointe de plus de 7 Mo, par exemple) : "
                    "demandez-en un autre à votre logiciel."
                )
            )
        if len(self.accented) < 3 and not text.isascii():
            self.accented.update(dict.fromkeys(_ACCENTED.findall(text)[: 3 - len(self.accented)]))
        return text.encode("utf-8", "replace")

    def _not_that(self) -> str:
        sentence = _(
            "Ce fichier PES n'est pas écrit dans l'encodage qu'il déclare (%(name)s) : exportez-le de nouveau, ou "
            "demandez à l'éditeur de votre logiciel de déclarer le bon."
        )
        return sentence % {"name": {"cp1252": "ISO-8859-1"}.get(self._encoding, self._encoding.upper())}


def elements(text: Utf8, tags: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    """Yield (event, local name, element) at the start and the end of the elements of these local names.

    The caller gives each element that it has read to `let_go`. Raises FileError.
    """
    events = ("start", "end")
    wanted = tuple(f"{{*}}{tag}" for tag in tags)
    try:
        for event, element in etree.iterparse(text, events=events, tag=wanted, encoding="utf-8", **_SETTINGS):
            yield event, local(element.tag), element
    except etree.XMLSyntaxError as error:
        sentence = _(
            "Ce fichier PES est coupé, abîmé ou démesuré (ligne %(line)d du fichier : %(error)s). "
            "Demandez-en un autre à "
            "votre logiciel."
        )
        raise FileError(sentence % {"line": error.lineno or 0, "error": str(error.msg)[:100]}) from None


def local(tag: str) -> str:
    """The name of a tag without its namespace."""
    return tag.rpartition("}")[2]


def let_go(text: Utf8, element: Any) -> None:
    """Free the memory of an element that was read, and of those before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
    text.rest()
