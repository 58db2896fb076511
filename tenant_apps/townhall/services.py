"""The only writers of the town's own settings."""

from typing import Any

from django.db import transaction

from shared_apps.audit import services as audit
from tenant_apps.townhall.models import Product, TownHall


@transaction.atomic
def set_up_townhall(*, actor: audit.Actor, name: str, contact_email: str, **settings: Any) -> TownHall:
    """Write the one row of a newly opened town, or change it. `settings` are fields of TownHall."""
    townhall, created = TownHall.objects.update_or_create(
        pk=1, defaults={"name": name, "contact_email": contact_email, **settings}
    )
    townhall.full_clean(validate_constraints=False)
    audit.record("townhall.created" if created else "townhall.changed", actor=actor, new={"name": name})
    return townhall


@transaction.atomic
def set_up_product(*, actor: audit.Actor, code: str, label: str, **settings: Any) -> Product:
    """Create or change the product of that code. `settings` are fields of Product."""
    product, created = Product.objects.update_or_create(code=code, defaults={"label": label, **settings})
    product.full_clean()
    audit.record(
        "product.created" if created else "product.changed",
        actor=actor,
        obj=f"product:{product.code}",
        new={"label": label, "numcli": product.numcli, "mode": product.mode, "protocol": product.protocol},
    )
    return product
