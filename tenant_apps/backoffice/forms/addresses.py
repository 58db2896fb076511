"""The e-mail address that staff add to a payer."""

from django import forms
from django.utils.translation import gettext_lazy

from toolkit.forms.address_fields import AddressFormField
from toolkit.forms.plain_forms import PlainForm

_NO_ADDRESS = gettext_lazy("Écrivez l'adresse en entier, par exemple prenom.nom@exemple.fr.")


class AddEmailForm(PlainForm):
    """A new address."""

    email = AddressFormField(
        label=gettext_lazy("Ajouter une adresse"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "maxlength": 254}),
        error_messages={"required": _NO_ADDRESS, "max_length": _NO_ADDRESS},
    )
