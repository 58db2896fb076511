"""What happens to the town's own settings."""

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import REASON, fields_of, one_of, truth
from shared_apps.audit.verbs import Fact, Key, declare
from tenant_apps.townhall.first_day import Step

TOWN = fields_of("townhall.TownHall")
PROVIDER = (
    Key("issuer", _("fournisseur")),
    Key("client_id", _("identifiant")),
    Key("label", _("nom")),
    Key("enabled", _("proposé"), truth),
)
STAFF_PROVIDER = (*PROVIDER, Key("required", _("sans mot de passe"), truth))
SECRET_CHANGED = Key("secret_changed", _("secret remplacé"), truth)

declare(
    Fact("townhall.created", _("Commune décrite"), more=TOWN),
    Fact("townhall.changed", _("Réglages de la commune changés"), more=TOWN),
    Fact(
        "townhall.identity_provider_changed",
        _("Fournisseur d'identité changé"),
        before=PROVIDER,
        after=(*PROVIDER, SECRET_CHANGED),
    ),
    Fact(
        "townhall.staff_identity_provider_changed",
        _("Connexion des agents changée"),
        before=STAFF_PROVIDER,
        after=(*STAFF_PROVIDER, SECRET_CHANGED, REASON),
    ),
    Fact(
        "townhall.first_step_kept",
        _("Réglage gardé tel quel"),
        after=(Key("step", _("étape"), one_of(Step)),),
    ),
    Fact("townhall.first_day_folded", _("Liste des premiers pas masquée")),
    Fact("townhall.first_day_unfolded", _("Liste des premiers pas affichée de nouveau")),
    Fact("townhall.first_day_finished", _("Premiers pas terminés")),
    room=__name__,
)
