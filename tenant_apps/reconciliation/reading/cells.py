"""One cell of a journal or a statement → a value. A FieldError says in a sentence what is wrong."""

import re
from datetime import date, datetime
from decimal import Decimal

from toolkit.clock import PARIS
from toolkit.reading import fields
from toolkit.reading.errors import FieldError

_MINUS = "−–-"  # the hyphen is last: between two others it would mean a range
_CURRENCY = re.compile(r"\s*(€|eur|euros?)\s*$", re.IGNORECASE)
_BEFORE = re.compile(rf"^([+{_MINUS}])\s*")
_AFTER = re.compile(rf"\s*([+{_MINUS}]|DB|CR|D|C)$", re.IGNORECASE)
_SHORT = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2})")
_HOUR = re.compile(r"[ T][0-9]{1,2}[:h][0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?$")


def signed(text: str) -> Decimal:
    """Euros as banks write them: -5,00 · 5,00- · (5,00) · 5,00 D · 0,00. Raises FieldError."""
    bare, negative = _CURRENCY.sub("", text.strip()), False
    if bare.startswith("(") and bare.endswith(")"):
        bare, negative = bare[1:-1].strip(), True
    for pattern in (_BEFORE, _AFTER):
        if found := pattern.search(bare):
            negative = negative or found[1].upper() in (*_MINUS, "D", "DB")
            bare = pattern.sub("", bare)
    bare = _CURRENCY.sub("", bare)
    if re.fullmatch(r"0+([.,]0+)?", bare):
        return Decimal("0.00")
    amount = fields.amount(bare)
    return -amount if negative else amount


def day(text: str) -> date:
    """A date as `fields.day` reads it, or as banks also write it. Raises FieldError.

    Also JJMMAAAA (PayFiP), AAAAMMJJ, AAAA/MM/JJ, a year of two digits (20xx), and a time after any of them. A time
    with a zone gives the date in Paris.
    """
    text = text.strip()
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*(Z|[+-][0-9]{2}:?[0-9]{2})$", text):
        try:
            return datetime.fromisoformat(text).astimezone(PARIS).date()
        except ValueError:
            pass
    bare = _HOUR.sub("", text)
    if re.fullmatch(r"[0-3][0-9][01][0-9]20[0-9]{2}", bare):
        bare = f"{bare[:2]}/{bare[2:4]}/{bare[4:]}"
    elif re.fullmatch(r"20[0-9]{2}[01][0-9][0-3][0-9]", bare):
        bare = f"{bare[:4]}-{bare[4:6]}-{bare[6:]}"
    elif found := re.fullmatch(r"(20[0-9]{2})[/.]([0-9]{1,2})[/.]([0-9]{1,2})", bare):
        bare = f"{found[1]}-{found[2]}-{found[3]}"
    elif found := _SHORT.fullmatch(bare):
        bare = f"{found[1]}/{found[2]}/20{found[3]}"
    elif re.match(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T", bare):
        bare = bare[:10]
    return fields.day(bare)


def looks_like_day(text: str) -> bool:
    """Whether a cell is only a date."""
    try:
        day(text)
    except FieldError:
        return False
    return True


def looks_like_amount(text: str) -> bool:
    """Whether a cell is an amount with cents: « 12 » alone may be anything."""
    if not re.search(r"[.,][0-9]{2}\D*$", text):
        return False
    try:
        signed(text)
    except FieldError:
        return False
    return True
