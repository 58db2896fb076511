"""The forms of « Régies et PayFiP »."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.products import codes, protocols
from tenant_apps.products.models import Product, ProductKind
from toolkit.forms.plain_forms import PlainForm, PlainModelForm

A_YEAR = 366


class RegieForm(PlainModelForm):
    """What a town may change of a régie whenever it likes."""

    code = forms.CharField(
        label=gettext_lazy("Le code dans les fichiers de facturation"),
        help_text=gettext_lazy("Ce que la colonne « Régie » des fichiers contient, par exemple « CANTINE »."),
        max_length=codes.LONGEST,
        required=False,
    )

    class Meta:
        model = Product
        fields = (
            *("label", "contact_email", "payable_days_after_issue", "payable_days_after_due"),
            *("offers_declaration", "takes_several"),
        )
        labels = {
            "label": gettext_lazy("Le nom que lisent les usagers"),
            "contact_email": gettext_lazy("L'adresse e-mail de ce service"),
            "offers_declaration": gettext_lazy("Proposer « J'ai réglé » aux usagers"),
            "takes_several": gettext_lazy("Permettre de régler plusieurs factures en un seul paiement"),
            "payable_days_after_issue": gettext_lazy("Ouvrir le paiement en ligne, en jours après la date"),
            "payable_days_after_due": gettext_lazy("Fermer le paiement en ligne, en jours après l'échéance"),
        }
        help_texts = {
            "contact_email": gettext_lazy(
                "Laissez vide pour que les messages arrivent au service de facturation de la commune."
            ),
            "payable_days_after_issue": gettext_lazy(
                "0 pour une régie. 1 pour des titres ou un rôle : le Trésor public les prend en charge la veille."
            ),
            "payable_days_after_due": gettext_lazy("Laissez vide pour ne jamais fermer."),
        }
        error_messages = {
            "label": {"required": gettext_lazy("Écrivez le nom que liront les usagers.")},
            "payable_days_after_issue": {
                name: gettext_lazy("Indiquez un nombre de jours, de 0 à 366.")
                for name in ("required", "invalid", "min_value", "max_value")
            },
            "payable_days_after_due": {
                name: gettext_lazy("Indiquez un nombre de jours, de 0 à 366, ou laissez vide.")
                for name in ("invalid", "min_value", "max_value")
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("payable_days_after_issue", "payable_days_after_due"):
            self.fields[name].validators.append(
                MaxValueValidator(A_YEAR, self.fields[name].error_messages["max_value"])
            )
        self.fields["payable_days_after_issue"].required = False
        self.fields["code"].initial = self.instance.code
        if self.instance.kind != ProductKind.REGIE:  # the Treasury imposes reference and amount
            del self.fields["takes_several"]

    def clean_payable_days_after_issue(self) -> int:
        """Nothing written is no day."""
        return self.cleaned_data["payable_days_after_issue"] or 0


class AgreementForm(PlainForm):
    """What the agreement with the Treasury says of a régie."""

    kind = forms.ChoiceField(
        label=gettext_lazy("La nature des factures"),
        help_text=gettext_lazy(
            "Une régie encaisse pour la commune. Des titres ou un rôle sont pris en charge par le comptable public, "
            "qui en impose les références."
        ),
    )
    protocol = forms.ChoiceField(label=gettext_lazy("Le moyen de paiement en ligne"))
    number = forms.CharField(
        label=gettext_lazy("L'identifiant au Trésor public"),
        help_text=gettext_lazy(
            "Six chiffres, sur la convention PayFiP. Chaque régie et chaque budget a le sien. Laissez vide sans "
            "paiement en ligne."
        ),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (value, label[:1].upper() + label[1:]) for value, label in ProductKind.choices
        ]
        self.fields["protocol"].choices = [  # type: ignore[attr-defined]
            (value, label[:1].upper() + label[1:]) for value, label in protocols.choices()
        ]

    def clean_number(self) -> str:
        """As the Treasury writes it: the spaces of a paper are none of it."""
        return "".join(self.cleaned_data["number"].split())


class NewRegieForm(RegieForm, AgreementForm):
    """A régie, titres or a rôle to add."""

    field_order = ("label", "kind", "protocol", "number", "code", "contact_email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"kind": ProductKind.REGIE, "payable_days_after_issue": None})
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _("Laissez vide : le portail le fait à partir du nom.")

    def clean(self) -> dict[str, Any]:
        """Titres and rôles are payable from the day after, unless another day is written."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("kind") != ProductKind.REGIE:
            if data.get("takes_several"):
                self.add_error(
                    "takes_several", _("Un seul paiement pour plusieurs factures : d'une régie seulement.")
                )
            if not self.data.get(self.add_prefix("payable_days_after_issue"), "").strip():
                data["payable_days_after_issue"] = 1
        return data


class ReplacementForm(AgreementForm):
    """A number that takes the place of one in use."""

    pays_after_end = forms.ChoiceField(
        label=gettext_lazy("Les factures en ligne et non réglées"),
        choices=[
            (
                "oui",
                gettext_lazy(
                    "se paient encore en ligne, à l'ancien identifiant, jusqu'à ce qu'elles soient réglées"
                ),
            ),
            ("non", gettext_lazy("ne se paient plus en ligne : au guichet ou par un autre moyen")),
        ],
        initial="oui",
        widget=forms.RadioSelect(),
        required=False,
    )

    def clean_pays_after_end(self) -> bool:
        """Yes, unless « non » is said."""
        return bool(self.cleaned_data["pays_after_end"] != "non")


def refused(form: forms.BaseForm, error: ValidationError) -> None:
    """Tie what a service refused to the boxes of `form`."""
    told = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, errors in told.items():
        form.add_error(name if name in form.fields else None, list(errors))
