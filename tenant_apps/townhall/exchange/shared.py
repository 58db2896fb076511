"""What towns may share, and what each value must be. What is of one town only is in no file (decision 68)."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.template.defaultfilters import capfirst
from django.utils.translation import gettext as _

from shared_apps.audit.saying import truth
from shared_apps.mail.content import sendable
from tenant_apps.townhall.colours import refuse_pale
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.notices import FIELDS


@dataclass(frozen=True)
class Shared:
    """A field of TownHall, and its key in the file: never change it."""

    key: str
    field: str

    @property
    def column(self) -> "models.Field[Any, Any]":
        found: models.Field[Any, Any] = TownHall._meta.get_field(self.field)  # type: ignore[assignment]
        return found

    @property
    def is_text(self) -> bool:
        return self.field in FIELDS

    @property
    def label(self) -> str:
        label = str(self.column.verbose_name)
        if self.field.startswith("keep_"):
            return _("Durée de conservation, en mois : %(what)s") % {"what": label}
        return str(capfirst(label))

    def said(self, value: Any) -> str:
        """A value in words."""
        if isinstance(value, bool):
            return truth(value)
        if value is None:
            return _("rien")
        if self.is_text and not value:
            return _("le texte proposé")
        return str(dict(self.column.flatchoices).get(value, value))

    def expected(self) -> str:
        """What a value must be, in words."""
        column = self.column
        if isinstance(column, models.BooleanField):
            return _("true ou false")
        if isinstance(column, models.IntegerField):
            least, most = self._bounds()
            words = {"least": least, "most": most}
            if column.null:
                return _("un nombre entier de %(least)d à %(most)d, ou null") % words
            return _("un nombre entier de %(least)d à %(most)d") % words
        if column.choices:
            return _("une de ces valeurs : %(values)s") % {
                "values": ", ".join(str(value) for value, _label in column.flatchoices)
            }
        if self.is_text:
            return _("un texte de 20 000 caractères au plus")
        return _("une couleur comme #1f4e79")

    def read(self, value: Any) -> Any:
        """The value of a file as the field keeps it. Raises ValidationError with what was expected."""
        column = self.column
        if isinstance(column, models.BooleanField):
            right = isinstance(value, bool)
        elif isinstance(column, models.IntegerField):
            least, most = self._bounds()
            right = (value is None and column.null) or (type(value) is int and least <= value <= most)
        else:
            right = isinstance(value, str) and self._is_right(value)
        if not right:
            raise ValidationError(self.expected())
        return refuse_pale(value) if self.field == "primary_colour" else value

    def _is_right(self, value: str) -> bool:
        column = self.column
        if column.choices:
            return value in dict(column.flatchoices)
        if self.is_text:
            return len(value) <= (column.max_length or 0) and sendable(value) == value
        try:
            column.run_validators(value)
        except ValidationError:
            return False
        return True

    def _bounds(self) -> tuple[int, int]:
        rules = self.column.validators
        least = max(one.limit_value for one in rules if isinstance(one, MinValueValidator))
        return least, min(one.limit_value for one in rules if isinstance(one, MaxValueValidator))


SHARED = (
    Shared("couleur_principale", "primary_colour"),
    Shared("couleur_accent", "accent_colour"),
    Shared("mot_de_passe_longueur_minimale", "password_minimum"),
    Shared("connexion_par_code", "mailed_codes"),
    Shared("rattachement_avec_facture_papier", "payer_claims"),
    Shared("second_facteur_du_personnel", "staff_second_factor"),
    Shared("nouvelles_factures_prevenir", "alert_audience"),
    Shared("rappel_jours_avant_echeance", "remind_before"),
    Shared("rappel_jours_apres_echeance", "remind_after"),
    Shared("garder_messages_mois", "keep_messages"),
    Shared("garder_courriels_mois", "keep_mails"),
    Shared("garder_alertes_mois", "keep_alerts"),
    Shared("garder_liens_mois", "keep_links"),
    Shared("garder_rattachements_mois", "keep_claims"),
    Shared("garder_comptes_jamais_actives_mois", "keep_unused"),
    Shared("texte_mentions_legales", "legal_notice"),
    Shared("texte_donnees_personnelles", "privacy_notice"),
    Shared("texte_accessibilite", "accessibility_notice"),
)
BY_KEY = {one.key: one for one in SHARED}
BY_FIELD = {one.field: one for one in SHARED}
