"""Forms of the team: whom to invite, what a member is called and may do, and for which régies they work."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.accounts.models import STAFF_ROLES, Role
from tenant_apps.products.models import Product
from toolkit.forms.address_fields import AddressFormField
from toolkit.forms.plain_forms import PlainForm
from toolkit.scope import Scope

_CHOOSE = gettext_lazy("Choisissez un rôle.")


class MemberForm(PlainForm):
    """What a member is called and may do."""

    name = forms.CharField(
        label=gettext_lazy("Prénom et nom"),
        help_text=gettext_lazy("Vos collègues le lisent à côté de ce que cette personne a fait."),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Écrivez le prénom et le nom de cette personne."),
            "max_length": gettext_lazy("80 caractères au plus."),
        },
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Rôle"),
        choices=[(role.value, role.label) for role in STAFF_ROLES],
        widget=forms.RadioSelect,
        error_messages={"required": _CHOOSE, "invalid_choice": _CHOOSE},
    )

    @property
    def roles(self) -> list[tuple[Role, bool]]:
        """Each role, for its box and its sentence, and whether it is the chosen one."""
        chosen = self["role"].value()
        return [(role, role == chosen) for role in STAFF_ROLES]

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class InvitationForm(MemberForm):
    """Whom to invite."""

    email = AddressFormField(
        label=gettext_lazy("Adresse e-mail professionnelle"),
        help_text=gettext_lazy("L'invitation y arrive ; cette adresse servira à se connecter."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Écrivez l'adresse e-mail de cette personne.")},
    )
    field_order = ("name", "email", "role")


class LimitsForm(PlainForm):
    """« Toutes les régies », or boxes: one per régie."""

    everything = forms.BooleanField(label=gettext_lazy("Toutes les régies"), required=False)

    def __init__(self, data: Any = None, *, products: Sequence[Product], scope: Scope) -> None:
        super().__init__(data, initial={"everything": scope.is_whole})
        self._products = products
        for product in products:
            chosen = not scope.is_whole and scope.has(product.pk)
            self.fields[_name(product)] = forms.BooleanField(
                label=product.label, required=False, initial=chosen
            )

    @property
    def boxes(self) -> list[forms.BoundField]:
        """One per régie."""
        return [self[_name(product)] for product in self._products]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = [product for product in self._products if data.get(_name(product))]
        if not data.get("everything") and not chosen:
            self.add_error("everything", _("Cochez « Toutes les régies », ou au moins une régie."))
        if data.get("everything") and chosen:
            self.add_error(
                "everything", _("Cochez « Toutes les régies », ou celles qui comptent : pas les deux.")
            )
        return {**data, "products": chosen}


def _name(product: Product) -> str:
    return f"regie_{product.pk}"
