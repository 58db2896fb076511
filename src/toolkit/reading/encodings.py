"""The encoding of a text that does not say it: a sure one, or candidates with words for a person to compare.

A wrong guess prints broken names on residents' screens, so what fits two encodings is asked about, never guessed
(decision 74).
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import AnyStr, BinaryIO

import charset_normalizer
from django.utils.translation import gettext as _

from toolkit.reading.accents import has_known_word, signs_of
from toolkit.reading.errors import UnknownEncoding, UnsureEncoding

ONE_BYTE = (
    "cp1252",
    "iso8859-15",
    "cp850",
    "mac_roman",
)  # what French software writes when it is not Unicode
NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-8+cp1252": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
    "iso8859-15": "ISO-8859-15",
    "cp850": "DOS (cp850)",
    "mac_roman": "Macintosh",
}
MIXED = "utf-8+cp1252"  # UTF-8 with lines in Windows-1252, which somebody pasted
CANNOT_BE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")  # in a text
END_OF_DOS = b"\x1a"  # what DOS writes after the last line
_CHUNK = 1024 * 1024
_MOST_WORDS = 50_000  # different words with a byte above 127 that are looked at
_LONGEST_WORD = 60
_ENDS = '\x00-\x20;,"|()'  # between two words
_HIGH, _HIGH_BYTE = re.compile("[^\x00-\x7f]"), re.compile(rb"[\x80-\xff]")
# What an accent of another encoding may become in UTF-8 by accident is in none of these: Latin letters, signs.
_LATIN = re.compile("[\u00a0-\u024f\u1e00-\u1eff\u2000-\u22ff\ufeff\ufffd]")
_END, _END_BYTE = re.compile(f"[{_ENDS}]"), re.compile(f"[{_ENDS}]".encode())


@dataclass(frozen=True, slots=True)
class EncodingChoice:
    """How a text can be read. `samples`: up to three of its words with an accent, so read, and the line of each.

    `others`: the other possible readings, with the same words. A choice that is not sure is for a person.
    `lines`: lines that are in another encoding than the rest, and are read so.
    """

    encoding: str
    is_sure: bool
    samples: tuple[tuple[str, int], ...] = ()
    others: tuple["EncodingChoice", ...] = ()
    lines: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The encoding as people know it."""
        return NAMES.get(self.encoding, self.encoding)

    def confirmed(self, encoding: str) -> "EncodingChoice":
        """The choice of a person, if it is one of the possible readings; otherwise this one."""
        if self.is_sure or not encoding:
            return self
        found = next((one for one in (self, *self.others) if one.encoding == encoding), None)
        return replace(found, is_sure=True, others=()) if found else self


def find_encoding(stream: BinaryIO) -> EncodingChoice:
    """The encoding of the whole stream, sure or not. Raises UnknownEncoding when nothing can be read.

    UTF-16 by its mark or its zeros, UTF-8 when every byte fits. Otherwise the encodings of one byte: those in which no
    word has a letter or a sign that French does not write there. When several remain, a well-known word (« Hélène »)
    that only one gives makes it sure.
    """
    stream.seek(0)
    head = stream.read(4096)
    for encoding in _wide(head):
        if (found := _whole(stream, encoding)) is not None:
            return found
    if b"\x00" in head:
        raise UnknownEncoding(_unknown())
    return _whole(stream, "utf-8-sig") or _of_one_byte(stream)


def sure_encoding(stream: BinaryIO, confirmed: str = "") -> EncodingChoice:
    """As `find_encoding`; a doubtful one counts when a person `confirmed` it.

    Raises UnknownEncoding, UnsureEncoding.
    """
    found = find_encoding(stream).confirmed(confirmed)
    if not found.is_sure:
        raise UnsureEncoding(_question(found), found)
    return found


def _question(choice: EncodingChoice) -> str:
    ways = [
        _("%(words)s en %(encoding)s")
        % {
            "words": ", ".join(
                _("« %(word)s » (ligne %(line)d)") % {"word": w, "line": n} for w, n in one.samples
            ),
            "encoding": one.name,
        }
        for one in (choice, *choice.others)
    ]
    return _("L'encodage de ce fichier n'est pas certain. Il se lit : %(ways)s.") % {"ways": " ; ".join(ways)}


