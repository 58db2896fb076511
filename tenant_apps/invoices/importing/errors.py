"""Why a file as a whole is refused."""


class FileError(Exception):
    """The file as a whole cannot be read; `str()` is what to tell the clerk."""
