"""What PayFiP accepts in each field (docs/payfip.md §2). We refuse other values before any call."""

import re
import unicodedata
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenant_apps.payments.errors import EmailRefused, ProductRefused, ProviderRefused
from tenant_apps.payments.providers.base import Limits, PaymentRequest
from toolkit.money import from_cents, to_cents

MODES = ("T", "X", "W")
PERSONAL = frozenset({"mel"})  # fields of an answer with the payer's e-mail address
# exer and refdet of a debt that does not exist, as other software uses them (docs/payfip.md §3).
NO_DEBT = ("9999", "999900000000999999")
LEAST, MOST = 100, 9_999_999  # cents: 1.00 € to under 100,000.00 €
LIMITS = Limits(from_cents(LEAST), from_cents(MOST))


def product_problem(numcli: str) -> str:
    """What is wrong with a product's number, as a sentence; empty when it can be a numcli."""
    return (
        ""
        if re.fullmatch(r"[0-9]{6}", numcli)
        else str(_("L'identifiant a six chiffres, par exemple 001964."))
    )


def label(text: str) -> str:
    """`text` for the field `objet`: at most 99 letters without accents, digits and spaces.

    Apostrophes and dashes become spaces.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    spaced = re.sub(r"['’\-/_.]", " ", plain)
    return re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9 ]", "", spaced)).strip()[:99].strip()


def cents(amount: Decimal) -> str:
    """`amount` (euros) for the field `montant`, in cents. Raises ProviderRefused outside of the service's limits."""
    try:
        value = to_cents(amount)
    except (ValueError, ArithmeticError):  # ArithmeticError: an infinite amount
        raise _refused("M1", f"{amount} is no whole number of cents") from None
    if not LEAST <= value <= MOST:
        raise ProviderRefused(
            _("Le paiement en ligne va de 1 € à 99 999,99 €."), code="M3" if value < LEAST else "M5"
        )
    return str(value)


def creation(request: PaymentRequest) -> dict[str, str]:
    """The fields of `creerPaiementSecurise`. Raises ProviderRefused, or a subclass, about the first bad field."""
    if not re.fullmatch(r"[0-9]{6}", request.merchant):
        raise ProductRefused(_not_open(), code="T1", detail=f"numcli {request.merchant!r}")
    if not re.fullmatch(r"[0-9]{4}", request.fiscal_year):
        raise _refused("exer", f"exer {request.fiscal_year!r}")
    if not re.fullmatch(r"[A-Za-z0-9]{6,30}", request.reference):
        raise _refused("R3", f"refdet {request.reference!r}")
    if not _is_email(request.email):
        raise EmailRefused(_bad_email(), code="A2")
    if request.mode not in MODES:
        raise _refused("S1", f"saisie {request.mode!r}")
    for url in (request.notify_url, request.return_url):
        if not 0 < len(url) < 250:
            raise _refused("D1", "an address is empty or too long")
    asked = {
        "exer": request.fiscal_year,
        "mel": request.email,
        "montant": cents(request.amount),
        "numcli": request.merchant,
        "objet": label(request.label),
        "refdet": request.reference,
        "saisie": request.mode,
        "urlnotif": request.notify_url,
        "urlredirect": request.return_url,
    }
    return {name: value for name, value in asked.items() if value}  # only `objet` may be empty


def _is_email(text: str) -> bool:
    """Whether `text` has six to eighty printable characters with one @. XML refuses control characters."""
    return (
        6 <= len(text) <= 80
        and text.isprintable()
        and re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None
    )


def _not_open() -> Promise:
    return _(
        "Le paiement en ligne n'est pas ouvert pour ce service. Adressez-vous au service de facturation."
    )


def _bad_email() -> Promise:
    return _("Le Trésor public n'accepte pas votre adresse e-mail. Changez-la dans « Mes informations ».")


def _refused(code: str, detail: str) -> ProviderRefused:
    return ProviderRefused(
        _("Cette facture ne peut pas être réglée en ligne. Adressez-vous au service de facturation."),
        code=code,
        detail=detail,
    )


def refusal(code: str, detail: str) -> ProviderRefused:
    """The ProviderRefused of a functional fault code of `creerPaiementSecurise`."""
    if code.startswith("A"):
        return EmailRefused(_bad_email(), code=code, detail=detail)
    if code.startswith("T"):
        return ProductRefused(_not_open(), code=code, detail=detail)
    return _refused(code, detail)
