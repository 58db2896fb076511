"""The cells that only billing files have: numbers, years, payment references, e-mail addresses."""

import re
import unicodedata
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.products import references
from toolkit import emails
from toolkit.reading.errors import FieldError
from toolkit.reading.fields import identifier, text, without_accents

NOT_ONLINE = Decimal("100000")  # euros; PayFiP takes only smaller amounts (docs/payfip.md §2)


def key_of(name: str) -> str:
    """The form in which file names and invoice numbers are compared: `2015/001_001078.PDF` → `2015-001-001078`."""
    stem = re.sub(r"(\.pdf)+$", "", unicodedata.normalize("NFC", name).strip(), flags=re.IGNORECASE)
    return re.sub(r"[\s/\\_.-]+", "-", stem).strip("-").lower()


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
    """E-mail addresses separated by ; or , or spaces: lower case, no repetition, in order. Raises FieldError."""
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
