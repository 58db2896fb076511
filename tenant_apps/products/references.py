"""What the Treasury requires of a payment reference, by kind of product (docs/payfip.md §1). Plain Python."""

import re
from uuid import UUID

from django.utils.translation import gettext as _

from tenant_apps.products.models import ProductKind

_ANY = r"[A-Za-z0-9]{6,30}"
# fiscal year, product (two letters), period (two digits), number of the debt: 2025EA00123456789
_ROLE = r"[0-9]{4}[A-Z]{2}[0-9]{2}[0-9]{1,22}"
# fiscal year, number, line; we do not know how the Treasury pads them, so we check only the digits
_TITRE = r"[0-9]{6,30}"


# For a payment of several invoices. No invoice may have a reference of this shape (decision 0029).
_SEVERAL = r"GRP[0-9A-Z]{25}"
_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def canonical(reference: str) -> str:
    """The canonical form of a payment reference: capital letters and digits, no punctuation.

    `2026-ab-00017` and `2026AB00017` are the same reference in documents, in files, at the Treasury and in the
    database (a CHECK). `problem` may refuse the result.
    """
    return re.sub(r"[\W_]+", "", reference).upper()


def of_several(attempt: UUID) -> str:
    """The reference of an attempt to pay several invoices: 28 characters made from its uuid, so it is unique."""
    rest, signs = attempt.int, ""
    for _place in range(25):  # 36 ** 25 is more than 2 ** 128
        rest, sign = divmod(rest, 36)
        signs = _SIGNS[sign] + signs
    return f"GRP{signs}"


def problem(kind: str, reference: str) -> str:
    """What is wrong with `reference` for this kind of product, as the end of a sentence; empty if nothing is."""
    if not re.fullmatch(_ANY, reference):
        return _("doit compter de 6 à 30 lettres sans accent ou chiffres : vérifiez-la.")
    if re.fullmatch(_SEVERAL, reference, re.IGNORECASE):
        return _("commence par GRP comme celles du portail pour les paiements de plusieurs factures.")
    if kind == ProductKind.ROLE and not re.fullmatch(_ROLE, reference):
        return _(
            "n'est pas celle d'un rôle : l'exercice, deux lettres de produit, la période et le numéro "
            "de la dette, par exemple 2025-EA-00-123456789."
        )
    if kind == ProductKind.TITRE and not re.fullmatch(_TITRE, reference):
        return _("n'est pas celle d'un titre : l'exercice, le numéro et la ligne, en chiffres seulement.")
    return ""


def of_role(year: str, product: str, period: str, debt: str) -> str:
    """The reference of an article of a rôle; empty when a part is missing. Of `product`, the first two signs count."""
    if not (re.fullmatch(r"[0-9]{4}", year) and len(product) >= 2 and period and debt):
        return ""
    return canonical(f"{year}{product[:2]}{period}{debt}")


def of_titre(year: str, number: str, line: str) -> str:
    """The reference of a line of a titre; empty when a part of it is missing.

    Number and line have as many digits as the Treasury's own files allow, so that no two titres share a reference:
    without that, titre 81, line 21 and titre 812, line 1 would.
    """
    parts = ((r"[0-9]{4}", year), (r"[0-9]{1,8}", number), (r"[0-9]{1,6}", line))
    if not all(re.fullmatch(form, part) for form, part in parts):
        return ""
    return f"{year}{number.zfill(8)}{line.zfill(6)}"
