"""What other rooms read about the town's products."""

from uuid import UUID

from django.db.models import PROTECT, QuerySet

from shared_apps.accounts.models import STAFF_ROLES, Account
from tenant_apps.products.models import Product
from tenant_apps.townhall.queries import current_townhall
from toolkit.scope import Scope

SEARCHED = ("label", "code", "numcli")  # the fields in which staff look for the words of a search


def default_product() -> Product:
    """The product of invoices that name none; its numcli is the manual's « identifiant collectivité »."""
    return Product.objects.get(is_default=True)


def products_by_code() -> dict[str, Product]:
    """Every product of the town, by its code in lower case."""
    return {product.code.lower(): product for product in Product.objects.select_related("replaced_by")}


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


def former_products() -> dict[int, list[int]]:
    """For each product that replaced others, their ids, latest first: the same régie with older numbers."""
    links = dict(
        Product.objects.filter(replaced_by__isnull=False).values_list("replaced_by_id", "id").order_by("id")
    )
    found: dict[int, list[int]] = {}
    for newest in links:
        older = links.get(newest)
        while older is not None:
            found.setdefault(newest, []).append(older)
            older = links.get(older)
    return found


def receiving_products() -> QuerySet[Product]:
    """The products that can get new invoices, the default one first."""
    return products().filter(ended_at=None)


def is_unused(product: Product) -> bool:
    """Whether no row that must be kept refers to the product, in any table of any room: it can then be deleted."""
    return not any(
        relation.related_model._base_manager.filter(**{relation.field.name: product}).exists()
        for relation in Product._meta.related_objects
        if relation.on_delete is PROTECT and relation.related_model is not Product
    )


# --- for staff ------------------------------------------------------------------------------------


def products_for_staff(scope: Scope) -> QuerySet[Product]:
    """The products of `scope`, the default one first."""
    return scope.of(products(), "pk")


def names_several_products(scope: Scope) -> bool:
    """Whether the screens of somebody with `scope` must name the régie."""
    return products_for_staff(scope).count() > 1


def member_of_staff(public_id: UUID) -> Account:
    """A member of staff, whose régies a manager may choose. Raises Account.DoesNotExist."""
    return Account.objects.get(uuid=public_id, role__in=STAFF_ROLES)
