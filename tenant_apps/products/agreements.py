"""Write what a product's agreement with the Treasury says: its kind, its protocol and its number.

These functions do not check whether the change is allowed. `payments.online.agreements` knows what was paid, and
decides which of the two to call.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from shared_apps.audit import services as audit
from tenant_apps.products.codes import free_code
from tenant_apps.products.models import Mode, Product, ProductKind
from tenant_apps.products.numbers import number_problem
from tenant_apps.products.services import follow_replacement, lock_products, lock_staff, name_of, reasoned
from toolkit.rows import change_row

# The fields that start again with another number or protocol: the mode, the check, the refusal of the Treasury.
_AT_THE_BEGINNING: dict[str, Any] = {
    "mode": Mode.TEST,
    "checked_at": None,
    "treasury_label": "",
    "closed_at": None,
    "closed_code": "",
}
_COPIED = (
    *("label", "kind", "contact_email", "offers_declaration", "takes_several"),
    *("payable_days_after_due", "payable_days_after_issue"),
)


@transaction.atomic
def set_agreement(
    *, actor: audit.Actor, product: Product, kind: str, protocol: str, number: str, reason: str = ""
) -> Product:
    """Change kind, protocol and number of the product itself. Raises ValidationError.

    With another protocol or number, the product starts again in mode T, without a confirmed number.
    """
    others = lock_products()
    locked = next(one for one in others if one.pk == product.pk)
    _check(others, locked, kind=kind, protocol=protocol, number=number)
    before = (locked.protocol, locked.numcli)
    settings: dict[str, Any] = {"kind": kind, "protocol": protocol, "numcli": number}
    if kind != ProductKind.REGIE:
        settings["takes_several"] = False
    old, new = change_row(locked, settings)
    if (protocol, number) != before:
        again = {name: value for name, value in _AT_THE_BEGINNING.items() if getattr(locked, name) != value}
        if "mode" in again:
            old, new = {**old, "mode": locked.mode}, {**new, "mode": Mode.TEST}
        change_row(locked, again)
    if new:
        audit.record(
            "product.changed", actor=actor, obj=name_of(locked), old=old, new={**new, **reasoned(reason)}
        )
    return locked


@transaction.atomic
def replace_product(
    *,
    actor: audit.Actor,
    product: Product,
    protocol: str,
    number: str,
    pays_after_end: bool,
    reason: str = "",
) -> Product:
    """Give a régie another number: a new product takes its code, and the old one is closed and keeps its invoices.

    `pays_after_end`: unpaid invoices of the old product can still be paid online, at the old number. Returns the new
    product, in mode T. Raises ValidationError.
    """
    lock_staff()
    others = lock_products()
    old = next(one for one in others if one.pk == product.pk)
    _check(others, old, kind=old.kind, protocol=protocol, number=number, alone=False)
    code, was_default = old.code, old.is_default
    old.code = free_code(f"{code}-{old.numcli}", taken={one.code.lower() for one in others})
    old.is_default, old.ended_at, old.pays_after_end = False, timezone.now(), pays_after_end
    old.save(update_fields=["code", "is_default", "ended_at", "pays_after_end"])
    new = Product(
        code=code,
        is_default=was_default,
        protocol=protocol,
        numcli=number,
        **{name: getattr(old, name) for name in _COPIED},
    )
    new.full_clean()
    new.save()
    old.replaced_by = new
    old.save(update_fields=["replaced_by"])
    follow_replacement(actor=actor, old=old, new=new)
    audit.record(
        "product.replaced",
        actor=actor,
        obj=name_of(new),
        old={"numcli": old.numcli, "protocol": old.protocol},
        new={
            "numcli": number,
            "protocol": protocol,
            "pays_after_end": pays_after_end,
            "kept_as": old.code,
            **reasoned(reason),
        },
    )
    return new


def _check(
    others: list[Product], mine: Product, *, kind: str, protocol: str, number: str, alone: bool = True
) -> None:
    """Raises ValidationError if the number cannot be used. `alone`: `mine` keeps its own number."""
    rest = [one for one in others if not (alone and one.pk == mine.pk)]
    if wrong := number_problem(rest, kind=kind, protocol=protocol, number=number):
        raise ValidationError({"number": wrong})
