"""What the Treasury wants of a payment reference, by the nature of the product (payfip.md §1). Plain."""

import re

from django.utils.translation import gettext as _

from tenant_apps.townhall.models import ProductKind

_ANY = r"[A-Za-z0-9]{6,30}"
# exercice, product (two letters), period (two digits), number of the debt: 2025EA00123456789
_ROLE = r"[0-9]{4}[A-Z]{2}[0-9]{2}[0-9]{1,22}"
# exercice, number, line; how the Treasury pads them is not certain, so only their nature is looked at
_TITRE = r"[0-9]{6,30}"


def problem(kind: str, reference: str) -> str:
    """What is wrong with `reference` for that kind of product, in words that follow its name; empty when fine."""
    if not re.fullmatch(_ANY, reference):
        return _("doit compter de 6 à 30 lettres sans accent ou chiffres : vérifiez-la.")
    if kind == ProductKind.ROLE and not re.fullmatch(_ROLE, reference):
        return _(
            "n'est pas celle d'un rôle : l'exercice, deux lettres de produit, la période et le numéro "
            "de la dette, par exemple 2025-EA-00-123456789."
        )
    if kind == ProductKind.TITRE and not re.fullmatch(_TITRE, reference):
        return _("n'est pas celle d'un titre : l'exercice, le numéro et la ligne, en chiffres seulement.")
    return ""
