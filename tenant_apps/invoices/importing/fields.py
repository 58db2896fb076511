"""One cell of a billing file → a value, or a FieldError whose sentence says what is wrong and what to do."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from toolkit import emails

LARGEST = Decimal(
    "99999.99"
)  # PayFiP's own limit is under 100,000 € (payfip.md §2); no resident's bill is near it
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class FieldError(ValueError):
    """`str()` is one French sentence."""


def fold(text: str) -> str:
    """Lower case, no accents, only letters and digits: `N° de facture` → `ndefacture`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)


def text(raw: str, *, longest: int, required: bool = False) -> str:
    """Trimmed, single-spaced text."""
    value = _SPACES.sub(" ", raw).strip()
    if _CONTROL.search(value):
        raise FieldError(_("contient des caractères illisibles : vérifiez l'encodage du fichier."))
    if required and not value:
        raise FieldError(_("est vide : cette valeur est nécessaire."))
    if len(value) > longest:
        raise FieldError(_("est trop long : %(n)d caractères au plus.") % {"n": longest})
    return value


def amount(raw: str) -> Decimal:
    """« 1 234,50 € » → Decimal("1234.50") euros; more than zero, two decimals at most."""
    cleaned = _SPACES.sub("", raw).removesuffix("€").removesuffix("EUR")
    if not cleaned:
        raise FieldError(_("est vide : indiquez un montant, par exemple 37,50."))
    if not re.fullmatch(r"[+-]?\d+([.,]\d+)?", cleaned):
        raise FieldError(_("n'est pas un montant : écrivez par exemple 37,50."))
    try:
        value = Decimal(cleaned.replace(",", "."))
    except InvalidOperation:  # pragma: no cover - the pattern above admits only numbers
        raise FieldError(_("n'est pas un montant : écrivez par exemple 37,50.")) from None
    if value <= 0:
        raise FieldError(_("doit être supérieur à zéro ; un avoir ne s'importe pas comme une facture."))
    if value != value.quantize(Decimal("0.01")):
        raise FieldError(_("a plus de deux décimales : arrondissez-le au centime."))
    if value > LARGEST:
        raise FieldError(_("dépasse 99 999,99 € : vérifiez la virgule."))
    return value.quantize(Decimal("0.01"))


def day(raw: str) -> date:
    """JJ/MM/AAAA (also with - or .), or AAAA-MM-JJ."""
    value = raw.strip()
    if not value:
        raise FieldError(_("est vide : indiquez une date, par exemple 30/10/2026."))
    if re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", value):
        raise FieldError(_("a une année sur deux chiffres : écrivez-la en entier, par exemple 30/10/2026."))
    for pattern in ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"):
        try:
            found = datetime.strptime(value, pattern).date()  # noqa: DTZ007 - a date on paper has no zone
        except ValueError:
            continue
        if not 2000 <= found.year <= 2100:
            raise FieldError(_("est une année improbable : vérifiez-la."))
        return found
    raise FieldError(_("n'est pas une date : écrivez le jour, le mois et l'année, par exemple 30/10/2026."))


def year(raw: str, default: int) -> int:
    """An exercice of four digits; `default` when empty."""
    value = raw.strip()
    if not value:
        return default
    if not re.fullmatch(r"20\d{2}", value):
        raise FieldError(_("n'est pas un exercice : écrivez une année, par exemple 2026."))
    return int(value)


def reference(raw: str, *, number: str, year: int) -> str:
    """The payment reference (refdet): 6 to 30 letters or digits once the punctuation is removed (payfip.md §2).

    A file that gives none gets the number, with the exercice before it when the number does not begin with it:
    the number alone is unique within a year only.
    """
    given = _letters_and_digits(raw)
    if raw.strip():
        if not 6 <= len(given) <= 30:
            raise FieldError(_("doit compter de 6 à 30 lettres ou chiffres."))
        return given
    own = _letters_and_digits(number)
    own = own if own.startswith(str(year)) else f"{year}{own}"
    return own.ljust(6, "0")[:30]


def _letters_and_digits(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", plain)


def addresses(raw: str) -> tuple[str, ...]:
    """E-mail addresses separated by ; or , or spaces, in lower case, each once, in order."""
    found: dict[str, None] = {}
    for part in re.split(r"[;,\s]+", raw.strip()):
        if not part:
            continue
        if not emails.is_valid(part):
            raise FieldError(_("n'est pas une adresse e-mail : vérifiez-la, ou laissez la case vide."))
        found[emails.normalise(part)] = None
    return tuple(found)
