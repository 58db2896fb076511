"""One cell of a billing file → a value, or a FieldError whose sentence says what is wrong and what to do."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from tenant_apps.products import references
from toolkit import emails

LARGEST = Decimal("99999999.99")  # what numeric(10,2) holds
NOT_ONLINE = Decimal("100000")  # PayFiP takes less than that (payfip.md §2)
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
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
_SCIENTIFIC = re.compile(r"[0-9]+[.,][0-9]+E[+-]?[0-9]+|[0-9]+E[+][0-9]+", re.IGNORECASE)


class FieldError(ValueError):
    """`str()` is one French sentence."""


def fold(text: str) -> str:
    """Lower case, no accents, only letters and digits: `N° de facture` → `ndefacture`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)


def key_of(name: str) -> str:
    """How a file name and an invoice number are compared: `2015/001_001078.PDF` → `2015-001-001078`."""
    stem = re.sub(r"\.pdf$", "", name.strip(), flags=re.IGNORECASE)
    return re.sub(r"[\s/\\_.-]+", "-", stem).strip("-").lower()


def meant(raw: str) -> str:
    """`="001964"` → `001964`: how a spreadsheet's own export keeps the zeros of a text."""
    found = re.fullmatch(r'\s*="(.*)"\s*', raw, flags=re.DOTALL)
    return found[1].replace('""', '"') if found else raw


def identifier(raw: str) -> str:
    """A number, a code, a reference without what spreadsheets add: `'001964` → `001964`, `123.0` → `123`.

    Scientific notation is refused: the digits that it hides are gone.
    """
    value = _SPACES.sub(" ", meant(raw)).strip()
    value = value.removeprefix("'").removeprefix("’").strip()
    if _SCIENTIFIC.fullmatch(value):
        raise FieldError(
            _(
                "contient « %(value)s » : le tableur a remplacé des chiffres, qui sont perdus. Mettez cette colonne "
                "au format « Texte » avant d'enregistrer, ou exportez de nouveau sans passer par un tableur."
            )
            % {"value": value[:40]}
        )
    return re.sub(r"^([0-9]+)[.,]0+$", r"\1", value)


def text(raw: str, *, longest: int, required: bool = False) -> str:
    """Trimmed, single-spaced text, without the signs that nobody sees. An error of a spreadsheet is none."""
    visible = "".join(sign for sign in raw if unicodedata.category(sign) != "Cf")
    value = unicodedata.normalize("NFC", _SPACES.sub(" ", visible).strip())
    if _ERRORS.fullmatch(value):
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
    elsewhere, and money is never guessed.
    """
    value = _SPACES.sub(" ", raw).strip()
    value = re.sub(r"^€ ?| ?(€|eur|euros?)$", "", value, flags=re.IGNORECASE)
    if not value:
        raise FieldError(_("est vide : indiquez un montant, par exemple 37,50."))
    sign, digits = (value[0], value[1:].lstrip()) if value[0] in "+-" else ("", value)
    found = next(filter(None, (re.fullmatch(pattern, digits) for pattern in _NUMBERS)), None)
    if found is None:
        raise FieldError(_("n'est pas un montant : écrivez par exemple 37,50."))
    whole, cents = re.sub(r"[ .,]", "", found[1]), found[2] or ""
    if len(cents) == 3 or cents[2:].strip("0"):
        raise FieldError(
            _("a plus de deux décimales : écrivez les centimes sur deux chiffres, par exemple 37,50.")
        )
    euros = Decimal(f"{whole}.{cents[:2] or '0'}")
    if sign == "-" or not euros:
        raise FieldError(_("doit être supérieur à zéro ; un avoir ne s'importe pas comme une facture."))
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
    for pattern in ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"):
        if not value.isascii():  # strptime takes the digits of every script
            break
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
    value = identifier(raw)
    if not value:
        return default
    if not re.fullmatch(r"20[0-9]{2}", value):
        raise FieldError(_("n'est pas un exercice : écrivez une année, par exemple 2026."))
    return int(value)


def reference(raw: str, *, number: str, year: int) -> str:
    """The payment reference (refdet): 6 to 30 letters or digits once the punctuation is removed (payfip.md §2).

    A file that gives none gets the number, with the exercice before it when the number does not begin with it:
    the number alone is unique within a year only. Never shortened: two invoices would share one.
    """
    if raw.strip():
        value = references.canonical(identifier(text(raw, longest=80)))
        if not re.fullmatch(r"[A-Z0-9]{6,30}", value):
            raise FieldError(_("doit compter de 6 à 30 lettres sans accent ou chiffres : vérifiez-la."))
        return value
    plain = unicodedata.normalize("NFKD", number).encode("ascii", "ignore").decode()
    own = re.sub(r"[^A-Z0-9]", "", references.canonical(plain))
    own = own if own.startswith(str(year)) else f"{year}{own}"
    if len(own) > 30:
        raise FieldError(
            _(
                "est vide et le numéro est trop long pour en tenir lieu : donnez une référence de 6 à 30 signes."
            )
        )
    return own.rjust(6, "0")  # on the left: on the right, 1 and 10 would become one


def addresses(raw: str) -> tuple[str, ...]:
    """E-mail addresses separated by ; or , or spaces, in lower case, each once, in order."""
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
