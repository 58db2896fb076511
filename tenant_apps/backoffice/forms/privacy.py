"""Personal data: the answer to a request for erasure, and how many months the town keeps what no law keeps."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tenant_apps.townhall.models import TownHall
from toolkit.forms.plain_forms import PlainForm, PlainModelForm

_KEPT = ("keep_messages", "keep_mails", "keep_alerts", "keep_links", "keep_claims", "keep_unused")
_BOUNDS = {
    "keep_messages": _("Indiquez un nombre de mois, de 6 à 120."),
    "keep_mails": _("Indiquez un nombre de mois, de 3 à 60."),
    "keep_alerts": _("Indiquez un nombre de mois, de 3 à 60."),
    "keep_links": _("Indiquez un nombre de mois, de 1 à 60."),
    "keep_claims": _("Indiquez un nombre de mois, de 3 à 60."),
    "keep_unused": _("Indiquez un nombre de mois, de 1 à 60."),
}


class RetentionForm(PlainModelForm):
    """Months; the model sets their bounds."""

    class Meta:
        model = TownHall
        fields = _KEPT
        labels = {
            "keep_messages": _("Les messages des usagers"),
            "keep_mails": _("Les courriels envoyés"),
            "keep_alerts": _("Les alertes"),
            "keep_links": _("Les demandes de lien (activation, mot de passe)"),
            "keep_claims": _("Les demandes de rattachement décidées"),
            "keep_unused": _("Les comptes jamais activés"),
        }
        help_texts = {
            "keep_messages": _("En mois, de 6 à 120. Traités ou non."),
            "keep_mails": _("En mois, de 3 à 60. Ceux qui attendent encore sont gardés."),
            "keep_alerts": _("En mois, de 3 à 60."),
            "keep_links": _("En mois, de 1 à 60. Un lien ne sert que 24 heures."),
            "keep_claims": _("En mois, de 3 à 60. Les accès qu'elles ont donnés restent."),
            "keep_unused": _("En mois, de 1 à 60. La personne pourra toujours activer un compte plus tard."),
        }
        error_messages = {
            name: dict.fromkeys(("required", "invalid", "min_value", "max_value"), words)
            for name, words in _BOUNDS.items()
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["inputmode"] = "numeric"


class ErasureAnswerForm(PlainForm):
    """« Effacer », confirmed by a check box; or « Refuser », with a reason for the person."""

    decision = forms.ChoiceField(
        choices=[("accept", ""), ("refuse", "")],
        error_messages={
            "required": _("Choisissez d'effacer ou de refuser."),
            "invalid_choice": _("Choisissez d'effacer ou de refuser."),
        },
    )
    sure = forms.BooleanField(label=_("J'ai vérifié : ceci ne peut pas être annulé"), required=False)
    answer = forms.CharField(
        label=_("Pourquoi la demande est refusée"),
        help_text=_("La personne reçoit ces mots par courriel, avec l'adresse de la CNIL."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": _("500 caractères au plus.")},
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("decision") == "accept" and not data.get("sure"):
            self.add_error("sure", _("Cochez la case pour confirmer l'effacement."))
        if data.get("decision") == "refuse" and not data.get("answer"):
            self.add_error("answer", _("Écrivez à la personne pourquoi sa demande est refusée."))
        return data
