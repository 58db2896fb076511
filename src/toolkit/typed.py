"""What somebody typed into a field that no form reads: a search, a word in the address."""

from collections.abc import Mapping


def words_of(sent: Mapping[str, object], name: str, *, most: int = 100) -> str:
    """The words, trimmed and cut; without NUL, which a browser can send and PostgreSQL takes in no text."""
    return str(sent.get(name, "")).replace("\0", "").strip()[:most]
