"""A large JSON: the objects of its list, one at a time. Memory holds one object and a part of the text."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading.errors import FileError

MOST_ITEM = 256 * 1024  # characters of one object
MOST_OTHERS = 1000  # values beside the list
_CHUNK = 256 * 1024
_SPACE = " \t\r\n"


class Number(str):
    """A number as the file writes it: « 12.50 » is not the text "12.50", and 1e308 is not lost in a float."""

    __slots__ = ()


class Twice(ValueError):
    """An object has the same key twice. `str()` is the key."""


@dataclass(frozen=True)
class Item:
    """An object of the list, or anything else that stands there. `twice`: a key that it has twice, else empty."""

    value: Any
    twice: str = ""


def items_of(stream: BinaryIO, encoding: str) -> Iterator[Item]:
    """Yield what the list contains, which is the file itself or under one key of it. Raises FileError."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding, newline="")
    try:
        yield from _Reader(text).read()
    except UnicodeDecodeError:
        raise FileError(_("Ce fichier JSON n'est pas dans l'encodage que dit sa provenance.")) from None
    finally:
        text.detach()


class _Reader:
    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._buffer, self._at, self._read = text, "", 0, 0
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_no_constant
        )

    def read(self) -> Iterator[Item]:
        first = self._next()
        if first == "[":
            yield from self._list()
        elif first == "{":
            yield from self._under_a_key()
        else:
            raise FileError(_("Ce fichier n'est pas du JSON."))
        if self._peek():
            raise self._broken()

    def _under_a_key(self) -> Iterator[Item]:
        found = ""
        for _n in range(MOST_OTHERS):
            key = self._value()
            if not isinstance(key, str) or self._next() != ":":
                raise self._broken()
            if self._peek() == "[" and self._holds_objects():
                if found:
                    sentence = _(
                        "Ce fichier JSON a deux listes (« %(one)s » et « %(other)s ») : envoyez-les séparément."
                    )
                    raise FileError(sentence % {"one": found[:40], "other": key[:40]})
                found = key or "-"
                self._next()
                yield from self._list()
            else:
                self._value()
            if (sign := self._next()) == "}":
                break
            if sign != ",":
                raise self._broken()
        if not found:
            raise FileError(_("Ce fichier JSON ne contient pas de liste de factures."))

    def _list(self) -> Iterator[Item]:
        """What stands between the bracket that was read and the one that closes it."""
        if self._peek() == "]":
            self._next()
            return
        while True:
            try:
                yield Item(self._value())
            except Twice as error:
                yield Item(None, twice=str(error))
            if (sign := self._next()) == "]":
                return
            if sign != ",":
                raise self._broken()

    def _holds_objects(self) -> bool:
        """Whether the list at this place begins with an object."""
        self._fill(4096)
        return self._buffer[self._at + 1 :].lstrip(_SPACE)[:1] == "{"

    # --- the text, piece by piece ---------------------------------------------------------------------

    def _peek(self) -> str:
        """The next sign that is not a space; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _SPACE:
                    return self._buffer[self._at]
                self._at += 1
            if not self._fill(1):
                return ""

    def _next(self) -> str:
        sign = self._peek()
        self._at += 1
        return sign

    def _value(self) -> Any:
        """Decode one value. Its end may be in a later piece. Raises FileError, and Twice after it was passed."""
        self._peek()
        wanted = _CHUNK // 4
        while True:
            is_whole = not self._fill(wanted)
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError:
                if is_whole or wanted >= MOST_ITEM:
                    raise self._broken() from None
                wanted = min(wanted * 2, MOST_ITEM)
                continue
            except (RecursionError, ValueError):
                raise self._broken() from None
            if end - self._at > MOST_ITEM:
                raise self._broken()
            self._at = end
            if isinstance(value, _Doubled):
                raise Twice(value.key)
            return value

    def _fill(self, wanted: int) -> bool:
        """Have `wanted` signs ahead. False when the file ends before."""
        while len(self._buffer) - self._at < wanted:
            more = self._text.read(_CHUNK)
            if not more:
                return False
            self._read += self._at
            self._buffer, self._at = self._buffer[self._at :] + more, 0
        return True

    def _broken(self) -> FileError:
        near = " ".join(self._buffer[self._at : self._at + 40].split())
        sentence = _(
            "Ce fichier JSON est coupé, abîmé ou démesuré au signe %(n)d (« %(near)s ») : produisez-le de nouveau."
        )
        return FileError(sentence % {"n": self._read + self._at + 1, "near": near})


class _Doubled(dict[str, Any]):
    """An object that has a key twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    doubled = _Doubled(found)
    doubled.key = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return doubled


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN, Infinity
