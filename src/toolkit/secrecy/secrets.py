"""Bearer secrets that travel in links: made here, and kept only as a hash."""

import hashlib
import re
import secrets

LIEN = re.compile(r"X[0-9a-f]{32}")


def new_lien() -> str:
    """A one-use token in the form of the manual (docs/manual.md, M2): X and 32 hexadecimal digits, 128 random bits."""
    return "X" + secrets.token_hex(16)


def looks_like_lien(value: str) -> bool:
    """True for the form of `new_lien`, so that anything else is refused before the database is asked."""
    return LIEN.fullmatch(value) is not None


def fingerprint(token: str) -> str:
    """SHA-256 in hexadecimal. A token has 128 random bits, so no salt or slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
