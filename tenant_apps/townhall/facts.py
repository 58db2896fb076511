"""What happens to the town's own settings."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.audit.saying import REASON, fields_of, one_of, truth
from shared_apps.audit.verbs import Fact, Key, declare
from tenant_apps.townhall.first_day import Step


def _image(key: str) -> str:
    """A picture is known by its key in S3, which is no word."""
    return _("une image") if key else _("aucune image")


TOWN = fields_of(
    "townhall.TownHall",
    logo=Key("logo", gettext_lazy("logo"), _image),
    icon=Key("icon", gettext_lazy("icône"), _image),
    logo_width=Key("logo_width"),
    logo_height=Key("logo_height"),
)
PROVIDER = (
    Key("issuer", gettext_lazy("fournisseur")),
    Key("client_id", gettext_lazy("identifiant")),
    Key("label", gettext_lazy("nom")),
    Key("enabled", gettext_lazy("proposé"), truth),
)
STAFF_PROVIDER = (*PROVIDER, Key("required", gettext_lazy("sans mot de passe"), truth))
SECRET_CHANGED = Key("secret_changed", gettext_lazy("secret remplacé"), truth)

declare(
    Fact("townhall.created", gettext_lazy("Commune décrite"), more=TOWN),
    Fact("townhall.changed", gettext_lazy("Réglages de la commune changés"), more=TOWN),
    Fact(
        "townhall.identity_provider_changed",
        gettext_lazy("Fournisseur d'identité changé"),
        before=PROVIDER,
        after=(*PROVIDER, SECRET_CHANGED),
    ),
    Fact(
        "townhall.staff_identity_provider_changed",
        gettext_lazy("Connexion des agents changée"),
        before=STAFF_PROVIDER,
        after=(*STAFF_PROVIDER, SECRET_CHANGED, REASON),
    ),
    Fact(
        "townhall.first_step_kept",
        gettext_lazy("Réglage gardé tel quel"),
        after=(Key("step", gettext_lazy("étape"), one_of(Step)),),
    ),
    Fact("townhall.first_day_folded", gettext_lazy("Liste des premiers pas masquée")),
    Fact("townhall.first_day_unfolded", gettext_lazy("Liste des premiers pas affichée de nouveau")),
    Fact("townhall.first_day_finished", gettext_lazy("Premiers pas terminés")),
    room=__name__,
)
