"""The facts of the trail about products."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import fields_of
from shared_apps.audit.verbs import Fact, Key, declare

PRODUCT = fields_of("products.Product")

declare(
    Fact("product.created", _("Produit de paiement créé"), more=PRODUCT),
    Fact("product.changed", _("Produit de paiement changé"), more=PRODUCT),
    Fact(
        "product.closed",
        _("Paiement en ligne interrompu par le Trésor public"),
        after=(Key("code", _("code")),),
    ),
    Fact("product.checked", _("Identifiant vérifié au Trésor public"), more=PRODUCT),
    Fact("product.advanced", _("Étape du produit franchie"), more=PRODUCT),
    Fact("product.without_debit", _("Produit mis en service sans prélèvement")),
    room=__name__,
)
