"""Which files of a folder belong together: a billing file, its PDFs, and the mark that all of it is there."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.files.folders import Lying

MARKS = (".ok", ".fin")  # `facture.csv.ok` or `facture.ok`: the sender has written everything
_ARCHIVE = ".zip"
# What a transfer writes before it gives the file its name.
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".writing")
_ODD = re.compile(r"[\x00-\x1f\x7f/\\]")
_LONGEST = 150  # characters of a name in its last place


@dataclass(frozen=True)
class Group:
    """A billing file and what belongs to it; a ZIP alone is the billing file, if a format reads it."""

    rows: Lying
    documents: Lying | None = None
    marks: tuple[Lying, ...] = ()
    twins: tuple[str, ...] = ()  # other billing files to which the same PDFs would belong

    @property
    def seen(self) -> dict[str, list[object]]:
        """Name → [bytes, ETag], as `Arrival.seen` keeps it."""
        files = (self.rows, *((self.documents,) if self.documents else ()), *self.marks)
        return {one.name: [one.size, one.etag] for one in files}

    @property
    def size(self) -> int:
        return self.rows.size + (self.documents.size if self.documents else 0)

    @property
    def is_archive_alone(self) -> bool:
        """Perhaps its billing file is still to come."""
        return self.documents is None and _is_archive(self.rows)


def groups(files: Iterable[Lying]) -> list[Group]:
    """The files of a folder, put together by their names without extension; case does not count.

    Left out: what a transfer has not ended, hidden files, and marks of nothing.
    """
    found: defaultdict[str, list[Lying]] = defaultdict(list)
    marks: defaultdict[str, list[Lying]] = defaultdict(list)
    for one in sorted(files, key=lambda one: one.name):
        low = one.name.lower()
        if not one.name or "\0" in one.name or one.name.startswith((".", "~")):
            continue
        if low.endswith(_UNFINISHED):
            continue
        if low.endswith(MARKS):
            marks[low.rpartition(".")[0]].append(one)
        else:
            found[_stem(one.name)].append(one)
    return [group for stem, members in found.items() for group in _grouped(stem, members, marks)]


def _grouped(stem: str, members: list[Lying], marks: dict[str, list[Lying]]) -> list[Group]:
    archives = [one for one in members if _is_archive(one)]
    rows = [one for one in members if not _is_archive(one)]
    if not rows or len(archives) > 1:
        return [Group(one, marks=_marks_of(one, stem, marks)) for one in members]
    documents = archives[0] if archives else None
    if len(rows) == 1:
        found = _marks_of(rows[0], stem, marks)
        if documents:
            found += tuple(marks.get(documents.name.lower(), ()))
        return [Group(rows[0], documents, found)]
    if documents is None:
        return [Group(one, marks=_marks_of(one, stem, marks)) for one in rows]
    # Nobody knows whose the PDFs are. The first takes them along, so that all of it ends in one place.
    first, *others = rows
    together = (*_marks_of(first, stem, marks), *others)
    return [Group(first, documents, together, tuple(one.name for one in others))]


def _marks_of(one: Lying, stem: str, marks: dict[str, list[Lying]]) -> tuple[Lying, ...]:
    return (*marks.get(one.name.lower(), ()), *(marks.get(stem, ()) if stem != one.name.lower() else ()))


def _is_archive(one: Lying) -> bool:
    return one.name.lower().endswith(_ARCHIVE)


def _stem(name: str) -> str:
    return (name.rpartition(".")[0] or name).lower()


def plain(name: str) -> str:
    """`name` as the last part of a key: without line breaks, other control characters and slashes, not too long."""
    clean = _ODD.sub("_", name).strip(" .") or "fichier"
    stem, dot, extension = clean.rpartition(".")
    if len(clean) <= _LONGEST:
        return clean
    return f"{stem[: _LONGEST - 12]}{dot}{extension[:10]}" if dot else clean[:_LONGEST]
