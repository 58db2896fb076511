"""Which payments a docket holds: one means of payment, one régie; links to choose among several."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from tenant_apps.payments.models import Means
from tenant_apps.payments.readers import DEPOSIT_MEANS as MEANS
from tenant_apps.payments.readers import Undeposited
from tenant_apps.products.models import Product
from tenant_apps.products.queries import products_for_staff
from toolkit.scope import Scope


class DepositChoice:
    """The means and the régie of `?moyen=…&regie=…`. What is missing is chosen among the payments that wait."""

    def __init__(self, scope: Scope, query: Mapping[str, str], undeposited: Sequence[Undeposited]) -> None:
        products = {product.code.lower(): product for product in products_for_staff(scope)}
        self._undeposited = undeposited
        wanted = query.get("moyen", "cheques")
        self.name = wanted if wanted in MEANS else "cheques"
        self.means: Means = MEANS[self.name]
        found = products.get(query.get("regie", "").lower())
        filled = next((one.product for one in undeposited if one.means == self.means), None)
        self.product: Product = found or filled or next(iter(products.values()))

    @property
    def query(self) -> str:
        """The query string of this choice."""
        return urlencode({"moyen": self.name, "regie": self.product.code})

    @property
    def means_chips(self) -> list[tuple[str, str, bool]]:
        """(query string, label, chosen) for each means."""
        labels = {"cheques": _("Chèques"), "especes": _("Espèces")}
        return [
            (urlencode({"moyen": name, "regie": self.product.code}), label, name == self.name)
            for name, label in labels.items()
        ]

    @property
    def product_chips(self) -> list[tuple[str, str, bool]]:
        """The same for each régie with waiting payments of that means; empty for a single régie."""
        products = {one.product.pk: one.product for one in self._undeposited if one.means == self.means}
        products[self.product.pk] = self.product
        if len(products) < 2:
            return []
        return [
            (urlencode({"moyen": self.name, "regie": one.code}), one.full_label, one == self.product)
            for one in sorted(products.values(), key=lambda product: product.full_label)
        ]
