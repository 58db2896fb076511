"""Secrets that must be read again, kept sealed: whoever steals the database alone reads nothing."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class Unreadable(ValueError):
    """Sealed under another SECRET_KEY, or damaged."""


def _box() -> MultiFernet:
    """The first key seals; the older ones (SECRET_KEY_FALLBACKS) still open."""
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"sealing:" + force_bytes(secret)).digest()))


def seal(text: str) -> str:
    """`text`, readable by this platform only."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Unreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None
