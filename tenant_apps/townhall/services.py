"""The only writers of the town's own settings."""

from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from shared_apps.audit import services as audit
from tenant_apps.townhall.images import Picture, icon_from, logo_from
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import forget
from tenants.current import current_town
from tenants.hosts import changes
from tenants.models import Town
from toolkit.files.storage import identity_key
from toolkit.rows import change_row


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
def change_townhall(*, actor: audit.Actor, **settings: Any) -> TownHall:
    """Change some of the town's own settings, fields of TownHall. Nothing is written when nothing changes.

    Raises ValidationError.
    """
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    old, new = change_row(townhall, settings)
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
