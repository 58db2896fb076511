"""The form of « Rattacher un dossier »: what a person copies from a paper invoice."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.paper_proof import InvoiceCopy
from tenant_apps.portal.forms import email_field
from toolkit.forms.plain_forms import PlainForm
from toolkit.reading.errors import FieldError
from toolkit.reading.fields import amount


def _copied(label: Any, help_text: Any, missing: Any, *, longest: int, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=longest,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", **attrs}),
        error_messages={"required": missing},
    )


class AccessRequestForm(PlainForm):
    """The invoice's number, amount and payment reference; without a session, an e-mail address too."""

    number = _copied(
        gettext_lazy("Le numéro de la facture"),
        gettext_lazy("En haut de la facture, par exemple 2026-001-000096."),
        gettext_lazy("Écrivez le numéro de la facture."),
        longest=60,
    )
    amount = _copied(
        gettext_lazy("Le montant de la facture"),
        gettext_lazy("Le total imprimé sur la facture, par exemple 37,50 €."),
        gettext_lazy("Écrivez le montant de la facture, par exemple 37,50."),
        longest=20,
        inputmode="decimal",
    )
    reference = _copied(
        gettext_lazy("La référence de paiement"),
        gettext_lazy(
            "Près du mot « Référence », par exemple 2015-RS-00-8001516. Les espaces et les tirets ne comptent pas."
        ),
        gettext_lazy("Écrivez la référence de paiement."),
        longest=60,
    )
    email = email_field(gettext_lazy("Mon adresse"))

    def __init__(self, *args: Any, signed_in: bool, asks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks = asks  # staff will decide
        self.fields["email"].help_text = gettext_lazy(
            "Votre adresse e-mail : vous y recevrez un message avec un lien à ouvrir."
        )
        if signed_in:
            del self.fields["email"]

    def clean_amount(self) -> Decimal:
        """Euros, as people type them."""
        typed: str = self.cleaned_data["amount"]
        try:
            return amount(typed)
        except FieldError as error:
            raise forms.ValidationError(
                _("« %(value)s » %(error)s") % {"value": typed, "error": error}
            ) from None

    @property
    def copy(self) -> InvoiceCopy:
        """What the person copied. Call it on a valid form only."""
        data = self.cleaned_data
        return InvoiceCopy(number=data["number"], amount=data["amount"], reference=data["reference"])
