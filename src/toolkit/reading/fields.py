"""One cell → a value, or a FieldError whose sentence says what is wrong and what to do."""

import re
import unicodedata
from contextlib import suppress
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from toolkit.reading.errors import FieldError, NotPositive

LARGEST = Decimal("99999999.99")  # what numeric(10,2) holds
_WHOLE = re.compile(r"^([0-9]+)[.,]0+$")
_EURO = re.compile(r"^€ ?| ?(€|eur|euros?)$", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBERS = (
    r"([0-9]+)(?:[.,]([0-9]+))?",  # 1234,50
    r"([0-9]{1,3}(?: [0-9]{3})+)(?:[.,]([0-9]+))?",  # 1 234,50
    r"([0-9]{1,3}(?:[.][0-9]{3})+),([0-9]+)",  # 1.234,50
    r"([0-9]{1,3}(?:,[0-9]{3})+)[.]([0-9]+)",  # 1,234.50
)
_ERRORS = re.compile(
    r"#(N/?A|N/?D|REF!?|VALEUR!?|VALUE!?|NOM\?|NAME\?|DIV/0!?|NULL?!?|NUM!?|NOMBRE!?|CALC!?|SPILL!?|EPARS!?|###*)",
    re.IGNORECASE,
)
_SIGNS = "+-−"  # the last one is the sign of mathematics
# Not strptime: it takes the digits of every script, and ten times as long.
_DAY = re.compile(
    r"(?P<day>[0-9]{1,2})(?P<sign>[/.-])(?P<month>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4})"
    r"|(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"
)
_SCIENTIFIC = re.compile(r"[0-9]+[.,][0-9]+E[+-]?[0-9]+|[0-9]+E[+][0-9]+", re.IGNORECASE)


def without_accents(text: str) -> str:
    """Only the letters and signs of ASCII: `Élève n°` → `Eleve n`."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def fold(text: str) -> str:
    """Lower case, no accents, only letters and digits: `N° de facture` → `ndefacture`."""
    return re.sub(r"[^a-z0-9]", "", without_accents(text).lower())


def meant(raw: str) -> str:
    """`="001964"` → `001964`: how a spreadsheet's own export keeps the zeros of a text."""
    found = '="' in raw and re.fullmatch(r'\s*="(.*)"\s*', raw, flags=re.DOTALL)
    return found[1].replace('""', '"') if found else raw


def identifier(raw: str) -> str:
    """A number, a code, a reference without what spreadsheets add: `'001964` → `001964`, `123.0` → `123`.

    Scientific notation is refused: the digits that it hides are gone.
    """
    value = " ".join(meant(raw).split())
    value = value.removeprefix("'").removeprefix("’").strip()
    if _SCIENTIFIC.fullmatch(value):
        raise FieldError(
            _(
                "contient « %(value)s » : le tableur a remplacé des chiffres, qui sont perdus. Mettez cette colonne "
                "au format « Texte » avant d'enregistrer, ou exportez de nouveau sans passer par un tableur."
            )
            % {"value": value[:40]}
        )
    return _WHOLE.sub(r"\1", value)


def text(raw: str, *, longest: int, required: bool = False) -> str:
    """Trimmed, single-spaced text, without the signs that nobody sees. An error of a spreadsheet is none."""
    visible = raw
    if not raw.isascii():
        visible = "".join(sign for sign in raw if unicodedata.category(sign) != "Cf")
    value = unicodedata.normalize("NFC", " ".join(visible.split()))
    if value.startswith("#") and _ERRORS.fullmatch(value):
        raise FieldError(
            _("contient « %(value)s », une erreur de formule du tableur : donnez la valeur elle-même.")
            % {"value": value[:20]}
        )
    if _CONTROL.search(value):
        raise FieldError(_("contient des caractères illisibles : vérifiez l'encodage du fichier."))
    if required and not value:
        raise FieldError(_("est vide : cette valeur est nécessaire."))
    if len(value) > longest:
        raise FieldError(_("est trop long : %(n)d caractères au plus.") % {"n": longest})
    return value


def amount(raw: str) -> Decimal:
    """« 1 234,50 € » → Decimal("1234.50") euros; more than zero, nothing below the cent.

    Three digits after a single sign are refused: « 1,234 » is one euro and something here, a thousand
    elsewhere, and money is never guessed. `37,50-`, `(37,50)` and `−37,50` are below zero: NotPositive.
    """
    value = " ".join(raw.split())
    value = _EURO.sub("", value)
    if not value:
        raise FieldError(_("est vide : indiquez un montant, par exemple 37,50."))
    sign, digits = (value[0], value[1:].lstrip()) if value[0] in _SIGNS else ("", value)
    if value[-1] in "-−" and not sign:
        sign, digits = "-", value[:-1].rstrip()
    elif value[0] + value[-1] == "()":
        sign, digits = "-", re.sub(r" ?€$", "", value[1:-1].strip())
    found = next(filter(None, (re.fullmatch(pattern, digits) for pattern in _NUMBERS)), None)
    if found is None:
        raise FieldError(_("n'est pas un montant : écrivez par exemple 37,50."))
    whole, cents = re.sub(r"[ .,]", "", found[1]), found[2] or ""
    if len(cents) == 3 or cents[2:].strip("0"):
        raise FieldError(
            _("a plus de deux décimales : écrivez les centimes sur deux chiffres, par exemple 37,50.")
        )
    euros = Decimal(f"{whole}.{cents[:2] or '0'}")
    if sign in ("-", "−") or not euros:
        raise NotPositive(_("doit être supérieur à zéro ; un avoir ne s'importe pas comme une facture."))
    if euros > LARGEST:
        raise FieldError(_("dépasse 99 999 999,99 € : vérifiez la virgule."))
    return euros.quantize(Decimal("0.01"))


def day(raw: str) -> date:
    """JJ/MM/AAAA (also with - or .), or AAAA-MM-JJ; an hour after it is left out."""
    value = re.sub(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?$", "", raw.strip())
    if not value:
        raise FieldError(_("est vide : indiquez une date, par exemple 30/10/2026."))
    if re.fullmatch(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}", value):
        raise FieldError(_("a une année sur deux chiffres : écrivez-la en entier, par exemple 30/10/2026."))
    found = None
    if (parts := _DAY.fullmatch(value)) is not None:
        year, month, number = (int(parts[name] or parts[name[0]]) for name in ("year", "month", "day"))
        with suppress(ValueError):
            found = date(year, month, number)
    if found is not None:
        if not 2000 <= found.year <= 2100:
            raise FieldError(_("est une année improbable : vérifiez-la."))
        return found
    raise FieldError(_("n'est pas une date : écrivez le jour, le mois et l'année, par exemple 30/10/2026."))
