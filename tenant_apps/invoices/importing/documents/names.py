"""Names of PDFs in an archive: which are litter, which letters they stand for, which number they contain.

A ZIP does not say how its names are encoded. A name that Windows wrote may stand for several texts: each is compared.
"""

import re
import unicodedata
import zipfile
from collections.abc import Iterator

from tenant_apps.invoices.importing.records.fields import key_of
from toolkit.reading.fields import without_accents

NUMBER = "{numero}"  # in the pattern of a source
_LITTER = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".localized"}
_MOST_STARS = 3
_FLAG_UTF8 = 0x800
_OF_WINDOWS = ("cp850", "cp1252", "cp437")  # Explorer in French first


def base_name(name: str) -> str:
    """The last part of a path, of Windows or of Unix."""
    return re.split(r"[/\\]", name)[-1]


def folders_of(name: str) -> tuple[str, ...]:
    """The folders of a path, simplified, without the letter of a drive."""
    parts = re.split(r"[/\\]", re.sub(r"^[A-Za-z]:", "", name))[:-1]
    return tuple(key for part in parts if (key := key_of(part)))


def is_litter(name: str) -> bool:
    """Whether it is a file that an operating system adds to archives."""
    base = base_name(name)
    return "__MACOSX" in name.split("/") or base.startswith("._") or base.lower() in _LITTER


def readings_of(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """What the name of an entry may stand for, the likeliest first."""
    if entry.flag_bits & _FLAG_UTF8 or entry.filename.isascii():
        return (unicodedata.normalize("NFC", entry.filename),)
    raw = entry.filename.encode("cp437")  # as zipfile decoded it
    try:
        return (unicodedata.normalize("NFC", raw.decode("utf-8")),)
    except UnicodeDecodeError:
        found = dict.fromkeys(_decoded(raw))
    return tuple(sorted(found, key=_odd)) or (entry.filename,)


def _decoded(raw: bytes) -> Iterator[str]:
    for encoding in _OF_WINDOWS:
        try:
            yield raw.decode(encoding)
        except UnicodeDecodeError:
            continue


def _odd(name: str) -> int:
    """How many signs of it no French name has."""
    return sum(not (sign.isascii() or sign in "°’«»–—" or sign.isalpha()) for sign in name)


def loosely(key: str) -> str:
    """A key of `key_of` without accents, and without the zeros that spreadsheets lose."""
    return without_accents(key).lstrip("0") or key


class Pattern:
    """How a source names its PDFs: `Facture_{numero}.pdf`, `{numero}_*.pdf`. A star stands for any text."""

    def __init__(self, pattern: str) -> None:
        parts = re.split(r"(\{numero\}|\*)", re.sub(r"\*+", "*", stem_of(pattern)))
        self._readers = [
            re.compile("".join(signs.get(part, re.escape(part)) for part in parts), re.IGNORECASE)
            for signs in ({NUMBER: "(.+)", "*": ".*"}, {NUMBER: "(.+?)", "*": ".*"})
            if parts.count(NUMBER) == 1 and parts.count("*") <= _MOST_STARS
        ]

    def texts_in(self, name: str) -> list[str]:
        """The numbers that the name of a file may contain: none when it is not of this pattern."""
        found = (reader.fullmatch(stem_of(name)) for reader in self._readers)
        return list(dict.fromkeys(one[1] for one in found if one and key_of(one[1])))

    def numbers_in(self, name: str) -> set[str]:
        """The same, as keys of `key_of`."""
        return {key_of(text) for text in self.texts_in(name)}


def stem_of(name: str) -> str:
    """The name of a file without its folder and its .pdf."""
    base = unicodedata.normalize("NFC", base_name(name)).strip()
    return re.sub(r"(\.pdf)+$", "", base, flags=re.IGNORECASE)


def is_pattern(text: str) -> bool:
    """Whether a source may have this pattern: the number once, in the name of the file, and at most three stars."""
    base = base_name(text.strip())
    stars = re.sub(r"\*+", "*", base).count("*")
    return text.count(NUMBER) == 1 and NUMBER in base and stars <= _MOST_STARS and len(base) <= 100
