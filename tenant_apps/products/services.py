"""The only writers of the town's products, with `agreements` for their numbers."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from shared_apps.audit import services as audit
from tenant_apps.products import protocols
from tenant_apps.products.codes import code_for
from tenant_apps.products.codes import problem as code_problem
from tenant_apps.products.errors import CannotBeLimited, Ended, InUse, ProductError, StillDefault
from tenant_apps.products.models import Mode, Product, ProductKind
from tenant_apps.products.numbers import number_problem
from tenant_apps.products.queries import former_products
from toolkit.rows import change_row

FIRST_CODE, FIRST_LABEL = "GENERAL", "Factures"  # of the product with which a new town begins


@transaction.atomic
def add_product(
    *,
    actor: audit.Actor,
    label: str,
    kind: str = ProductKind.REGIE,
    code: str = "",
    protocol: str = protocols.NONE,
    number: str = "",
    reason: str = "",
    **settings: Any,
) -> Product:
    """Add a régie, titres or a rôle, in mode T. Without `code`, one is made from the label.

    The first one takes the place of the product with which the town began, if nobody has touched that one.
    `settings`: contact_email, payable_days_after_issue, payable_days_after_due, offers_declaration, takes_several.
    Raises ValidationError with the wrong field.
    """
    others = lock_products()
    taken = {one.code.lower() for one in others}
    product = Product(
        label=label,
        kind=kind,
        code=code or code_for(label, taken=taken),
        protocol=protocol,
        numcli=number,
        is_default=not any(one.is_default for one in others),
        **settings,
    )
    _check_code(product.code, taken)
    if wrong := number_problem(others, kind=kind, protocol=protocol, number=number):
        raise ValidationError({"number": wrong})
    product.full_clean()
    product.is_default = product.is_default or _give_way(actor, others)
    product.save()
    new = {"label": label, "kind": kind, "code": product.code, "protocol": protocol, "numcli": number}
    audit.record("product.created", actor=actor, obj=name_of(product), new={**new, **reasoned(reason)})
    return product


def _give_way(actor: audit.Actor, others: Collection[Product]) -> bool:
    """Delete the product with which the town began, if it is the default as it was made and nothing is attached."""
    first = next((one for one in others if one.is_default), None)
    if first is None or (first.code, first.label, first.protocol) != (
        FIRST_CODE,
        FIRST_LABEL,
        protocols.NONE,
    ):
        return False
    if Account.objects.filter(limited_to__contains=[first.pk]).exists():
        return False
    try:
        with transaction.atomic():
            first.delete()
    except ProtectedError:
        return False
    old = {"label": FIRST_LABEL, "code": FIRST_CODE, "numcli": ""}
    audit.record("product.deleted", actor=actor, obj=f"product:{FIRST_CODE}", old=old)
    return True


def lock_staff() -> None:
    """Lock the accounts of the staff, before the products: whoever works for a product that is replaced follows it."""
    list(
        Account.objects.select_for_update(no_key=True)
        .filter(role__in=STAFF_ROLES)
        .order_by("pk")
        .values_list("pk")
    )


def lock_products() -> list[Product]:
    """Lock every product of the town and read them again, so that acts that compare products run one at a time.

    They are read after the lock, because the transaction before may have added one.
    """
    list(Product.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    return list(Product.objects.order_by("pk"))


def name_of(product: Product) -> str:
    """The name of a product as the object of a fact of the trail."""
    return f"product:{product.code}"


def reasoned(reason: str) -> dict[str, str]:
    """The reason as a fact of the trail keeps it; empty without one."""
    return {"reason": reason} if reason else {}


def _check_code(code: str, taken: set[str]) -> None:
    """Raises ValidationError if the code is wrong or in `taken`."""
    if wrong := code_problem(code):
        raise ValidationError({"code": wrong})
    if code.lower() in taken:
        raise ValidationError(
            {
                "code": _("Une autre régie a déjà le code « %(code)s » : choisissez-en un autre.")
                % {"code": code}
            }
        )


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


def set_up_first_product(*, actor: audit.Actor, label: str = "", number: str = "") -> Product:
    """Create the product with which a new town begins. With a number, it is at the first stage of its provider.

    Without a label and a number, the first régie that somebody adds takes its place (`add_product`).

    Raises ValidationError.
    """
    protocol = protocols.first() if number else protocols.NONE
    return set_up_product(
        actor=actor,
        code=FIRST_CODE,
        label=label or FIRST_LABEL,
        numcli=number,
        protocol=protocol,
        is_default=True,
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
        raise ValidationError({"mode": _("L'étape de la mise en service n'avance que dans un sens.")})


@transaction.atomic
def change_product(
    *,
    actor: audit.Actor,
    product: Product,
    label: str,
    contact_email: str,
    offers_declaration: bool,
    code: str = "",
    reason: str = "",
    **window: Any,
) -> Product:
    """Change the fields that the town may change alone. `payments.services.change_agreement` changes the number.

    Without `code`, the present one stays. `window`: payable_days_after_issue, payable_days_after_due, takes_several.
    Raises ValidationError.
    """
    others = lock_products()
    locked = next(one for one in others if one.pk == product.pk)
    before = name_of(locked)
    if code and code != locked.code:
        _check_code(code, {one.code.lower() for one in others if one.pk != locked.pk})
    settings = {
        "label": label,
        "code": code or locked.code,
        "contact_email": contact_email,
        "offers_declaration": offers_declaration,
        **window,
    }
    old, new = change_row(locked, settings)
    if new:
        audit.record("product.changed", actor=actor, obj=before, old=old, new={**new, **reasoned(reason)})
    return locked


@transaction.atomic
def make_default(*, actor: audit.Actor, product: Product, reason: str = "") -> Product:
    """Make this product the default one, for files that name none. Raises Ended for a closed product."""
    others = lock_products()
    locked = next(one for one in others if one.pk == product.pk)
    if locked.ended_at is not None:
        raise Ended(_("Cette régie est fermée : rouvrez-la avant d'en faire celle par défaut."))
    before = next((one for one in others if one.is_default), None)
    if before == locked:
        return locked
    if before is not None:
        before.is_default = False
        before.save(update_fields=["is_default"])
    locked.is_default = True
    locked.save(update_fields=["is_default"])
    old = {"code": before.code} if before else {}
    new = {"code": locked.code, **reasoned(reason)}
    audit.record("product.made_default", actor=actor, obj=name_of(locked), old=old, new=new)
    return locked


@transaction.atomic
def end_product(*, actor: audit.Actor, product: Product, pays_after_end: bool, reason: str = "") -> Product:
    """Close a product for the town: it gets no new invoice. Raises StillDefault.

    Unpaid invoices can be paid at the counter, and online with `pays_after_end`. Closing a closed product again only
    changes `pays_after_end`.
    """
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    if locked.is_default:
        raise StillDefault(
            _(
                "Les fichiers qui ne nomment aucune régie vont à celle-ci : choisissez d'abord une autre régie par "
                "défaut."
            )
        )
    if locked.ended_at is not None and locked.pays_after_end == pays_after_end:
        return locked
    locked.ended_at = locked.ended_at or timezone.now()
    locked.pays_after_end = pays_after_end
    locked.save(update_fields=["ended_at", "pays_after_end"])
    new = {"pays_after_end": pays_after_end, **reasoned(reason)}
    audit.record("product.ended", actor=actor, obj=name_of(locked), new=new)
    return locked


@transaction.atomic
def reopen_product(*, actor: audit.Actor, product: Product, reason: str = "") -> bool:
    """Open a product that the town closed, in the mode that it had. False when it is open already."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    if locked.ended_at is None:
        return False
    locked.ended_at, locked.pays_after_end = None, False
    locked.save(update_fields=["ended_at", "pays_after_end"])
    audit.record("product.reopened", actor=actor, obj=name_of(locked), new=reasoned(reason))
    return True