def _unknown() -> str:
    return _("Ce fichier n'est pas un texte lisible : son encodage est inconnu.")


def _wide(head: bytes) -> Iterator[str]:
    """UTF-16, when the first bytes say so: a mark, or a zero in every other byte."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield "utf-16"
        return
    half = len(head) // 2
    if half and head[1::2].count(0) > half * 0.7 and head[::2].count(0) == 0:
        yield "utf-16-le"
    elif half and head[::2].count(0) > half * 0.7 and head[1::2].count(0) == 0:
        yield "utf-16-be"


def _whole(stream: BinaryIO, encoding: str) -> EncodingChoice | None:
    """The choice of this encoding of Unicode when all bytes fit, with samples; None when they do not."""
    samples: list[tuple[str, int]] = []
    line, is_ascii, is_latin = 1, True, False
    try:
        for text in decoded(stream, encoding):
            if CANNOT_BE.search(text):
                raise UnknownEncoding(_unknown())
            is_ascii = is_ascii and text.isascii()
            is_latin = is_latin or _LATIN.search(text) is not None
            if len(samples) < 3:
                end = "\n" if "\n" in text else "\r"
                for start, stop in _places(text, _HIGH, _END):
                    word = text[start:stop].strip("\ufeff")
                    if any(sign.isalpha() and not sign.isascii() for sign in word):
                        samples.append((word[:40], line + text.count(end, 0, start)))
                    if len(samples) == 3:
                        break
                line += text.count(end)
    except UnicodeDecodeError:
        return None
    return EncodingChoice(encoding, True, tuple(samples)) if is_ascii or is_latin else None


def _places(text: AnyStr, high: re.Pattern[AnyStr], end: re.Pattern[AnyStr]) -> Iterator[tuple[int, int]]:
    """Where each word with a sign above 127 begins and stops. Every sign is looked at a few times only."""
    at = 0
    while (found := high.search(text, at)) is not None:
        first = max(at, found.start() - _LONGEST_WORD // 2)
        start = found.start() - len(end.split(text[first : found.start()])[-1])
        last = found.start() + _LONGEST_WORD
        after = end.search(text, found.start(), last)
        at = after.start() if after else min(last, len(text))
        yield start, at


def decoded(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """The text of the stream from its beginning, piece by piece, without the end sign of DOS."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    chunk = stream.read(_CHUNK)
    while chunk:
        following = stream.read(_CHUNK)
        yield decoder.decode(chunk if following else chunk.rstrip(END_OF_DOS))
        chunk = following
    yield decoder.decode(b"", final=True)


# --- encodings of one byte --------------------------------------------------------------------------


def _of_one_byte(stream: BinaryIO) -> EncodingChoice:
    words = _words(stream)
    good = {word: line for word, line in words.items() if _is_utf_8(word)}
    if good:  # two of its bytes do not fit by accident in a French word
        return _mixed({word: line for word, line in words.items() if word not in good})
    return _chosen(words)


def _words(stream: BinaryIO) -> dict[bytes, int]:
    """Each different word that has a byte above 127, and its first line. Raises UnknownEncoding when it is no text."""
    found: dict[bytes, int] = {}
    stream.seek(0)
    line, kept, end = 1, b"", b"\n"
    while chunk := stream.read(_CHUNK):
        if re.search(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]", chunk.rstrip(END_OF_DOS)):
            raise UnknownEncoding(_unknown())
        if line == 1 and not kept and b"\n" not in chunk:
            end = b"\r"  # an old Macintosh
        text = kept + chunk
        cut = max(text.rfind(b"\n"), text.rfind(b";"), text.rfind(b","), text.rfind(b"\t")) + 1 or len(text)
        kept, text = text[cut:], text[:cut]
        line = _look(text, line, end, found)
    _look(kept, line, end, found)
    return found


