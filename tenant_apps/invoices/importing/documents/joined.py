"""The PDFs of one import, when they are in several places: inside the file of the rows, and beside it."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from tenant_apps.invoices.importing.documents.kinds import Documents, Pdf
from tenant_apps.invoices.importing.format import Format
from tenant_apps.invoices.importing.records.rules import Rules


class Joined:
    """Several `Documents` as one. The first that has a PDF of a name gives it."""

    def __init__(self, parts: Sequence[Documents]) -> None:
        self._parts = parts
        self.parallel = all(getattr(part, "parallel", False) for part in parts)

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name, or None."""
        for place, part in enumerate(self._parts):
            if (key := part.find(name, is_file=is_file)) is not None:
                return f"{place}:{key}"
        return None

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when it is not a sound PDF."""
        place, _colon, own = key.partition(":")
        return self._parts[int(place)].read(own)

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each PDF."""
        for place, part in enumerate(self._parts):
            for key, name in part.names():
                yield f"{place}:{key}", name


def documents_of(kind: Format, rows: BinaryIO, beside: BinaryIO | None, rules: Rules) -> Documents | None:
    """All PDFs of an import: of the file of the rows, and of the file that came with it. Raises FileError."""
    parts = []
    if kind.inside is not None and (found := kind.inside(rows)) is not None:
        parts.append(found)
    if beside is not None and kind.documents is not None:
        parts.append(kind.documents.open(beside, rules))
    if len(parts) > 1:
        return Joined(parts)
    return parts[0] if parts else None
