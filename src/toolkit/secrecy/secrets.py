"""One-use tokens for links; only their hash is stored."""

import hashlib
import re
import secrets

LIEN = re.compile(r"X[0-9a-f]{32}")


def new_lien() -> str:
    """A one-use token in the form of the manual (docs/manual.md, M2): X and 32 hexadecimal digits, 128 random bits."""
    return "X" + secrets.token_hex(16)


def looks_like_lien(value: str) -> bool:
    """True for the form of `new_lien`; anything else is refused without a query."""
    return LIEN.fullmatch(value) is not None


def fingerprint(token: str) -> str:
    """SHA-256 in hexadecimal. A token has 128 random bits, so it needs no salt or slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
