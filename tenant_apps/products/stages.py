"""The stage of a product in a few words, for staff and for the operator."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from tenant_apps.products import protocols
from tenant_apps.products.models import Mode, Product


class Stage(NamedTuple):
    """`kind`: good (residents pay online), now (somebody must act), wait (a step to take) or off."""

    words: str
    kind: str


def stage_of(product: Product) -> Stage:
    """The stage of a product: « En service », « Numéro à vérifier », « Fermée »…"""
    if product.ended_at is not None:
        return _ended(product)
    if product.protocol == protocols.NONE:
        return Stage(_("Pas de paiement en ligne"), "off")
    if product.closed_at is not None:
        return Stage(
            _("Numéro refusé par le Trésor public (%(code)s)") % {"code": product.closed_code}, "now"
        )
    if product.mode == Mode.PRODUCTION:
        return Stage(_("En service"), "good")
    if product.checked_at is None:
        return Stage(_("Numéro à vérifier"), "wait")
    return Stage(_("En activation (X)") if product.mode == Mode.ACTIVATION else _("En test (T)"), "wait")


def _ended(product: Product) -> Stage:
    if product.pays_after_end:
        return Stage(_("Fermée aux nouvelles factures"), "off")
    return Stage(_("Fermée"), "off")