def _look(text: bytes, line: int, end: bytes, found: dict[bytes, int]) -> int:
    at = 0
    for start, stop in _places(text, _HIGH_BYTE, _END_BYTE):
        if (word := text[start:stop]) not in found and len(found) < _MOST_WORDS:
            line, at = line + text.count(end, at, start), start
            found[word] = line
    return line + text.count(end, at)


def _is_utf_8(word: bytes) -> bool:
    try:
        return _LATIN.search(word.decode()) is not None
    except UnicodeDecodeError:
        return False


def _mixed(words: dict[bytes, int]) -> EncodingChoice:
    """UTF-8 of which some lines were pasted from Windows. Raises UnknownEncoding, which names the first such line."""
    found = _chosen(words)
    if found.is_sure and found.encoding == "cp1252":
        return replace(found, encoding=MIXED, lines=tuple(sorted(set(words.values()))))
    word, line = min(words.items(), key=lambda pair: pair[1])
    raise UnknownEncoding(
        _("La ligne %(line)d n'est pas dans le même encodage que le reste du fichier (« %(word)s »).")
        % {"line": line, "word": word.decode("utf-8", "replace")[:40]}
    )


@dataclass(slots=True)
class _Reading:
    encoding: str
    texts: list[str]
    impossible: int = 0
    foreign: int = 0
    known: int = 0


def _chosen(words: dict[bytes, int]) -> EncodingChoice:
    readings: list[_Reading] = []
    for encoding in ONE_BYTE:
        try:
            texts = [word.decode(encoding) for word in words]
        except UnicodeDecodeError:
            continue
        if any(CANNOT_BE.search(text) or re.search("[\x80-\x9f]", text) for text in texts):
            continue
        if all(texts != one.texts for one in readings):
            readings.append(_judged(encoding, texts))
    possible = [one for one in readings if not one.impossible]
    if len(possible) == 1:
        return _choice(possible, words, is_sure=True)
    with_known = [one for one in possible if one.known]
    if len(with_known) == 1:
        return _choice(with_known, words, is_sure=True)
    if not readings:
        raise UnknownEncoding(_unknown())
    if not possible:  # some words make no sense in any: a person sees them
        fewest = min(one.impossible for one in readings)
        possible = [one for one in readings if one.impossible <= 4 * fewest]
    return _choice(_ordered(possible, words), words, is_sure=False)


def _ordered(readings: list[_Reading], words: dict[bytes, int]) -> list[_Reading]:
    """The likeliest first; what our own count leaves equal, charset-normalizer orders."""
    text = b" ".join(list(words)[:2000])
    names = [one.encoding.replace("-", "_") for one in readings]
    guessed = [one.encoding for one in charset_normalizer.from_bytes(text, cp_isolation=names)]
    rank = {name: place for place, name in enumerate(guessed)}
    return sorted(
        readings,
        key=lambda one: (
            one.impossible,
            -one.known,
            one.foreign,
            rank.get(one.encoding.replace("-", "_"), len(rank)),
        ),
    )


def _choice(readings: Sequence[_Reading], words: dict[bytes, int], *, is_sure: bool) -> EncodingChoice:
    lines = list(words.values())
    first, *others = readings
    # Words whose readings differ most tell a person most; the rest is in the order of the file.
    with_letters = [place for place, text in enumerate(first.texts) if any(sign.isalpha() for sign in text)]
    places = sorted(
        with_letters or range(len(lines)),
        key=lambda place: (-len({one.texts[place] for one in readings}), place),
    )[:3]

    def made(one: _Reading, others: tuple[EncodingChoice, ...]) -> EncodingChoice:
        samples = tuple((one.texts[place][:40], lines[place]) for place in places)
        return EncodingChoice(one.encoding, is_sure, samples, others)

    return made(first, tuple(made(one, ()) for one in others))


def _judged(encoding: str, texts: list[str]) -> _Reading:
    found = _Reading(encoding, texts)
    for text in texts:
        for said in signs_of(text):
            found.impossible += said is None
            found.foreign += said is False
        found.known += has_known_word(text)
    return found


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("as-cp1252", _as_windows)
