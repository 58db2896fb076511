"""Text that somebody typed outside a form: a search, a word in the address."""

from collections.abc import Mapping


def words_of(sent: Mapping[str, object], name: str, *, most: int = 100) -> str:
    """The text, trimmed and shortened, without NUL, which browsers can send and PostgreSQL refuses."""
    return str(sent.get(name, "")).replace("\0", "").strip()[:most]
