"""What the text of a page says about the invoice that it belongs to. Pure."""

import hashlib
import re
from dataclasses import dataclass

from toolkit.reading.fields import without_accents

_VALUE = r"\s*[:.]?\s*([a-z0-9][a-z0-9/_.-]{0,38})(?![a-z0-9/_-])"
_N = r"(?:numero|no|n)"  # « n° » without its sign
_WHAT = r"(?:facture|titre|avis|quittance|piece)"
# How billing writes the number of an invoice, the clearest first. A bare « N° » may be that of a family or a contract.
LABELS = tuple(
    re.compile(label + _VALUE)
    for label in (
        rf"\b{_N} (?:de |d')?(?:la |votre |l')?{_WHAT}\b",
        rf"\b{_WHAT}(?: des sommes a payer)?\s*{_N}\b",
        r"\bfacture\b",
    )
)
_MARK = re.compile(r"\b(?:page|p\.?)\s*:?\s*(\d{1,3})\s*(?:/|sur|de)\s*(\d{1,3})\b")
_BARE_MARK = re.compile(r"^\s*(\d{1,2})\s*/\s*(\d{1,2})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its numbers for each of LABELS, its « page 1 / 2 », and a digest of all its words."""

    numbers: tuple[tuple[str, ...], ...]
    mark: tuple[int, int] | None = None
    digest: bytes = b""  # empty: the page has no text


def page_of(text: str) -> Page:
    """What these words say."""
    plain = _plain(text)
    marks = {(int(one[1]), int(one[2])) for one in _MARK.finditer(plain)}
    marks = marks or {(int(one[1]), int(one[2])) for one in _BARE_MARK.finditer(plain)}
    words = " ".join(plain.split())
    return Page(
        numbers=tuple(_numbers(label, plain) for label in LABELS),
        mark=marks.pop() if len(marks) == 1 else None,
        digest=hashlib.sha256(words.encode()).digest()[:12] if words else b"",
    )


def numbers_in(text: str, label: int) -> tuple[str, ...]:
    """The numbers that these words give for one of LABELS: what `page_of` finds, and nothing else."""
    return _numbers(LABELS[label], _plain(text))


def _plain(text: str) -> str:
    return re.sub(r"[ \t\r]+", " ", without_accents(text).lower())


def _numbers(label: re.Pattern[str], plain: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for one in label.finditer(plain) if (value := _number(one[1]))))


def _number(value: str) -> str:
    """The value when it may be a number of an invoice: it has a digit, and is no date."""
    value = value.rstrip("./-_").upper()
    if not any(sign.isdigit() for sign in value) or re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}", value):
        return ""
    return value


def shape_of(number: str) -> str:
    """`CAN20260301` → `AAA99999999`: numbers of one billing tool look alike."""
    return re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", number))
