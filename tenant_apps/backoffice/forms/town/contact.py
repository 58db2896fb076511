"""What residents read about the town: its name, and how to reach it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from tenant_apps.townhall.models import TownHall
from toolkit.forms.plain_forms import PlainModelForm


class ContactForm(PlainModelForm):
    """« Commune »."""

    website = forms.URLField(
        label=_("Le site de la commune"),
        required=False,
        assume_scheme="https",
        error_messages={"invalid": _("L'adresse du site ressemble à https://www.exemple.fr.")},
    )

    class Meta:
        model = TownHall
        fields = ("name", "contact_email", "phone", "website", "address")
        widgets = {
            "address": forms.Textarea(attrs={"rows": 3}),
            "phone": forms.TextInput(attrs={"inputmode": "tel"}),
        }
        labels = {
            "name": _("Le nom de la commune"),
            "address": _("L'adresse de la mairie"),
            "phone": _("Le téléphone"),
            "contact_email": _("L'adresse e-mail du service de facturation"),
        }
        help_texts = {"contact_email": _("Les messages des usagers y arrivent.")}
        error_messages = {
            "name": {"required": _("Écrivez le nom de la commune.")},
            "contact_email": {"required": _("Écrivez l'adresse e-mail du service.")},
        }
