"""« Importer, exporter »: the file, then the lines to take."""

from django import forms
from django.utils.translation import gettext_lazy as _

from tenant_apps.townhall.exchange.files import MOST_BYTES
from toolkit.forms.plain_forms import PlainForm


class SettingsFileForm(PlainForm):
    """A file of settings."""

    file = forms.FileField(
        label=_("Le fichier des réglages"),
        help_text=_(
            "Celui que « Exporter les réglages » donne dans une autre commune : JSON, 256 Ko au plus."
        ),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
        error_messages={
            "required": _("Choisissez le fichier des réglages."),
            "empty": _("Ce fichier est vide : choisissez-en un autre."),
        },
    )

    def content(self) -> bytes:
        """Of a valid form; at most a byte more than a file may have."""
        read: bytes = self.cleaned_data["file"].read(MOST_BYTES + 1)
        return read
