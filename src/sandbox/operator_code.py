"""The telephone of the demonstration's operator: its secret is written here, so its code can be read on a page.

For the sandbox only. Nothing of the portal imports it, and `sandbox.demo` sets the second factor up as a person
does: it gives the secret, then proves it with a code (docs/decisions/0017).
"""

import time

import pyotp

SECRET = "FACTURESDEMONSTRATION234567ABCDE"  # noqa: S105 - known to everybody on purpose
EMAIL = "operateur@example.net"
_STEP = 30


def code(steps: int = 0) -> str:
    """What the telephone shows now, or showed `steps` of thirty seconds away."""
    return pyotp.TOTP(SECRET).at(int(time.time()) + steps * _STEP)


def seconds_left() -> int:
    """How long it still shows it."""
    return _STEP - int(time.time()) % _STEP
