"""What happens to a town and to its addresses. Declared here because `tenants` stands below the trail."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import NAME, REASON, moment, named_anything, one_of, truth
from shared_apps.audit.verbs import Fact, Key, declare
from tenants.states import TownState

SLUG = Key("slug")  # every fact of a town has it, for lists of all towns
ADDRESS = Key("slug", _("adresse"))
SHARD = Key("shard", _("base"))
HOST = Key("host", _("domaine"))
STATE = Key("state", _("état"), one_of(TownState))
IDENTITY = (
    NAME,
    Key("legal_name", _("nom officiel")),
    Key("siren", _("SIREN")),
    Key("insee", _("INSEE")),
)
CLOSES_AT = Key("closes_at", _("ferme le"), moment)

declare(
    Fact("town.opened", _("Commune ouverte"), after=(ADDRESS, NAME, SHARD)),
    Fact("town.suspended", _("Commune suspendue"), before=(STATE,), after=(SLUG, STATE, REASON, CLOSES_AT)),
    Fact("town.resumed", _("Commune rouverte"), before=(STATE,), after=(SLUG, STATE, REASON, CLOSES_AT)),
    Fact("town.closing", _("Fermeture annoncée"), before=(STATE,), after=(SLUG, STATE, REASON, CLOSES_AT)),
    Fact("town.closed", _("Commune fermée"), before=(STATE,), after=(SLUG, STATE, REASON, CLOSES_AT)),
    Fact("town.renamed", _("Adresse changée"), before=(ADDRESS,), after=(ADDRESS,)),
    Fact("town.held", _("Passage en lecture seule"), after=(SLUG, SHARD)),
    Fact("town.moved", _("Base changée"), before=(SHARD,), after=(SLUG, SHARD)),
    Fact("town.restored", _("Commune restaurée"), after=(SLUG, STATE, Key("copy", _("copie"), truth))),
    Fact("town.changed", _("Identité de la commune changée"), before=IDENTITY, after=(SLUG, *IDENTITY)),
    Fact("town.no_copy", _("Copie devenue une commune comme les autres"), after=(SLUG, REASON)),
    Fact("town.erased", _("Commune effacée"), after=(SLUG, Key("certificate"), REASON)),
    Fact(
        "town.money_differs", _("Les comptes d'une commune diffèrent"), after=(SLUG,), more=named_anything()
    ),
    Fact("domain.added", _("Domaine ajouté"), after=(SLUG, HOST)),
    Fact("domain.proven", _("Domaine vérifié"), after=(SLUG, HOST)),
    Fact("domain.made_primary", _("Domaine devenu principal"), before=(HOST,), after=(SLUG, HOST)),
    Fact("domain.removed", _("Domaine retiré"), before=(HOST,), after=(SLUG,)),
    room=__name__,
    objects={"town": _("commune")},
)
