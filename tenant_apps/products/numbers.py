"""Which products may have the same number: only the titres and the rôles of one budget."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from tenant_apps.products import protocols
from tenant_apps.products.models import Product, ProductKind

_ONE_BUDGET = {ProductKind.TITRE.value, ProductKind.ROLE.value}


def number_problem(others: Iterable[Product], *, kind: str, protocol: str, number: str) -> str:
    """What is wrong with `number` for a product of this kind, as a sentence; empty if nothing is.

    `others` are the other products of the town, which may have this number already.
    """
    if not number:
        return (
            ""
            if protocol == protocols.NONE
            else _("Indiquez l'identifiant que le Trésor public vous a donné.")
        )
    if wrong := protocols.problem(protocol, number):
        return wrong
    for one in others:
        if one.numcli == number and {one.kind, kind} != _ONE_BUDGET:
            return _("Cet identifiant est déjà celui de « %(label)s » : chaque régie a le sien.") % {
                "label": one.full_label
            }
    return ""
