"""The facts of the trail about products."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import REASON, fields_of, joined
from shared_apps.audit.verbs import Fact, Key, declare

PRODUCT = fields_of("products.Product", reason=REASON, kept_as=Key("kept_as", _("code de l'ancien numéro")))

LIMITS = Key("products", _("régies"), lambda codes: joined(codes) or str(_("toutes")))

declare(
    Fact("product.created", _("Régie ajoutée"), more=PRODUCT),
    Fact("product.changed", _("Régie changée"), more=PRODUCT),
    Fact(
        "product.closed",
        _("Paiement en ligne interrompu par le Trésor public"),
        after=(Key("code", _("code")),),
    ),
    Fact("product.checked", _("Identifiant vérifié au Trésor public"), more=PRODUCT),
    Fact("product.advanced", _("Étape de la mise en service franchie"), more=PRODUCT),
    Fact("product.without_debit", _("Régie mise en service sans prélèvement")),
    Fact("product.replaced", _("Régie passée à un nouvel identifiant"), more=PRODUCT),
    Fact("product.ended", _("Régie fermée par la commune"), more=PRODUCT),
    Fact("product.reopened", _("Régie rouverte"), more=PRODUCT),
    Fact("product.deleted", _("Régie supprimée"), more=PRODUCT),
    Fact("product.made_default", _("Régie par défaut changée"), more=PRODUCT),
    Fact("account.limited", _("Régies d'un agent changées"), before=(LIMITS,), after=(LIMITS,)),
    room=__name__,
    objects={"product": _("régie")},
)
