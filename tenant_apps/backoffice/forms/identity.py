"""Forms for the town's logo, icon and legal texts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from tenant_apps.townhall.images import MOST_BYTES, icon_from, logo_from
from tenant_apps.townhall.models import TownHall
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


class NoticesForm(PlainModelForm):
    """The legal texts; an empty one stands for the default text."""

    class Meta:
        model = TownHall
        fields = ("conformity", "legal_notice", "privacy_notice", "accessibility_notice")
        labels = {
            "conformity": _("Ce que l'audit RGAA a montré"),
            "legal_notice": _("Mentions légales"),
            "privacy_notice": _("Données personnelles"),
            "accessibility_notice": _("Déclaration d'accessibilité"),
        }
        help_texts = {
            "conformity": _("Sans audit, un site public doit se dire « non conforme »."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("legal_notice", "privacy_notice", "accessibility_notice"):
            self.fields[name].widget = forms.Textarea(attrs={"rows": 6})
