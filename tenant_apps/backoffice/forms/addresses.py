"""An e-mail address that staff give to a payer."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from tenant_apps.backoffice.forms.base import _Plain
from toolkit.address_fields import AddressFormField

_NO_ADDRESS = gettext_lazy("Écrivez l'adresse en entier, par exemple prenom.nom@exemple.fr.")


class AddEmailForm(_Plain, forms.Form):
    """One address more."""

    email = AddressFormField(
        label=gettext_lazy("Ajouter une adresse"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "maxlength": 254}),
        error_messages={"required": _NO_ADDRESS, "max_length": _NO_ADDRESS},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dress()
