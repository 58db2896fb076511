"""Why a file, or one of its cells, cannot be read. `str()` is one French sentence, for the person who sent it."""


class FileError(Exception):
    """The file as a whole cannot be read."""


class UnknownEncoding(FileError):
    """The bytes are no text that anybody could write in French."""


class FieldError(ValueError):
    """One cell cannot be read; the sentence begins after the cell's name: « … est vide : … »."""
