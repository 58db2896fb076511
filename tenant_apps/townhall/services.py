"""The only writers of the town's own settings."""

from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_impersonator
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
    """Refresh that town's row in every process. Call it after the commit."""
    forget()
    changes.announce(town)


@transaction.atomic
def set_up_townhall(*, actor: audit.Actor, name: str, contact_email: str, **settings: Any) -> TownHall:
    """Write the row of a new town, or change it. `settings` are fields of TownHall."""
    townhall, created = TownHall.objects.update_or_create(
        pk=1, defaults={"name": name, "contact_email": contact_email, **settings}
    )
    townhall.full_clean(validate_constraints=False)
    audit.record("townhall.created" if created else "townhall.changed", actor=actor, new={"name": name})
    transaction.on_commit(partial(show, current_town()))
    return townhall


@transaction.atomic
def change_townhall(*, actor: audit.Actor, **settings: Any) -> TownHall:
    """Change settings of the town (fields of TownHall). Writes nothing when nothing changes.

    Raises ValidationError, or NotWhileImpersonating when an operator in somebody's place changes who needs a second
    factor.
    """
    if isinstance(actor, Account) and "staff_second_factor" in settings:
        refuse_impersonator(actor)
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    old, new = change_row(townhall, settings)
    if new:
        audit.record("townhall.changed", actor=actor, old=old, new=new)
        transaction.on_commit(partial(show, current_town()))
    return townhall


def change_logo(*, actor: audit.Actor, content: bytes | None) -> TownHall:
    """Show that PNG or SVG at the top of every page; None removes the logo. Raises ValidationError."""
    picture = logo_from(content) if content is not None else None
    size = {"logo_width": picture.width, "logo_height": picture.height} if picture else {}
    return _change_picture(actor, "logo", picture, **{"logo_width": 0, "logo_height": 0, **size})


def change_icon(*, actor: audit.Actor, content: bytes | None) -> TownHall:
    """The same for the icon of the browser's tab."""
    return _change_picture(actor, "icon", icon_from(content) if content is not None else None)


def _change_picture(actor: audit.Actor, field: str, picture: Picture | None, **more: int) -> TownHall:
    """Store the picture under a name made from its content: sent twice it is one file, and its address never changes.

    The file is stored before the row names it, and the previous one is deleted after the commit.
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
