"""Read typed values from the environment. A missing or doubtful value stops the start with a sentence.

Secrets may come from a file: ``NAME_FILE=/run/secrets/name`` stands for ``NAME=<its content>``.
"""

import os
import re
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from toolkit.secrecy import hashfile

T = TypeVar("T")
_MISSING = object()


class Misconfigured(SystemExit):
    """The process must not start. The message names the variable and what it needs."""

    def __init__(self, message: str) -> None:
        super().__init__(f"configuration: {message}")


def _raw(name: str) -> str | None:
    path = os.environ.get(f"{name}_FILE")
    if path and name in os.environ:
        raise Misconfigured(f"{name} and {name}_FILE are both set; keep one of them.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Misconfigured(f"{name}_FILE cannot be read ({error.strerror}).") from None
    return os.environ.get(name)


def _read(name: str, default: object, convert: Callable[[str], T], wants: str) -> T:
    raw = _raw(name)
    if raw is None or raw == "":
        if default is _MISSING:
            raise Misconfigured(f"{name} is not set; it wants {wants}.")
        return default  # type: ignore[return-value]
    try:
        return convert(raw)
    except ValueError:
        raise Misconfigured(f"{name} is {raw!r}; it wants {wants}.") from None


def text(name: str, default: object = _MISSING) -> str:
    """A non-empty string."""
    return _read(name, default, str, "a text")


def integer(name: str, default: object = _MISSING) -> int:
    """A whole number."""
    return _read(name, default, int, "a whole number")


def boolean(name: str, default: object = _MISSING) -> bool:
    """``true`` or ``false`` (also 1/0, yes/no)."""

    def convert(raw: str) -> bool:
        try:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                raw.lower()
            ]
        except KeyError:
            raise ValueError from None

    return _read(name, default, convert, "true or false")


def choice(name: str, options: tuple[str, ...], default: object = _MISSING) -> str:
    """One of `options`."""

    def convert(raw: str) -> str:
        if raw not in options:
            raise ValueError
        return raw

    return _read(name, default, convert, " or ".join(options))


def servers(name: str, port: int) -> list[tuple[str, int]]:
    """IP addresses separated by blanks, each with an optional port; none by default: ``9.9.9.9 [::1]:5353``."""

    def one(raw: str) -> tuple[str, int]:
        parts = urlsplit(f"//[{raw}]" if raw.count(":") > 1 and "[" not in raw else f"//{raw}")
        ip_address(parts.hostname or "")
        return str(parts.hostname), parts.port or port

    return _read(name, [], lambda raw: [one(word) for word in raw.split()], "IP addresses between blanks")


def contact(name: str) -> str:
    """A `mailto:` or `https:` address, or an empty string."""

    def convert(raw: str) -> str:
        if not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+|https://\S+", raw):
            raise ValueError
        return raw

    return _read(name, "", convert, "mailto:address or https://address")


def day(name: str) -> date | None:
    """A day, as ``2027-06-30``, or None."""
    return _read(name, None, date.fromisoformat, "a day such as 2027-06-30")


def hashes(name: str) -> str:
    """The path of a sorted file of SHA-1 hashes (`hashfile`), or an empty string. A few lines are checked."""
    path = text(name, "")
    problem = hashfile.complaint(path) if path else None
    if problem:
        raise Misconfigured(f"{name} is {path!r}; {problem}.")
    return path


def pairs(name: str) -> dict[str, str]:
    """``name=value`` pairs separated by blanks; none by default: ``south=postgresql://… west=postgresql://…``."""

    def convert(raw: str) -> dict[str, str]:
        found = dict(pair.split("=", 1) for pair in raw.split())
        if not all(key.isidentifier() and value for key, value in found.items()) or "default" in found:
            raise ValueError
        return found

    return _read(name, {}, convert, "name=value pairs between blanks, none of them named default")
