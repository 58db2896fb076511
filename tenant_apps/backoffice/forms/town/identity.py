"""The town's logo, icon and colours."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from tenant_apps.townhall.colours import refuse_pale
from tenant_apps.townhall.images import MOST_BYTES, icon_from, logo_from
from tenant_apps.townhall.models import HEX_COLOUR, TownHall
from toolkit.forms.plain_forms import PlainForm, PlainModelForm

_ACCEPT = {"accept": ".png,.svg,image/png,image/svg+xml"}
_EMPTY = {"empty": _("Ce fichier est vide : choisissez-en un autre.")}


class IdentityForm(PlainForm):
    """The logo and the icon: send, replace or remove each."""

    logo = forms.FileField(
        label=_("Le logo de la commune"),
        help_text=_("PNG ou SVG, 1 Mo au plus. Il est réduit pour que les pages restent légères."),
        required=False,
        widget=forms.FileInput(attrs=_ACCEPT),
        error_messages=_EMPTY,
    )
    remove_logo = forms.BooleanField(label=_("Retirer le logo"), required=False)
    icon = forms.FileField(
        label=_("L'icône de l'onglet du navigateur"),
        help_text=_("PNG ou SVG carré. Sans icône, l'initiale de la commune sur sa couleur."),
        required=False,
        widget=forms.FileInput(attrs=_ACCEPT),
        error_messages=_EMPTY,
    )
    remove_icon = forms.BooleanField(label=_("Retirer l'icône"), required=False)

    def clean_logo(self) -> bytes | None:
        return _checked(self.cleaned_data["logo"], logo_from)

    def clean_icon(self) -> bytes | None:
        return _checked(self.cleaned_data["icon"], icon_from)


def _checked(file: UploadedFile | None, check: Any) -> bytes | None:
    """The bytes of an uploaded picture that `check` accepts; None without a file. Reads at most MOST_BYTES + 1."""
    if file is None:
        return None
    content: bytes = file.read(MOST_BYTES + 1)
    try:
        check(content)
    except ValidationError as error:
        raise forms.ValidationError(error.messages) from None
    return content


class ColoursForm(PlainModelForm):
    """The two colours; tones that can be read are made from them (townhall.colours)."""

    class Meta:
        model = TownHall
        fields = ("primary_colour", "accent_colour")
        widgets = {name: forms.TextInput(attrs={"type": "color"}) for name in fields}
        labels = {
            "primary_colour": _("La couleur principale"),
            "accent_colour": _("La couleur d'accent"),
        }
        help_texts = {
            "primary_colour": _("Le bandeau et les boutons du portail."),
            "accent_colour": _("Quelques détails ; elle est adaptée d'elle-même pour rester lisible."),
        }

    def clean_primary_colour(self) -> str:
        """The buttons must contrast with the page's background. The colour of their text adapts by itself."""
        return refuse_pale(self.cleaned_data["primary_colour"].lower())

    @property
    def shown(self) -> tuple[str, str]:
        """The colours as typed, refused ones too, for the preview; what is no colour is the town's own."""
        self.is_valid()
        return self._typed("primary_colour"), self._typed("accent_colour")

    def _typed(self, name: str) -> str:
        value, kept = str(self[name].value() or ""), str(self.initial[name])
        try:
            HEX_COLOUR(value)
        except ValidationError:
            return kept
        return value
