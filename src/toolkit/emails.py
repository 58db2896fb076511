"""E-mail addresses as people type them."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def normalise(address: str) -> str:
    """Trimmed and in lower case: two spellings of one address are one address for us."""
    return address.strip().lower()


def is_valid(address: str) -> bool:
    """True when `address` has the form of an address and is short enough to be one (RFC 5321: 254)."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return len(address) <= 254


def masked(address: str) -> str:
    """Enough for who knows it to recognise it, and no more: alice@example.net → a…@example.net."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
