"""The cells that only billing files have: numbers, years, payment references, e-mail addresses."""

import html
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.products import references
from toolkit import clock, emails
from toolkit.reading import fields
from toolkit.reading.errors import FieldError, NotPositive
from toolkit.reading.fields import fold, identifier, text, without_accents

NOT_ONLINE = Decimal("100000")  # euros; PayFiP takes only smaller amounts (docs/payfip.md §2)
LONGEST_PRODUCT = 80  # its label may stand where its code is expected
_ENTITY = re.compile(r"&(#[0-9]{1,6}|#x[0-9a-f]{1,5}|[a-z][a-z0-9]{1,15});", re.IGNORECASE)
_SERIAL = re.compile(r"\s*([3-7][0-9]{4})([.,][0-9]+)?\s*")
_FIRST_OF_EXCEL = date(1899, 12, 30)
_SINCE_1904 = 1462  # days between the two calendars of Excel
_MISSING = (
    "aucun aucune neant rien sans sansmail sansemail sansadresse non nc na nd nr null none nan vide absent inconnu "
    "inconnue nonrenseigne noncommunique pasdemail pasdadresse pasdemel 0 x xx xxx"
)
_NO_ADDRESS = frozenset(_MISSING.split())


def key_of(name: str) -> str:
    """The form in which file names and invoice numbers are compared: `2015/001_001078.PDF` → `2015-001-001078`."""
    stem = re.sub(r"(\.pdf)+$", "", unicodedata.normalize("NFC", name).strip(), flags=re.IGNORECASE)
    return re.sub(r"[\s/\\_.-]+", "-", stem).strip("-").lower()


def unescaped(cells: Mapping[str, str]) -> Mapping[str, str]:
    """The texts with the entities of HTML read: `DUPONT &amp; FILS` → `DUPONT & FILS`."""
    if not any("&" in text for text in cells.values()):
        return cells
    return {name: _ENTITY.sub(lambda found: html.unescape(found[0]), text) for name, text in cells.items()}


def has_entity(text: str) -> bool:
    """Whether it has an entity of HTML."""
    return _ENTITY.search(text) is not None


def product(raw: str) -> str:
    """The code of a régie, or what stands for it. Raises FieldError."""
    return text(identifier(raw), longest=LONGEST_PRODUCT)


def amount(raw: str) -> Decimal:
    """As `fields.amount`; what asks nothing says what to do with its row. Raises FieldError."""
    try:
        return fields.amount(raw)
    except NotPositive as why:
        sentence = _("%(why)s Ôtez la ligne, ou laissez ces lignes de côté par les règles de la provenance.")
        raise NotPositive(sentence % {"why": why}) from None


def is_serial(raw: str) -> bool:
    """Whether it is a date as Excel counts them: `46296`."""
    return _SERIAL.fullmatch(raw) is not None


def day(raw: str) -> date:
    """As `fields.day`, or the number that Excel has for a date: 46296 → 1 October 2026. Raises FieldError.

    Old workbooks of a Macintosh count from 1904: a number that is likelier so is refused with both dates.
    """
    found = _SERIAL.fullmatch(raw)
    if found is None:
        return fields.day(raw)
    read = _FIRST_OF_EXCEL + timedelta(days=int(found[1]))
    other, today = read + timedelta(days=_SINCE_1904), clock.today()
    if abs(other.year - today.year) < abs(read.year - today.year) and abs(other.year - today.year) <= 1:
        raise FieldError(
            _(
                "est un nombre d'Excel : le %(read)s, ou le %(other)s si le classeur compte depuis 1904. Mettez cette "
                "colonne au format « Date »."
            )
            % {"read": clock.in_figures(read), "other": clock.in_figures(other)}
        )
    return fields.day(read.isoformat())


def year(raw: str, default: int) -> int:
    """An exercice of four digits; `default` when empty. Raises FieldError."""
    value = identifier(raw)
    if not value:
        return default
    if not re.fullmatch(r"20[0-9]{2}", value):
        raise FieldError(_("n'est pas un exercice : écrivez une année, par exemple 2026."))
    return int(value)


def reference(raw: str, *, number: str, year: int) -> str:
    """The payment reference (refdet): 6 to 30 letters or digits, without punctuation (docs/payfip.md §2).

    Without a reference in the file it is the number, after the exercice unless the number begins with it, because a
    number is unique within a year only. It is never shortened: two invoices could get the same one. Raises
    FieldError.
    """
    if raw.strip():
        value = references.canonical(identifier(text(raw, longest=80)))
        if not re.fullmatch(r"[A-Z0-9]{6,30}", value):
            raise FieldError(_("doit compter de 6 à 30 lettres sans accent ou chiffres : vérifiez-la."))
        return value
    own = re.sub(r"[^A-Z0-9]", "", references.canonical(without_accents(number)))
    own = own if own.startswith(str(year)) else f"{year}{own}"
    if len(own) > 30:
        raise FieldError(
            _(
                "est vide et le numéro est trop long pour en tenir lieu : donnez une référence de 6 à 30 signes."
            )
        )
    return own.rjust(6, "0")  # zeros go on the left: on the right, 1 and 10 would become the same


def addresses(raw: str) -> tuple[str, ...]:
    """E-mail addresses separated by ; or , or spaces: lower case, no repetition, in order. Raises FieldError.

    « aucun », « - » and the like say that there is none.
    """
    if says_no_address(raw):
        return ()
    found: dict[str, None] = {}
    for part in re.split(r"[;,\s]+", raw.strip()):
        if not part:
            continue
        try:
            found[emails.normalise(part)] = None
        except emails.BadAddress as why:
            sentence = _(
                "contient « %(part)s », qui n'est pas une adresse e-mail : corrigez-la, ou laissez la case vide."
                " %(why)s"
            )
            raise FieldError(sentence % {"part": part[:80], "why": why}) from None
    return tuple(found)


def says_no_address(raw: str) -> bool:
    """Whether a word stands where an address is missing: « aucun », « - », « néant »."""
    value = raw.strip()
    if not value or "@" in value or len(value) > 40:
        return False
    bare = fold(value)
    return bare in _NO_ADDRESS or not re.search(r"\w", value)
