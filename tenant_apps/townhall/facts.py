"""What happens to the town's own settings and to its products."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import fields_of, truth
from shared_apps.audit.verbs import Fact, Key, declare

TOWN = fields_of("townhall.TownHall")
PRODUCT = fields_of("townhall.Product")
PROVIDER = (
    Key("issuer", _("fournisseur")),
    Key("client_id", _("identifiant")),
    Key("label", _("nom")),
    Key("enabled", _("proposé"), truth),
)

declare(
    Fact("townhall.created", _("Commune décrite"), more=TOWN),
    Fact("townhall.changed", _("Réglages de la commune changés"), more=TOWN),
    Fact(
        "townhall.identity_provider_changed",
        _("Fournisseur d'identité changé"),
        before=PROVIDER,
        after=(*PROVIDER, Key("secret_changed", _("secret remplacé"), truth)),
    ),
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
