"""Encrypt secrets that must be read again, so that a stolen database alone reveals nothing."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


class Unreadable(ValueError):
    """Sealed under another SECRET_KEY, or damaged."""


def _box() -> MultiFernet:
    """The present key seals; older ones (SECRET_KEY_FALLBACKS) still unseal."""
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"sealing:" + force_bytes(secret)).digest()))


def seal(text: str) -> str:
    """Encrypt `text`; only this platform can read it."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The sealed text. Raises Unreadable."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable from None
