"""What other rooms read about the town's products."""

from django.db.models import QuerySet

from tenant_apps.products.models import Product
from tenant_apps.townhall.queries import current_townhall


def default_product() -> Product:
    """The product of invoices that name none; its numcli is the manual's « identifiant collectivité »."""
    return Product.objects.get(is_default=True)


def products_by_code() -> dict[str, Product]:
    """Every product of the town, by its code in lower case."""
    return {product.code.lower(): product for product in Product.objects.all()}


def has_several_products() -> bool:
    """Whether the town has several products, so that screens must name the régie."""
    return Product.objects.count() > 1


def contact_address(product: Product | None) -> str:
    """The e-mail address for residents' messages about `product`."""
    return (product.contact_email if product else "") or current_townhall().contact_email


def products() -> QuerySet[Product]:
    """Every product of the town, the default one first."""
    return Product.objects.order_by("-is_default", "label", "id")


def product(pk: int) -> Product:
    """One product of the town. Raises Product.DoesNotExist."""
    return Product.objects.get(pk=pk)
