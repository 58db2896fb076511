"""Codes for whoever tries the demonstration without a telephone: those of the operator, whose secret is public, and
those of any secret that somebody reads on « Protégez votre compte » and types here.

For the sandbox only: the portal never imports it. `sandbox.demo` sets the second factor up as a person
does: it gives the secret, then confirms it with a code (docs/decisions/0017).
"""

import time

import pyotp

SECRET = "FACTURESDEMONSTRATION234567ABCDE"  # noqa: S105 - known to everybody on purpose
EMAIL = "operateur@example.net"
_STEP = 30


def code(steps: int = 0, *, secret: str = SECRET) -> str:
    """The code that a telephone shows now, or `steps` of thirty seconds away. Raises ValueError for no base32."""
    return pyotp.TOTP(bare(secret)).at(int(time.time()) + steps * _STEP)


def bare(secret: str) -> str:
    """The secret as it was typed, without blanks and in capitals; empty stays empty."""
    return "".join(secret.split()).upper()


def seconds_left() -> int:
    """How long the present code is still shown."""
    return _STEP - int(time.time()) % _STEP