@transaction.atomic
def delete_product(*, actor: audit.Actor, product: Product, reason: str = "") -> None:
    """Delete a product without invoices, payments and test payments. Raises StillDefault or InUse.

    If it replaced another product, that one gets its code back and stays closed until it is reopened.
    """
    locked = next((one for one in lock_products() if one.pk == product.pk), None)
    if locked is None:
        return
    if locked.is_default:
        raise StillDefault(_("C'est la régie par défaut : choisissez-en une autre d'abord."))
    name, code, former = name_of(locked), locked.code, Product.objects.filter(replaced_by=locked).first()
    if former is not None:
        former.replaced_by = None
        former.save(update_fields=["replaced_by"])
    try:
        locked.delete()
    except ProtectedError:
        raise InUse(
            _(
                "Des factures ou des paiements portent cette régie : elle ne se supprime plus, mais elle se ferme."
            )
        ) from None
    old = {"label": locked.label, "code": code, "numcli": locked.numcli}
    audit.record("product.deleted", actor=actor, obj=name, old=old, new=reasoned(reason))
    if former is not None:
        old, former.code = {"code": former.code}, code
        former.save(update_fields=["code"])
        audit.record("product.changed", actor=actor, obj=name, old=old, new={"code": code})


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
    """« C'est bien nous »: a manager confirms the Treasury's lines. This reopens a product that the Treasury closed.

    Raises ProductError when the product's number is no longer the one in `product`.
    """
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    if locked.numcli != product.numcli:
        raise ProductError(_("Le numéro a changé entre-temps : vérifiez-le de nouveau."))
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


@transaction.atomic
def limit_member(*, actor: audit.Actor, account: Account, products: Collection[Product]) -> Account:
    """This member of staff works for these products only, or with none for every one of the town.

    It counts from the next request on; nobody is signed out. The same again changes nothing. Raises CannotBeLimited
    for a manager, who has the whole town, and for somebody who is no staff. What a product has replaced goes with it.
    """
    locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    former = former_products()
    wanted = {pk for product in products for pk in (product.pk, *former.get(product.pk, ()))}
    if not locked.is_town_staff or (wanted and locked.role == Role.MANAGER):
        raise CannotBeLimited(
            _(
                "Un responsable travaille pour toutes les régies. "
                "Pour limiter ce que cette personne voit, donnez-lui un autre rôle."
            )
        )
    _limit(actor, locked, wanted)
    account.limited_to = locked.limited_to
    return locked


def follow_replacement(*, actor: audit.Actor, old: Product, new: Product) -> None:
    """Whoever works for the replaced product works for the new one too. The caller holds `lock_staff`."""
    members = Account.objects.select_for_update(no_key=True).filter(limited_to__contains=[old.pk])
    for member in members.order_by("pk"):
        _limit(actor, member, {*member.limited_to, new.pk})


def _limit(actor: audit.Actor, locked: Account, ids: Collection[int]) -> None:
    """Write the list of a locked account, and from what to what it changed."""
    before, after = locked.limited_to, sorted(ids)
    if before == after:
        return
    codes = dict(Product.objects.filter(pk__in=[*before, *after]).values_list("pk", "code"))
    locked.limited_to = after
    locked.save(update_fields=["limited_to"])
    audit.record(
        "account.limited",
        actor=actor,
        obj=locked.audit_name,
        old={"products": sorted(codes[pk] for pk in before if pk in codes)},
        new={"products": sorted(codes[pk] for pk in after if pk in codes)},
    )
