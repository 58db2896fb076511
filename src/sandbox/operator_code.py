"""The second factor of the demonstration's operator: its secret is public, so that a page can show the code.

For the sandbox only: the portal never imports it. `sandbox.demo` sets the second factor up as a person
does: it gives the secret, then confirms it with a code (docs/decisions/0017).
"""

import time

import pyotp

SECRET = "FACTURESDEMONSTRATION234567ABCDE"  # noqa: S105 - known to everybody on purpose
EMAIL = "operateur@example.net"
_STEP = 30


def code(steps: int = 0) -> str:
    """The code that a telephone shows now, or `steps` of thirty seconds away."""
    return pyotp.TOTP(SECRET).at(int(time.time()) + steps * _STEP)


def seconds_left() -> int:
    """How long the present code is still shown."""
    return _STEP - int(time.time()) % _STEP
