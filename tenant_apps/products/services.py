"""The only writers of the town's products."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.products import protocols
from tenant_apps.products.models import Mode, Product
from toolkit.rows import change_row


@transaction.atomic
def set_up_product(*, actor: audit.Actor, code: str, label: str, **settings: Any) -> Product:
    """Create or change the product with this code. `settings` are fields of Product.

    The mode only goes forward, unless the numcli changes with it. Raises ValidationError.
    """
    before = Product.objects.select_for_update(no_key=True).filter(code=code).first()
    if before is not None:
        settings = _of_another_number(before, settings)
    product, created = Product.objects.update_or_create(code=code, defaults={"label": label, **settings})
    product.full_clean()
    audit.record(
        "product.created" if created else "product.changed",
        actor=actor,
        obj=f"product:{product.code}",
        new={"label": label, "numcli": product.numcli, "mode": product.mode, "protocol": product.protocol},
    )
    return product


def set_up_first_product(*, actor: audit.Actor, label: str, number: str = "") -> Product:
    """Create the product with which a new town begins. With a number, it is at the first stage of its provider.

    Raises ValidationError.
    """
    protocol = protocols.first() if number else protocols.NONE
    return set_up_product(
        actor=actor, code="GENERAL", label=label, numcli=number, protocol=protocol, is_default=True
    )


def _of_another_number(before: Product, settings: dict[str, Any]) -> dict[str, Any]:
    """The fields to reset when the numcli changes: what was checked about the old number."""
    if settings.get("numcli", before.numcli) != before.numcli:
        return {"checked_at": None, "treasury_label": "", "closed_at": None, "closed_code": "", **settings}
    forward(before, settings.get("mode", before.mode))
    return settings


def forward(product: Product, to: str) -> None:
    """Raises ValidationError when `to` comes before the product's mode. The order is T, X, W."""
    if list(Mode).index(Mode(to)) < list(Mode).index(Mode(product.mode)):
        raise ValidationError({"mode": _("L'étape d'un produit n'avance que dans un sens.")})


@transaction.atomic
def change_product(
    *,
    actor: audit.Actor,
    product: Product,
    label: str,
    contact_email: str,
    offers_declaration: bool,
    **window: Any,
) -> Product:
    """Change the fields of a product that the town may change. Going live sets those of the Treasury.

    `window`: payable_days_after_issue, payable_days_after_due, takes_several. Raises ValidationError.
    """
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    settings = {
        "label": label,
        "contact_email": contact_email,
        "offers_declaration": offers_declaration,
        **window,
    }
    old, new = change_row(locked, settings)
    if new:
        audit.record("product.changed", actor=actor, obj=f"product:{locked.code}", old=old, new=new)
    return locked


@transaction.atomic
def close_product(*, actor: audit.Actor, product: Product, code: str) -> bool:
    """Stop online payment, because the Treasury refuses the numcli. False when it was stopped already."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    if locked.closed_at is not None:
        return False
    locked.closed_at, locked.closed_code = timezone.now(), code[:10] or "T"
    locked.save(update_fields=["closed_at", "closed_code"])
    audit.record("product.closed", actor=actor, obj=f"product:{locked.code}", new={"code": code})
    return True


@transaction.atomic
def confirm_number(*, actor: audit.Actor, product: Product, label: str) -> Product:
    """« C'est bien nous »: a manager confirms the Treasury's lines. This reopens a closed product."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    locked.treasury_label, locked.checked_at = label[:300], timezone.now()
    locked.closed_at, locked.closed_code = None, ""
    locked.save(update_fields=["treasury_label", "checked_at", "closed_at", "closed_code"])
    audit.record("product.checked", actor=actor, obj=f"product:{locked.code}", new={"label": label[:300]})
    return locked


@transaction.atomic
def advance_product(*, actor: audit.Actor, product: Product, to: Mode) -> Product:
    """Set the next mode. The caller has checked the conditions. Raises ValidationError for a step back."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    old = locked.mode
    forward(locked, to)
    if old != to:
        locked.mode = to
        locked.save(update_fields=["mode"])
        audit.record(
            "product.advanced", actor=actor, obj=f"product:{locked.code}", old={"mode": old}, new={"mode": to}
        )
    return locked
