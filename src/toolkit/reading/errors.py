"""Why a file, or one of its cells, cannot be read. `str()` is one French sentence, for the person who sent it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.reading.encodings import EncodingChoice


class FileError(Exception):
    """The file as a whole cannot be read."""


class UnknownEncoding(FileError):
    """The bytes are no text that anybody could write in French."""


class UnsureEncoding(FileError):
    """Several encodings fit; `choice` has the words by which a person tells them apart."""

    def __init__(self, sentence: str, choice: "EncodingChoice") -> None:
        super().__init__(sentence)
        self.choice = choice


class FieldError(ValueError):
    """One cell cannot be read; the sentence begins after the cell's name: « … est vide : … »."""


class NotPositive(FieldError):
    """An amount of zero or less: it is read, and asks nothing of anybody."""
