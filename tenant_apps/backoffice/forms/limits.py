"""For which régies a member of staff works."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.products.models import Product
from toolkit.forms.plain_forms import PlainForm
from toolkit.scope import Scope


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
