"""The rules of the town: the messages that it sends, and how people sign in."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from shared_apps.mail import notices
from tenant_apps.townhall.models import TownHall
from toolkit.forms.plain_forms import PlainModelForm

NOTICES = notices.settings()  # which messages the town sends, and to whom
_CHOOSE = {"invalid_choice": _("Choisissez une réponse de la liste.")}
_WRONG = ("required", "invalid", "invalid_choice", "min_value", "max_value")


class MessagesForm(PlainModelForm):
    """« Messages et rappels »: the fields that the kinds of messages declare."""

    class Meta:
        model = TownHall
        fields = tuple(setting.field for setting in NOTICES)
        labels = {setting.field: setting.label for setting in NOTICES}
        help_texts = {setting.field: setting.help for setting in NOTICES if setting.help}
        error_messages = {setting.field: dict.fromkeys(_WRONG, setting.error) for setting in NOTICES}


class SignInForm(PlainModelForm):
    """« Connexion »."""

    class Meta:
        model = TownHall
        fields = ("password_minimum", "mailed_codes", "payer_claims", "staff_second_factor")
        labels = {
            "password_minimum": _("Le nombre minimum de caractères d'un mot de passe"),
            "mailed_codes": _("Permettre aux usagers de se connecter avec un code reçu par e-mail"),
            "payer_claims": _("Rattacher un dossier avec une facture papier"),
            "staff_second_factor": _("Qui doit protéger son compte par un second facteur"),
        }
        help_texts = {
            "password_minimum": _("De 5 à 64. La CNIL recommande 12."),
            "payer_claims": _(
                "Un usager inconnu de la facturation recopie le numéro, le montant et la référence de sa facture."
            ),
            "staff_second_factor": _(
                "Les responsables le doivent toujours. Qui n'en a pas encore est conduit à le mettre en place."
            ),
        }
        error_messages = {
            "staff_second_factor": _CHOOSE,
            "payer_claims": _CHOOSE,
            "password_minimum": dict.fromkeys(_WRONG, _("Indiquez un nombre de 5 à 64.")),
        }

    def __init__(self, *args: Any, in_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not in_person:
            del self.fields["staff_second_factor"]  # not the operator's to weaken
