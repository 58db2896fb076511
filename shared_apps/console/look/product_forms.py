"""The console's forms about the régies of a town: the same questions as in the town's own pages, and a reason."""

from typing import Any, cast

from django import forms

from shared_apps.console.look.forms import TownForm, reason
from tenant_apps.products import codes, protocols
from tenant_apps.products.models import Product, ProductKind
from tenants.models import Town
from toolkit.forms.address_fields import AddressFormField

A_YEAR = 366


class ProductForm(TownForm):
    """Base of forms about a régie of `town`; it has none yet when one is added."""

    def __init__(self, *args: Any, town: Town, product: Product | None = None, **kwargs: Any) -> None:
        self.product = product
        if product is not None:
            kwargs.setdefault("initial", {name: getattr(product, name, None) for name in self.base_fields})
        super().__init__(*args, town=town, **kwargs)
        for name, choices in (("kind", ProductKind.choices), ("protocol", protocols.choices())):
            if name in self.fields:
                cast(forms.ChoiceField, self.fields[name]).choices = choices
        if "takes_several" in self.fields and product is not None and product.kind != ProductKind.REGIE:
            del self.fields["takes_several"]
        self.order_fields([name for name in self.fields if name != "reason"])


class ReasonOnlyForm(ProductForm):
    """Why."""

    reason = reason()


class CheckForm(ProductForm):
    """The lines that were recognised, and why."""

    label = forms.CharField(required=False, widget=forms.HiddenInput())
    reason = reason()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {}
        super().__init__(*args, **kwargs)


class DetailsForm(ProductForm):
    """What the town may change whenever it likes."""

    label = forms.CharField(label="Nom que lisent les usagers", max_length=80)
    code = forms.CharField(
        label="Code dans les fichiers",
        max_length=codes.LONGEST,
        required=False,
        help_text="Laissé vide, il est fait à partir du nom.",
    )
    contact_email = AddressFormField(label="Adresse e-mail du service", required=False)
    payable_days_after_issue = forms.IntegerField(
        label="Ouvrir le paiement en ligne, en jours après la date",
        min_value=0,
        max_value=A_YEAR,
        initial=0,
        help_text="0 pour une régie, 1 pour des titres ou un rôle.",
    )
    payable_days_after_due = forms.IntegerField(
        label="Fermer le paiement en ligne, en jours après l'échéance",
        min_value=0,
        max_value=A_YEAR,
        required=False,
        help_text="Vide : jamais.",
    )
    offers_declaration = forms.BooleanField(label="Proposer « J'ai réglé » aux usagers", required=False)
    takes_several = forms.BooleanField(
        label="Plusieurs factures en un seul paiement", required=False, help_text="Pour une régie seulement."
    )
    reason = reason()


class AgreementForm(ProductForm):
    """What the agreement with the Treasury says."""

    kind = forms.ChoiceField(label="Nature des factures")
    protocol = forms.ChoiceField(label="Paiement en ligne")
    number = forms.CharField(
        label="Identifiant au Trésor public",
        max_length=40,
        required=False,
        help_text="Six chiffres, sur la convention PayFiP. Vide sans paiement en ligne.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    pays_after_end = forms.BooleanField(
        label="Ce qui reste dû à l'ancien identifiant se paie encore en ligne",
        required=False,
        initial=True,
        help_text="Compte seulement quand l'identifiant actuel a déjà servi : un autre prend alors sa place.",
    )
    label = forms.CharField(required=False, widget=forms.HiddenInput())  # the lines that were recognised
    reason = reason()

    def __init__(self, *args: Any, product: Product | None = None, **kwargs: Any) -> None:
        if product is not None:
            present = {"kind": product.kind, "protocol": product.protocol, "number": product.numcli}
            kwargs["initial"] = {**present, "pays_after_end": True}
        super().__init__(*args, product=product, **kwargs)

    def clean_number(self) -> str:
        """Without the spaces of a paper."""
        return "".join(self.cleaned_data["number"].split())


class AddForm(DetailsForm):
    """A new one."""

    kind = forms.ChoiceField(label="Nature des factures", initial=ProductKind.REGIE)
    protocol = forms.ChoiceField(label="Paiement en ligne")
    number = forms.CharField(
        label="Identifiant au Trésor public",
        max_length=40,
        required=False,
        help_text="Six chiffres, sur la convention PayFiP. Vide sans paiement en ligne.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    field_order = ("label", "kind", "protocol", "number", "code")

    def clean_number(self) -> str:
        """Without the spaces of a paper."""
        return "".join(self.cleaned_data["number"].split())


class EndForm(ProductForm):
    """What becomes of what is unpaid, and why."""

    pays_after_end = forms.BooleanField(label="Ce qui reste dû se paie encore en ligne", required=False)
    reason = reason()
