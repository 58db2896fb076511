"""Django's client makes its middleware anew for each browser, and WhiteNoise then reads every static file.

A server makes it once a process; so do the tests, until a setting changes.
"""

from typing import Any

from django.core.signals import setting_changed
from django.test.client import ClientHandler

_OF_A_CHAIN = (
    "_middleware_chain",
    "_view_middleware",
    "_template_response_middleware",
    "_exception_middleware",
)
_made: list[dict[str, Any]] = []


def install() -> None:
    """For the whole session."""
    make = ClientHandler.load_middleware

    def load_middleware(self: ClientHandler, is_async: bool = False) -> None:
        made = _made[:1]
        if not made or is_async:
            make(self, is_async)
            if not is_async:
                _made[:] = [{name: getattr(self, name) for name in _OF_A_CHAIN}]
        else:
            vars(self).update(made[0])

    ClientHandler.load_middleware = load_middleware  # type: ignore[method-assign]
    setting_changed.connect(_changed, dispatch_uid="tests.browsers")


def _changed(**_: Any) -> None:
    _made.clear()
