"""What the PDFs of an import are, wherever they come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class DocumentError(Exception):
    """One PDF is refused. `str()` is one French sentence."""


@dataclass(frozen=True)
class Pdf:
    """A checked PDF: its bytes exactly as sent."""

    name: str
    content: bytes
    sha256: str
    pages: int


class Documents(Protocol):
    """The PDFs of one import: of a ZIP, of one large PDF, of the file of the rows itself.

    Several threads may call `read` at once.
    """

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the PDF of that name, or None. `is_file`: of a file; otherwise of an invoice's number.

        When several PDFs fit, it is a key that `read` refuses, in words that name them.
        """

    def read(self, key: str) -> Pdf:
        """The PDF of that key. Raises KeyError when absent, DocumentError when nobody should get it."""

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each PDF."""
