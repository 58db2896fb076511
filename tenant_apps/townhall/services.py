"""The only writers of the town's own settings."""

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.townhall.images import Picture, icon_from, logo_from
from tenant_apps.townhall.models import Mode, Product, TownHall
from tenant_apps.townhall.queries import forget
from tenants.current import current_town
from tenants.hosts import changes
from tenants.models import Town
from toolkit.files.storage import identity_key


def show(town: Town) -> None:
    """Every process shows that town's row as it is now; call it once the change is committed."""
    forget()
    changes.announce(town)


@transaction.atomic
def set_up_townhall(*, actor: audit.Actor, name: str, contact_email: str, **settings: Any) -> TownHall:
    """Write the one row of a newly opened town, or change it. `settings` are fields of TownHall."""
    townhall, created = TownHall.objects.update_or_create(
        pk=1, defaults={"name": name, "contact_email": contact_email, **settings}
    )
    townhall.full_clean(validate_constraints=False)
    audit.record("townhall.created" if created else "townhall.changed", actor=actor, new={"name": name})
    transaction.on_commit(partial(show, current_town()))
    return townhall


@transaction.atomic
def set_up_product(*, actor: audit.Actor, code: str, label: str, **settings: Any) -> Product:
    """Create or change the product of that code. `settings` are fields of Product.

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


def _of_another_number(before: Product, settings: dict[str, Any]) -> dict[str, Any]:
    """What changes with the numcli: nothing that was checked of the old one holds for the new one."""
    if settings.get("numcli", before.numcli) != before.numcli:
        return {"checked_at": None, "treasury_label": "", "closed_at": None, "closed_code": "", **settings}
    forward(before, settings.get("mode", before.mode))
    return settings


def forward(product: Product, to: str) -> None:
    """Raises ValidationError when `to` comes before the product's mode: T → X → W, never back."""
    if list(Mode).index(Mode(to)) < list(Mode).index(Mode(product.mode)):
        raise ValidationError({"mode": _("L'étape d'un produit n'avance que dans un sens.")})


@transaction.atomic
def change_townhall(*, actor: audit.Actor, **settings: Any) -> TownHall:
    """Change some of the town's own settings, fields of TownHall. Nothing is written when nothing changes.

    Raises ValidationError.
    """
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    old, new = _write(townhall, settings)
    if new:
        audit.record("townhall.changed", actor=actor, old=old, new=new)
        transaction.on_commit(partial(show, current_town()))
    return townhall


def change_logo(*, actor: audit.Actor, content: bytes | None) -> TownHall:
    """Show that PNG or SVG at the head of every page; None takes the logo away. Raises ValidationError."""
    picture = logo_from(content) if content is not None else None
    size = {"logo_width": picture.width, "logo_height": picture.height} if picture else {}
    return _change_picture(actor, "logo", picture, **{"logo_width": 0, "logo_height": 0, **size})


def change_icon(*, actor: audit.Actor, content: bytes | None) -> TownHall:
    """The same for the icon of the browser's tab."""
    return _change_picture(actor, "icon", icon_from(content) if content is not None else None)


def _change_picture(actor: audit.Actor, field: str, picture: Picture | None, **more: int) -> TownHall:
    """Named by its content: sent twice it is one file, and an address never changes its picture.

    The file is there before the row names it, and the one before goes once no row names it any more.
    """
    key = ""
    if picture is not None:
        key = identity_key(town=current_town().uuid, digest=picture.digest, extension=picture.extension)
        storages["documents"].save(key, ContentFile(picture.content))
    with transaction.atomic():
        before = str(getattr(TownHall.objects.select_for_update(no_key=True).get(pk=1), field))
        townhall = change_townhall(actor=actor, **{field: key, **more})
        if before and before not in (townhall.logo, townhall.icon):
            transaction.on_commit(lambda: storages["documents"].delete(before), robust=True)
    return townhall


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
    """Change what a town may change of a product by itself; the Treasury's side is set when it is opened.

    `window`: payable_days_after_issue, payable_days_after_due, takes_several. Raises ValidationError.
    """
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    settings = {
        "label": label,
        "contact_email": contact_email,
        "offers_declaration": offers_declaration,
        **window,
    }
    old, new = _write(locked, settings)
    if new:
        audit.record("product.changed", actor=actor, obj=f"product:{locked.code}", old=old, new=new)
    return locked


@transaction.atomic
def close_product(*, actor: audit.Actor, product: Product, code: str) -> bool:
    """The Treasury refuses the numcli: online payment stops. False when it was stopped already."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    if locked.closed_at is not None:
        return False
    locked.closed_at, locked.closed_code = timezone.now(), code[:10] or "T"
    locked.save(update_fields=["closed_at", "closed_code"])
    audit.record("product.closed", actor=actor, obj=f"product:{locked.code}", new={"code": code})
    return True


@transaction.atomic
def confirm_number(*, actor: audit.Actor, product: Product, label: str) -> Product:
    """« C'est bien nous »: a manager recognised the town in the Treasury's lines. Opens a closed product again."""
    locked = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    locked.treasury_label, locked.checked_at = label[:300], timezone.now()
    locked.closed_at, locked.closed_code = None, ""
    locked.save(update_fields=["treasury_label", "checked_at", "closed_at", "closed_code"])
    audit.record("product.checked", actor=actor, obj=f"product:{locked.code}", new={"label": label[:300]})
    return locked


@transaction.atomic
def advance_product(*, actor: audit.Actor, product: Product, to: Mode) -> Product:
    """The next mode. The room of payments has looked at the proofs. Raises ValidationError for a step back."""
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


def _write(row: TownHall | Product, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set what differs on a locked row, check it, save it; returns the old and the new values of just that."""
    new = {name: value for name, value in settings.items() if getattr(row, name) != value}
    old = {name: getattr(row, name) for name in new}
    if new:
        for name, value in new.items():
            setattr(row, name, value)
        row.full_clean()
        row.save(update_fields=list(new))
    return old, new
